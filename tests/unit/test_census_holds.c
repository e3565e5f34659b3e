// SPDX-License-Identifier: GPL-2.0-or-later
/* Who has a lock to read, by held sets that also have what a task only asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "census/census_private.h"

enum { READER = 0x1000, WRITER = 0x2000, LOCK = 0x9000, OTHER = 0xa000 };

static bool holds(uint32_t entries, bool waits, bool readers)
{
	struct census_hold all[] = {
		{READER, OTHER, true}, {READER, LOCK, true}, {READER, LOCK, true}};
	struct census_options options = {.holds = all, .hold_count = 1 + entries};
	struct census_run run = {.options = &options};
	struct lock_waiter waiters[] = {{.task = WRITER}, {.task = READER, .shared = true}};
	struct lock_state state = {
		.readers = readers, .waiters = waiters, .waiter_count = waits ? 2 : 1};

	return census__holds_shared(&run, READER, LOCK, &state);
}

static void test_holds(void **state)
{
	(void)state;
	assert_true(holds(1, false, true));
	assert_true(holds(2, true, true)); /* has it and asks again behind the writer: stuck */
	assert_false(holds(0, false, true));
	assert_false(holds(1, false, false));
}

static void test_wait_is_no_hold(void **state)
{
	(void)state;
	assert_false(holds(1, true, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_wait_is_no_hold),
	};

	return cmocka_run_group_tests_name("census_holds", tests, NULL, NULL);
}
