// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The class graph for Mermaid. Renderers cut large graphs off (GitHub: 50,000 characters, 500
 * edges), so that a large one is reduced to its cycles, and the first edges where it has none.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "report/escape.h"
#include "report/outputs.h"

/* What is no lock but a wait has six sides, as in the other pictures. */
static void put_node(FILE *out, const struct model *m, uint32_t id, uint8_t *known)
{
	bool is_wait;

	if (known[id]) {
		fprintf(out, "c%u", id);
		return;
	}
	known[id] = 1;
	is_wait = lock_kind__is_wait(model__lock_class(m, id)->kind);
	fprintf(out, is_wait ? "c%u{{\"" : "c%u[\"", id);
	write_mermaid(out, render_class_name(m, id));
	fputs(is_wait ? "\"}}" : "\"]", out);
}

static void put_edge(FILE *out, const struct model *m, uint32_t id, uint8_t mark, uint8_t *known)
{
	const struct class_edge *e = model__class_edge(m, id);
	const char *arrow = mark ? "==>" : e->flags & DEPENDENCY_INFERRED ? "-.->" : "-->";
	char count[RENDER_SIZE];

	fputs("  ", out);
	put_node(out, m, e->from, known);
	if (e->count)
		fprintf(out, " %s|\"%s\"| ", arrow, render_count(count, sizeof(count), e->count));
	else
		fprintf(out, " %s ", arrow);
	put_node(out, m, e->to, known);
	fputc('\n', out);
}

int report_mermaid(FILE *out, const struct report_input *input,
		   const struct report_options *options)
{
	const struct model *m = input->model;
	uint8_t *known = calloc(model__class_count(m) + 1, 1);
	struct marks marks = {0};
	uint32_t shown = 0, cycles = 0, links = 0;
	bool only_cycles;
	int status = 0;

	if (!known || marks__init(&marks, input)) {
		free(known);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < marks.edge_count; i++)
		cycles += marks.edges[i] > 0;
	only_cycles = options->only_cycles || (marks.edge_count > DRAWN_EDGES && cycles);
	fputs("flowchart LR\n", out);
	for (uint32_t i = 0; i < marks.edge_count && shown < DRAWN_EDGES; i++) {
		if (only_cycles && !marks.edges[i])
			continue;
		put_edge(out, m, i, marks.edges[i], known);
		shown++;
	}
	if (shown < marks.edge_count)
		fprintf(out, "  %%%% %u of %u edges are drawn\n", shown, marks.edge_count);
	for (uint32_t i = 0; i < marks.edge_count && links < shown; i++) {
		if (only_cycles && !marks.edges[i])
			continue;
		if (marks.edges[i] > 1)
			fprintf(out, "  linkStyle %u stroke:#c1121f,stroke-width:3px\n", links);
		links++;
	}
	if (has_wait_findings(input->findings))
		status = write_wait_findings(out, input, true);
	else if (!shown)
		fprintf(out, "  nothing[\"%s\"]\n",
			only_cycles ? "no lock order is part of a finding"
				    : "no lock was seen taken while another was held");
	marks__release(&marks);
	free(known);
	return status;
}
