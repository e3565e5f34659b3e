// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hot path of the lock probes as it is (bpf/acquire.h), under a tracepoint that a test can fire
 * at will, for kernels that refuse fentry. The locks are made up in a map: their owner words are
 * real kernel memory. Beside it the work klockstat's programs do for the same event.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "acquire.h"
#include "cost.h"

char LICENSE[] SEC("license") = "GPL";

struct bench_locks {
	__u64 outer[16], inner[16]; /* struct mutex as this kernel has it: the owner word first */
	__u64 address;		    /* a pointer stored and read again is a number */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_locks);
} bench_locks SEC(".maps");

const volatile __u32 bench_pid;
volatile __u64 bench_function = 1; /* found nowhere: the search of site.h goes all the way */

static __always_inline __u64 number(struct bench_locks *locks, void *pointer)
{
	*(volatile __u64 *)&locks->address = (__u64)pointer;
	return *(volatile __u64 *)&locks->address;
}

/* What is measured runs ROUNDS times in one run, so that entering a program does not count. */
struct round {
	void *ctx;
	struct bench_locks *locks;
};

#define MEASURED(name)                                                                             \
	static __always_inline int name##_work(void *ctx, struct bench_locks *locks);              \
	static long name##_round(__u32 i, struct round *round)                                     \
	{                                                                                          \
		name##_work(round->ctx, round->locks);                                             \
		return 0;                                                                          \
	}                                                                                          \
	SEC("tp_btf/sys_enter")                                                                    \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		struct round round = {.ctx = ctx};                                                 \
		__u32 zero = 0;                                                                    \
                                                                                                   \
		if (bpf_get_current_pid_tgid() >> 32 != bench_pid)                                 \
			return 0;                                                                  \
		round.locks = bpf_map_lookup_elem(&bench_locks, &zero);                            \
		if (round.locks)                                                                   \
			bpf_loop(BENCH_ROUNDS, name##_round, &round, 0);                           \
		return 0;                                                                          \
	}                                                                                          \
	static __always_inline int name##_work(void *ctx, struct bench_locks *locks)

/* site.h's fentry_call: the same read and the same search (bpf_get_func_ip is for fentry alone). */
static __always_inline struct call bench_call(void *ctx, __u64 lock)
{
	struct call call = call_at(ctx, bench_function);

	call.argument = lock;
	call.site |= 0x1234;
	return call;
}

MEASURED(empty)
{
	return 0;
}

/* Nothing is held; the list has one stale entry, which the filter throws out. */
MEASURED(unnested)
{
	return acquire(ctx, bench_call(ctx, number(locks, &locks->inner)), RECORD_MUTEX, 0);
}

/* `outer` is held, `inner` is wanted: a chain of two that is known after the first run. */
MEASURED(chain_of_two)
{
	struct task_state *state;

	if (!locks->outer[0]) {
		struct record_lock outer = {
			.lock = number(locks, &locks->outer), .site = 0x5678, .kind = RECORD_MUTEX};

		/* a mutex that looks alive: its wait list, two words, points to itself */
		locks->outer[0] = bpf_get_current_task();
#pragma unroll
		for (int i = 2; i < 16; i++)
			locks->outer[i] = number(locks, &locks->outer[i & ~1]);
		state = task_state_get();
		if (state)
			push_held(state, &outer);
	}
	return acquire(ctx, bench_call(ctx, number(locks, &locks->inner)), RECORD_MUTEX, 0);
}

/* --- klockstat's work: stack id and two hash tables, entry, acquired and released ----------------
 */

struct klockstat_key {
	__u64 task;
	__u64 lock;
};
struct klockstat_lock {
	__s32 stack;
	__u64 task, lock, tried, acquired;
};
struct klockstat_stat {
	__u64 count, total, max, held_count, held_total, held_max, id, lock;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 127 * sizeof(__u64));
} klockstat_stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 102400);
	__type(key, struct klockstat_key);
	__type(value, struct klockstat_lock);
} klockstat_locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __s32);
	__type(value, struct klockstat_stat);
} klockstat_stats SEC(".maps");

MEASURED(klockstat_all)
{
	struct klockstat_lock *lock, fresh = {};
	struct klockstat_stat *stat, none = {};
	struct klockstat_key key = {};
	__u64 took;
	__s32 stack;

	key.task = bpf_get_current_pid_tgid();
	key.lock = 4096;
	/* contended */
	fresh.stack = bpf_get_stackid(ctx, &klockstat_stacks, BPF_F_FAST_STACK_CMP);
	fresh.task = key.task;
	fresh.lock = key.lock;
	fresh.tried = bpf_ktime_get_ns();
	bpf_map_update_elem(&klockstat_locks, &key, &fresh, BPF_ANY);
	/* acquired */
	lock = bpf_map_lookup_elem(&klockstat_locks, &key);
	if (!lock)
		return 0;
	lock->acquired = bpf_ktime_get_ns();
	/* released */
	lock = bpf_map_lookup_elem(&klockstat_locks, &key);
	if (!lock)
		return 0;
	took = bpf_ktime_get_ns() - lock->acquired;
	stack = lock->stack;
	stat = bpf_map_lookup_elem(&klockstat_stats, &stack);
	if (!stat) {
		bpf_map_update_elem(&klockstat_stats, &stack, &none, BPF_NOEXIST);
		stat = bpf_map_lookup_elem(&klockstat_stats, &stack);
		if (!stat)
			return 0;
	}
	__sync_fetch_and_add(&stat->held_count, 1);
	__sync_fetch_and_add(&stat->held_total, took);
	if (took > stat->held_max)
		stat->held_max = took;
	__sync_fetch_and_add(&stat->count, 1);
	__sync_fetch_and_add(&stat->total, lock->acquired - lock->tried);
	bpf_map_delete_elem(&klockstat_locks, &key);
	return 0;
}

MEASURED(stack_id)
{
	bpf_get_stackid(ctx, &klockstat_stacks, BPF_F_FAST_STACK_CMP);
	return 0;
}

/* --- the parts an acquisition is made of ---------------------------------------------------------
 */

MEASURED(part_storage)
{
	return !task_state_get();
}

MEASURED(part_call)
{
	return bench_call(ctx, 1).site & 1;
}

MEASURED(part_owner)
{
	return mutex_held_by((const void *)bpf_get_current_task(), 1);
}

MEASURED(part_count)
{
	count(COUNT_ACQUIRE);
	return 0;
}
