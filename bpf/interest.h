/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interest.h - the interest set: known VFIO and KVM locks, and every lock ever seen in a recorded
 * chain. A bit field in front answers "certainly not" without a hash lookup. The value's generation
 * tells a reused address from the lock that was there before.
 */
#ifndef VFIOTRACE_BPF_INTEREST_H
#define VFIOTRACE_BPF_INTEREST_H

#include "maps.h"

#define mix interest_hash

static __always_inline struct interest_value *interest_find(struct shared_state *state, __u64 lock)
{
	__u32 bit = mix(0, lock) >> 32;

	if (!(state->interest_bits[(bit >> 6) & (INTEREST_WORDS - 1)] & (1ULL << (bit & 63))))
		return NULL;
	return bpf_map_lookup_elem(&interest, &lock);
}

__noinline int interest_add(struct shared_state *state, __u64 lock)
{
	__u32 bit = mix(0, lock) >> 32;
	struct interest_value fresh = {};

	if (!state || !lock || interest_find(state, lock))
		return 0;
	__sync_fetch_and_or(&state->interest_bits[(bit >> 6) & (INTEREST_WORDS - 1)],
			    1ULL << (bit & 63));
	if (bpf_map_update_elem(&interest, &lock, &fresh, BPF_NOEXIST) == MAP_FULL)
		count(COUNT_LOST_INTEREST);
	return 0;
}

/* A lock of a known object: re-initialisation means the address was reused. */
static __always_inline void interest_add_of(struct shared_state *state, __u64 lock, __u64 object,
					    __u32 kind)
{
	struct interest_value *value;

	interest_add(state, lock);
	value = interest_find(state, lock);
	if (value)
		value->object = (__u32)(lock - object) << INTEREST_OFFSET_SHIFT | kind;
}

static __always_inline void drop_object(__u64 address, __u32 kind)
{
	__u64 key = mix(address, kind);

	bpf_map_delete_elem(&objects, &key);
}

/* The object at this address was freed or re-initialised: the address is reused by another lock. */
static __always_inline void interest_new_generation(struct shared_state *state, __u64 lock)
{
	struct interest_value *value = interest_find(state, lock);

	if (value)
		__sync_fetch_and_add(&value->generation, 1);
}

/* Fill in generation and interest of an entry, once. */
static __always_inline int check_interest_here(struct shared_state *state,
					       struct record_lock *entry)
{
	struct interest_value *value;

	if (entry->flags & RECORD_CHECKED)
		return entry->flags & RECORD_INTERESTING;
	value = interest_find(state, entry->lock);
	if (value) {
		entry->generation = value->generation;
		entry->flags |= RECORD_CHECKED | RECORD_INTERESTING;
		return 1;
	}
	/* not final: it may become interesting while it is held */
	return 0;
}

__noinline int check_interest(struct shared_state *state, struct record_lock *entry)
{
	return state && entry ? check_interest_here(state, entry) : 0;
}

#endif
