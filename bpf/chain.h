/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain.h - chains: dedup in the kernel, and what is sent when one is new.
 *
 * Key = hash of (held: instance, generation, mode, site; wanted: the same), without the task. A
 * known chain costs one lookup and one atomic add. The first occurrence of (task, chain) is a
 * record without stacks: exact for AGGREGATE_AFTER tasks, then by (process, comm), then counted
 * only.
 */
#ifndef VFIOTRACE_BPF_CHAIN_H
#define VFIOTRACE_BPF_CHAIN_H

#include "held.h"
#include "interest.h"
#include "percpu_rwsem.h"
#include "slab.h"

#define AGGREGATE_AFTER 64
#define STOP_TASK_CHAINS_AFTER 256
#define TASK_CHAINS_PER_SECOND 256

static __always_inline void fill_header(struct record_header *header, __u32 type)
{
	struct task_struct *current = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();

	header->type = type;
	header->cpu = bpf_get_smp_processor_id();
	header->mono = bpf_ktime_get_ns();
	header->task = (__u64)current;
	header->start_time = BPF_CORE_READ(current, start_time);
	header->pid = id >> 32;
	header->tid = (__u32)id;
	bpf_get_current_comm(header->comm, sizeof(header->comm));
}

static __always_inline __u32 take_stack(void *ctx, __u64 *frames, __u32 bytes)
{
	long got = bpf_get_stack(ctx, frames, bytes, 0);

	if (got < 0) {
		count(COUNT_LOST_STACK);
		return 0;
	}
	return got / sizeof(__u64);
}

static __always_inline __u64 current_mm(void)
{
	struct task_struct *current = (void *)bpf_get_current_task();

	return (__u64)BPF_CORE_READ(current, mm);
}

/* The products do not wait for each other, only the last one waits for the locks before. */
static __always_inline __u64 mix_lock(__u64 hash, const struct record_lock *lock)
{
	__u64 how = ((__u64)lock->generation << 8) |
		    (lock->flags & (RECORD_SHARED | RECORD_TRY | RECORD_INFERRED));
	__u64 own = lock->lock * 0xbf58476d1ce4e5b9ULL + lock->site * 0x94d049bb133111ebULL +
		    how * 0xd6e8feb86659fd93ULL;

	return mix(hash, own ^ (own >> 32));
}

/* At most TASK_CHAINS_PER_SECOND; racy on purpose, a few more do no harm. */
static __always_inline bool limited(__u64 *second, __u64 *used, __u64 now, __u32 most)
{
	__u64 this_second = now >> 30;

	if (*second != this_second) {
		*second = this_second;
		*used = 0;
	}
	return __sync_fetch_and_add(used, 1) >= most;
}

__noinline int new_task_chain(struct shared_state *shared_state, struct task_state *state,
			      __u64 key, struct chain_value *chain)
{
	__u32 slot = key & (TASK_CACHE - 1), tag = (__u32)(key >> 32) | 1;
	struct record_task_chain *record;
	struct task_struct *current;
	__u64 pair, id;
	__u8 one = 1;
	bool aggregated;

	if (!shared_state || !state || !chain)
		return 0;
	aggregated = chain->tasks >= AGGREGATE_AFTER;
	if (chain->tasks >= STOP_TASK_CHAINS_AFTER) {
		count(COUNT_TASK_CHAIN_LIMITED);
		state->chain_cache[slot] = tag;
		return 0;
	}
	current = (void *)bpf_get_current_task();
	if (aggregated) {
		char comm[RECORD_COMM] = {};

		bpf_get_current_comm(comm, sizeof(comm));
		id = mix(mix(bpf_get_current_pid_tgid() >> 32, *(__u64 *)comm),
			 *(__u64 *)(comm + 8));
	} else {
		id = mix((__u64)current, BPF_CORE_READ(current, start_time));
	}
	pair = mix(key, id);
	if (bpf_map_lookup_elem(&task_chains, &pair)) {
		state->chain_cache[slot] = tag;
		return 0;
	}
	if (limited(&shared_state->limit_second, &shared_state->limit_used, bpf_ktime_get_ns(),
		    TASK_CHAINS_PER_SECOND)) {
		count(COUNT_TASK_CHAIN_LIMITED);
		return 0;
	}
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count(COUNT_LOST_RING);
		return 0;
	}
	fill_header(&record->header, RECORD_TASK_CHAIN);
	record->key = key;
	record->aggregated = aggregated;
	record->reserved = 0;
	bpf_ringbuf_submit(record, 0);
	bpf_map_update_elem(&task_chains, &pair, &one, BPF_ANY);
	__sync_fetch_and_add(&chain->tasks, 1);
	state->chain_cache[slot] = tag;
	count(COUNT_TASK_CHAIN);
	return 0;
}

static __always_inline void task_chain_seen(struct shared_state *shared_state,
					    struct task_state *state, __u64 key,
					    struct chain_value *chain)
{
	if (state->chain_cache[key & (TASK_CACHE - 1)] != ((__u32)(key >> 32) | 1))
		new_task_chain(shared_state, state, key, chain);
}

__noinline int looks_valid(__u64 lock, __u32 kind)
{
	if (kind == RECORD_MUTEX)
		return mutex_looks_valid((const void *)lock) > 0;
	if (kind == RECORD_RWSEM)
		return rwsem_looks_valid((const void *)lock) > 0;
	return 1;
}

static long drop_one(__u32 i, struct held_walk *walk)
{
	struct record_lock *entry = &walk->state->held[i & (RECORD_MAX_HELD - 1)];

	/* no loss of its own: the release that was missed is one */
	if (entry->kind == RECORD_PERCPU && !percpu_may_be_held(entry))
		return 0;
	if (!looks_valid(entry->lock, entry->kind)) {
		count(COUNT_DROPPED_ENTRY);
		return 0;
	}
	walk->state->held[walk->state->kept & (RECORD_MAX_HELD - 1)] = *entry;
	walk->state->kept++;
	return 0;
}

/* Every held lock must look like a lock before a new chain is believed. Returns how many did not.
 */
__noinline int drop_stale(struct task_state *state)
{
	struct held_walk walk = {.state = state};
	__u32 listed;

	if (!state)
		return 0;
	listed = state->count;
	state->kept = 0;
	walk_long_list(listed, drop_one, &walk);
	state->count = state->kept;
	return listed - state->count;
}

static __always_inline long mix_one(__u32 i, struct held_walk *walk)
{
	struct record_lock *entry = &walk->state->held[i & (RECORD_MAX_HELD - 1)];

	check_interest_here(walk->shared_state, entry);
	walk->key = mix_lock(walk->key, entry);
	return 0;
}

static __always_inline __u64 chain_key(struct shared_state *shared_state, struct task_state *state,
				       struct record_lock *wanted)
{
	struct held_walk walk = {.state = state, .shared_state = shared_state, .key = 0x76667431};

	walk_list(state->count, mix_one, &walk);
	check_interest_here(shared_state, wanted);
	return mix_lock(walk.key, wanted);
}

/* The same where it is rare. */
__noinline int chain_key_again(struct shared_state *shared_state, struct task_state *state,
			       struct record_lock *wanted, __u64 *key)
{
	struct held_walk walk = {.state = state, .shared_state = shared_state, .key = 0x76667431};

	if (!shared_state || !state || !wanted || !key)
		return 0;
	walk_long_list(state->count, mix_one, &walk);
	*key = mix_lock(walk.key, wanted);
	return 0;
}

struct copy_walk {
	struct task_state *state;
	struct shared_state *shared_state;
	struct record_chain *record;
};

static long copy_one(__u32 i, struct copy_walk *walk)
{
	struct record_lock *entry;

	i &= RECORD_MAX_HELD - 1;
	entry = &walk->state->held[i];
	walk->record->held[i] = *entry;
	slab_of(walk->shared_state, entry->lock, entry->kind, &walk->record->slab[i]);
	interest_add(walk->shared_state, entry->lock);
	return 0;
}

__noinline int copy_held(struct shared_state *shared_state, struct task_state *state,
			 struct record_chain *record)
{
	struct copy_walk walk = {.state = state, .shared_state = shared_state, .record = record};

	if (!shared_state || !state || !record)
		return 0;
	record->held_count = state->count;
	walk_long_list(state->count, copy_one, &walk);
	return 0;
}

/*
 * With --scope all a burst of foreign chains can fill the ring. Half of it is kept for tasks inside
 * a VFIO or KVM path; what is turned away comes again with its next acquisition.
 */
static __always_inline bool has_room(struct shared_state *shared_state, struct task_state *state)
{
	if (!shared_state->scope_all || state->scope)
		return true;
	return bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) <
	       bpf_ringbuf_query(&records, BPF_RB_RING_SIZE) / 2;
}

static __noinline int send_chain(void *ctx, struct shared_state *shared_state,
				 struct task_state *state, struct record_lock *wanted, __u64 key)
{
	struct record_chain *record;

	record = has_room(shared_state, state) ? bpf_ringbuf_reserve(&records, sizeof(*record), 0)
					       : NULL;
	if (!record) {
		count(COUNT_LOST_RING);
		return -1;
	}
	fill_header(&record->header, RECORD_CHAIN);
	record->key = key;
	record->mm = current_mm();
	record->scope = state->scope;
	record->reserved = 0;
	record->wanted = *wanted;
	copy_held(shared_state, state, record);
	slab_of(shared_state, wanted->lock, wanted->kind, &record->slab[RECORD_MAX_HELD]);
	interest_add(shared_state, wanted->lock);
	record->frame_count = take_stack(ctx, record->frames, sizeof(record->frames));
	bpf_ringbuf_submit(record, 0);
	return 0;
}

/* The first occurrence of a chain. `key` changes if held locks turn out to be none. */
static __noinline void new_chain(void *ctx, struct shared_state *shared_state,
				 struct task_state *state, struct record_lock *wanted, __u64 key)
{
	struct chain_value fresh = {.count = 1, .tasks = 0, .sent = 1};
	struct chain_value *chain;

	if (bpf_get_current_pid_tgid() >> 32 == shared_state->self_pid)
		return;
	if (drop_stale(state)) {
		if (!state->count)
			return;
		chain_key_again(shared_state, state, wanted, &key);
	}
	if (send_chain(ctx, shared_state, state, wanted, key))
		return;
	count(COUNT_CHAIN_NEW);
	fresh.last = shared_state->clock;
	if (bpf_map_update_elem(&chains, &key, &fresh, BPF_NOEXIST) == MAP_FULL)
		count(COUNT_LOST_MAP);
	chain = bpf_map_lookup_elem(&chains, &key);
	if (chain)
		task_chain_seen(shared_state, state, key, chain);
}

/* The task holds state->held and wants `wanted`: count it, and send what is new. */
static __always_inline void chain_seen(void *ctx, struct shared_state *shared_state,
				       struct task_state *state, struct record_lock *wanted)
{
	__u64 key = chain_key(shared_state, state, wanted);
	struct chain_value *chain = bpf_map_lookup_elem(&chains, &key);

	if (!chain) {
		new_chain(ctx, shared_state, state, wanted, key);
		return;
	}
	__sync_fetch_and_add(&chain->count, 1);
	chain->last = shared_state->clock;
	count(COUNT_CHAIN_KNOWN);
	task_chain_seen(shared_state, state, key, chain);
}

#endif
