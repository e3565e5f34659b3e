/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * release.h - the release probes: the few that are always needed (readers and per-CPU locks have no
 * owner word), and the optional ones that give hold times and event streams.
 */
#ifndef VFIOTRACE_BPF_RELEASE_H
#define VFIOTRACE_BPF_RELEASE_H

#include "chain.h"
#include "hold_time.h"
#include "backup_program.h"

/* Numbers of enum event_op in model.h. */
enum {
	EVENT_NUMBER_ACQUIRE = 0,
	EVENT_NUMBER_RELEASE = 1,
	EVENT_NUMBER_TRY_ACQUIRE = 2,
	EVENT_NUMBER_REQUEST = 3,
	EVENT_NUMBER_FORK = 4,
	EVENT_NUMBER_END = 9,
	EVENT_NUMBER_DOWNGRADE = 10,
};

__noinline int send_event(const struct record_lock *lock, __u32 op, __u64 peer)
{
	struct record_event *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		count(COUNT_LOST_RING);
		return 0;
	}
	fill_header(&record->header, RECORD_EVENT);
	if (lock)
		record->lock = *lock;
	else
		__builtin_memset(&record->lock, 0, sizeof(record->lock));
	record->peer = peer;
	record->op = op;
	record->reserved = 0;
	bpf_ringbuf_submit(record, 0);
	count(COUNT_EVENT);
	return 0;
}

/*
 * A release is emitted only for a lock whose acquisition was emitted. Once: where a function has a
 * backup program (backup_program.h) both come here, and a hold emitted twice would never end.
 */
static __always_inline void emit_acquired(struct record_lock *entry)
{
	if (entry->flags & RECORD_EMITTED)
		return;
	send_event(entry,
		   entry->flags & RECORD_TRY ? EVENT_NUMBER_TRY_ACQUIRE : EVENT_NUMBER_ACQUIRE, 0);
	entry->flags |= RECORD_EMITTED;
}

static long newest_emitted(__u32 i, struct held_walk *walk)
{
	if (walk->state->held[i & (RECORD_MAX_HELD - 1)].flags & RECORD_EMITTED)
		walk->state->kept = i + 1;
	return 0;
}

static long emit_late(__u32 i, struct held_walk *walk)
{
	struct record_lock *entry = &walk->state->held[i & (RECORD_MAX_HELD - 1)];

	if (i >= walk->state->kept && check_interest(walk->shared_state, entry))
		emit_acquired(entry);
	return 0;
}

/*
 * Held locks that became interesting only now, with the chain they are in: emit them before the
 * lock inside them. Not where one taken later was emitted already; the order would be wrong.
 */
__noinline int emit_held(struct shared_state *shared_state, struct task_state *state)
{
	struct held_walk walk = {.state = state, .shared_state = shared_state};

	if (!shared_state || !state || !shared_state->record_events)
		return 0;
	state->kept = 0;
	walk_long_list(state->count, newest_emitted, &walk);
	walk_long_list(state->count, emit_late, &walk);
	return 0;
}

static __always_inline int send_task_event(void *ctx, __u32 op, __u64 peer)
{
	struct shared_state *shared_state = shared_get();

	if (shared_state && shared_state->ready && shared_state->record_events)
		send_event(NULL, op, peer);
	return 0;
}

static __always_inline int drop_lock(__u64 lock)
{
	struct task_state *state = task_state_find();
	struct record_lock was = {};

	if (state && state->count)
		drop_held(state, lock, &was);
	return 0;
}

static __always_inline int released_once(void *ctx, __u32 which, __u64 lock)
{
	struct shared_state *shared_state = shared_get();
	struct task_state *state;
	struct record_lock was = {};

	if (!shared_state || !shared_state->ready)
		return 0;
	state = task_state_find();
	if (!state || is_done(state, ctx, which))
		return 0;
	if (!state->count || !drop_held(state, lock, &was))
		return 0;
	if (shared_state->holds && was.time)
		count_hold(was.lock, was.site, was.generation, bpf_ktime_get_ns() - was.time);
	if (was.flags & RECORD_EMITTED)
		send_event(&was, EVENT_NUMBER_RELEASE, 0);
	return 0;
}

static __always_inline int released(void *ctx, __u64 lock)
{
	return released_once(ctx, RUN_MAIN, lock);
}

/* The attempt succeeded: holds start here, and the event stream has its place in the order. */
static __always_inline int acquired(__u64 lock, bool failed)
{
	struct shared_state *shared_state = shared_get();
	struct task_state *state;
	__u32 last;

	if (!shared_state || !shared_state->ready || failed)
		return 0;
	state = task_state_find();
	if (!state || !state->count)
		return 0;
	last = (state->count - 1) & (RECORD_MAX_HELD - 1);
	if (state->held[last].lock != lock)
		return 0;
	state->held[last].time = bpf_ktime_get_ns();
	check_interest(shared_state, &state->held[last]);
	if (shared_state->record_events && (state->held[last].flags & RECORD_INTERESTING))
		emit_acquired(&state->held[last]);
	return 0;
}

/* The write hold of the newest entry goes on as a read hold. */
static __always_inline int downgraded(void *ctx, __u32 which, __u64 lock)
{
	struct shared_state *shared_state = shared_get();
	struct record_lock *entry;
	struct task_state *state;
	__u32 found;

	if (!shared_state || !shared_state->ready)
		return 0;
	state = task_state_find();
	if (!state || is_done(state, ctx, which))
		return 0;
	found = state->count ? find_held(state, lock) : 0;
	if (!found)
		return 0;
	entry = &state->held[(found - 1) & (RECORD_MAX_HELD - 1)];
	entry->flags |= RECORD_SHARED;
	if (entry->flags & RECORD_EMITTED)
		send_event(entry, EVENT_NUMBER_DOWNGRADE, 0);
	return 0;
}

/* For the programs that run anyway: only with --holds or --record-events. */
static __always_inline int acquired_late(__u64 lock)
{
	struct shared_state *shared_state = shared_get();

	if (!shared_state || !shared_state->holds)
		return 0;
	return acquired(lock, false);
}

#endif
