// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cycles of classes over the whole model: reciprocal pairs first, then one shortest strong cycle
 * per remaining back edge. Simple cycles are never enumerated: a few bad edges fuse thousands of
 * classes into one component with more cycles than anybody can read.
 *
 * A reported cycle of grade warning or worse explains its youngest edge: further cycles over that
 * edge are the same mistake, unless they are worse.
 */
#include "analysis/analysis_private.h"

#include <stdlib.h>
#include <string.h>

#include "util/scc.h"

#define MAX_CLOSING_EDGES 1000	 /* cycles looked for one by one */
#define MAX_ORDERED_EDGES 200000 /* above: one cycle per component and round */
#define MAX_ROUNDS 20
#define MAX_VARIED 6	       /* classes held in both modes, up to which all modes are tried */
#define MAX_DETOURS 128	       /* other ways round when the shortest cycle is harmless */
#define DETOUR_EDGES 40000000  /* that all detours together may look at */
#define SEARCH_EDGES 400000000 /* that the first searches over all edges may look at */
#define ROOM 4000000	       /* classes of all cycles kept, each counted in each */

struct classes {
	struct analysis *a;
	uint32_t edges;
	uint32_t *component; /* by class */
	uint8_t *explained;  /* by edge: code + 1 */
	uint32_t closing;
	uint64_t detour_edges, search_edges, room; /* budgets left */
};

static bool find_components(struct classes *c)
{
	struct arc *arcs = malloc((c->edges + 1ULL) * sizeof(*arcs));
	struct adjacency graph = {0};
	uint32_t kept = 0;

	free(c->component);
	c->component = NULL;
	for (uint32_t i = 0; arcs && i < c->edges; i++) {
		const struct class_edge *edge = model__class_edge(c->a->m, i);

		if (edge->from != edge->to && !c->explained[i])
			arcs[kept++] = (struct arc){edge->from, edge->to};
	}
	if (arcs && adjacency__build(&graph, model__class_count(c->a->m), arcs, kept))
		c->component = scc__components(&graph);
	adjacency__release(&graph);
	free(arcs);
	return c->component;
}

static bool in_component(const struct classes *c, uint32_t id)
{
	const struct class_edge *edge = model__class_edge(c->a->m, id);

	return edge->from != edge->to && !c->explained[id] &&
	       c->component[edge->from] != SCC_NONE &&
	       c->component[edge->from] == c->component[edge->to];
}

/* --- explained edges -------------------------------------------------------------------------- */

static uint32_t youngest(const struct model *m, const uint32_t *edges, uint32_t count)
{
	uint32_t best = NO_ID;

	for (uint32_t i = 0; i < count; i++) {
		const struct class_edge *edge = model__class_edge(m, edges[i]);

		/* a class nested in itself is no mistake that other cycles share */
		if (edge->from != edge->to && (best == NO_ID || edges[i] > best))
			best = edges[i];
	}
	return best;
}

static void explain(struct classes *c, const struct finding *f)
{
	uint32_t best = NO_ID;

	if (!f || f->grade < GRADE_WARNING)
		return;
	for (uint32_t i = 0; i < f->length; i++) {
		uint32_t edge = f->witnesses[i].class_edge;

		if (edge != NO_ID)
			edge = youngest(c->a->m, &edge, 1);
		if (edge != NO_ID && (best == NO_ID || edge > best))
			best = edge;
	}
	if (best != NO_ID && (!c->explained[best] || c->explained[best] > f->code + 1))
		c->explained[best] = (uint8_t)(f->code + 1);
}

static bool is_explained(const struct classes *c, const struct found_cycle *found)
{
	for (uint32_t i = 0; i < found->cycle->length; i++) {
		uint8_t by = c->explained[found->cycle->edges[i]];

		if (by && by <= found->decision->code + 1)
			return true;
	}
	return false;
}

/* --- pairs ------------------------------------------------------------------------------------ */

static void put_pairs(struct classes *c, const struct found_cycles *found)
{
	struct model *m = c->a->m;

	for (uint64_t i = 0; i < found->items.count; i++) {
		if (found->items.items[i].cycle->length == 2)
			explain(c, found_cycle__put(c->a, &found->items.items[i]));
	}
	for (uint32_t id = 0; id < c->edges; id++) {
		const struct class_edge *edge = model__class_edge(m, id);
		uint32_t reverse;

		if (edge->from >= edge->to || c->component[edge->from] == SCC_NONE ||
		    c->component[edge->from] != c->component[edge->to])
			continue;
		reverse = model__find_edge(m, edge->to, edge->from);
		for (uint8_t modes = 0; reverse != NO_ID && modes < 4; modes++) {
			uint8_t there = modes & 1, back = modes >> 1;

			if (strong__pair(m, id, reverse, there, back))
				explain(c,
					candidate__consider(
						c->a, cycle__pair(c->a, id, reverse, there, back),
						GRADE_INFO));
		}
	}
}

/* --- longer instance-level cycles ------------------------------------------------------------- */

static int compare_found(const void *x, const void *y)
{
	const struct found_cycle *a = *(const struct found_cycle *const *)x;
	const struct found_cycle *b = *(const struct found_cycle *const *)y;

	if (a->decision->code != b->decision->code)
		return a->decision->code < b->decision->code ? -1 : 1;
	if (a->cycle->length != b->cycle->length)
		return a->cycle->length < b->cycle->length ? -1 : 1;
	return a < b ? -1 : a > b; /* both in one array: the order of finding */
}

static bool put_longer(struct classes *c, const struct found_cycles *found)
{
	const struct found_cycle **sorted = malloc((found->items.count + 1) * sizeof(*sorted));

	if (!sorted)
		return false;
	for (uint64_t i = 0; i < found->items.count; i++)
		sorted[i] = &found->items.items[i];
	qsort(sorted, found->items.count, sizeof(*sorted), compare_found);
	for (uint64_t i = 0; i < found->items.count; i++) {
		if (sorted[i]->cycle->length > 2 && !is_explained(c, sorted[i]))
			explain(c, found_cycle__put(c->a, sorted[i]));
	}
	free(sorted);
	return true;
}

/* --- remaining back edges --------------------------------------------------------------------- */

/* A cycle is remembered with its decision: what is kept of all of them is bounded. */
static bool takes_room(struct classes *c, uint32_t length)
{
	if (c->room < length) {
		c->a->stats.search_limited = true;
		return false;
	}
	c->room -= length;
	return true;
}

/* The places of a cycle whose class is held in both modes over this edge: at most MAX_VARIED. */
static uint32_t find_varied(struct classes *c, const struct cycle *cycle, uint32_t *places)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < cycle->length; i++) {
		const struct class_edge *edge = model__class_edge(c->a->m, cycle->edges[i]);
		const uint16_t exclusive = (1u << LOCK_MODES) - 1;

		if (!(edge->modes & exclusive) || !(edge->modes & ~exclusive))
			continue;
		if (count == MAX_VARIED) {
			c->a->stats.search_limited = true;
			break;
		}
		places[count++] = i;
	}
	return count;
}

/* One way round in every mode it can block in; true: some variant is a warning or worse. */
static bool consider_modes(struct classes *c, const struct cycle *cycle, enum finding_grade least)
{
	uint32_t places[MAX_VARIED], count;
	struct finding *f;
	bool bad;

	if (!strong__is_simple(c->a, cycle) || !takes_room(c, cycle->length))
		return false;
	f = candidate__consider(c->a, cycle, least);
	bad = f && f->grade >= GRADE_WARNING;
	explain(c, f);
	count = bad ? 0 : find_varied(c, cycle, places);
	for (uint32_t shared = 0; !bad && count && shared < 1u << count; shared++) {
		if (!takes_room(c, cycle->length))
			break;
		f = candidate__consider(c->a, strong__variant(c->a, cycle, places, count, shared),
					GRADE_WARNING);
		bad = f && f->grade >= GRADE_WARNING;
		explain(c, f);
	}
	return bad;
}

/* One more search for each edge of the cycle, which leaves it out too. */
static bool queue_detours(struct ids *queue, uint32_t *queued, const struct ids *avoid,
			  const struct cycle *cycle, uint32_t edge)
{
	for (uint32_t i = 0; i < cycle->length; i++) {
		struct ids *next = &queue[*queued];

		if (cycle->edges[i] == edge)
			continue;
		if (*queued == MAX_DETOURS)
			return false;
		++*queued;
		for (uint64_t j = 0; j < avoid->count; j++) {
			if (!ids__push(next, avoid->items[j]))
				return false;
		}
		if (!ids__push(next, cycle->edges[i]))
			return false;
	}
	return true;
}

/*
 * Other ways round an edge whose shortest cycle is harmless: each search leaves out one more edge
 * of a cycle that was found before, and every other cycle lacks some edge of it. Ends with the
 * first that is not harmless, or with a budget, and then says so.
 */
static void consider_detours(struct classes *c, uint32_t edge, uint8_t mode,
			     const struct cycle *shortest)
{
	struct ids queue[MAX_DETOURS] = {{0}};
	uint32_t queued = 1;
	bool all = queue_detours(queue, &queued, &queue[0], shortest, edge), bad = false;

	for (uint32_t at = 1; at < queued && !bad; at++) {
		struct cycle *cycle =
			strong__shortest(c->a, edge, mode, &queue[at], &c->detour_edges);

		all &= c->detour_edges && c->room;
		if (!cycle || !all)
			continue;
		bad = consider_modes(c, cycle, GRADE_WARNING);
		all &= bad || queue_detours(queue, &queued, &queue[at], cycle, edge);
	}
	c->a->stats.search_limited |= !all && !bad;
	for (uint32_t i = 0; i < queued; i++)
		ids__release(&queue[i]);
}

/* The shortest cycle over an edge that came too much. */
static void consider_closing(struct classes *c, uint32_t edge)
{
	if (c->closing++ >= budget_of(c->a, MAX_CLOSING_EDGES)) {
		c->a->stats.search_limited = true;
		return;
	}
	for (uint8_t mode = LOCK_EXCLUSIVE; mode <= LOCK_SHARED; mode++) {
		struct cycle *cycle = strong__shortest(c->a, edge, mode, NULL, &c->search_edges);

		c->a->stats.search_limited |= !c->search_edges;
		if (cycle && !consider_modes(c, cycle, GRADE_INFO))
			consider_detours(c, edge, mode, cycle);
	}
}

static bool load_edges(struct classes *c, struct order *order, uint64_t *count)
{
	struct ids *out = order->out;

	*count = 0;
	for (uint32_t i = 0; i < c->edges; i++) {
		if (!in_component(c, i))
			continue;
		if (!ids__push(&out[model__class_edge(c->a->m, i)->from], i))
			return false;
		++*count;
	}
	return true;
}

/* Insert in order of first occurrence: the edge that cannot be ordered is the one that came too
 * much. */
static void by_insertion(struct classes *c)
{
	struct order order = {0};

	if (!order__reserve(&order, c->a->m))
		return;
	for (uint32_t i = 0; i < c->edges; i++) {
		if (in_component(c, i) && order__add_edge(&order, c->a->m, i))
			consider_closing(c, i);
	}
	order__release(&order);
}

/* Too big to keep in order: take the youngest edge out of every component, and look again. */
static void by_rounds(struct classes *c)
{
	uint32_t classes = model__class_count(c->a->m);
	uint32_t *last = malloc((classes + 1ULL) * sizeof(*last));
	bool again = last;

	for (uint32_t round = 0; again && round < MAX_ROUNDS; round++) {
		again = false;
		memset(last, 0xff, (classes + 1ULL) * sizeof(*last));
		for (uint32_t i = 0; i < c->edges; i++) {
			if (in_component(c, i))
				last[c->component[model__class_edge(c->a->m, i)->from]] = i;
		}
		for (uint32_t i = 0; i < classes; i++) {
			if (last[i] == NO_ID)
				continue;
			consider_closing(c, last[i]);
			c->explained[last[i]] =
				c->explained[last[i]] ? c->explained[last[i]] : FINDING_CODES;
			again = true;
		}
		again = again && find_components(c);
	}
	c->a->stats.search_limited |= again;
	free(last);
}

static void put_remaining(struct classes *c)
{
	struct analysis *a = c->a;
	struct order kept = a->order, order = {0};
	uint64_t count;

	/* the searches walk a->order's adjacency: only what is left, while we are here */
	if (order__reserve(&order, a->m) && load_edges(c, &order, &count) && count) {
		a->order = order;
		if (count <= MAX_ORDERED_EDGES)
			by_insertion(c);
		else
			by_rounds(c);
		order = a->order;
		a->order = kept;
	}
	order__release(&order);
}

void classes__finish(struct analysis *a, const struct found_cycles *found)
{
	struct classes c = {.a = a,
			    .edges = model__class_edge_count(a->m),
			    .detour_edges = budget_of(a, DETOUR_EDGES),
			    .search_edges = budget_of(a, SEARCH_EDGES),
			    .room = budget_of(a, ROOM)};

	c.explained = calloc(c.edges + 1ULL, 1);
	if (c.explained && find_components(&c)) {
		put_pairs(&c, found);
		if (put_longer(&c, found) && find_components(&c))
			put_remaining(&c);
	}
	free(c.explained);
	free(c.component);
}
