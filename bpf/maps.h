/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps.h - the maps every BPF object of the live capture shares. Each object defines them; user
 * space creates them once and hands the file descriptors to the others (capture/programs.c).
 *
 * Sizes are the memory budget: below 16 MiB in all by default.
 */
#ifndef VFIOTRACE_BPF_MAPS_H
#define VFIOTRACE_BPF_MAPS_H

#include "record.h"

#define MAP_FULL (-7) /* -E2BIG */

#define TASK_CACHE 32 /* power of two */

/* What is known of a task. Lives in its task storage, so it dies with the task. */
struct task_state {
	struct record_lock held[RECORD_MAX_HELD];
	__u32 count;
	/* scratch of the walks: in memory, where the verifier does not follow every value */
	volatile __u32 kept;
	__u32 holds_wanted;	       /* the last filter kept a write hold of the lock wanted */
	__u32 scope;		       /* enum record_scope */
	__u32 chain_cache[TASK_CACHE]; /* chains this task was already seen on */
	__u32 outer_scope;	       /* function-level anchors: what to go back to */
	__u32 command;		       /* of the ioctl or attribute, entry to exit */
	__u64 scope_object;	       /* file->private_data of the anchor */
	__u64 path_object;	       /* entry to exit of a path probe */
	/* backup_program.h: which call was done last, and by which program; `call` is scratch */
	volatile __u64 call;
	__u64 done_call;
	__u32 done_by;
	__u64 task;		      /* its own address */
	__u64 dec_lock, dec_function; /* last atomic_dec_and_mutex_lock that was an attempt */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shared_state);
} shared SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 16); /* enum path_id */
	__type(key, __u32);
	__type(value, __u64);
} path_hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct chain_value);
} chains SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64); /* chain key mixed with the task */
	__type(value, __u8);
} task_chains SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64); /* site, lock, generation mixed */
	__type(value, __u8);
} sites SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct interest_value);
} interest SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);   /* object address mixed with its kind */
	__type(value, __u64); /* parent and second mixed: a change is sent again */
} objects SEC(".maps");

static __always_inline struct shared_state *shared_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&shared, &zero);
}

static __always_inline void count(__u32 what)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &what);

	if (value)
		(*value)++;
}

#endif
