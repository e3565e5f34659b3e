/* SPDX-License-Identifier: GPL-2.0-or-later */
/* contention_waits.h - how long locks were waited for, by lock and place. */
#ifndef VFIOTRACE_BPF_CONTENTION_WAITS_H
#define VFIOTRACE_BPF_CONTENTION_WAITS_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "contention_record.h"
#include "log2.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CONTENTION_WAITS);
	__type(key, struct contention_wait_key);
	__type(value, struct contention_wait);
} waits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__uint(value_size, 32 * sizeof(__u64));
} wait_stacks SEC(".maps");

/* One histogram per (lock, site); the stack walk is paid only by waits that were long anyway. */
static __always_inline void add_wait(void *ctx, const struct contention_wait *zero,
				     const struct contention_note *note, __u64 now)
{
	__u64 waited = now - note->since;
	struct contention_wait_key key = {
		.lock = note->lock,
		.stack = -1,
		.flags = note->flags & ~CONTENTION_SPIN,
	};
	struct contention_wait *wait;
	__u32 bucket = log2_floor(waited);

	/* the compiler knows its bound and would leave out the mask, which 6.1's verifier needs */
	barrier_var(bucket);

	if (waited >= CONTENTION_SLOW_NS)
		key.stack = bpf_get_stackid(ctx, &wait_stacks, 0);
	if (key.stack < 0)
		key.stack = -1;
	wait = bpf_map_lookup_elem(&waits, &key);
	if (!wait) {
		bpf_map_update_elem(&waits, &key, zero, BPF_NOEXIST);
		wait = bpf_map_lookup_elem(&waits, &key);
		if (!wait)
			return;
	}
	__sync_fetch_and_add(&wait->count, 1);
	__sync_fetch_and_add(&wait->total, waited);
	if (waited > wait->max)
		wait->max = waited;
	__sync_fetch_and_add(&wait->bucket[bucket & (CONTENTION_BUCKETS - 1)], 1);
}

#endif
