/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * held.h - the held set: a candidate list in the task's storage that the locks themselves correct.
 *
 * Nothing is attached to mutex_unlock. When a task takes its next lock, every entry of its list is
 * asked whether the lock still names this task; what survives is the held set. So a missed release
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
	return state;
}

/* Like task_state_get, but a task without a list stays without one, and that is no loss. */
static __always_inline struct task_state *task_state_find(void)
{
	struct task_struct *current = bpf_get_current_task_btf();

	return bpf_task_storage_get(&tasks, current, 0, 0);
}

/*
 * A read hold has no owner word of its own: it ends at up_read, or when the lock shows no readers or
 * a writer.
 */
static __always_inline bool read_may_be_held(const void *lock)
{
	long word = 0;

	if (rwsem_count(lock, &word) || rwsem_count_has_writer(word))
		return false;
	return rwsem_count_readers(word) > 0;
}

/* downgrade_write leaves `current | READER_OWNED` behind; RT keeps no trace of it */
static __always_inline bool was_downgraded(const void *lock, __u64 task)
{
	struct owner_word word;

	if (locks_are_rt() || rwsem_owner(lock, &word))
		return false;
	return word.task == task && (word.flags & OWNER_READER) && read_may_be_held(lock);
}

/*
 * The functions below are global on purpose: the verifier looks at each of them by itself, once, so
 * their loops do not multiply with the paths of their callers. Hence the NULL tests.
 */

enum { NOT_HELD, HELD, HELD_DOWNGRADED };

/* A failed read of the lock's memory means released. */
__noinline int still_held(__u64 address, __u32 kind, __u32 flags, __u64 task)
{
	const void *lock = (const void *)address;

	if (kind == RECORD_MUTEX)
		return mutex_held_by(lock, task) == 1;
	if (kind != RECORD_RWSEM)
		return HELD; /* no owner word: ends at its release probe */
	if (flags & RECORD_SHARED)
		return read_may_be_held(lock);
	if (rwsem_write_held_by(lock, task) == 1)
		return HELD;
	return was_downgraded(lock, task) ? HELD_DOWNGRADED : NOT_HELD;
}

/* Throw out what is no longer held; returns how many locks are. */
__noinline int filter_held(struct task_state *state, __u64 task)
{
	__u32 listed;

	if (!state)
		return 0;
	listed = state->count;
	state->kept = 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < RECORD_MAX_HELD; i++) {
		struct record_lock *entry = &state->held[i];
		int held;

		if (i >= listed)
			break;
		held = still_held(entry->lock, entry->kind, entry->flags, task);
		if (held == NOT_HELD)
			continue;
		if (held == HELD_DOWNGRADED)
			entry->flags |= RECORD_SHARED;
		if (state->kept != i)
			state->held[state->kept & (RECORD_MAX_HELD - 1)] = *entry;
		state->kept++;
	}
	state->count = state->kept;
	return state->count;
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

/* Remove the newest entry of `lock` (up_read, a reader that gave up). 1: it was there. */
__noinline int drop_held(struct task_state *state, __u64 lock, struct record_lock *was)
{
	__u32 listed;

	if (!state || !was)
		return 0;
	listed = state->count;
	state->kept = RECORD_MAX_HELD;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < RECORD_MAX_HELD; i++) {
		if (i >= listed)
			break;
		if (state->held[i].lock == lock)
			state->kept = i;
	}
	if (state->kept >= RECORD_MAX_HELD)
		return 0;
	*was = state->held[state->kept & (RECORD_MAX_HELD - 1)];
	/* a lock at address 0 is not held: the next filter closes the gap */
	state->held[state->kept & (RECORD_MAX_HELD - 1)].lock = 0;
	state->held[state->kept & (RECORD_MAX_HELD - 1)].kind = RECORD_MUTEX;
	if (state->kept + 1 == listed)
		state->count = listed - 1;
	return 1;
}

#endif
