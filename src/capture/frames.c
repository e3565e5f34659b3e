// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel stacks as people know them: without our own program, the BPF trampolines, and the second
 * frame that a trampoline which calls the original function leaves behind
 * ("kvm_device_release+0x6e, trampoline, kvm_device_release+0x5").
 */
#include <string.h>

#include "capture/internal.h"

/* Bytes after a function's start that a call at its entry returns to: ENDBR and the call itself. */
#define ENTRY_BYTES 16

static bool is_trampoline(const struct frame *frame)
{
	return !frame->symbol || !strncmp(frame->symbol, "bpf_trampoline_", 15) ||
	       !strncmp(frame->symbol, "bpf_prog_", 9) ||
	       !strncmp(frame->symbol, "arch_ftrace", 11) || !strncmp(frame->symbol, "ftrace_", 7);
}

uint32_t frames__clean(struct frame *frames, uint32_t count)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (!is_trampoline(&frames[i])) {
			frames[used++] = frames[i];
			continue;
		}
		if (used && i + 1 < count && frames[i + 1].symbol &&
		    frames[i + 1].offset <= ENTRY_BYTES &&
		    !strcmp(frames[i + 1].symbol, frames[used - 1].symbol))
			i++;
	}
	return used;
}

uint32_t frames__site(struct capture *c, uint64_t site)
{
	struct frame frame;

	if (!site)
		return NO_ID;
	kernel__fill_frame(c->options.kernel, site, &frame);
	return model__add_stack(c->options.model, STACK_SITE, &frame, 1);
}

/* The stack becomes the caller's where its acquire site appears. */
uint32_t frames__full(struct capture *c, const __u64 *ips, uint32_t count, uint64_t site)
{
	struct frame frames[RECORD_STACK_DEPTH];
	uint32_t first = 0, used = 0;

	if (count > RECORD_STACK_DEPTH)
		count = RECORD_STACK_DEPTH;
	if (!count)
		return frames__site(c, site);
	for (uint32_t i = 0; i < count && site; i++) {
		if (ips[i] != site)
			continue;
		first = i;
		break;
	}
	for (uint32_t i = first; i < count; i++)
		kernel__fill_frame(c->options.kernel, ips[i], &frames[used++]);
	used = frames__clean(frames, used);
	return used ? model__add_stack(c->options.model, STACK_FULL, frames, used)
		    : frames__site(c, site);
}
