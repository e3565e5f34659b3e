/* SPDX-License-Identifier: GPL-2.0-or-later */
/* now.h - renderings of a census: text and pictures of the wait-for graph. JSON: json_now. */
#ifndef VFIOTRACE_REPORT_NOW_H
#define VFIOTRACE_REPORT_NOW_H

#include "report.h"

struct census;

/* findings: deadlocks, and cycles that may be one. */
void report_text_now(FILE *out, const struct model *m, const struct census *c,
		     const struct finding_list *findings, uint64_t now, bool color);
/* Tasks, locks, who waits for what and who owns it. Formats: dot, svg, mermaid, markdown. */
int report_waitfor(FILE *out, enum report_format format, const struct model *m,
		   const struct waitfor *w, const struct finding_list *deadlocks);

#endif
