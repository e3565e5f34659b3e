/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate.h - what a finished validation is, and the three ways it is written down: a page a
 * person signs off, a JSON record, JUnit XML. The writers only read.
 */
#ifndef VFIOTRACE_CLI_VALIDATE_H
#define VFIOTRACE_CLI_VALIDATE_H

#include <stdio.h>

#include "session/session.h"
#include "kernel.h"
#include "verdict.h"

#define VALIDATION_FIXES 64

struct validation {
	const struct model *m;
	const struct finding_list *findings;
	const struct verdict *verdict;
	const struct fix *fixes;
	uint32_t fix_count;
	const struct model *baseline; /* NULL: none */
	const char *baseline_file;
	const char *exercised; /* device, or NULL */
	int exit_status;
};

/* What the kernel and the probes say, in the verdict's words. Lives as long as the options do. */
struct validation_inputs {
	struct probe_info probes[SESSION_PROBES];
	struct verdict_probe missing[SESSION_PROBES];
	struct verdict_fix_state fixes[VALIDATION_FIXES];
};
void validation__gather(struct validation_inputs *in, struct session *s, const struct fix *fixes,
			uint32_t fix_count, struct verdict_options *options);

void validation__page(FILE *out, const struct validation *v, bool color);
void validation__json(FILE *out, const struct validation *v);
int validation__junit(const char *path, const struct validation *v); /* 0 or -errno */

#endif
