/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu_rwsem.h - is a percpu_rw_semaphore (cpu_hotplug_lock) still held? It names no owner, so an
 * entry ends at its release, and where both programs missed that (backup_program.h) it is found out
 * here, before a new chain is believed:
 *
 *  - the task has been in user mode since: what it returns to is another place than at the push;
 *  - nobody reads: read_count adds up to 0 over the CPUs (readers move, so only the sum counts);
 *  - nobody writes: `block` is 0.
 *
 * Each of these is certain. What none of them shows (same place, another reader at this moment) is
 * believed; that takes a release that both programs missed, which is counted as a loss anyway.
 */
#ifndef VFIOTRACE_BPF_PERCPU_RWSEM_H
#define VFIOTRACE_BPF_PERCPU_RWSEM_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "maps.h"
#include "read_word.h"

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD */
#define HIDDEN_ADDRESS 4096	 /* below: a number of our own, no address */

/*
 * Where the task goes back to in user mode, as 16 bits that are never 0; 0: it has no such place.
 * The registers stay as they are until the task returns (execve aside, which is a return as well).
 */
static __always_inline __u16 user_place(void)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct pt_regs *registers;
	__u64 place;

	if (current->flags & KERNEL_THREAD)
		return 0;
	registers = (struct pt_regs *)bpf_task_pt_regs(current);
	place = interest_hash(PT_REGS_SP_CORE(registers), PT_REGS_IP_CORE(registers));
	return (__u16)(place >> 48) | 1;
}

static __always_inline bool was_in_user_mode(__u16 place)
{
	return place && place != user_place();
}

#ifdef __TARGET_ARCH_s390
/* no callbacks without a JIT (held.h) */
static __always_inline bool has_no_reader(const struct shared_state *shared_state, __u64 lock)
{
	return false;
}
#else
struct reader_walk {
	__u64 offsets, counter;
	__u32 sum, failed;
};

static long add_readers(__u32 cpu, struct reader_walk *walk)
{
	__u64 offset = 0;
	__u32 readers = 0;

	if (bpf_probe_read_kernel(&offset, sizeof(offset), (void *)(walk->offsets + cpu * 8ULL)) ||
	    bpf_probe_read_kernel(&readers, sizeof(readers), (void *)(walk->counter + offset))) {
		walk->failed = 1;
		return 1;
	}
	walk->sum += readers;
	return 0;
}

static __always_inline bool has_no_reader(const struct shared_state *shared_state, __u64 lock)
{
	const struct percpu_rw_semaphore *semaphore = (const void *)lock;
	struct reader_walk walk = {.offsets = shared_state->per_cpu_offset};
	__u32 cpus = 0;

	if (!walk.offsets || !shared_state->nr_cpu_ids ||
	    bpf_probe_read_kernel(&cpus, sizeof(cpus), (void *)shared_state->nr_cpu_ids) || !cpus ||
	    read_word(__builtin_preserve_access_index(&semaphore->read_count), &walk.counter) ||
	    !walk.counter)
		return false;
	bpf_loop(cpus, add_readers, &walk, 0);
	return !walk.failed && !walk.sum;
}
#endif

static __always_inline bool has_no_writer(__u64 lock)
{
	const struct percpu_rw_semaphore *semaphore = (const void *)lock;
	int block = 0;

	return !bpf_core_read(&block, sizeof(block), &semaphore->block.counter) && !block;
}

/* False only where it is certain that the entry is over. */
__noinline int percpu_may_be_held(const struct record_lock *entry)
{
	struct shared_state *shared_state = shared_get();

	if (!entry || !shared_state)
		return 1;
	if (was_in_user_mode(entry->user_place))
		return 0;
	if (entry->lock < HIDDEN_ADDRESS)
		return 1;
	if (entry->flags & RECORD_SHARED)
		return !has_no_reader(shared_state, entry->lock);
	return !has_no_writer(entry->lock);
}

#endif
