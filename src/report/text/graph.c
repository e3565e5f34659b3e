// SPDX-License-Identifier: GPL-2.0-or-later
/* The class graph and the per-task lock-order graphs in text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/text_private.h"
#include "util/text.h"

enum { MAX_EDGES = 200 };

struct edge_order {
	const struct model *m;
	const struct marks *marks;
};

/* Edges of cycles first, then by name, so that two runs read the same. */
static int compare_edges(const void *left, const void *right, void *context)
{
	const struct edge_order *order = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	const struct class_edge *ea = model__class_edge(order->m, a);
	const struct class_edge *eb = model__class_edge(order->m, b);
	int by_name;

	if (order->marks->edges[a] != order->marks->edges[b])
		return order->marks->edges[a] > order->marks->edges[b] ? -1 : 1;
	by_name = strcmp(render_class_name(order->m, ea->from),
			 render_class_name(order->m, eb->from));
	return by_name ? by_name
		       : strcmp(render_class_name(order->m, ea->to),
				render_class_name(order->m, eb->to));
}

static void put_edge(FILE *out, const struct model *m, const struct class_edge *e, uint8_t mark,
		     int width, bool color)
{
	char count[RENDER_SIZE];
	enum style style = mark ? text_grade_style(mark - 1) : STYLE_PLAIN;

	fprintf(out, "  %s%c %*s -> %-32s%s %10s", text_style(color, style), mark > 1 ? '!' : ' ',
		width, text_safe(render_class_name(m, e->from)),
		text_safe(render_class_name(m, e->to)), text_end(color),
		render_count(count, sizeof(count), e->count));
	if (e->flags & DEPENDENCY_INFERRED)
		fprintf(out, "  inferred");
	if (e->flags & DEPENDENCY_FROM_TRY)
		fprintf(out, "  held by trylock");
	fputc('\n', out);
}

void text_class_graph(FILE *out, const struct report_input *input, bool only_cycles, bool color)
{
	const struct model *m = input->model;
	uint32_t count = model__class_edge_count(m), shown = 0, width = 0;
	uint32_t *order = calloc(count + 1, sizeof(*order));
	struct marks marks = {0};
	struct edge_order context = {m, &marks};

	if (!order || marks__init(&marks, input))
		goto cleanup;
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare_edges, &context);
	fprintf(out,
		"%sClass graph: %u classes, %u edges, %u dependencies%s   ! is part of a cycle\n",
		text_style(color, STYLE_BOLD), model__class_count(m), count,
		model__dependency_count(m), text_end(color));
	for (uint32_t i = 0; i < count && i < MAX_EDGES; i++) {
		size_t length = strlen(
			text_safe(render_class_name(m, model__class_edge(m, order[i])->from)));

		width = length > width ? (uint32_t)length : width;
	}
	width = width > 40 ? 40 : width;
	for (uint32_t i = 0; i < count && shown < MAX_EDGES; i++) {
		if (only_cycles && marks.edges[order[i]] < 2)
			continue;
		put_edge(out, m, model__class_edge(m, order[i]), marks.edges[order[i]], (int)width,
			 color);
		shown++;
	}
	if (!only_cycles && count > shown)
		fprintf(out, "  ... and %u more; `report -f html` shows all of them\n",
			count - shown);
cleanup:
	marks__release(&marks);
	free(order);
}

/* --- per task
 * ---------------------------------------------------------------------------------------- */

struct pair {
	uint32_t from, to; /* instances */
	uint64_t count;
	uint8_t from_mode, to_mode, flags;
};

static int compare_pairs(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

static int compare_task_chains(const void *left, const void *right, void *context)
{
	const struct model *m = context;
	const struct task_chain *a = model__task_chain(m, *(const uint32_t *)left);
	const struct task_chain *b = model__task_chain(m, *(const uint32_t *)right);

	if (a->task != b->task)
		return a->task < b->task ? -1 : 1;
	return a->chain < b->chain ? -1 : a->chain > b->chain;
}

static void put_pair(FILE *out, const struct model *m, const struct pair *p)
{
	char count[RENDER_SIZE];

	fprintf(out, "    ");
	text_lock(out, m, model__instance(m, p->from)->lock_class, p->from, false);
	fprintf(out, "%s -> ", render_mode_short(p->from_mode));
	text_lock(out, m, model__instance(m, p->to)->lock_class, p->to, false);
	fputs(render_mode_short(p->to_mode), out);
	if (p->count)
		fprintf(out, "  %s time%s", render_count(count, sizeof(count), p->count),
			p->count == 1 ? "" : "s");
	if (p->flags & HELD_TRY)
		fprintf(out, "  by trylock, never waits");
	if (p->flags & HELD_INFERRED)
		fprintf(out, "  inferred");
	fputc('\n', out);
}

/* The union of the chains in task_chains[0..count) as pairs, counted once each. */
static uint32_t collect_pairs(const struct model *m, const uint32_t *task_chains, uint32_t count,
			      struct pair **out)
{
	uint32_t capacity = 0, used = 0, kept = 0;
	struct pair *pairs = NULL;

	for (uint32_t i = 0; i < count; i++)
		capacity +=
			model__chain(m, model__task_chain(m, task_chains[i])->chain)->held_count;
	pairs = calloc(capacity + 1, sizeof(*pairs));
	for (uint32_t i = 0; pairs && i < count; i++) {
		const struct task_chain *pair = model__task_chain(m, task_chains[i]);
		const struct chain *c = model__chain(m, pair->chain);

		for (uint32_t k = 0; k < c->held_count; k++)
			pairs[used++] =
				(struct pair){c->held[k].instance,
					      c->wanted.instance,
					      pair->count,
					      c->held[k].mode,
					      c->wanted.mode,
					      (c->held[k].flags & HELD_INFERRED) | c->wanted.flags};
	}
	if (used)
		qsort(pairs, used, sizeof(*pairs), compare_pairs);
	for (uint32_t i = 0; i < used; i++) {
		if (kept && !compare_pairs(&pairs[kept - 1], &pairs[i]))
			pairs[kept - 1].count += pairs[i].count;
		else
			pairs[kept++] = pairs[i];
	}
	*out = pairs;
	return kept;
}

static void put_task(FILE *out, const struct model *m, const uint32_t *task_chains, uint32_t count,
		     bool color)
{
	uint32_t task = model__task_chain(m, task_chains[0])->task;
	char name[RENDER_SIZE];
	struct pair *pairs = NULL;
	uint32_t n = collect_pairs(m, task_chains, count, &pairs);

	fprintf(out, "  %s%s%s  %u order%s\n", text_style(color, STYLE_BOLD),
		text_safe(render_task(name, sizeof(name), m, task)), text_end(color), n,
		n == 1 ? "" : "s");
	for (uint32_t i = 0; i < n; i++)
		put_pair(out, m, &pairs[i]);
	free(pairs);
}

void report_text_tasks(FILE *out, const struct model *m, uint32_t tid, bool color)
{
	uint32_t count = model__task_chain_count(m), end;
	uint32_t *order = calloc(count + 1, sizeof(*order));
	bool any = false;

	if (!order)
		return;
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare_task_chains, (void *)m);
	text_heading(out, "Lock orders of each task", color);
	for (uint32_t i = 0; i < count; i = end) {
		uint32_t task = model__task_chain(m, order[i])->task;

		for (end = i; end < count && model__task_chain(m, order[end])->task == task; end++)
			;
		if (tid && model__task(m, task)->tid != tid)
			continue;
		put_task(out, m, order + i, end - i, color);
		any = true;
	}
	if (!any && tid)
		fprintf(out, "  task %u was not seen to take a lock while it held another\n", tid);
	else if (!any)
		fprintf(out, "  no task was seen to take a lock while it held another\n");
	free(order);
}
