/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backup_program.h - a main and a backup program on one function; exactly one does the work.
 *
 * A preemptible kernel (7.2: lazily, Debian's default) may take the CPU from a task inside a
 * program. Until that task goes on, the kernel skips the runs of this program by the other tasks of
 * the CPU: it takes them for recursion (recursion_misses). So on such kernels the hot functions
 * carry a backup program. Whichever of the two runs first does the work and notes the call (the
 * place of its arguments on the task's own stack) in the task's storage; the other finds the note
 * and takes it away. A run skipped by one is so done by the other. Lost are the calls that neither
 * did, and they are counted exactly (counters.c): skips of the main program - COUNT_BACKUP_DID +
 * COUNT_MAIN_LEFT.
 */
#ifndef VFIOTRACE_BPF_BACKUP_PROGRAM_H
#define VFIOTRACE_BPF_BACKUP_PROGRAM_H

#include "maps.h"
#include "read_word.h"

enum { RUN_MAIN = 1, RUN_BACKUP = 2 };

/* Counted without loss although another task may come in between. */
static __always_inline void count_exactly(__u32 what)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &what);

	if (value)
		__sync_fetch_and_add(value, 1);
}

/* Did the other program of this function do this call? If not, it is ours and noted as such. */
static __always_inline bool is_done(struct task_state *state, void *ctx, __u32 which)
{
	__u64 call;

	if (!constants.has_backup)
		return false;
	/* the verifier forbids arithmetic on ctx: read back it is a number */
	state->call = (__u64)ctx;
	call = state->call;
	if (state->done_call == call && state->done_by == RUN_MAIN + RUN_BACKUP - which) {
		state->done_call = 0;
		if (which == RUN_MAIN)
			count_exactly(COUNT_MAIN_LEFT);
		return true;
	}
	state->done_call = call;
	state->done_by = which;
	if (which == RUN_BACKUP)
		count_exactly(COUNT_BACKUP_DID);
	return false;
}

#endif
