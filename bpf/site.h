/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * site.h - who called the traced function, and its first argument as a plain number, without a
 * stack walk.
 *
 * A fentry program's context is the argument array on the BPF trampoline's stack. The return
 * address into the traced function lies a few words above it, and the caller's right after that
 * (x86-64: the next word; arm64: after the saved frame pointer). How many words lie between
 * depends on kernel version and on what else is attached, so it is searched, not assumed.
 */
#ifndef VFIOTRACE_BPF_SITE_H
#define VFIOTRACE_BPF_SITE_H

#include "read_word.h"

#define SITE_WORDS 12

#if defined(__TARGET_ARCH_arm64)
#define SITE_AFTER 2 /* [self ip] [fp] [parent ip] */
#else
#define SITE_AFTER 1
#endif

struct call {
	__u64 argument; /* scalar copy: a typed pointer can be stored but not hashed */
	__u64 site;
};

static __always_inline __u64 find_site(const __u64 *words, __u64 function)
{
#pragma unroll
	for (int i = 1; i < SITE_WORDS - SITE_AFTER; i++) {
		if (words[i] - function < 32)
			return words[i + SITE_AFTER];
	}
	return 0;
}

/* Its own function, so that the words are not on the stack of everything called later. */
static __noinline void probe_call(void *ctx, __u64 function, struct call *call)
{
	__u64 words[SITE_WORDS];

	if (bpf_probe_read_kernel(words, sizeof(words), ctx))
		return;
	call->argument = words[0];
	call->site = find_site(words, function);
}

/* At the argument array of a fentry or fexit program of `function`. */
static __always_inline struct call call_at(void *ctx, __u64 function)
{
	struct call call = {};

	if (HAS_DIRECT_LOADS) {
		call.argument = cast_words(ctx, CAST_WORDS)[0];
		call.site = find_site(cast_words(ctx, CAST_WORDS), function);
	} else {
		probe_call(ctx, function, &call);
	}
	return call;
}

static __always_inline struct call fentry_call(void *ctx)
{
	return call_at(ctx, bpf_get_func_ip(ctx));
}

/* At a kprobe on the first instruction the return address is on top of the stack (or in lr). */
static __always_inline struct call kprobe_call(struct pt_regs *ctx)
{
	struct call call = {.argument = PT_REGS_PARM1(ctx)};

#if defined(__TARGET_ARCH_x86)
	bpf_probe_read_kernel(&call.site, sizeof(call.site), (void *)PT_REGS_SP(ctx));
#elif defined(__TARGET_ARCH_s390) /* libbpf 1.1 misspells the register file's name */
	call.site = BPF_CORE_READ((user_pt_regs *)ctx, gprs[14]);
#else
	call.site = PT_REGS_RET(ctx);
#endif
	return call;
}

#endif
