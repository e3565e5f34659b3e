// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which lock a sleeping task waits for, whatever lock it is. The kernel says so itself where it
 * records a blocker (task_struct.blocked_on since 6.17, .blocker with DETECT_HUNG_TASK_BLOCKER
 * since 6.16, .pi_blocked_on on PREEMPT_RT); elsewhere the waiter lies on the task's kernel stack,
 * linked into the lock's wait list, and the list leads to the lock, or a word beside it does.
 */
#include <stdlib.h>
#include <string.h>

#include "census/census_private.h"

#define BLOCKER_TYPES 3ULL /* low bits of task_struct.blocker */
#define BLOCKER_SEMAPHORE 1ULL
#define TASK_INTERRUPTIBLE 1U
#define STACK_BYTES 16384U
#define KERNEL_ADDRESSES 0xff00000000000000ULL /* and up, on machines with PREEMPT_RT */

static struct census_known_lock *known(struct census_run *r, uint64_t address)
{
	struct census_known_lock *lock;

	HASH_FIND(hh, r->locks, &address, sizeof(address), lock);
	return lock;
}

static bool in_a_held_set(const struct census_run *r, uint64_t lock)
{
	for (uint32_t i = 0; i < r->options->hold_count; i++)
		if (r->options->holds[i].lock == lock)
			return true;
	return false;
}

/*
 * On RT a mutex is an rt_mutex at offset 0; inside an rwsem it is a member further on. Of a lock
 * that is no object of ours a writer that has it shows which: its mark stands before the rt_mutex.
 */
static uint64_t of_rt_mutex(struct census_run *r, uint64_t base, enum lock_kind *kind)
{
	uint64_t rwsem = base - (uint64_t)r->layout.rwbase_mutex;
	struct census_known_lock *lock = known(r, rwsem);

	*kind = LOCK_KIND_MUTEX;
	if (r->layout.rwbase_mutex <= 0 || known(r, base))
		return base;
	if ((lock && lock->kind == LOCK_KIND_RWSEM) || in_a_held_set(r, rwsem) ||
	    rwbase_is_written(r->memory, &r->layout, rwsem)) {
		*kind = LOCK_KIND_RWSEM;
		return rwsem;
	}
	return base;
}

/* The task's own stack from its stack pointer up; bytes read. */
static uint32_t read_stack(struct census_run *r, const struct census_task *t, uint64_t *out,
			   uint64_t *start)
{
	uint64_t base = census__pointer(r, t->address, AT_TASK_STACK);
	uint64_t sp = census__pointer(r, t->address, AT_TASK_SP) & ~7ULL, end = base + STACK_BYTES;

	if (!base || sp < base || sp >= end)
		return 0;
	*start = sp;
	return memory__read(r->memory, sp, out, (uint32_t)(end - sp)) ? 0 : (uint32_t)(end - sp);
}

/* The waiter is the word that names the task itself, in a list that leads to a lock. */
static uint64_t scan_stack(struct census_run *r, const struct census_task *t, enum lock_kind kind)
{
	int task_at =
		kind == LOCK_KIND_RWSEM ? r->layout.rwsem_waiter_task : r->layout.mutex_waiter_task;
	static uint64_t words[STACK_BYTES / 8];
	uint64_t start;
	uint32_t bytes = read_stack(r, t, words, &start);

	for (uint32_t i = 0; i < bytes / 8; i++) {
		uint64_t lock, waiter;

		if (words[i] != t->address || task_at < 0)
			continue;
		waiter = start + i * 8ULL - (uint64_t)task_at;
		lock = lock_of_waiter(r->memory, &r->layout, kind, waiter);
		if (!lock)
			lock = lock_of_headless_waiter(r->memory, &r->layout, kind, waiter, words,
						       bytes / 8);
		if (lock)
			return lock;
	}
	return 0;
}

/* An int, since 7.x a byte; RT is on little-endian machines only. */
static bool on_runqueue(const struct census_run *r, uint64_t task)
{
	uint8_t byte = 1;

	if (r->offset[AT_TASK_ON_RQ] >= 0)
		memory__read(r->memory, task + (uint64_t)r->offset[AT_TASK_ON_RQ], &byte, 1);
	return byte;
}

/* As the unwinder saw it, which leaves out nothing but the scheduler's innermost functions. */
static bool is_in_rt_slow_path(const struct census_run *r, const struct census_task *t)
{
	for (uint32_t i = 0; i < t->frame_count; i++) {
		struct kernel_symbol symbol;
		uint32_t offset;

		if (!kernel__resolve(r->kernel, t->frames[i], &symbol, &offset))
			return false;
		if (strcmp(symbol.name, "rt_mutex_schedule")) /* since 6.7 (d14f9e930b90) */
			return strstr(symbol.name, "rt_mutex_slowlock") ||
			       strstr(symbol.name, "rt_mutex_handle_deadlock");
	}
	return false;
}

/*
 * rt_mutex found that a task waits for itself, took its waiter out of the tree and sleeps for good
 * (rt_mutex_handle_deadlock, which compilers put into its caller). Exactly then a task sleeps in
 * the slow path and is blocked on nothing: one that was woken is on the run queue or has run since
 * it was looked at, one that is not queued as waiter yet is on the run queue.
 */
static bool sleeps_in_rt_deadlock(const struct census_run *r, const struct census_task *t)
{
	return r->layout.rt && (t->record.state & TASK_INTERRUPTIBLE) && is_in_rt_slow_path(r, t) &&
	       !on_runqueue(r, t->address) && !census__ran_since(r, t);
}

static int add_extra_wait(struct census_run *r, uint64_t task, uint64_t lock, bool shared)
{
	struct census_extra_wait *more;

	if (r->extra_wait_count == r->extra_wait_room) {
		r->extra_wait_room = r->extra_wait_room ? r->extra_wait_room * 2 : 16;
		more = realloc(r->extra_waits, r->extra_wait_room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		r->extra_waits = more;
	}
	r->extra_waits[r->extra_wait_count++] = (struct census_extra_wait){task, lock, shared};
	return 0;
}

/* What the kernel recorded. 0: nothing, or a semaphore, which has no owner to follow. */
static uint64_t recorded(struct census_run *r, const struct census_task *t, enum lock_kind *kind)
{
	uint64_t waiter = r->layout.rt ? census__pointer(r, t->address, AT_TASK_PI_BLOCKED) : 0;
	uint64_t lock = 0, blocker;

	if (waiter && r->layout.rt_waiter_lock >= 0) {
		memory__u64(r->memory, waiter + (uint64_t)r->layout.rt_waiter_lock, &lock);
		return lock ? of_rt_mutex(r, lock, kind) : 0;
	}
	blocker = census__pointer(r, t->address, AT_TASK_BLOCKER);
	if (blocker && (blocker & BLOCKER_TYPES) != BLOCKER_SEMAPHORE) {
		*kind = blocker & 2 ? LOCK_KIND_RWSEM : LOCK_KIND_MUTEX;
		return blocker & ~BLOCKER_TYPES;
	}
	*kind = LOCK_KIND_MUTEX;
	return r->layout.rt ? 0 : census__pointer(r, t->address, AT_TASK_BLOCKED_ON) & ~7ULL;
}

/* The task whose rt_mutex this is; 0: free, or no rt_mutex. */
static uint64_t rt_owner(const struct census_run *r, uint64_t lock)
{
	struct lock_state state;

	if (lock & 7 || lock < KERNEL_ADDRESSES ||
	    lock_state__read_owner(&state, r->memory, &r->layout, LOCK_KIND_RTMUTEX, lock))
		return 0;
	return state.owner;
}

/* A waiter on the stack: the lock it names, if that belongs to another task which waits itself. */
static uint64_t lock_of_another(struct census_run *r, const struct census_task *t,
				const uint64_t *words, uint32_t count)
{
	int apart = (r->layout.rt_waiter_lock - r->layout.rt_waiter_task) / 8;
	struct census_task *owner = NULL;
	enum lock_kind kind;

	if (words[0] == t->address && apart > 0 && (uint32_t)apart < count)
		owner = census__task(r, rt_owner(r, words[apart]));
	return owner && owner != t && recorded(r, owner, &kind) ? words[apart] : 0;
}

/*
 * What it wanted. With itself alone the kernel gives up before it fills in the waiter: then it is
 * the innermost rt_mutex on its stack that the task has. With others (a chain walk for priorities
 * came back to it) the waiter on its stack names the lock.
 */
static uint64_t scan_rt_deadlock(struct census_run *r, const struct census_task *t)
{
	static uint64_t words[STACK_BYTES / 8];
	uint64_t start = 0, own = 0, other = 0;
	uint32_t bytes = read_stack(r, t, words, &start), count = bytes / 8;

	for (uint32_t i = 0; i < count && !other; i++) {
		other = lock_of_another(r, t, &words[i], count - i);
		if (!own && (words[i] < start || words[i] >= start + bytes) &&
		    rt_owner(r, words[i]) == t->address)
			own = words[i];
	}
	return other ? other : own;
}

/* The hint first; a task that is killable or uninterruptible for another reason has no waiter. */
static uint64_t on_stack(struct census_run *r, const struct census_task *t, enum lock_kind *kind)
{
	enum lock_kind first =
		t->record.sleep == CENSUS_SLEEP_RWSEM ? LOCK_KIND_RWSEM : LOCK_KIND_MUTEX;
	uint64_t lock = scan_stack(r, t, *kind = first);

	if (!lock)
		lock = scan_stack(
			r, t, *kind = first == LOCK_KIND_MUTEX ? LOCK_KIND_RWSEM : LOCK_KIND_MUTEX);
	return lock;
}

/*
 * RT: a writer that waits until readers leave is blocked on nothing either: it has the inner
 * rt_mutex of the rwsem that it asked for, and that is not written yet.
 */
static uint64_t drained_rwsem(const struct census_run *r, const struct census_task *t)
{
	for (uint32_t i = 0; r->layout.rwbase_mutex > 0 && i < r->options->hold_count; i++) {
		const struct census_hold *hold = &r->options->holds[i];

		if (hold->task == t->address && !hold->shared &&
		    rwbase_is_drained(r->memory, &r->layout, hold->lock) &&
		    rt_owner(r, hold->lock + (uint64_t)r->layout.rwbase_mutex) == t->address)
			return hold->lock;
	}
	return 0;
}

static int find_wait(struct census_run *r, const struct census_task *t)
{
	enum lock_kind kind = LOCK_KIND_MUTEX;
	uint64_t lock = recorded(r, t, &kind);

	if (!lock && !r->layout.rt && t->record.sleep) {
		lock = on_stack(r, t, &kind);
	} else if (!lock && sleeps_in_rt_deadlock(r, t)) {
		lock = scan_rt_deadlock(r, t);
		if (lock)
			lock = of_rt_mutex(r, lock, &kind);
		if (lock && add_extra_wait(r, t->address, lock, false))
			return -ENOMEM;
	} else if (!lock && r->layout.rt && (lock = drained_rwsem(r, t))) {
		kind = LOCK_KIND_RWSEM;
		if (add_extra_wait(r, t->address, lock, false))
			return -ENOMEM;
	}
	if (!lock || known(r, lock))
		return 0;
	return census__name_lock(r, lock, kind, t) ? 0 : -ENOMEM;
}

int census__find_waits(struct census_run *r)
{
	int err = 0;

	for (struct census_task *t = r->tasks; t && !err; t = t->hh.next)
		if (t->record.state)
			err = find_wait(r, t);
	return err;
}
