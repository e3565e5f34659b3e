// SPDX-License-Identifier: GPL-2.0-or-later
/* What counts as a change between two runs, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff.h"

static void order(struct model *m, const char *from, const char *to, uint8_t mode, uint64_t count)
{
	uint32_t a = model__add_class(m, from, LOCK_KIND_MUTEX, 0);
	uint32_t b = model__add_class(m, to, LOCK_KIND_MUTEX, 0);
	uint32_t x = model__add_instance(m, a, 0x1000 + a * 64, 0);
	uint32_t y = model__add_instance(m, b, 0x1000 + b * 64, 0);
	struct held_lock held = {.instance = x, .stack = NO_ID, .mode = LOCK_EXCLUSIVE};
	struct held_lock wanted = {.instance = y, .stack = NO_ID, .mode = mode};

	model__add_chain(m, &held, 1, &wanted, model__add_task(m, 1, 1, "t", 1, 0), 5, count,
			 NO_ID);
}

static const struct diff_row *find(const struct diff *d, enum diff_section section,
				   const char *name)
{
	for (uint32_t i = 0; i < d->count[section]; i++)
		if (!strcmp(d->rows[section][i].name, name))
			return &d->rows[section][i];
	return NULL;
}

static void test_dependencies(void **state)
{
	struct model *a = model__new(), *b = model__new();
	struct diff *d;
	(void)state;

	order(a, "kvm.lock", "vfio_group.group_lock", LOCK_EXCLUSIVE, 3);
	order(a, "x", "y", LOCK_EXCLUSIVE, 3);
	order(a, "x", "z", LOCK_EXCLUSIVE, 3);
	order(b, "kvm.lock", "vfio_group.kvm_ref_lock", LOCK_EXCLUSIVE, 3);
	order(b, "x", "y", LOCK_EXCLUSIVE, 300);
	order(b, "x", "z", LOCK_SHARED, 3);
	d = diff__make(a, NULL, b, NULL);
	assert_non_null(d);
	assert_int_equal(diff__changes(d, DIFF_DEPENDENCIES), 3);
	assert_int_equal(d->count[DIFF_DEPENDENCIES], 4);
	assert_string_equal(d->rows[DIFF_DEPENDENCIES][0].name,
			    "kvm.lock -> vfio_group.kvm_ref_lock");
	assert_int_equal(d->rows[DIFF_DEPENDENCIES][0].kind, DIFF_APPEARED);
	assert_string_equal(d->rows[DIFF_DEPENDENCIES][1].name,
			    "kvm.lock -> vfio_group.group_lock");
	assert_int_equal(d->rows[DIFF_DEPENDENCIES][1].kind, DIFF_VANISHED);
	assert_int_equal(find(d, DIFF_DEPENDENCIES, "x -> z")->kind, DIFF_CHANGED);
	assert_int_equal(find(d, DIFF_DEPENDENCIES, "x -> y")->kind, DIFF_SAME);
	assert_int_equal(diff__changes(d, DIFF_CLASSES), 2);
	assert_false(d->new_cycle);
	diff__free(d);
	model__free(a);
	model__free(b);
}

static void test_alignment(void **state)
{
	struct model *a = model__new(), *b = model__new();
	char name[256];
	struct diff *d;
	(void)state;

	assert_string_equal(diff__aligned_name("kmalloc-1k+0x48(vfio_device_open.isra.0+0x30)",
					       name, sizeof(name)),
			    "lock of vfio_df_open");
	assert_string_equal(diff__aligned_name("kvm_debugfs_lock.4", name, sizeof(name)),
			    "kvm_debugfs_lock");
	assert_string_equal(diff__aligned_name("kvm.lock", name, sizeof(name)), "kvm.lock");
	order(a, "kvm_debugfs_lock.4", "inode.i_rwsem", LOCK_EXCLUSIVE, 3);
	order(b, "kvm_debugfs_lock.2", "inode.i_rwsem", LOCK_EXCLUSIVE, 3);
	order(a, "kmalloc-1k+0x48(create.isra.0)", "kvm.lock", LOCK_EXCLUSIVE, 3);
	order(b, "kmalloc-2k+0x50(create)", "kvm.lock", LOCK_EXCLUSIVE, 3);
	d = diff__make(a, NULL, b, NULL);
	for (int section = 0; section < DIFF_SECTIONS; section++)
		assert_int_equal(diff__changes(d, (enum diff_section)section), 0);
	diff__free(d);
	model__free(a);
	model__free(b);
}

static void finding(struct model *m, struct finding *f, uint32_t *classes, const char *x,
		    const char *y, enum finding_grade grade)
{
	classes[0] = model__add_class(m, x, LOCK_KIND_MUTEX, 0);
	classes[1] = model__add_class(m, y, LOCK_KIND_MUTEX, 0);
	*f = (struct finding){.kind = FINDING_INVERSION,
			      .code = CODE_CLASS_INVERSION,
			      .grade = grade,
			      .length = 2,
			      .classes = classes};
}

static void test_cycles(void **state)
{
	struct model *a = model__new(), *b = model__new();
	struct finding fa, fb, fc, *la[] = {&fa}, *lb[] = {&fb, &fc};
	struct finding_list before = {.items = la, .count = 1}, after = {.items = lb, .count = 1};
	uint32_t ca[2], cb[2], cc[2];
	struct diff *d;
	(void)state;

	finding(a, &fa, ca, "p", "q", GRADE_WARNING);
	finding(b, &fb, cb, "q", "p", GRADE_WARNING); /* the same cycle, rotated */
	finding(b, &fc, cc, "q", "r", GRADE_WARNING);
	d = diff__make(a, &before, b, &after);
	assert_int_equal(diff__changes(d, DIFF_CYCLES), 0);
	assert_false(d->new_cycle);
	diff__free(d);
	after.count = 2;
	d = diff__make(a, &before, b, &after);
	assert_int_equal(diff__changes(d, DIFF_CYCLES), 1);
	assert_string_equal(d->rows[DIFF_CYCLES][0].name, "q -> r -> q");
	assert_true(d->new_cycle);
	diff__free(d);
	d = diff__make(b, &after, a, &before);
	assert_int_equal(d->rows[DIFF_CYCLES][0].kind, DIFF_VANISHED);
	assert_false(d->new_cycle);
	diff__free(d);
	model__free(a);
	model__free(b);
}

static void test_coverage_and_waits(void **state)
{
	struct model *a = model__new(), *b = model__new();
	struct coverage here = {.state = COVERAGE_HIT, .hits = 4, .probe = "vfio_df_open"};
	struct coverage there = {.state = COVERAGE_HIT, .hits = 9, .probe = "vfio_device_open"};
	struct histogram fast = {.count = 10, .total = 1000}, slow = {.count = 10, .total = 9000};
	struct coverage absent = {.state = COVERAGE_ABSENT};
	uint32_t instance;
	struct diff *d;
	(void)state;

	model__set_coverage(a, PATH_DEVICE_OPEN, &there);
	model__set_coverage(b, PATH_DEVICE_OPEN, &here);
	model__set_coverage(a, PATH_GET_KVM, &absent);
	model__set_coverage(b, PATH_GET_KVM, &here);
	instance =
		model__add_instance(a, model__add_class(a, "kvm.lock", LOCK_KIND_MUTEX, 0), 1, 0);
	model__add_duration(a, instance, NO_ID, NO_ID, false, &fast);
	instance =
		model__add_instance(b, model__add_class(b, "kvm.lock", LOCK_KIND_MUTEX, 0), 2, 0);
	model__add_duration(b, instance, NO_ID, NO_ID, false, &slow);
	d = diff__make(a, NULL, b, NULL);
	assert_int_equal(diff__changes(d, DIFF_COVERAGE), 1);
	assert_string_equal(d->rows[DIFF_COVERAGE][0].name, "get_kvm");
	assert_string_equal(d->rows[DIFF_COVERAGE][0].before, "absent 0");
	assert_int_equal(diff__changes(d, DIFF_WAITS), 1);
	assert_string_equal(d->rows[DIFF_WAITS][0].after, "mean 900 ns of 10");
	assert_int_equal(diff__changes(d, DIFF_HOLDS), 0);
	diff__free(d);
	model__free(a);
	model__free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dependencies),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_coverage_and_waits),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
