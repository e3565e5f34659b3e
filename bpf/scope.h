/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scope.h - where in VFIO and KVM a task is, and the programs around a function that say so.
 *
 * The scope is set, not incremented: a missed exit heals at the next anchor.
 */
#ifndef VFIOTRACE_BPF_SCOPE_H
#define VFIOTRACE_BPF_SCOPE_H

#include "path_event.h"
#include "object_event.h"

static __always_inline __u64 private_data(__u64 file)
{
	return (__u64)BPF_CORE_READ((struct file *)file, private_data);
}

static __always_inline struct task_state *enter(__u32 scope, __u64 object, __u32 command)
{
	struct shared_state *shared_state = shared_get();
	struct task_state *state;

	if (!shared_state || !shared_state->ready)
		return NULL;
	state = task_state_get();
	if (!state)
		return NULL;
	state->scope = scope;
	state->outer_scope = SCOPE_NONE;
	state->scope_object = object;
	state->command = command;
	return state;
}

static __always_inline struct task_state *leave(__u32 scope)
{
	struct task_state *state = task_state_find();

	if (!state || state->scope != scope)
		return NULL;
	state->scope = state->outer_scope;
	state->outer_scope = SCOPE_NONE;
	return state;
}

#define ARGUMENTS(words, ctx)                                                                      \
	__u64 words[5] = {};                                                                       \
	bpf_probe_read_kernel(words, sizeof(words), ctx)

/* on_enter(words), on_exit(result): the same two for direct calls and for kprobes */
#define FENTRY(function, on_enter)                                                                 \
	SEC("fentry/" #function)                                                                   \
	int fentry_##function(void *ctx)                                                           \
	{                                                                                          \
		ARGUMENTS(words, ctx);                                                             \
		return on_enter(ctx, words);                                                       \
	}

#define PROBE(function, arguments, on_enter, on_exit)                                              \
	FENTRY(function, on_enter)                                                                 \
	SEC("fexit/" #function)                                                                    \
	int fexit_##function(void *ctx)                                                            \
	{                                                                                          \
		ARGUMENTS(words, ctx);                                                             \
		return on_exit(ctx, (long)words[arguments]);                                       \
	}                                                                                          \
	KPROBE_PAIR(function, on_enter, on_exit)

#define KPROBE_ENTRY(function, on_enter)                                                           \
	SEC("kprobe/" #function)                                                                   \
	int kprobe_##function(struct pt_regs *ctx)                                                 \
	{                                                                                          \
		__u64 words[5] = {PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx)};     \
                                                                                                   \
		return on_enter(ctx, words);                                                       \
	}

#define KPROBE_PAIR(function, on_enter, on_exit)                                                   \
	KPROBE_ENTRY(function, on_enter)                                                           \
	SEC("kretprobe/" #function)                                                                \
	int kretprobe_##function(struct pt_regs *ctx)                                              \
	{                                                                                          \
		return on_exit(ctx, PT_REGS_RC(ctx));                                              \
	}

#define ENTRY_PROBE(function, on_enter)                                                            \
	FENTRY(function, on_enter)                                                                 \
	KPROBE_ENTRY(function, on_enter)

#endif
