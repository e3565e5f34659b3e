// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Incremental topological order of the class graph: D. J. Pearce, P. H. J. Kelly, "A Dynamic
 * Topological Sort Algorithm for Directed Acyclic Graphs", 2006. Only the ranks between the two
 * ends of a new edge are touched. An edge that closes a cycle is a back edge and never enters the
 * order.
 */
#include "analysis/analysis_private.h"

#include <stdlib.h>
#include <string.h>

bool ids__push(struct ids *ids, uint32_t id)
{
	return vector_push(ids, id);
}

void ids__release(struct ids *ids)
{
	free(ids->items);
	*ids = (struct ids){0};
}

static bool grow_classes(struct order *o, uint64_t count)
{
	uint64_t capacity = o->class_capacity ? o->class_capacity : 64;
	void *out, *in, *rank, *mark;

	while (capacity < count)
		capacity *= 2;
	out = realloc(o->out, capacity * sizeof(*o->out));
	o->out = out ? out : o->out;
	in = realloc(o->in, capacity * sizeof(*o->in));
	o->in = in ? in : o->in;
	rank = realloc(o->rank, capacity * sizeof(*o->rank));
	o->rank = rank ? rank : o->rank;
	mark = realloc(o->mark, capacity);
	o->mark = mark ? mark : o->mark;
	if (!out || !in || !rank || !mark)
		return false;
	o->class_capacity = capacity;
	return true;
}

bool order__reserve(struct order *o, const struct model *m)
{
	uint64_t classes = model__class_count(m), edges = model__class_edge_count(m);

	if (classes > o->class_capacity && !grow_classes(o, classes))
		return false;
	for (; o->class_count < classes; o->class_count++) {
		o->out[o->class_count] = o->in[o->class_count] = (struct ids){0};
		o->rank[o->class_count] = (uint32_t)o->class_count;
		o->mark[o->class_count] = 0;
	}
	if (edges > o->edge_capacity &&
	    !array_reserve_bytes((void **)&o->back_edges, &o->edge_capacity, edges, 1))
		return false;
	if (edges > o->edge_count) {
		memset(o->back_edges + o->edge_count, 0, edges - o->edge_count);
		o->edge_count = edges;
	}
	return true;
}

/* Collect what is reachable from `start` with ranks inside the window; true: `goal` is. */
static bool reach(struct order *o, const struct model *m, uint32_t start, uint32_t goal,
		  bool forward, uint32_t bound, struct ids *found)
{
	found->count = 0;
	o->mark[start] = 1;
	ids__push(found, start);
	for (uint64_t i = 0; i < found->count; i++) {
		const struct ids *edges =
			forward ? &o->out[found->items[i]] : &o->in[found->items[i]];

		for (uint64_t j = 0; j < edges->count; j++) {
			const struct class_edge *edge = model__class_edge(m, edges->items[j]);
			uint32_t next = forward ? edge->to : edge->from;

			if (o->back_edges[edges->items[j]] || o->mark[next])
				continue;
			if (forward && next == goal)
				return true;
			if (forward ? o->rank[next] > bound : o->rank[next] < bound)
				continue;
			o->mark[next] = 1;
			ids__push(found, next);
		}
	}
	return false;
}

static void unmark(struct order *o, const struct ids *found)
{
	for (uint64_t i = 0; i < found->count; i++)
		o->mark[found->items[i]] = 0;
}

static int compare_rank(const void *a, const void *b, void *context)
{
	const uint32_t *rank = context;
	uint32_t x = rank[*(const uint32_t *)a], y = rank[*(const uint32_t *)b];

	return x < y ? -1 : x > y;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Give the ranks of both sets to the backward set first, then to the forward set. */
static void reorder(struct order *o)
{
	struct ids *sets[] = {&o->backward, &o->forward};
	uint64_t next = 0;

	o->ranks.count = 0;
	for (int s = 0; s < 2; s++) {
		qsort_r(sets[s]->items, sets[s]->count, sizeof(uint32_t), compare_rank, o->rank);
		for (uint64_t i = 0; i < sets[s]->count; i++)
			ids__push(&o->ranks, o->rank[sets[s]->items[i]]);
	}
	qsort(o->ranks.items, o->ranks.count, sizeof(uint32_t), compare_ids);
	for (int s = 0; s < 2; s++) {
		for (uint64_t i = 0; i < sets[s]->count; i++)
			o->rank[sets[s]->items[i]] = o->ranks.items[next++];
	}
}

bool order__add_edge(struct order *o, const struct model *m, uint32_t edge_id)
{
	const struct class_edge *edge = model__class_edge(m, edge_id);
	bool closes = false;

	if (edge->from == edge->to)
		return false;
	if (o->rank[edge->from] > o->rank[edge->to]) {
		closes = reach(o, m, edge->to, edge->from, true, o->rank[edge->from], &o->forward);
		unmark(o, &o->forward);
		if (!closes) {
			reach(o, m, edge->from, NO_ID, false, o->rank[edge->to], &o->backward);
			unmark(o, &o->backward);
			reorder(o);
		}
	}
	o->back_edges[edge_id] = closes;
	o->back_edge_count += closes;
	ids__push(&o->out[edge->from], edge_id);
	ids__push(&o->in[edge->to], edge_id);
	return closes;
}

void order__release(struct order *o)
{
	for (uint64_t i = 0; i < o->class_count; i++) {
		ids__release(&o->out[i]);
		ids__release(&o->in[i]);
	}
	free(o->out);
	free(o->in);
	free(o->rank);
	free(o->mark);
	free(o->back_edges);
	ids__release(&o->forward);
	ids__release(&o->backward);
	ids__release(&o->ranks);
	*o = (struct order){0};
}
