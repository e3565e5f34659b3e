/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outputs.h - the renderers that report_write chooses from, one file each.
 *
 * All take what report_write takes and return 0 or -errno. They write nothing outside `out` but a
 * message on stderr where a helper program is missing.
 */
#ifndef VFIOTRACE_REPORT_OUTPUTS_H
#define VFIOTRACE_REPORT_OUTPUTS_H

#include "report/graph/render.h"

int report_splat(FILE *out, const struct report_input *input, const struct report_options *options);
int report_json(FILE *out, const struct report_input *input, const struct report_options *options);
int report_dot(FILE *out, const struct report_input *input, const struct report_options *options);
int report_svg(FILE *out, const struct report_input *input, const struct report_options *options);
int report_mermaid(FILE *out, const struct report_input *input,
		   const struct report_options *options);
int report_markdown(FILE *out, const struct report_input *input,
		    const struct report_options *options);
int report_html(FILE *out, const struct report_input *input, const struct report_options *options);
int report_trace(FILE *out, const struct report_input *input, const struct report_options *options);

/*
 * Run `dot -T<format>` on DOT text; *out is malloc'd and terminated. -ENOENT when Graphviz is not
 * installed, -EIO when it fails, -ETIMEDOUT when it takes longer than the limit.
 */
int graphviz_run(const char *format, const char *dot, size_t size, unsigned int seconds, char **out,
		 size_t *out_size);

/* More edges than this are not drawn by renderers that cannot be zoomed: only the cycles are. */
#define DRAWN_EDGES 120

/* Blocked tasks, what they wait for and who has it: part of a graph of its format (dot, mermaid).
 */
bool has_wait_findings(const struct finding_list *findings);
int write_wait_findings(FILE *out, const struct report_input *input, bool mermaid);

#endif
