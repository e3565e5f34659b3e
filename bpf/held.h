/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * held.h - the held set: a candidate list in the task's storage, validated against each lock's
 * owner word.
 *
 * Nothing is attached to mutex_unlock. When a task takes its next lock, every entry of its list is
 * asked whether the lock still names this task; what is valid is the held set. So a missed release
 * (or an attempt that ended with -EINTR) heals, a missed push does not: those are counted.
 */
#ifndef VFIOTRACE_BPF_HELD_H
#define VFIOTRACE_BPF_HELD_H

#include "maps.h"
#include "owner_word.h"

static __always_inline struct task_state *task_state_get(void)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct task_state *state =
		bpf_task_storage_get(&tasks, current, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	/* 6.1: also NULL while this CPU is inside another task storage operation */
	if (!state)
		count(COUNT_LOST_STORAGE);
	else if (!state->task)
		state->task = bpf_get_current_task();
	return state;
}

/* Like task_state_get, but a task without a list stays without one, and that is no loss. */
static __always_inline struct task_state *task_state_find(void)
{
	struct task_struct *current = bpf_get_current_task_btf();

	return bpf_task_storage_get(&tasks, current, 0, 0);
}

/*
 * A read hold has no owner word of its own: it ends at up_read, or when the lock shows no readers
 * or a writer. A write hold becomes one at downgrade_write, which is probed: the word that this
 * leaves behind (`current | READER_OWNED`) is gone when the next reader comes.
 */
static __always_inline bool read_may_be_held(const void *lock)
{
	long word = 0;

	if (rwsem_count(lock, &word) || rwsem_count_has_writer(word))
		return false;
	return rwsem_count_readers(word) > 0;
}

/* A failed read of the lock's memory means released. */
static __always_inline bool still_held(__u64 address, __u32 kind, __u32 flags, __u64 task)
{
	const void *lock = (const void *)address;

	if (kind == RECORD_MUTEX)
		return mutex_held_by(lock, task) == 1;
	if (kind != RECORD_RWSEM)
		return true; /* no owner word: ends at its release probe */
	if (flags & RECORD_SHARED)
		return read_may_be_held(lock);
	return rwsem_write_held_by(lock, task) == 1;
}

/*
 * Walks over the list are bpf_loop callbacks (5.17, e6f2dd0f8067): the verifier looks at a callback
 * once, not once per entry. The functions around them are global for the same reason: each is
 * verified by itself, so their paths do not multiply. Hence the NULL tests.
 */
struct held_walk {
	struct task_state *state;
	struct shared_state *shared_state;
	struct record_lock *out;
	__u64 task, lock, key;
	__u32 found;
};

/*
 * Stock s390x kernels may come without a JIT (Debian's do), and the interpreter knows no callbacks:
 * there a walk is a plain loop, which costs the verifier more.
 */
#ifdef __TARGET_ARCH_s390
#define walk_long_list(entries, visit, walk)                                                       \
	do {                                                                                       \
		__u32 walk_end = (entries);                                                        \
                                                                                                   \
		for (__u32 walk_at = 0; walk_at < RECORD_MAX_HELD; walk_at++)                      \
			if (walk_at >= walk_end || visit(walk_at, walk))                           \
				break;                                                             \
	} while (0)
#define walk_list walk_long_list
#else
/* For lists that are long, or walks that are rare: one copy of the visit. */
#define walk_long_list(entries, visit, walk) bpf_loop(entries, visit, walk, 0)
/* One or two entries are the rule, and a bpf_loop costs more than the look at one. */
#define walk_list(entries, visit, walk)                                                            \
	do {                                                                                       \
		__u32 walk_end = (entries);                                                        \
                                                                                                   \
		if (walk_end > 2)                                                                  \
			bpf_loop(walk_end, visit, walk, 0);                                        \
		else if (walk_end && !visit(0, walk) && walk_end > 1)                              \
			visit(1, walk);                                                            \
	} while (0)
#endif

static __always_inline long filter_one(__u32 i, struct held_walk *walk)
{
	struct record_lock *entry = &walk->state->held[i & (RECORD_MAX_HELD - 1)];
	__u32 kept = walk->state->kept & (RECORD_MAX_HELD - 1);

	if (!still_held(entry->lock, entry->kind, entry->flags, walk->task))
		return 0;
	/* a read hold of the lock that is now wanted to write is stale */
	if (entry->lock == walk->lock && walk->found && (entry->flags & RECORD_SHARED))
		return 0;
	if (entry->lock == walk->lock && !(entry->flags & RECORD_SHARED))
		walk->state->holds_wanted = 1;
	if (kept != i)
		walk->state->held[kept] = *entry;
	walk->state->kept = kept + 1;
	return 0;
}

/*
 * Throw out what is no longer held; returns how many locks are. `wanted` is the lock being taken
 * (0: none), `exclusive` how; holds_wanted tells whether it was among them.
 */
__noinline int filter_held(struct task_state *state, __u64 task, __u64 wanted, __u32 exclusive)
{
	struct held_walk walk = {.state = state, .task = task, .lock = wanted, .found = exclusive};

	if (!state)
		return 0;
	state->kept = 0;
	state->holds_wanted = 0;
	walk_long_list(state->count, filter_one, &walk);
	return state->count = state->kept;
}

/* The same without a call for a list of one or two: most tasks nest no deeper. */
static __always_inline int filter_short(struct task_state *state, __u64 wanted, __u32 exclusive)
{
	struct held_walk walk = {
		.state = state, .task = state->task, .lock = wanted, .found = exclusive};
	__u32 entries = state->count;

	if (entries > 2)
		return filter_held(state, state->task, wanted, exclusive);
	state->kept = 0;
	state->holds_wanted = 0;
#pragma clang loop unroll(disable) /* every copy of the visit is checked when loading */
	for (__u32 i = 0; i < 2 && i < entries; i++)
		filter_one(i, &walk);
	return state->count = state->kept;
}

/*
 * Append. On overflow the outer locks stay, and of the inner ones those in scope: the newest entry
 * that is not in the interest set gives way.
 */
static __always_inline void push_held(struct task_state *state, const struct record_lock *lock)
{
	__u32 at = state->count;

	if (at >= RECORD_MAX_HELD) {
		count(COUNT_LOST_OVERFLOW);
		at = RECORD_MAX_HELD - 1;
		if (!(lock->flags & RECORD_INTERESTING) && !state->scope)
			return;
		if (state->held[at].flags & RECORD_INTERESTING)
			return;
	}
	state->held[at & (RECORD_MAX_HELD - 1)] = *lock;
	state->count = at + 1;
}

static __always_inline long find_one(__u32 i, struct held_walk *walk)
{
	if (walk->state->held[i & (RECORD_MAX_HELD - 1)].lock == walk->lock)
		walk->state->kept = i + 1;
	return 0;
}

/* Position + 1 of the newest entry of `lock`, 0 if there is none. */
__noinline int find_held(struct task_state *state, __u64 lock)
{
	struct held_walk walk = {.state = state, .lock = lock};

	if (!state)
		return 0;
	state->kept = 0;
	walk_list(state->count, find_one, &walk);
	return state->kept;
}

/* Remove the newest entry of `lock` (up_read, a reader that gave up). */
static __always_inline bool drop_held(struct task_state *state, __u64 lock, struct record_lock *was)
{
	__u32 found = find_held(state, lock);
	struct record_lock *entry = &state->held[(found - 1) & (RECORD_MAX_HELD - 1)];

	if (!found)
		return false;
	*was = *entry;
	/* a lock at address 0 is not held: the next filter closes the gap */
	entry->lock = 0;
	entry->kind = RECORD_MUTEX;
	if (found == state->count)
		state->count = found - 1;
	return true;
}

#endif
