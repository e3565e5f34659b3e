/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hold_time.h - histograms of how long locks were held, per lock and acquire site (--holds). */
#ifndef VFIOTRACE_BPF_HOLD_TIME_H
#define VFIOTRACE_BPF_HOLD_TIME_H

#include "log2.h"
#include "maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096); /* 1 without --holds */
	__type(key, struct duration_key);
	__type(value, struct duration_value);
} hold_times SEC(".maps");

static __always_inline void add_duration(struct duration_value *value, __u64 ns)
{
	__u32 bucket = log2_floor(ns);

	__sync_fetch_and_add(&value->count, 1);
	__sync_fetch_and_add(&value->total, ns);
	if (ns > value->max)
		value->max = ns;
	if (bucket >= DURATION_BUCKETS)
		bucket = DURATION_BUCKETS - 1;
	__sync_fetch_and_add(&value->bucket[bucket], 1);
}

/* Global: verified once, whoever calls it. */
__noinline int count_hold(__u64 lock, __u64 site, __u32 generation, __u64 ns)
{
	static const struct duration_value none;
	struct duration_key key = {.lock = lock, .site = site, .generation = generation};
	struct duration_value *value = bpf_map_lookup_elem(&hold_times, &key);

	if (!value) {
		if (bpf_map_update_elem(&hold_times, &key, &none, BPF_NOEXIST) == MAP_FULL)
			count(COUNT_LOST_MAP);
		value = bpf_map_lookup_elem(&hold_times, &key);
	}
	if (value)
		add_duration(value, ns);
	return 0;
}

#endif
