// SPDX-License-Identifier: GPL-2.0-or-later
/* The class graph for Graphviz. Edges of cycles stand out by colour, width and a mark in the label.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "report/escape.h"
#include "report/outputs.h"

static const char *const grade_colors[] = {"#1f6f8b", "#b35900", "#c1121f", "#c1121f"};

static void put_node(FILE *out, const struct model *m, uint32_t id, uint8_t mark)
{
	const struct lock_class *class = model__lock_class(m, id);
	char idiom[RENDER_SIZE];

	fprintf(out, "  c%u [label=\"", id);
	write_dot(out, class->name);
	if (render_idiom(idiom, sizeof(idiom), class->name)) {
		fputs("\\n", out);
		write_dot(out, idiom);
	}
	fputs("\"", out);
	if (mark)
		fprintf(out, ", color=\"%s\", penwidth=2", grade_colors[mark - 1]);
	if (lock_kind__is_wait(class->kind))
		fputs(", shape=hexagon", out);
	if (class->flags & CLASS_INFERRED)
		fputs(", style=\"rounded,dashed\"", out);
	else if (class->flags & CLASS_IN_SCOPE)
		fputs(", style=\"rounded,filled\", fillcolor=\"#eef2f7\"", out);
	fputs("];\n", out);
}

static void put_edge(FILE *out, const struct model *m, uint32_t id, uint8_t mark)
{
	const struct class_edge *e = model__class_edge(m, id);
	char count[RENDER_SIZE];

	fprintf(out, "  c%u -> c%u [", e->from, e->to);
	if (e->count)
		fprintf(out, "label=\"%s%s\"", mark > 1 ? "! " : "",
			render_count(count, sizeof(count), e->count));
	else
		fprintf(out, "label=\"%s\"", mark > 1 ? "!" : "");
	if (mark)
		fprintf(out, ", color=\"%s\", fontcolor=\"%s\", penwidth=2.5",
			grade_colors[mark - 1], grade_colors[mark - 1]);
	if (e->flags & DEPENDENCY_INFERRED)
		fputs(", style=dashed", out);
	fputs(", tooltip=\"", out);
	write_dot(out, render_class_name(m, e->from));
	fputs(" -> ", out);
	write_dot(out, render_class_name(m, e->to));
	fputs("\"];\n", out);
}

int report_dot(FILE *out, const struct report_input *input, const struct report_options *options)
{
	const struct model *m = input->model;
	struct marks marks;
	uint8_t *drawn = calloc(model__class_count(m) + 1, 1);
	int status = -ENOMEM;

	if (!drawn)
		return -ENOMEM;
	if (marks__init(&marks, input))
		goto cleanup;
	fputs("digraph vfiotrace {\n  graph [label=\"", out);
	write_dot(out, options->title ? options->title
				      : "lock classes: an arrow means taken while held");
	fputs("\", labelloc=t, fontname=\"sans-serif\", rankdir=LR];\n"
	      "  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n"
	      "  edge [fontname=\"sans-serif\", fontsize=9, color=\"#5b6570\"];\n",
	      out);
	for (uint32_t i = 0; i < marks.edge_count; i++) {
		const struct class_edge *e = model__class_edge(m, i);

		if (options->only_cycles && !marks.edges[i])
			continue;
		drawn[e->from] = drawn[e->to] = 1;
	}
	for (uint32_t i = 0; i < model__class_count(m); i++)
		if (drawn[i])
			put_node(out, m, i, marks.classes[i]);
	for (uint32_t i = 0; i < marks.edge_count; i++)
		if (!options->only_cycles || marks.edges[i])
			put_edge(out, m, i, marks.edges[i]);
	status = 0;
	if (has_wait_findings(input->findings))
		status = write_wait_findings(out, input, false);
	fputs("}\n", out);
	marks__release(&marks);
cleanup:
	free(drawn);
	return status;
}
