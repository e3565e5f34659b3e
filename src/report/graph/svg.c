// SPDX-License-Identifier: GPL-2.0-or-later
/* The class graph as a picture: DOT, laid out by Graphviz. */
#include <errno.h>
#include <stdlib.h>

#include "report/outputs.h"

enum { LAYOUT_SECONDS = 60 };

static void complain(int status)
{
	if (status == -ENOENT)
		fprintf(stderr,
			"vfiotrace: Graphviz's `dot` is not installed, and svg needs it: "
			"`apt-get install graphviz`, or use -f html, which needs nothing\n");
	else if (status == -ETIMEDOUT)
		fprintf(stderr,
			"vfiotrace: Graphviz's `dot` did not finish within %d s; "
			"-f html draws graphs of this size\n",
			LAYOUT_SECONDS);
	else
		fprintf(stderr,
			"vfiotrace: Graphviz's `dot` failed; -f dot prints what it was given\n");
}

int report_svg(FILE *out, const struct report_input *input, const struct report_options *options)
{
	struct report_options drawn = *options;
	char *dot = NULL, *svg = NULL, title[300];
	size_t size = 0, svg_size = 0;
	FILE *memory = open_memstream(&dot, &size);
	int status;

	if (!memory)
		return -errno;
	if (model__class_edge_count(input->model) > DRAWN_EDGES && !drawn.only_cycles) {
		drawn.only_cycles = true;
		snprintf(title, sizeof(title), "%.200s%sonly the cycles of a larger graph",
			 drawn.title ? drawn.title : "", drawn.title ? ": " : "");
		drawn.title = title;
	}
	status = report_dot(memory, input, &drawn);
	fclose(memory);
	if (!status) {
		status = graphviz_run("svg", dot, size, LAYOUT_SECONDS, &svg, &svg_size);
		if (status)
			complain(status);
		else
			fwrite(svg, 1, svg_size, out);
	}
	free(svg);
	free(dot);
	return status;
}
