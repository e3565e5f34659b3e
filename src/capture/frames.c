// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel stacks of records: the acquire site, and the frames above it. */
#include <string.h>

#include "capture/capture_private.h"

uint32_t frames__site(struct capture *c, uint64_t site)
{
	struct frame frame;

	if (!site)
		return NO_ID;
	kernel__fill_frame(c->options.kernel, site, &frame);
	return model__add_stack(c->options.model, STACK_SITE, &frame, 1);
}

/*
 * At a kprobe on the first instruction some architectures' stacks lack the caller (arm64, s390x: it
 * is in a register yet). Its call is the acquire site, which then stands for the function's own
 * frame.
 */
static bool lacks_caller(const struct capture *c, uint64_t ip)
{
	uint32_t offset = UINT32_MAX;
	struct kernel_symbol symbol;

	return c->level == ATTACH_KPROBE &&
	       kernel__resolve(c->options.kernel, ip, &symbol, &offset) &&
	       offset <= KERNEL_ENTRY_BYTES;
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
	while (site && first < count && ips[first] != site)
		first++;
	if (first == count) {
		first = 0;
		if (lacks_caller(c, ips[0])) {
			kernel__fill_frame(c->options.kernel, site, &frames[used++]);
			first = 1;
		}
	}
	for (uint32_t i = first; i < count; i++)
		kernel__fill_frame(c->options.kernel, ips[i], &frames[used++]);
	used = kernel__clean_frames(frames, used);
	return used ? model__add_stack(c->options.model, STACK_FULL, frames, used)
		    : frames__site(c, site);
}
