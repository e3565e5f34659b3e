// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lockdep.bpf.c - on kernels with lockdep: its own tracepoints instead of probes on lock functions.
 *
 * lock_acquire fires before the acquisition, with lockdep's class name; a trylock fires only when
 * it succeeded; lock_release ends the hold. They fire for spinlocks too, from interrupts and inside
 * map operations, so the first test lets only sleeping locks through (wait type LD_WAIT_SLEEP,
 * since 5.8, de8f5e4f2dc1). A lockdep_map is part of its lock, so its address tells instances
 * apart.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "acquire.h"

char LICENSE[] SEC("license") = "GPL";

struct lockdep_map___debug {
	const char *name;
	u8 wait_type_inner;
} __attribute__((preserve_access_index));

enum lockdep_wait_type___debug {
	LD_WAIT_SLEEP___debug,
};

static __always_inline bool is_sleeping(const struct lockdep_map___debug *map)
{
	return BPF_CORE_READ(map, wait_type_inner) ==
	       bpf_core_enum_value(enum lockdep_wait_type___debug, LD_WAIT_SLEEP___debug);
}

/* words: lockdep_map, subclass, trylock, read, check, nest_lock, ip */
SEC("tp_btf/lock_acquire")
int lockdep_acquire(void *ctx)
{
	struct shared_state *shared_state = shared_get();
	struct record_lock lock = {.kind = RECORD_LOCKDEP};
	struct task_state *state;
	__u64 words[7];

	if (bpf_probe_read_kernel(words, sizeof(words), ctx) || !is_sleeping((void *)words[0]))
		return 0;
	if (!shared_state || !shared_state->ready)
		return 0;
	state = task_state_get();
	if (!state)
		return 0;
	count(COUNT_ACQUIRE);
	lock.lock = words[0];
	lock.site = words[6];
	lock.flags = (words[2] ? RECORD_TRY : 0) | (words[3] ? RECORD_SHARED : 0);
	if (!filter_held(state, 0, 0, 0)) {
		check_interest(shared_state, &lock);
		if (state->scope)
			site_seen(ctx, &lock);
	} else if (!words[2] && in_scope(shared_state, state, &lock)) {
		chain_seen(ctx, shared_state, state, &lock);
	}
	push_held(state, &lock);
	return 0;
}

SEC("tp_btf/lock_release")
int lockdep_release(void *ctx)
{
	__u64 map = 0;

	if (bpf_probe_read_kernel(&map, sizeof(map), ctx) || !is_sleeping((void *)map))
		return 0;
	return drop_lock(map);
}
