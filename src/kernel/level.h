/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * level.h - which attach level works here, in one word and one sentence.
 *
 * level__judge decides from features alone; once probes were tried, level__attached or
 * level__attach_failed corrects it. When nothing works, `message` names the missing piece and the
 * remedy. Texts live as long as the struct.
 */
#ifndef VFIOTRACE_KERNEL_LEVEL_H
#define VFIOTRACE_KERNEL_LEVEL_H

#include "capture.h"
#include "kernel.h"

struct level {
	const char *name; /* "full" "reduced" "contention only" "unsupported" */
	bool works;
	char message[512];
};

void level__judge(struct level *level, const struct kernel *k, const struct feature *features,
		  uint32_t count, enum attach_level attach);
void level__attached(struct level *level, const struct probe_info *probes, uint32_t count);
void level__attach_failed(struct level *level, const char *why);

#endif
