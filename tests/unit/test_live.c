// SPDX-License-Identifier: GPL-2.0-or-later
/* Alarms raised at the closing dependency of a live capture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analysis.h"

struct alarms {
	int count;
	enum finding_code code;
	enum finding_grade grade;
	const char *key;
};

static void on_finding(void *context, const struct finding *f)
{
	struct alarms *alarms = context;

	alarms->count++;
	alarms->code = f->code;
	alarms->grade = f->grade;
	alarms->key = f->key;
}

static struct model *m;
static struct analysis *a;
static struct alarms alarms;

static int start(void **state)
{
	struct analysis_options options = {.live_kernel = true,
					   .touches_scope = true,
					   .on_finding = on_finding,
					   .context = &alarms};

	(void)state;
	memset(&alarms, 0, sizeof(alarms));
	m = model__new();
	a = analysis__new(m, &options);
	model__add_task(m, 1, 1, "qemu", 0, 0);
	model__add_task(m, 2, 2, "qemu", 0, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	analysis__free(a);
	model__free(m);
	return 0;
}

static uint32_t lock(const char *name, uint64_t address, enum lock_kind kind)
{
	uint32_t flags = strstr(name, "vfio") || strstr(name, "kvm") ? CLASS_IN_SCOPE : 0;

	return model__add_instance(m, model__add_class(m, name, kind, flags), address, 0);
}

static void chain(uint32_t task, uint32_t held, uint8_t held_mode, uint32_t wanted, uint8_t mode)
{
	struct held_lock h = {.instance = held, .stack = NO_ID, .mode = held_mode};
	struct held_lock w = {.instance = wanted, .stack = NO_ID, .mode = mode};
	static uint64_t now;

	model__add_chain(m, &h, 1, &w, task, ++now, 1, NO_ID);
}

static void test_group_lock(void **state)
{
	uint32_t group = lock("vfio_group.group_lock", 1, LOCK_KIND_RWSEM);
	uint32_t kvm = lock("kvm.lock", 2, LOCK_KIND_MUTEX);

	(void)state;
	chain(0, group, LOCK_SHARED, kvm, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 0);
	chain(1, kvm, LOCK_EXCLUSIVE, group, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 1);
	assert_int_equal(alarms.code, CODE_INSTANCE_INVERSION);
	assert_int_equal(alarms.grade, GRADE_WARNING);
	assert_string_equal(alarms.key, "inversion:kvm.lock>vfio_group.group_lock(shared)");
	/* again from another site: counted, not announced */
	chain(0, kvm, LOCK_EXCLUSIVE, group, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 1);
	assert_int_equal(finding_list__exit_code(analysis__findings(a)), 2);
}

static void test_one_task(void **state)
{
	uint32_t group = lock("vfio_group.group_lock", 1, LOCK_KIND_MUTEX);
	uint32_t kvm = lock("kvm.lock", 2, LOCK_KIND_MUTEX);

	(void)state;
	chain(0, group, LOCK_EXCLUSIVE, kvm, LOCK_EXCLUSIVE);
	chain(0, kvm, LOCK_EXCLUSIVE, group, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 1);
	assert_int_equal(alarms.grade, GRADE_WARNING);
	assert_true(analysis__findings(a)->items[0]->same_thread);
}

static void test_other_instances(void **state)
{
	uint32_t group = lock("vfio_group.group_lock", 1, LOCK_KIND_MUTEX);
	uint32_t other = lock("vfio_group.group_lock", 2, LOCK_KIND_MUTEX);
	uint32_t kvm = lock("kvm.lock", 3, LOCK_KIND_MUTEX);

	(void)state;
	chain(0, group, LOCK_EXCLUSIVE, kvm, LOCK_EXCLUSIVE);
	chain(1, kvm, LOCK_EXCLUSIVE, other, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.code, CODE_CLASS_INVERSION);
	/* the instances meet later: the finding becomes an instance inversion */
	chain(1, kvm, LOCK_EXCLUSIVE, group, LOCK_EXCLUSIVE);
	assert_int_equal(analysis__findings(a)->count, 1);
	assert_int_equal(analysis__findings(a)->items[0]->code, CODE_INSTANCE_INVERSION);
}

static void test_through_foreign_locks(void **state)
{
	uint32_t group = lock("vfio_group.group_lock", 1, LOCK_KIND_MUTEX);
	uint32_t x = lock("mm_struct.mmap_lock", 2, LOCK_KIND_RWSEM);
	uint32_t y = lock("cpu_hotplug_lock", 3, LOCK_KIND_PERCPU_RWSEM);
	uint32_t z = lock("pci_bus_sem", 4, LOCK_KIND_RWSEM);

	(void)state;
	chain(0, x, LOCK_EXCLUSIVE, y, LOCK_EXCLUSIVE);
	chain(0, group, LOCK_EXCLUSIVE, x, LOCK_EXCLUSIVE);
	chain(0, y, LOCK_EXCLUSIVE, group, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 1);
	assert_int_equal(analysis__findings(a)->items[0]->length, 3);
	/* a cycle that touches nothing in scope is not reported */
	chain(0, x, LOCK_EXCLUSIVE, z, LOCK_EXCLUSIVE);
	chain(0, z, LOCK_EXCLUSIVE, x, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 1);
}

static void test_readers(void **state)
{
	uint32_t group = lock("vfio_group.group_lock", 1, LOCK_KIND_RWSEM);
	uint32_t kvm = lock("kvm.lock", 2, LOCK_KIND_RWSEM);

	(void)state;
	/* recursive readers on both sides never block each other */
	chain(0, group, LOCK_SHARED, kvm, LOCK_SHARED_RECURSIVE);
	chain(1, kvm, LOCK_SHARED, group, LOCK_SHARED_RECURSIVE);
	assert_int_equal(alarms.count, 0);
	/* plain readers need a queued writer: info while none was seen */
	chain(0, group, LOCK_SHARED, kvm, LOCK_SHARED);
	chain(1, kvm, LOCK_SHARED, group, LOCK_SHARED);
	assert_int_equal(alarms.count, 1);
	assert_int_equal(alarms.code, CODE_READ_ONLY);
}

static void test_recursion_and_nesting(void **state)
{
	uint32_t kvm = lock("kvm.lock", 1, LOCK_KIND_MUTEX);
	uint32_t other = lock("kvm.lock", 2, LOCK_KIND_MUTEX);

	(void)state;
	chain(0, kvm, LOCK_EXCLUSIVE, other, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.code, CODE_SAME_CLASS_NESTING);
	assert_int_equal(alarms.grade, GRADE_INFO);
	chain(0, other, LOCK_EXCLUSIVE, kvm, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 2);
	assert_int_equal(alarms.code, CODE_INSTANCE_INVERSION);
	chain(0, kvm, LOCK_EXCLUSIVE, kvm, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 3);
	assert_int_equal(alarms.code, CODE_RECURSION);
}

static void test_guard(void **state)
{
	uint32_t set = lock("vfio_device_set.lock", 1, LOCK_KIND_MUTEX);
	uint32_t group = lock("vfio_group.group_lock", 2, LOCK_KIND_MUTEX);
	uint32_t kvm = lock("kvm.lock", 3, LOCK_KIND_MUTEX);
	struct held_lock held[2] = {{.instance = set, .stack = NO_ID},
				    {.instance = group, .stack = NO_ID}};
	struct held_lock wanted = {.instance = kvm, .stack = NO_ID};
	const struct finding *f;

	(void)state;
	model__add_chain(m, held, 2, &wanted, 0, 1, 1, NO_ID);
	held[1].instance = kvm;
	wanted.instance = group;
	model__add_chain(m, held, 2, &wanted, 1, 2, 1, NO_ID);
	f = analysis__findings(a)->items[0];
	assert_int_equal(f->code, CODE_GATED);
	assert_int_equal(f->guard_count, 1);
	assert_int_equal(f->guards[0], set);
	assert_int_equal(finding_list__exit_code(analysis__findings(a)), 0);
	/* once without the guard */
	model__add_chain(m, &held[1], 1, &wanted, 1, 3, 1, NO_ID);
	assert_int_equal(f->code, CODE_INSTANCE_INVERSION);
	assert_int_equal(alarms.count, 2);
}

static void test_instance_only(void **state)
{
	uint32_t device = lock("device.mutex", 1, LOCK_KIND_MUTEX);
	uint32_t parent = lock("device.mutex", 2, LOCK_KIND_MUTEX);
	uint32_t kvm = lock("kvm.lock", 3, LOCK_KIND_MUTEX);

	(void)state;
	chain(0, device, LOCK_EXCLUSIVE, kvm, LOCK_EXCLUSIVE);
	chain(1, kvm, LOCK_EXCLUSIVE, parent, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 0);
	chain(1, kvm, LOCK_EXCLUSIVE, device, LOCK_EXCLUSIVE);
	assert_int_equal(alarms.count, 1);
	assert_int_equal(alarms.code, CODE_INSTANCE_INVERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_group_lock, start, stop),
		cmocka_unit_test_setup_teardown(test_one_task, start, stop),
		cmocka_unit_test_setup_teardown(test_other_instances, start, stop),
		cmocka_unit_test_setup_teardown(test_through_foreign_locks, start, stop),
		cmocka_unit_test_setup_teardown(test_readers, start, stop),
		cmocka_unit_test_setup_teardown(test_recursion_and_nesting, start, stop),
		cmocka_unit_test_setup_teardown(test_guard, start, stop),
		cmocka_unit_test_setup_teardown(test_instance_only, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
