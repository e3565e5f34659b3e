// SPDX-License-Identifier: GPL-2.0-or-later
/* The model: identity, held sets, chains, dependencies, witnesses, observers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model.h"

struct seen {
	int chains, task_chains, dependencies, new_edges, events;
};

static void on_chain(void *context, const struct model *m, uint32_t chain)
{
	assert_true(chain < model__chain_count(m));
	((struct seen *)context)->chains++;
}

static void on_task_chain(void *context, const struct model *m, const struct task_chain *pair)
{
	assert_true(pair->task < model__task_count(m));
	((struct seen *)context)->task_chains++;
}

static void on_dependency(void *context, const struct model *m, uint32_t id, bool is_new_edge)
{
	assert_true(id < model__dependency_count(m));
	((struct seen *)context)->dependencies++;
	((struct seen *)context)->new_edges += is_new_edge;
}

static void on_event(void *context, const struct model *m, const struct trace_event *event)
{
	(void)m;
	(void)event;
	((struct seen *)context)->events++;
}

static void test_identity(void **state)
{
	struct model *m = model__new();
	uint32_t group = model__add_class(m, "vfio_group.group_lock", LOCK_KIND_UNKNOWN, 0);
	uint32_t kvm = model__add_class(m, "kvm.lock", LOCK_KIND_MUTEX, CLASS_IN_SCOPE);

	(void)state;
	assert_int_equal(group, 0);
	assert_int_equal(kvm, 1);
	assert_int_equal(
		model__add_class(m, "vfio_group.group_lock", LOCK_KIND_RWSEM, CLASS_IN_SCOPE),
		group);
	assert_int_equal(model__lock_class(m, group)->kind, LOCK_KIND_RWSEM);
	assert_int_equal(model__lock_class(m, group)->flags, CLASS_IN_SCOPE);
	assert_int_equal(model__find_class(m, "kvm.lock"), kvm);
	assert_int_equal(model__find_class(m, "nothing"), NO_ID);
	assert_int_equal(model__add_instance(m, kvm, 0x1000, 0), 0);
	assert_int_equal(model__add_instance(m, kvm, 0x1000, 1), 1); /* reused after free */
	assert_int_equal(model__add_instance(m, group, 0x1000, 0), 2);
	assert_int_equal(model__add_instance(m, kvm, 0x1000, 0), 0);
	assert_int_equal(model__add_task(m, 10, 11, "qemu", 5, 0), 0);
	assert_int_equal(model__add_task(m, 10, 11, "CPU 0/KVM", 5, TASK_EXITED), 0);
	assert_string_equal(model__task(m, 0)->comm, "CPU 0/KVM");
	assert_int_equal(model__task(m, 0)->flags, TASK_EXITED);
	assert_int_equal(model__add_task(m, 10, 11, "qemu", 6, 0), 1); /* the tid came back */
	assert_int_equal(model__add_task(m, 10, 0, "a", 0, TASK_AGGREGATED), 2);
	assert_int_equal(model__add_task(m, 10, 0, "b", 0, TASK_AGGREGATED), 3);
	assert_int_equal(model__add_task(m, 10, 0, "a", 0, TASK_AGGREGATED), 2);
	model__free(m);
}

static void test_stacks(void **state)
{
	struct model *m = model__new();
	struct frame frames[40] = {{.ip = 1, .symbol = "f"}, {.ip = 2}};
	char symbol[] = "f";

	(void)state;
	assert_int_equal(model__add_stack(m, STACK_FULL, frames, 2), 0);
	frames[0].symbol = symbol; /* other pointer, same name */
	assert_int_equal(model__add_stack(m, STACK_FULL, frames, 2), 0);
	assert_int_equal(model__add_stack(m, STACK_SITE, frames, 1), 1);
	assert_int_equal(model__add_stack(m, STACK_FULL, frames, 40), 2);
	assert_int_equal(model__stack(m, 2).frame_count, 40);
	assert_int_equal(model__stack(m, NO_ID).frame_count, 0);
	assert_string_equal(model__stack(m, 0).frames[0].symbol, "f");
	model__free(m);
}

/* classes A and B of one instance each, task 0 */
static struct model *two_locks(void)
{
	struct model *m = model__new();

	model__add_instance(m, model__add_class(m, "A", LOCK_KIND_MUTEX, 0), 1, 0);
	model__add_instance(m, model__add_class(m, "B", LOCK_KIND_MUTEX, 0), 2, 0);
	model__add_task(m, 1, 1, "t", 0, 0);
	return m;
}

static void test_chains(void **state)
{
	struct model *m = two_locks();
	struct seen seen = {0};
	struct model_observer observer = {.context = &seen,
					  .chain = on_chain,
					  .task_chain = on_task_chain,
					  .dependency = on_dependency};
	struct held_lock held = {.instance = 0, .stack = NO_ID};
	struct held_lock wanted = {.instance = 1, .stack = NO_ID};
	const struct dependency *dependency;
	uint32_t chain;

	(void)state;
	model__observe(m, &observer);
	chain = model__add_chain(m, &held, 1, &wanted, 0, 100, 1, PATH_GET_KVM);
	assert_int_equal(chain, 0);
	assert_int_equal(model__add_chain(m, &held, 1, &wanted, 0, 200, 2, PATH_GET_KVM), 0);
	model__count_chain(m, chain, 5, 300);
	dependency = model__dependency(
		m, model__find_dependency(m, 0, LOCK_EXCLUSIVE, 1, LOCK_EXCLUSIVE));
	assert_int_equal(dependency->count, 8);
	assert_int_equal(dependency->first, 100);
	assert_int_equal(dependency->last, 300);
	assert_int_equal(model__class_edge(m, model__find_edge(m, 0, 1))->count, 8);
	assert_int_equal(model__find_edge(m, 1, 0), NO_ID);
	/* the same pair from another site: one dependency, two witnesses */
	held.stack = model__add_stack(m, STACK_SITE, &(struct frame){.ip = 7}, 1);
	assert_int_equal(model__add_chain(m, &held, 1, &wanted, 0, 400, 1, NO_ID), 1);
	dependency = model__dependency(m, 0);
	assert_int_equal(dependency->chain_count, 2);
	assert_int_equal(dependency->first_chain, 0);
	assert_int_equal(dependency->last_chain, 1);
	assert_int_equal(model__dependency_chains_kept(m, 0), 2);
	assert_int_equal(model__dependency_chain(m, 0, 1), 1);
	/* a trylock is never the second half */
	wanted.flags = HELD_TRY;
	model__add_chain(m, &held, 1, &wanted, 0, 500, 1, NO_ID);
	assert_int_equal(model__dependency_count(m), 1);
	assert_int_equal(model__chain_dependency(m, 2, 0), NO_ID);
	/* a new mode on a known edge is announced as new */
	wanted.flags = 0;
	wanted.mode = LOCK_SHARED;
	model__add_chain(m, &held, 1, &wanted, 0, 600, 1, NO_ID);
	assert_int_equal(seen.chains, 4);
	assert_int_equal(seen.task_chains, 4);
	assert_int_equal(seen.dependencies, 3);
	assert_int_equal(seen.new_edges, 2);
	model__unobserve(m, &seen);
	wanted.instance = 0;
	model__add_chain(m, &held, 1, &wanted, 0, 700, 1, NO_ID);
	assert_int_equal(seen.chains, 4);
	model__free(m);
}

static void add(struct model *m, enum event_op op, uint32_t operand, enum lock_mode mode)
{
	struct trace_event event = {.op = op, .operand = operand, .mode = mode, .stack = NO_ID};

	assert_int_equal(model__add_event(m, &event), 0);
}

static void test_events(void **state)
{
	struct model *m = two_locks();
	struct seen seen = {0};
	struct model_observer observer = {.context = &seen, .event = on_event};

	(void)state;
	model__observe(m, &observer);
	model__keep_events(m, true);
	add(m, EVENT_REQUEST, 0, LOCK_EXCLUSIVE);
	assert_non_null(model__pending(m, 0));
	add(m, EVENT_ACQUIRE, 0, LOCK_EXCLUSIVE);
	assert_null(model__pending(m, 0));
	add(m, EVENT_REQUEST, 1, LOCK_SHARED);
	assert_int_equal(model__dependency_count(m), 1); /* there although it is not acquired */
	add(m, EVENT_ACQUIRE, 1, LOCK_SHARED);
	assert_int_equal(model__dependency(m, 0)->count, 1); /* announced and acquired: once */
	assert_int_equal(model__held_count(m, 0), 2);
	add(m, EVENT_RELEASE, 0, LOCK_EXCLUSIVE); /* out of order */
	assert_int_equal(model__held_count(m, 0), 1);
	assert_int_equal(model__held(m, 0)[0].instance, 1);
	add(m, EVENT_RELEASE, 1, LOCK_SHARED);
	add(m, EVENT_RELEASE, 1, LOCK_SHARED);
	add(m, EVENT_RELEASE, 1, LOCK_SHARED);
	assert_int_equal(model__bad_release_count(m), 1);
	assert_int_equal(model__bad_release(m, 0)->count, 2);
	assert_int_equal(model__event_count(m), 8);
	assert_int_equal(seen.events, 8);
	assert_int_equal(model__acquisitions(m), 2);
	assert_true(model__instance(m, 0)->flags & INSTANCE_HAD_WRITER);
	assert_false(model__instance(m, 1)->flags & INSTANCE_HAD_WRITER);
	/* after a gap nothing is known about what is held */
	add(m, EVENT_ACQUIRE, 0, LOCK_EXCLUSIVE);
	add(m, EVENT_GAP, 0, 0);
	add(m, EVENT_RELEASE, 0, LOCK_EXCLUSIVE);
	assert_int_equal(model__bad_release_count(m), 1);
	assert_int_equal(model__loss(m, LOSS_EVENT_GAP), 1);
	model__free(m);
}

static void test_downgrade_and_overflow(void **state)
{
	struct model *m = two_locks();

	(void)state;
	add(m, EVENT_ACQUIRE, 0, LOCK_EXCLUSIVE);
	add(m, EVENT_DOWNGRADE, 0, LOCK_SHARED);
	assert_int_equal(model__held(m, 0)[0].mode, LOCK_SHARED);
	add(m, EVENT_RELEASE, 0, LOCK_SHARED);
	for (uint32_t i = 0; i < 1000; i++)
		model__add_instance(m, 0, 1000 + i, 0);
	for (uint32_t i = 0; i < 1000; i++)
		add(m, EVENT_ACQUIRE, 2 + i, LOCK_EXCLUSIVE);
	assert_true(model__loss(m, LOSS_HELD_OVERFLOW) > 0);
	for (uint32_t i = 1000; i-- > 0;)
		add(m, EVENT_RELEASE, 2 + i, LOCK_EXCLUSIVE);
	assert_int_equal(model__held_count(m, 0), 0);
	assert_int_equal(model__bad_release_count(m), 0);
	model__free(m);
}

static void test_subclass(void **state)
{
	struct model *m = two_locks();
	struct held_lock held = {.instance = 0, .stack = NO_ID};
	struct held_lock wanted = {.instance = 1, .stack = NO_ID, .subclass = 1};

	(void)state;
	model__add_chain(m, &held, 1, &wanted, 0, 1, 1, NO_ID);
	assert_int_equal(model__held_class(m, &held), 0);
	assert_string_equal(model__lock_class(m, model__held_class(m, &wanted))->name, "B/1");
	assert_int_equal(model__class_edge(m, 0)->to, model__find_class(m, "B/1"));
	model__free(m);
}

static void test_the_rest(void **state)
{
	struct model *m = two_locks();
	struct object object = {.kind = OBJECT_VM, .parent = NO_ID, .address = 9, .name = "vm"};
	struct histogram time = {.count = 1, .total = 8, .max = 8, .bucket = {[3] = 1}};
	struct path_event path = {.path = PATH_GET_KVM, .count = 2};
	struct coverage none = {COVERAGE_ABSENT, 0, "f", "not on this kernel"};

	(void)state;
	assert_int_equal(model__add_object(m, &object), 0);
	object.name = NULL;
	object.detail = "command line";
	assert_int_equal(model__add_object(m, &object), 0);
	assert_string_equal(model__object(m, 0)->name, "vm");
	assert_string_equal(model__object(m, 0)->detail, "command line");
	model__add_duration(m, 0, NO_ID, NO_ID, false, &time);
	model__add_duration(m, 0, NO_ID, NO_ID, false, &time);
	model__add_duration(m, 0, NO_ID, NO_ID, true, &time);
	assert_int_equal(model__duration_count(m), 2);
	assert_int_equal(model__duration(m, 0)->time.total, 16);
	model__add_path_event(m, &path);
	assert_int_equal(model__coverage(m, PATH_GET_KVM)->hits, 2);
	model__set_coverage(m, PATH_PUT_KVM, &none);
	assert_string_equal(model__coverage(m, PATH_PUT_KVM)->reason, "not on this kernel");
	assert_false(model__has_losses(m));
	model__set_losses_unknown(m, "kprobes before 6.7 do not count skipped runs");
	assert_true(model__has_losses(m));
	model__set_fact(m, "arch", "x86_64");
	model__set_fact(m, "arch", "s390x");
	assert_int_equal(model__fact_count(m), 1);
	assert_string_equal(model__fact(m, "arch"), "s390x");
	for (int i = 0; i < PATH_COUNT; i++)
		assert_non_null(path_names[i]);
	for (int i = 0; i < LOSS_REASONS; i++)
		assert_non_null(loss_names[i]);
	model__free(m);
	model__free(NULL);
}

/* With a bound the newest events stay, after a gap; held sets and observers see all of them. */
static void test_bounded_events(void **state)
{
	struct model *m = model__new();
	uint32_t task = model__add_task(m, 1, 1, "t", 0, 0), cls, lock;
	struct seen seen = {0};
	const struct model_observer observer = {.context = &seen, .event = on_event};
	struct trace_event event = {.task = task, .stack = NO_ID, .mode = LOCK_EXCLUSIVE};

	(void)state;
	cls = model__add_class(m, "a.lock", LOCK_KIND_MUTEX, 0);
	lock = model__add_instance(m, cls, 0x1000, 0);
	event.operand = lock;
	model__keep_events(m, true);
	model__bound_events(m, 100);
	assert_int_equal(model__observe(m, &observer), 0);
	for (uint64_t i = 1; i <= 1001; i++) {
		event.op = i % 2 ? EVENT_ACQUIRE : EVENT_RELEASE;
		event.time = i;
		assert_int_equal(model__add_event(m, &event), 0);
	}
	assert_int_equal(seen.events, 1001);
	assert_in_range(model__event_count(m), 50, 100);
	assert_int_equal(model__events(m)[0].op, EVENT_GAP);
	assert_int_equal(model__events(m)[model__event_count(m) - 1].time, 1001);
	assert_int_equal(model__held_count(m, task), 1);
	assert_int_equal(model__bad_release_count(m), 0);
	assert_true(model__events_are_cut(m));
	assert_int_equal(model__loss(m, LOSS_EVENT_GAP), 0);
	model__free(m);
}

/* The memory of a VM is used for another one: what was found on the first one's locks is its own.
 */
static void test_address_of_object_reused(void **state)
{
	struct object vm = {.kind = OBJECT_VM,
			    .parent = NO_ID,
			    .pid = 100,
			    .address = 0x1000,
			    .name = "qemu/100"};
	struct object device = {
		.kind = OBJECT_DEVICE, .parent = NO_ID, .address = 0x2000, .name = "0000:01:00.0"};
	struct object bridge = {.kind = OBJECT_KVM_VFIO_DEVICE,
				.parent = NO_ID,
				.address = 0x3000,
				.name = "KVM-VFIO device"};
	struct model *m = model__new();
	uint32_t first = model__add_object(m, &vm), other,
		 of_device = model__add_object(m, &device);
	uint32_t lock = model__add_instance(m, model__add_class(m, "kvm.lock", LOCK_KIND_MUTEX, 0),
					    0x1008, 0);
	uint32_t of_first = model__add_object(m, &bridge);

	(void)state;
	model__name_instance(m, lock, "VM of qemu/100", first);
	vm.name = "web01"; /* the same VM, better known */
	assert_int_equal(model__add_object(m, &vm), first);
	bridge.parent = first; /* likewise */
	assert_int_equal(model__add_object(m, &bridge), of_first);
	assert_int_equal(model__add_object(m, &bridge), of_first);
	vm.pid = 200;
	vm.name = "db02";
	other = model__add_object(m, &vm);
	assert_int_not_equal(other, first);
	assert_string_equal(model__object(m, model__instance(m, lock)->object)->name, "web01");
	assert_int_equal(model__object(m, first)->pid, 100);
	bridge.parent = other;
	assert_int_not_equal(model__add_object(m, &bridge), of_first);
	device.name = "0000:02:00.0";
	assert_int_not_equal(model__add_object(m, &device), of_device);
	assert_string_equal(model__object(m, of_device)->name, "0000:01:00.0");
	model__free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounded_events),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_downgrade_and_overflow),
		cmocka_unit_test(test_address_of_object_reused),
		cmocka_unit_test(test_subclass),
		cmocka_unit_test(test_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
