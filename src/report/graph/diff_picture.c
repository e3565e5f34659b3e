// SPDX-License-Identifier: GPL-2.0-or-later
/* A diff's dependencies as a graph. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/graph/diff_picture.h"
#include "report/escape.h"
#include "report/outputs.h"

enum { LAYOUT_SECONDS = 60 };

static const char *const colors[] = {"#2e7d32", "#c1121f", "#b35900", "#9aa5b1"};

struct drawing {
	const struct diff_row *rows;
	uint32_t count;
};

static struct drawing drawing_of(const struct diff *d)
{
	return (struct drawing){d->rows[DIFF_DEPENDENCIES], d->count[DIFF_DEPENDENCIES]};
}

static bool touches_change(const struct drawing *drawing, const char *name)
{
	for (uint32_t i = 0; i < drawing->count; i++)
		if (drawing->rows[i].kind != DIFF_SAME &&
		    (!strcmp(drawing->rows[i].from, name) || !strcmp(drawing->rows[i].to, name)))
			return true;
	return false;
}

static bool is_drawn(const struct drawing *drawing, const struct diff_row *row)
{
	return row->kind != DIFF_SAME ||
	       (touches_change(drawing, row->from) && touches_change(drawing, row->to));
}

/* Nodes are numbered by first mention: rows are sorted, so the picture is stable. */
static uint32_t number_of(const struct drawing *drawing, const char *name)
{
	uint32_t number = 0;

	for (uint32_t i = 0; i < drawing->count; i++, number += 2) {
		if (!strcmp(drawing->rows[i].from, name))
			return number;
		if (!strcmp(drawing->rows[i].to, name))
			return number + 1;
	}
	return number;
}

static void put_dot_node(FILE *out, const struct drawing *drawing, const char *name)
{
	fprintf(out, "  c%u [label=\"", number_of(drawing, name));
	write_dot(out, name);
	fputs("\"];\n", out);
}

void diff_picture__dot(FILE *out, const struct diff *d, const struct diff_labels *labels)
{
	static const char *const styles[] = {"penwidth=2.5", "penwidth=2.5, style=dashed",
					     "penwidth=2", "penwidth=1"};
	const struct drawing drawing = drawing_of(d);

	fputs("digraph diff {\n  rankdir=LR;\n  node [shape=box, style=rounded, "
	      "fontname=\"sans-serif\"];\n  label=\"removed (red, dashed): ",
	      out);
	write_dot(out, labels->before);
	fputs("\\nadded (green): ", out);
	write_dot(out, labels->after);
	fputs("\";\n", out);
	for (uint32_t i = 0; i < drawing.count; i++) {
		const struct diff_row *row = &drawing.rows[i];

		if (!is_drawn(&drawing, row))
			continue;
		put_dot_node(out, &drawing, row->from);
		put_dot_node(out, &drawing, row->to);
		fprintf(out, "  c%u -> c%u [color=\"%s\", %s, tooltip=\"%s\"];\n",
			number_of(&drawing, row->from), number_of(&drawing, row->to),
			colors[row->kind], styles[row->kind], diff_kind_names[row->kind]);
	}
	fputs("}\n", out);
}

void diff_picture__mermaid(FILE *out, const struct diff *d)
{
	const struct drawing drawing = drawing_of(d);
	uint32_t edge = 0;

	fputs("flowchart LR\n", out);
	for (uint32_t i = 0; i < drawing.count; i++) {
		const struct diff_row *row = &drawing.rows[i];

		if (!is_drawn(&drawing, row))
			continue;
		fprintf(out, "  c%u[\"", number_of(&drawing, row->from));
		write_mermaid(out, row->from);
		fprintf(out, "\"] %s c%u[\"",
			row->kind == DIFF_VANISHED   ? "-. removed .->"
			: row->kind == DIFF_APPEARED ? "-- added -->"
						     : "-->",
			number_of(&drawing, row->to));
		write_mermaid(out, row->to);
		fprintf(out, "\"]\n  linkStyle %u stroke:%s\n", edge++, colors[row->kind]);
	}
}

int diff_picture__svg(FILE *out, const struct diff *d, const struct diff_labels *labels)
{
	char *dot = NULL, *svg = NULL;
	size_t size = 0, svg_size = 0;
	FILE *memory = open_memstream(&dot, &size);
	int status;

	if (!memory)
		return -errno;
	diff_picture__dot(memory, d, labels);
	fclose(memory);
	status = graphviz_run("svg", dot, size, LAYOUT_SECONDS, &svg, &svg_size);
	if (!status)
		fwrite(svg, 1, svg_size, out);
	free(svg);
	free(dot);
	return status;
}
