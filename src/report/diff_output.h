/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_output.h - a diff written out. Labels say where the two runs come from ("6.1.0-56-amd64,
 * a.db"). Only the dependencies that changed, and those they touch, are drawn: added green, removed
 * red.
 */
#ifndef VFIOTRACE_REPORT_DIFF_OUTPUT_H
#define VFIOTRACE_REPORT_DIFF_OUTPUT_H

#include "diff.h"
#include "report.h"

struct diff_labels {
	const char *before, *after;
};

bool report_diff_has(enum report_format format); /* text json dot svg mermaid markdown */
int report_diff(FILE *out, enum report_format format, const struct diff *d,
		const struct diff_labels *labels, bool color);

#endif
