/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate.h - what a finished validation is, and the three ways it is written down: a page a
 * person signs off, a JSON record, JUnit XML. The writers only read.
 */
#ifndef VFIOTRACE_VALIDATE_H
#define VFIOTRACE_VALIDATE_H

#include <stdio.h>

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

void validation__page(FILE *out, const struct validation *v, bool color);
void validation__json(FILE *out, const struct validation *v);
int validation__junit(const char *path, const struct validation *v); /* 0 or -errno */

#endif
