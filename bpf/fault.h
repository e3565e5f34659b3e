/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault.h - a page fault of the kernel on user memory (copy_from_user and its kin) wants mmap_lock
 * to read, whatever the task holds. Seen where the fault begins: since 6.4 most of them get by with
 * the lock of one mapping (per-VMA locks), and the ones that cannot are rare.
 */
#ifndef VFIOTRACE_BPF_FAULT_H
#define VFIOTRACE_BPF_FAULT_H

#include "acquire.h"

static __always_inline int holds_interesting(struct shared_state *shared_state,
					     struct task_state *state)
{
	struct held_walk walk = {.state = state, .shared_state = shared_state};

	walk_list(state->count, any_interesting, &walk);
	return walk.found;
}

/* A fault that was switched off fails at once, one on kernel memory is another matter. */
static __always_inline __u64 wanted_by_fault(__u64 address)
{
	struct task_struct *current = bpf_get_current_task_btf();
	const struct mm_struct *mm =
		(void *)current_mm(); /* a number: a typed pointer has no hash */

	if (!mm || (long)address < 0 || current->pagefault_disabled)
		return 0;
	return (__u64)__builtin_preserve_access_index(&mm->mmap_lock);
}

static __always_inline int kernel_faulted(void *ctx, __u64 address, __u64 instruction)
{
	struct shared_state *shared_state = shared_get();
	struct record_lock lock = {
		.site = instruction, .kind = RECORD_FAULT, .flags = RECORD_SHARED};
	struct task_state *state;

	if (!shared_state || !shared_state->ready || shared_state->shed & 4)
		return 0;
	state = task_state_find();
	if (!state || !state->count)
		return 0;
	lock.lock = wanted_by_fault(address);
	if (!lock.lock || !filter_short(state, lock.lock, false))
		return 0;
	/* held already: the handler only tries it then, and gives up (lock_mm_and_find_vma) */
	if (find_held(state, lock.lock))
		return 0;
	if (!shared_state->scope_all && !state->scope && !holds_interesting(shared_state, state))
		return 0;
	count(COUNT_NESTED);
	chain_seen(ctx, shared_state, state, &lock);
	return 0;
}

#endif
