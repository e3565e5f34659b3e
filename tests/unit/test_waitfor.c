// SPDX-License-Identifier: GPL-2.0-or-later
/* Deadlocks in wait-for graphs: cycles, self waits, readers behind writers, and what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "waitfor.h"

static struct model *m;
static struct waitfor *w;
static struct finding_list found;

static int set_up(void **state)
{
	(void)state;
	m = model__new();
	w = waitfor__new(m);
	return m && w ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(found.items);
	found = (struct finding_list){0};
	waitfor__free(w);
	model__free(m);
	return 0;
}

static uint32_t task(uint32_t tid)
{
	return model__add_task(m, 100, tid, "task", tid, 0);
}

static uint32_t lock(uint32_t n)
{
	char name[16];

	snprintf(name, sizeof(name), "lock_%u", n);
	return model__add_instance(m, model__add_class(m, name, LOCK_KIND_RWSEM, 0), 0x1000 + n, 0);
}

static void waits(uint32_t tid, uint32_t n, uint8_t mode)
{
	struct waitfor_wait wait = {.task = task(tid),
				    .instance = lock(n),
				    .mode = mode,
				    .state = 'D',
				    .since = tid,
				    .kernel_stack = NO_ID,
				    .user_stack = NO_ID};

	assert_int_equal(waitfor__add_wait(w, &wait), 0);
}

static void owns(uint32_t tid, uint32_t n, uint8_t mode, bool certain)
{
	struct waitfor_owner owner = {
		.task = task(tid), .instance = lock(n), .mode = mode, .certain = certain};

	assert_int_equal(waitfor__add_owner(w, &owner), 0);
}

static int deadlocks(void)
{
	return waitfor__find_deadlocks(w, &found, 5000);
}

static void two_mutexes(void **state)
{
	const struct finding *f;

	(void)state;
	owns(1, 1, LOCK_EXCLUSIVE, true);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	owns(2, 7, LOCK_EXCLUSIVE, true);
	waits(1, 2, LOCK_EXCLUSIVE);
	waits(2, 1, LOCK_EXCLUSIVE);
	waits(3, 1, LOCK_EXCLUSIVE); /* hangs too, but is not on the cycle */
	assert_int_equal(deadlocks(), 1);
	f = found.items[0];
	assert_int_equal(f->task_count, 2);
	assert_true(f->kind == FINDING_DEADLOCK && f->grade == GRADE_CRITICAL && !f->breakable);
	/* task i waits for what task i + 1 holds; holds[0] closes the cycle */
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(f->tasks[i].wants, f->tasks[(i + 1) % 2].holds[0]);
	assert_int_equal(f->tasks[0].hold_count + f->tasks[1].hold_count, 3);
	assert_int_equal(f->first, 5000);
}

static void itself(void **state)
{
	(void)state;
	owns(1, 1, LOCK_EXCLUSIVE, true);
	waits(1, 1, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 1);
	assert_int_equal(found.items[0]->task_count, 1);
}

static void ring(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		owns(i + 1, i, LOCK_EXCLUSIVE, true);
		waits(i + 1, (i + 1) % 40, LOCK_EXCLUSIVE);
	}
	assert_int_equal(deadlocks(), 1);
	assert_int_equal(found.items[0]->task_count, 40);
}

static void chain_is_none(void **state)
{
	(void)state;
	owns(1, 1, LOCK_EXCLUSIVE, true);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	waits(2, 1, LOCK_EXCLUSIVE);
	waits(3, 2, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 0);
}

/* The last reader's name proves nothing. */
static void uncertain_is_none(void **state)
{
	(void)state;
	owns(1, 1, LOCK_SHARED, false);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	waits(1, 2, LOCK_EXCLUSIVE);
	waits(2, 1, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 0);
}

/* Who reads is only the name of who came last: a cycle through it is a possible deadlock. */
static void last_reader_makes_it_possible(void **state)
{
	(void)state;
	owns(1, 1, LOCK_SHARED, false);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	waits(1, 2, LOCK_EXCLUSIVE);
	waits(2, 1, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 0);
	assert_int_equal(waitfor__find_possible(w, &found, 5000), 1);
	assert_int_equal(found.items[0]->code, CODE_POSSIBLE_DEADLOCK);
	assert_int_equal(found.items[0]->grade, GRADE_WARNING);
	assert_int_equal(finding_list__exit_code(&found), 2);
}

/* What is certain is a deadlock and nothing less, also beside a name. */
static void certain_cycle_is_not_possible_only(void **state)
{
	(void)state;
	owns(1, 1, LOCK_EXCLUSIVE, true);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	owns(3, 1, LOCK_SHARED, false);
	waits(1, 2, LOCK_EXCLUSIVE);
	waits(2, 1, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 1);
	assert_int_equal(waitfor__find_possible(w, &found, 5000), 0);
}

static void writer_behind_reader(void **state)
{
	(void)state;
	owns(1, 1, LOCK_SHARED, true);
	owns(9, 1, LOCK_SHARED, true); /* another reader, not stuck: does not help */
	owns(2, 2, LOCK_EXCLUSIVE, true);
	waits(1, 2, LOCK_EXCLUSIVE);
	waits(2, 1, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 1);
}

/* A reader waits for a lock readers hold only because a writer stands before it. */
static void reader_behind_queued_writer(void **state)
{
	(void)state;
	owns(1, 1, LOCK_SHARED, true);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	waits(1, 2, LOCK_EXCLUSIVE);
	waits(2, 1, LOCK_SHARED);
	assert_int_equal(deadlocks(), 0);
	waits(3, 1, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 1);
	assert_int_equal(found.items[0]->task_count, 2);
}

static void killable_is_breakable(void **state)
{
	struct waitfor_wait wait = {.instance = lock(1), .breakable = WAIT_KILLABLE, .state = 'K'};

	(void)state;
	wait.task = task(2);
	owns(1, 1, LOCK_EXCLUSIVE, true);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	waits(1, 2, LOCK_EXCLUSIVE);
	assert_int_equal(waitfor__add_wait(w, &wait), 0);
	assert_int_equal(deadlocks(), 1);
	assert_true(found.items[0]->breakable);
}

/* The same graph added in another order gives the same key. */
static void keys_are_canonical(void **state)
{
	char first[256];

	(void)state;
	owns(1, 1, LOCK_EXCLUSIVE, true);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	waits(1, 2, LOCK_EXCLUSIVE);
	waits(2, 1, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 1);
	snprintf(first, sizeof(first), "%s", found.items[0]->key);
	waitfor__free(w);
	w = waitfor__new(m);
	found.count = 0;
	waits(2, 1, LOCK_EXCLUSIVE);
	waits(1, 2, LOCK_EXCLUSIVE);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	owns(1, 1, LOCK_EXCLUSIVE, true);
	assert_int_equal(deadlocks(), 1);
	assert_string_equal(found.items[0]->key, first);
}

static void victims(void **state)
{
	struct object vm = {
		.kind = OBJECT_VM, .parent = NO_ID, .pid = 100, .name = "web01", .address = 1};
	struct object device = {
		.kind = OBJECT_DEVICE, .parent = NO_ID, .name = "0000:65:00.0", .address = 2};
	uint32_t vm_id = model__add_object(m, &vm), device_id = model__add_object(m, &device);

	(void)state;
	model__name_instance(m, lock(1), "VM of q/100", vm_id);
	model__name_instance(m, lock(2), "0000:65:00.0", device_id);
	owns(1, 1, LOCK_EXCLUSIVE, true);
	owns(2, 2, LOCK_EXCLUSIVE, true);
	waits(1, 2, LOCK_EXCLUSIVE);
	waits(2, 1, LOCK_EXCLUSIVE);
	assert_int_equal(deadlocks(), 1);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(found.items[0]->tasks[i].vm, vm_id);
		assert_int_equal(found.items[0]->tasks[i].device, device_id);
	}
}

/* A ring of more tasks than anybody counts is as stuck as one of two. */
static void ring_of_thousands(void **state)
{
	const uint32_t tasks = 5000;

	(void)state;
	for (uint32_t i = 0; i < tasks; i++) {
		owns(i + 1, i, LOCK_EXCLUSIVE, true);
		waits(i + 1, (i + 1) % tasks, LOCK_EXCLUSIVE);
	}
	assert_int_equal(deadlocks(), 1);
	assert_int_equal(found.items[0]->task_count, tasks);
}

/* Each reader wants to write: two at a time they block each other, in millions of ways. */
static void readers_that_want_to_write(void **state)
{
	const uint32_t tasks = 3000;
	uint8_t *is_found = calloc(tasks + 1, 1);

	(void)state;
	for (uint32_t i = 1; i <= tasks; i++) {
		owns(i, 1, LOCK_SHARED, true);
		waits(i, 1, LOCK_EXCLUSIVE);
	}
	assert_in_range(deadlocks(), tasks / 2, 2 * tasks);
	assert_true(found.search_limited);
	for (uint32_t i = 0; i < found.count; i++)
		for (uint32_t j = 0; j < found.items[i]->task_count; j++)
			is_found[model__task(m, found.items[i]->tasks[j].task)->tid] = 1;
	for (uint32_t i = 1; i <= tasks; i++)
		assert_true(is_found[i]);
	free(is_found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_mutexes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ring, set_up, tear_down),
		cmocka_unit_test_setup_teardown(chain_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(uncertain_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(last_reader_makes_it_possible, set_up, tear_down),
		cmocka_unit_test_setup_teardown(certain_cycle_is_not_possible_only, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(writer_behind_reader, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reader_behind_queued_writer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(killable_is_breakable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_are_canonical, set_up, tear_down),
		cmocka_unit_test_setup_teardown(victims, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ring_of_thousands, set_up, tear_down),
		cmocka_unit_test_setup_teardown(readers_that_want_to_write, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
