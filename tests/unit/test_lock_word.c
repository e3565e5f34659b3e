// SPDX-License-Identifier: GPL-2.0-or-later
/* Owner words and wait lists of made-up kernel memory, in the layouts of 6.1, 7.2 and PREEMPT_RT.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "census/lock_word.h"

#define BASE 0xffff888100000000ULL
#define SIZE 65536U

static uint8_t memory_bytes[SIZE];
static int reads_left; /* reads that still work; negative: all */

static int read_fake(void *context, uint64_t address, void *out, uint32_t length)
{
	(void)context;
	if (address < BASE || address + length > BASE + SIZE || reads_left == 0)
		return -EFAULT;
	if (reads_left > 0)
		reads_left--;
	memcpy(out, memory_bytes + (address - BASE), length);
	return 0;
}

static const struct memory fake = {read_fake, NULL};

static void put(uint64_t offset, uint64_t value)
{
	memcpy(memory_bytes + offset, &value, sizeof(value));
}

static uint64_t at(uint64_t offset)
{
	return BASE + offset;
}

static int clear(void **state)
{
	(void)state;
	memset(memory_bytes, 0, SIZE);
	reads_left = -1;
	return 0;
}

static const struct lock_layout with_head = {
	.mutex_owner = 0,
	.mutex_list = 16,
	.mutex_first = -ENOENT,
	.rwsem_count = 0,
	.rwsem_owner = 8,
	.rwsem_list = 24,
	.rwsem_first = -ENOENT,
	.mutex_waiter_list = 0,
	.mutex_waiter_task = 16,
	.rwsem_waiter_list = 0,
	.rwsem_waiter_task = 16,
	.rwsem_waiter_type = 24,
	.rt_owner = 24,
	.rt_root = 8,
	.rwbase_readers = -ENOENT,
	.rwbase_mutex = -ENOENT,
	.rt_waiter_tree = 0,
	.rt_waiter_task = 80,
	.rt_waiter_lock = 88,
	.task_stack = 32,
};

static struct lock_layout with_first(void)
{
	struct lock_layout l = with_head;

	l.mutex_list = l.rwsem_list = -ENOENT;
	l.mutex_first = 16;
	l.rwsem_first = 24;
	return l;
}

static struct lock_layout preempt_rt(void)
{
	struct lock_layout l = with_head;

	l.rt = true;
	l.mutex_owner = l.rwsem_owner = l.rwsem_count = -ENOENT;
	l.rwbase_readers = 0;
	l.rwbase_mutex = 8;
	return l;
}

/* Task at 0x1000 * n, its stack at 0x1000 * n + 0x800. */
static uint64_t make_task(int n)
{
	put(0x1000U * (unsigned)n + 32, at(0x1000U * (unsigned)n + 0x800));
	return at(0x1000U * (unsigned)n);
}

/* A mutex or rwsem waiter on task n's stack, with links still to be made. */
static uint64_t make_waiter(int n, uint64_t type)
{
	uint64_t offset = 0x1000U * (unsigned)n + 0x900;

	put(offset + 16, make_task(n));
	put(offset + 24, type);
	return at(offset);
}

static void link_two(uint64_t a, uint64_t b)
{
	put(a - BASE, b);
	put(b - BASE + 8, a);
}

static void free_mutex(void **state)
{
	struct lock_state s;

	(void)state;
	link_two(at(16), at(16));
	assert_int_equal(lock_state__read(&s, &fake, &with_head, LOCK_KIND_MUTEX, at(0)), 0);
	assert_true(!s.owner && !s.certain && !s.waiter_count && !s.changed);
}

static void owned_mutex_with_two_waiters(void **state)
{
	uint64_t owner = make_task(1), a = make_waiter(2, 0), b = make_waiter(3, 0);
	struct lock_state s;

	(void)state;
	put(0, owner | 1);
	link_two(at(16), a);
	link_two(a, b);
	link_two(b, at(16));
	assert_int_equal(lock_state__read(&s, &fake, &with_head, LOCK_KIND_MUTEX, at(0)), 0);
	assert_true(s.owner == owner && s.certain);
	assert_int_equal(s.waiter_count, 2);
	assert_true(s.waiters[0].task == at(0x2000) && s.waiters[1].task == at(0x3000));
	assert_true(s.waiters[0].waiter == a && !s.waiters[0].shared);
	lock_state__release(&s);
	assert_true(lock_of_waiter(&fake, &with_head, LOCK_KIND_MUTEX, a) == at(0));
	assert_true(lock_of_waiter(&fake, &with_head, LOCK_KIND_MUTEX, b) == at(0));
}

/* Handed over, but the new owner sleeps still: named, not held. */
static void pickup_is_no_owner(void **state)
{
	struct lock_state s;

	(void)state;
	link_two(at(16), at(16));
	put(0, make_task(1) | 4);
	assert_int_equal(lock_state__read(&s, &fake, &with_head, LOCK_KIND_MUTEX, at(0)), 0);
	assert_true(s.handed_over && !s.certain);
}

static void list_that_changes(void **state)
{
	uint64_t a = make_waiter(2, 0), b = make_waiter(3, 0);
	struct lock_state s;

	(void)state;
	put(0, make_task(1) | 1);
	link_two(at(16), a);
	link_two(a, b);
	link_two(b, at(16));
	put(b - BASE + 8, at(0x7000)); /* b was unlinked while we were at a */
	assert_int_equal(lock_state__read(&s, &fake, &with_head, LOCK_KIND_MUTEX, at(0)), 0);
	assert_true(s.changed);
	assert_int_equal(s.waiter_count, 1);
	lock_state__release(&s);
	assert_true(lock_of_waiter(&fake, &with_head, LOCK_KIND_MUTEX, a) == 0);
}

/* Freed memory: whatever read fails, the answer is an error or "changed", never a crash or an
 * owner. */
static void freed_at_any_moment(void **state)
{
	uint64_t a = make_waiter(2, 0);
	struct lock_state s;

	(void)state;
	put(0, make_task(1) | 1);
	link_two(at(16), a);
	link_two(a, at(16));
	for (int i = 0; i < 8; i++) {
		int err;

		reads_left = i;
		err = lock_state__read(&s, &fake, &with_head, LOCK_KIND_MUTEX, at(0));
		if (i < 2)
			assert_int_equal(err, -EFAULT);
		else if (!err)
			assert_true(s.changed || s.waiter_count == 1);
		if (!err)
			lock_state__release(&s);
	}
}

/* A list that never comes back to its head ends at the limit. */
static void endless_list(void **state)
{
	uint64_t a = make_waiter(2, 0), b = make_waiter(3, 0);
	struct lock_state s;

	(void)state;
	put(at(16) - BASE, a);
	put(a - BASE + 8, at(16));
	put(a - BASE, b);
	put(b - BASE + 8, a);
	put(b - BASE, b);
	assert_int_equal(lock_state__read(&s, &fake, &with_head, LOCK_KIND_MUTEX, at(0)), 0);
	assert_true(s.changed);
	lock_state__release(&s);
}

static void written_rwsem(void **state)
{
	uint64_t owner = make_task(1), reader = make_waiter(2, 1), writer = make_waiter(3, 0);
	struct lock_state s;

	(void)state;
	put(0, 1 | 2); /* writer, waiters */
	put(8, owner);
	link_two(at(24), reader);
	link_two(reader, writer);
	link_two(writer, at(24));
	assert_int_equal(lock_state__read(&s, &fake, &with_head, LOCK_KIND_RWSEM, at(0)), 0);
	assert_true(s.owner == owner && s.certain && !s.readers);
	assert_true(s.waiters[0].shared && !s.waiters[1].shared);
	lock_state__release(&s);
	assert_true(lock_of_waiter(&fake, &with_head, LOCK_KIND_RWSEM, writer) == at(0));
}

/* With readers the word is only the last that came: a hint, never an owner. */
static void read_rwsem(void **state)
{
	struct lock_state s;

	(void)state;
	put(0, 3 << 8);
	put(8, make_task(1) | 1);
	link_two(at(24), at(24));
	assert_int_equal(lock_state__read(&s, &fake, &with_head, LOCK_KIND_RWSEM, at(0)), 0);
	assert_int_equal(s.readers, 3);
	assert_true(!s.owner && !s.certain && s.last_reader == at(0x1000));
	put(0, 0); /* stale after up_read */
	assert_int_equal(lock_state__read(&s, &fake, &with_head, LOCK_KIND_RWSEM, at(0)), 0);
	assert_true(!s.readers && !s.last_reader);
}

static void list_without_head(void **state)
{
	struct lock_layout l = with_first();
	uint64_t a = make_waiter(2, 0), b = make_waiter(3, 0);
	struct lock_state s;

	(void)state;
	put(0, make_task(1) | 1);
	assert_int_equal(lock_state__read(&s, &fake, &l, LOCK_KIND_MUTEX, at(0)), 0);
	assert_int_equal(s.waiter_count, 0);
	put(16, a);
	link_two(a, b);
	link_two(b, a);
	assert_int_equal(lock_state__read(&s, &fake, &l, LOCK_KIND_MUTEX, at(0)), 0);
	assert_int_equal(s.waiter_count, 2);
	assert_true(s.waiters[1].task == at(0x3000));
	lock_state__release(&s);
	assert_true(lock_of_waiter(&fake, &l, LOCK_KIND_MUTEX, a) == 0);
}

/* The lock is the stack word whose wait list has this waiter; others look like it, but have not. */
static void lock_among_the_words_of_the_stack(void **state)
{
	struct lock_layout l = with_first();
	uint64_t a = make_waiter(2, 0), b = make_waiter(3, 0), other = make_waiter(4, 0);
	uint64_t words[] = {0x1234, a, at(0x9000), at(0x8000), at(0)};

	(void)state;
	put(24, a);
	link_two(a, b);
	link_two(b, a);
	put(0x8000 + 24, other); /* a lock on which another waits */
	link_two(other, other);
	put(0x9000 + 24, at(0x9100)); /* no lock at all */
	assert_true(lock_of_headless_waiter(&fake, &l, LOCK_KIND_RWSEM, b, words, 5) == at(0));
	assert_true(lock_of_headless_waiter(&fake, &l, LOCK_KIND_RWSEM, b, words, 4) == 0);
	assert_true(lock_of_headless_waiter(&fake, &with_head, LOCK_KIND_RWSEM, b, words, 5) == 0);
}

static void rt_mutex_tree(void **state)
{
	struct lock_layout l = preempt_rt();
	uint64_t owner = make_task(1), root = 0x2000, left = 0x3000;
	struct lock_state s;

	(void)state;
	put(24, owner | 1);
	put(8, at(root));
	put(root + 16, at(left));
	put(root + 80, make_task(5));
	put(left + 80, make_task(6));
	assert_int_equal(lock_state__read(&s, &fake, &l, LOCK_KIND_MUTEX, at(0)), 0);
	assert_true(s.owner == owner && s.certain);
	assert_int_equal(s.waiter_count, 2);
	assert_true(s.waiters[0].task == at(0x6000) && s.waiters[1].task == at(0x5000));
	lock_state__release(&s);
}

static void rt_rwsem(void **state)
{
	struct lock_layout l = preempt_rt();
	uint32_t readers = (1U << 31) + 2;
	struct lock_state s;

	(void)state;
	memcpy(memory_bytes, &readers, 4);
	assert_int_equal(lock_state__read(&s, &fake, &l, LOCK_KIND_RWSEM, at(0)), 0);
	assert_true(s.readers == 2 && !s.owner);
	readers = 1U << 30; /* written */
	memcpy(memory_bytes, &readers, 4);
	put(8 + 24, make_task(1));
	assert_int_equal(lock_state__read(&s, &fake, &l, LOCK_KIND_RWSEM, at(0)), 0);
	assert_true(!s.readers && s.owner == at(0x1000) && s.certain);
}

static void strings(void **state)
{
	char text[8];

	(void)state;
	memcpy(memory_bytes + SIZE - 4, "abc", 4);
	assert_int_equal(memory__string(&fake, at(SIZE - 4), text, sizeof(text)), 0);
	assert_string_equal(text, "abc");
	memcpy(memory_bytes, "0123456789", 10);
	assert_int_equal(memory__string(&fake, at(0), text, sizeof(text)), 0);
	assert_string_equal(text, "0123456");
	assert_int_equal(memory__string(&fake, 0, text, sizeof(text)), -EFAULT);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(free_mutex, clear),
		cmocka_unit_test_setup(owned_mutex_with_two_waiters, clear),
		cmocka_unit_test_setup(pickup_is_no_owner, clear),
		cmocka_unit_test_setup(list_that_changes, clear),
		cmocka_unit_test_setup(freed_at_any_moment, clear),
		cmocka_unit_test_setup(endless_list, clear),
		cmocka_unit_test_setup(written_rwsem, clear),
		cmocka_unit_test_setup(read_rwsem, clear),
		cmocka_unit_test_setup(list_without_head, clear),
		cmocka_unit_test_setup(lock_among_the_words_of_the_stack, clear),
		cmocka_unit_test_setup(rt_mutex_tree, clear),
		cmocka_unit_test_setup(rt_rwsem, clear),
		cmocka_unit_test_setup(strings, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
