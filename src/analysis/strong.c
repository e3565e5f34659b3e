// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Strong cycles of the class graph. Searched over states (class, last edge wanted it as a recursive
 * reader): lockdep keeps one mark per class and loses strong paths when a class is first reached
 * through a weak edge (kernel/locking/lockdep.c, __bfs).
 */
#include "analysis/analysis_private.h"

#include <stdlib.h>
#include <string.h>

/* Wanted modes possible on an edge while its from-class is held in this hold mode: bit per mode. */
static uint8_t wanted_modes(const struct class_edge *edge, uint8_t held)
{
	uint16_t all = (1u << LOCK_MODES) - 1;

	if (held == LOCK_EXCLUSIVE)
		return edge->modes & all;
	return (edge->modes >> (LOCK_SHARED * LOCK_MODES) & all) |
	       (edge->modes >> (LOCK_SHARED_RECURSIVE * LOCK_MODES) & all);
}

static bool blocks(uint8_t wanted, uint8_t held)
{
	for (uint8_t mode = 0; mode < LOCK_MODES; mode++) {
		if (wanted & 1u << mode && link_of(mode, held) != LINK_NONE)
			return true;
	}
	return false;
}

bool strong__pair(const struct model *m, uint32_t edge, uint32_t reverse, uint8_t from_mode,
		  uint8_t to_mode)
{
	uint8_t there = wanted_modes(model__class_edge(m, edge), from_mode);
	uint8_t back = wanted_modes(model__class_edge(m, reverse), to_mode);

	return there && back && blocks(there, to_mode) && blocks(back, from_mode);
}

struct cycle *cycle__new(struct analysis *a, uint32_t length)
{
	struct cycle *cycle = arena__alloc(&a->arena, sizeof(*cycle), 8);

	if (!cycle)
		return NULL;
	cycle->length = length;
	cycle->classes = arena__alloc(&a->arena, length * sizeof(uint32_t), 4);
	cycle->edges = arena__alloc(&a->arena, length * sizeof(uint32_t), 4);
	cycle->modes = arena__alloc(&a->arena, length, 1);
	return cycle->classes && cycle->edges && cycle->modes ? cycle : NULL;
}

struct cycle *cycle__pair(struct analysis *a, uint32_t edge, uint32_t reverse, uint8_t from_mode,
			  uint8_t to_mode)
{
	struct cycle *cycle = cycle__new(a, 2);

	if (!cycle)
		return NULL;
	cycle->classes[0] = model__class_edge(a->m, edge)->from;
	cycle->classes[1] = model__class_edge(a->m, edge)->to;
	cycle->edges[0] = edge;
	cycle->edges[1] = reverse;
	cycle->modes[0] = from_mode;
	cycle->modes[1] = to_mode;
	return cycle;
}

struct cycle *strong__variant(struct analysis *a, const struct cycle *cycle, const uint32_t *places,
			      uint32_t count, uint32_t shared)
{
	struct cycle *variant = cycle__new(a, cycle->length);

	if (!variant)
		return NULL;
	for (uint32_t i = 0; i < cycle->length; i++) {
		variant->classes[i] = cycle->classes[i];
		variant->edges[i] = cycle->edges[i];
		variant->modes[i] = cycle->modes[i];
	}
	for (uint32_t i = 0; i < count; i++)
		variant->modes[places[i]] = shared >> i & 1 ? LOCK_SHARED : LOCK_EXCLUSIVE;
	for (uint32_t i = 0; i < cycle->length; i++) {
		const struct class_edge *edge = model__class_edge(a->m, cycle->edges[i]);

		if (!blocks(wanted_modes(edge, variant->modes[i]),
			    variant->modes[(i + 1) % cycle->length]))
			return NULL;
	}
	return variant;
}

/* How a state was reached: over `edge`, whose from-class was held in `mode`, from state `parent`.
 */
struct step {
	uint32_t parent, edge;
	uint32_t seen; /* number of the search that was here last */
	uint8_t mode;
};

/* state = 2 * class + (wanted as a recursive reader); kept between searches, so none clears it */
struct strong_search {
	struct step *steps;
	uint64_t capacity;
	uint32_t *avoided; /* by edge: number of the search that leaves it out */
	uint64_t avoided_capacity;
	uint32_t number;
	struct ids queue;
	uint64_t edges; /* left to look at */
};

static void visit(struct strong_search *s, uint32_t to, uint8_t wanted, struct step step)
{
	for (uint32_t weak = 0; weak < 2; weak++) {
		bool possible = weak ? wanted & 1u << LOCK_SHARED_RECURSIVE
				     : wanted & (1u << LOCK_EXCLUSIVE | 1u << LOCK_SHARED);

		if (!possible || s->steps[2 * to + weak].seen == s->number)
			continue;
		step.seen = s->number;
		s->steps[2 * to + weak] = step;
		ids__push(&s->queue, 2 * to + weak);
	}
}

static struct cycle *trace_back(struct analysis *a, const struct strong_search *s, uint32_t edge,
				uint8_t from_mode, uint32_t last_state, uint32_t last_edge,
				uint8_t last_mode)
{
	uint32_t length = 2;
	struct cycle *cycle;

	for (uint32_t at = last_state; s->steps[at].parent != NO_ID; at = s->steps[at].parent)
		length++;
	cycle = cycle__new(a, length);
	if (!cycle)
		return NULL;
	cycle->edges[0] = edge;
	cycle->modes[0] = from_mode;
	cycle->classes[0] = model__class_edge(a->m, edge)->from;
	for (uint32_t i = length - 1; i > 0; i--) {
		cycle->edges[i] = last_edge;
		cycle->modes[i] = last_mode;
		cycle->classes[i] = last_state / 2;
		last_edge = s->steps[last_state].edge;
		last_mode = s->steps[last_state].mode;
		last_state = s->steps[last_state].parent;
	}
	return cycle;
}

/* Follow every edge out of one state; returns the cycle when one of them closes it. */
static struct cycle *expand(struct analysis *a, struct strong_search *s, uint32_t state,
			    uint32_t edge, uint8_t from_mode)
{
	uint32_t goal = model__class_edge(a->m, edge)->from;
	const struct ids *out = &a->order.out[state / 2];

	for (uint64_t i = 0; i < out->count && s->edges; i++, s->edges--) {
		const struct class_edge *next = model__class_edge(a->m, out->items[i]);

		if (out->items[i] == edge || s->avoided[out->items[i]] == s->number)
			continue;
		for (uint8_t held = LOCK_EXCLUSIVE; held <= LOCK_SHARED; held++) {
			uint8_t wanted = wanted_modes(next, held);

			if (!wanted || (state % 2 && held == LOCK_SHARED))
				continue;
			if (next->to == goal && blocks(wanted, from_mode))
				return trace_back(a, s, edge, from_mode, state, out->items[i],
						  held);
			if (next->to != goal)
				visit(s, next->to, wanted,
				      (struct step){state, out->items[i], 0, held});
		}
	}
	return NULL;
}

bool strong__is_simple(struct analysis *a, const struct cycle *cycle)
{
	bool simple = true;

	for (uint32_t i = 0; i < cycle->length; i++) {
		simple &= !a->order.mark[cycle->classes[i]];
		a->order.mark[cycle->classes[i]] = 1;
	}
	for (uint32_t i = 0; i < cycle->length; i++)
		a->order.mark[cycle->classes[i]] = 0;
	return simple;
}

static struct strong_search *start_search(struct analysis *a)
{
	struct strong_search *s = a->search ? a->search : calloc(1, sizeof(*s));
	uint64_t had, wanted = 2 * a->order.class_count;

	if (!s)
		return NULL;
	a->search = s;
	had = s->capacity;
	if (wanted > had) {
		if (!array_reserve_bytes((void **)&s->steps, &s->capacity, wanted,
					 sizeof(*s->steps)))
			return NULL;
		memset(s->steps + had, 0, (s->capacity - had) * sizeof(*s->steps));
	}
	had = s->avoided_capacity;
	wanted = model__class_edge_count(a->m);
	if (wanted > had) {
		if (!array_reserve_bytes((void **)&s->avoided, &s->avoided_capacity, wanted,
					 sizeof(*s->avoided)))
			return NULL;
		memset(s->avoided + had, 0, (s->avoided_capacity - had) * sizeof(*s->avoided));
	}
	s->number++;
	s->queue.count = 0;
	return s;
}

void strong__release(struct analysis *a)
{
	if (!a->search)
		return;
	ids__release(&a->search->queue);
	free(a->search->steps);
	free(a->search->avoided);
	free(a->search);
}

struct cycle *strong__shortest(struct analysis *a, uint32_t edge, uint8_t from_mode,
			       const struct ids *avoid, uint64_t *budget)
{
	const struct class_edge *first = model__class_edge(a->m, edge);
	uint8_t wanted = wanted_modes(first, from_mode);
	struct strong_search *s;
	struct cycle *cycle = NULL;

	if (!wanted || first->from == first->to)
		return NULL;
	s = start_search(a);
	if (!s)
		return NULL;
	s->edges = *budget;
	for (uint64_t i = 0; avoid && i < avoid->count; i++)
		s->avoided[avoid->items[i]] = s->number;
	visit(s, first->to, wanted, (struct step){NO_ID, edge, 0, from_mode});
	for (uint64_t i = 0; i < s->queue.count && !cycle && s->edges; i++)
		cycle = expand(a, s, s->queue.items[i], edge, from_mode);
	*budget = s->edges;
	return cycle;
}
