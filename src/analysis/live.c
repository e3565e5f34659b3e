// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Live: what one new dependency says by itself (recursion, nesting), the cycle it closes, and the
 * cycles known to run over its class edge.
 */
#include "analysis/analysis_private.h"

#include <string.h>

/*
 * Edges examined for an edge that closes a cycle, and for one that might only together with
 * back edges; what lies farther is found at the end.
 */
#define CLOSING_BUDGET 65536
#define OTHER_BUDGET 256
/* Cycles over one edge that are followed live; all are decided at the end. */
#define MAX_OVER_EDGE 64
/* Dependencies of an edge up to which every new one is joined with the cycles over it. */
#define RECHECK_ALWAYS 64

/* --- candidates ------------------------------------------------------------------------------- */

uint64_t cycle__hash(const struct cycle *cycle)
{
	uint64_t hash = 0;

	/* independent of the start: a sum of steps */
	for (uint32_t i = 0; i < cycle->length; i++)
		hash += hash_mix(idmap_pair(cycle->edges[i], cycle->modes[i]), cycle->length);
	return hash;
}

static struct candidate *candidate__for(struct analysis *a, const struct cycle *cycle)
{
	uint64_t hash = cycle__hash(cycle);
	uint32_t id = idmap__get(&a->candidate_ids, hash);
	uint64_t edges = model__class_edge_count(a->m);

	if (id != IDMAP_NONE)
		return &a->candidates.items[id];
	if (!vector_reserve(&a->by_edge, edges))
		return NULL;
	if (edges > a->by_edge.count)
		memset(a->by_edge.items + a->by_edge.count, 0,
		       (edges - a->by_edge.count) * sizeof(*a->by_edge.items));
	a->by_edge.count = edges;
	id = (uint32_t)a->candidates.count;
	if (!vector_push(&a->candidates, (struct candidate){.cycle = *cycle}) ||
	    idmap__put(&a->candidate_ids, hash, id))
		return NULL;
	for (uint32_t i = 0; i < cycle->length; i++) {
		struct ids *over = &a->by_edge.items[cycle->edges[i]];

		if (over->count < MAX_OVER_EDGE)
			ids__push(over, id);
	}
	return &a->candidates.items[id];
}

static void consider(struct analysis *a, struct candidate *candidate, uint32_t must,
		     enum finding_grade least)
{
	struct finding *f;

	if (!candidate->decision)
		candidate->decision = decision__new(a, candidate->cycle.length);
	if (!candidate->decision)
		return;
	if (!a->finishing || candidate->run != a->run)
		decide(a, &candidate->cycle, must, candidate->decision);
	candidate->run = a->finishing ? a->run : 0;
	if (!candidate->decision->report)
		return;
	if (grade_of(candidate->decision->code) < least)
		return;
	f = finding__of_cycle(a, &candidate->cycle, candidate->decision);
	if (!f || !touches_scope(a, f))
		return;
	if (a->finishing && f->code <= CODE_CLASS_INVERSION)
		f->prediction_note = patterns__why_undecided(a, f->length);
	candidate->finding = analysis__put(a, f);
	candidate->is_final = candidate->finding && (f->code == CODE_INSTANCE_INVERSION ||
						     f->code == CODE_WAIT_INVERSION);
}

struct finding *candidate__consider(struct analysis *a, const struct cycle *cycle,
				    enum finding_grade least)
{
	struct candidate *candidate = cycle ? candidate__for(a, cycle) : NULL;

	if (!candidate)
		return NULL;
	if (!candidate->finding)
		consider(a, candidate, NO_ID, least);
	return candidate->finding;
}

void candidates__reevaluate(struct analysis *a)
{
	for (uint64_t i = 0; i < a->candidates.count; i++) {
		a->candidates.items[i].finding = NULL;
		a->candidates.items[i].is_final = false;
	}
	for (uint64_t i = 0; i < a->candidates.count; i++)
		consider(a, &a->candidates.items[i], NO_ID, GRADE_INFO);
}

static void count_again(const struct model *m, struct finding *f, uint32_t dependency)
{
	const struct dependency *d = model__dependency(m, dependency);

	f->count++;
	f->last = d->last > f->last ? d->last : f->last;
	for (uint32_t i = 0; i < f->length; i++) {
		if (f->witnesses[i].dependency == dependency)
			f->witnesses[i].last_chain = d->last_chain;
	}
}

/*
 * Long cycles over edges with many dependencies cost a join each time: they are looked at again
 * only as the edge doubles, and at the end.
 */
static bool is_due(const struct model *m, const struct candidate *candidate, uint32_t edge)
{
	uint32_t count = model__class_edge(m, edge)->dependency_count;

	return candidate->cycle.length == 2 || count <= RECHECK_ALWAYS || !(count & (count - 1));
}

static void recheck_edge(struct analysis *a, uint32_t dependency)
{
	uint32_t edge = model__dependency(a->m, dependency)->class_edge;

	if (edge >= a->by_edge.count)
		return;
	for (uint64_t i = 0; i < a->by_edge.items[edge].count; i++) {
		struct candidate *candidate = &a->candidates.items[a->by_edge.items[edge].items[i]];

		if (candidate->is_final)
			count_again(a->m, candidate->finding, dependency);
		else if (is_due(a->m, candidate, edge))
			consider(a, candidate, dependency, GRADE_INFO);
	}
}

/* --- the class graph -------------------------------------------------------------------------- */

static void consider_edge(struct analysis *a, uint32_t edge_id, uint64_t budget)
{
	const struct class_edge *edge = model__class_edge(a->m, edge_id);
	uint32_t reverse = model__find_edge(a->m, edge->to, edge->from);
	bool is_pair = false;

	for (uint8_t modes = 0; reverse != NO_ID && modes < 4; modes++) {
		if (!strong__pair(a->m, edge_id, reverse, modes & 1, modes >> 1))
			continue;
		candidate__consider(a, cycle__pair(a, edge_id, reverse, modes & 1, modes >> 1),
				    GRADE_INFO);
		is_pair = true;
	}
	for (uint8_t mode = LOCK_EXCLUSIVE; mode <= LOCK_SHARED && !is_pair; mode++) {
		uint64_t left = budget;
		struct cycle *cycle = strong__shortest(a, edge_id, mode, NULL, &left);

		if (cycle && strong__is_simple(a, cycle))
			candidate__consider(a, cycle, GRADE_INFO);
	}
}

void live__dependency(void *context, const struct model *m, uint32_t dependency, bool is_new_edge)
{
	struct analysis *a = context;
	const struct dependency *d = model__dependency(m, dependency);
	const struct class_edge *edge = model__class_edge(m, d->class_edge);

	if (a->known_classes < model__class_count(m)) {
		class_rules__apply(a->m, a->options.rules, a->known_classes);
		a->known_classes = model__class_count(m);
	}
	recheck_edge(a, dependency);
	if (d->from == d->to)
		consider_recursion(a, dependency);
	else if (edge->from == edge->to && !consider_opposite(a, dependency))
		consider_nesting(a, dependency);
	if (!is_new_edge)
		return;
	consider_order(a, d->class_edge);
	if (edge->from == edge->to || !order__reserve(&a->order, m))
		return;
	if (d->class_edge >= a->edges_in_order) {
		a->edges_in_order = d->class_edge + 1;
		order__add_edge(&a->order, m, d->class_edge);
	}
	if (a->order.back_edge_count)
		consider_edge(a, d->class_edge,
			      a->order.back_edges[d->class_edge] ? CLOSING_BUDGET : OTHER_BUDGET);
}
