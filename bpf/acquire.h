/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acquire.h - one acquisition attempt: the hot path.
 *
 * Un-nested and out of scope it ends after the filter and the push: no hash lookup, no clock.
 */
#ifndef VFIOTRACE_BPF_ACQUIRE_H
#define VFIOTRACE_BPF_ACQUIRE_H

#include "chain.h"
#include "release.h"
#include "site.h"
#include "backup_program.h"

/*
 * A blocking acquire of what this task holds, by its list and by the owner word. What it took
 * before we attached is not on the list: contention.bpf.c sees such a wait when it begins.
 */
static __always_inline bool is_recursion(const struct record_lock *lock,
					 const struct task_state *state)
{
	return state->holds_wanted && !(lock->flags & RECORD_TRY) &&
	       (lock->kind == RECORD_MUTEX || lock->kind == RECORD_RWSEM);
}

static __noinline void send_recursion(void *ctx, struct shared_state *shared_state,
				      struct task_state *state, struct record_lock *lock)
{
	__u64 key = mix(mix(lock->site, lock->lock), 0x5ec);
	struct record_recursion *record;
	__u32 found;
	__u8 one = 1;

	if (bpf_map_lookup_elem(&sites, &key))
		return;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count(COUNT_LOST_RING);
		return;
	}
	fill_header(&record->header, RECORD_RECURSION);
	found = find_held(state, lock->lock);
	if (found)
		record->held = state->held[(found - 1) & (RECORD_MAX_HELD - 1)];
	else
		__builtin_memset(&record->held, 0, sizeof(record->held));
	check_interest(shared_state, lock);
	record->wanted = *lock;
	record->mm = current_mm();
	record->scope = state->scope;
	slab_of(shared_state, lock->lock, lock->kind, &record->slab);
	record->frame_count = take_stack(ctx, record->frames, sizeof(record->frames));
	bpf_ringbuf_submit(record, 0);
	bpf_map_update_elem(&sites, &key, &one, BPF_ANY);
}

/* In scope, the first occurrence of (site, lock) takes a full stack once. */
static __noinline void site_seen(void *ctx, struct record_lock *lock)
{
	__u64 key = mix(mix(lock->site, lock->lock), lock->generation);
	struct record_site *record;
	__u8 one = 1;

	if (bpf_map_lookup_elem(&sites, &key))
		return;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count(COUNT_LOST_RING);
		return;
	}
	fill_header(&record->header, RECORD_SITE);
	record->lock = lock->lock;
	record->site = lock->site;
	record->generation = lock->generation;
	record->frame_count = take_stack(ctx, record->frames, sizeof(record->frames));
	bpf_ringbuf_submit(record, 0);
	bpf_map_update_elem(&sites, &key, &one, BPF_ANY);
	count(COUNT_SITE);
}

static __always_inline long any_interesting(__u32 i, struct held_walk *walk)
{
	if (!check_interest(walk->shared_state, &walk->state->held[i & (RECORD_MAX_HELD - 1)]))
		return 0;
	walk->found = 1;
	return 1; /* enough */
}

__noinline int nests_interesting(struct shared_state *shared_state, struct task_state *state,
				 struct record_lock *wanted)
{
	struct held_walk walk = {.state = state, .shared_state = shared_state};

	if (!shared_state || !state || !wanted || !check_interest(shared_state, wanted))
		return 0;
	walk_list(state->count, any_interesting, &walk);
	return walk.found;
}

/* Chain work is done in scope, and for a task that nests two locks of the interest set. */
static __always_inline bool in_scope(struct shared_state *shared_state, struct task_state *state,
				     struct record_lock *wanted)
{
	if (shared_state->shed & 4)
		return false;
	return shared_state->scope_all || state->scope ||
	       nests_interesting(shared_state, state, wanted);
}

/*
 * Creating a VM registers an MMU notifier, for which mm_take_all_locks() takes a rwsem of every
 * mapping, as many as a process has, ordered by the mutex that is taken before the first of them
 * (down_write_nest_lock). None of them is pushed, so that mutex stays the newest entry.
 */
static __always_inline bool takes_all_locks(const struct shared_state *shared_state,
					    const struct task_state *state, __u8 kind)
{
	return kind == RECORD_RWSEM && shared_state->all_locks && state->count &&
	       state->held[(state->count - 1) & (RECORD_MAX_HELD - 1)].lock ==
		       shared_state->all_locks;
}

#define DEC_FUNCTION_BYTES 256

static __always_inline int acquire_once(void *ctx, __u32 which, struct call call, __u8 kind,
					__u8 flags)
{
	struct shared_state *shared_state = shared_get();
	struct record_lock lock = {
		.lock = call.argument, .site = call.site, .kind = kind, .flags = flags};
	struct task_state *state;
	__u32 held;

	if (!shared_state || !shared_state->ready)
		return 0;
	state = task_state_get();
	if (!state || is_done(state, ctx, which))
		return 0;
	count(COUNT_ACQUIRE);
	/* atomic_dec_and_mutex_lock calls mutex_lock on some kernels: the same acquisition */
	if (kind == RECORD_MUTEX && state->dec_lock == lock.lock &&
	    call.site - state->dec_function < DEC_FUNCTION_BYTES)
		return 0;
	if (kind == RECORD_PERCPU)
		lock.user_place = user_place();
	held = filter_short(state, lock.lock, !(flags & RECORD_SHARED));
	if (takes_all_locks(shared_state, state, kind))
		return 0;
	if (held && is_recursion(&lock, state)) {
		send_recursion(ctx, shared_state, state, &lock);
		return 0;
	}
	if (held) {
		count(COUNT_NESTED);
		if (!(flags & RECORD_TRY) && in_scope(shared_state, state, &lock))
			chain_seen(ctx, shared_state, state, &lock);
		else if (state->scope && check_interest(shared_state, &lock))
			site_seen(ctx, &lock);
	} else if (state->scope) {
		check_interest(shared_state, &lock);
		site_seen(ctx, &lock);
	}
	if (shared_state->record_events && !(flags & RECORD_TRY) &&
	    check_interest(shared_state, &lock)) {
		emit_held(shared_state, state);
		send_event(&lock, EVENT_NUMBER_REQUEST, 0);
	}
	push_held(state, &lock);
	return 0;
}

static __always_inline int acquire(void *ctx, struct call call, __u8 kind, __u8 flags)
{
	return acquire_once(ctx, RUN_MAIN, call, kind, flags);
}

#endif
