// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pattern search: depth first, by growing length, from the smallest node of each cycle. Its cost
 * is bounded by a budget of steps; what was not searched is said (search_cut).
 */
#include "analysis/patterns.h"

#define STEP_BUDGET 20000000ULL

struct search {
	struct analysis *a;
	struct pattern pattern;
	uint32_t depth, wanted_depth;
	uint32_t fair_links;
	uint64_t steps;
	bool stop;
	bool (*found)(void *context, const struct pattern *p);
	void *context;
};

static const struct node *node_at(const struct search *s, uint32_t id)
{
	return &s->a->nodes->items.items[id];
}

static const struct chain *chain_of(const struct search *s, uint32_t id)
{
	return model__chain(s->a->m, node_at(s, id)->chain);
}

/* How `holder` blocks the node that wants `wanted`; a fair link counts only with a writer seen. */
static enum link link_to(const struct search *s, const struct held_lock *wanted, uint32_t holder)
{
	const struct chain *chain = chain_of(s, holder);
	enum link best = LINK_NONE;

	for (uint32_t i = 0; i < chain->held_count; i++) {
		enum link link = link_of(wanted->mode, chain->held[i].mode);

		if (chain->held[i].instance == wanted->instance && link > best)
			best = link;
	}
	if (best == LINK_FAIR &&
	    !(model__instance(s->a->m, wanted->instance)->flags & INSTANCE_HAD_WRITER))
		return LINK_NONE;
	return best;
}

static bool admits(const struct search *s, uint32_t id)
{
	const struct node *node = node_at(s, id);
	uint32_t wanted = chain_of(s, id)->wanted.instance;

	if (node->component != node_at(s, s->pattern.nodes[0])->component ||
	    scratch__gates(s->a, node->chain))
		return false;
	for (uint32_t i = 0; i < s->depth; i++) {
		uint32_t other = s->pattern.nodes[i];

		if (chain_of(s, other)->wanted.instance == wanted)
			return false;
		if (!s->a->options.live_kernel && node->task != NO_ID &&
		    node_at(s, other)->task == node->task)
			return false;
	}
	return true;
}

static void extend(struct search *s);

static void push(struct search *s, uint32_t id, enum link link)
{
	const struct node *node = node_at(s, id);
	enum link closing;

	s->pattern.nodes[s->depth++] = id;
	s->fair_links += link == LINK_FAIR;
	scratch__add(s->a, node->chain);
	if (s->depth < s->wanted_depth) {
		extend(s);
	} else {
		closing = link_to(s, &chain_of(s, id)->wanted, s->pattern.nodes[0]);
		s->pattern.length = s->depth;
		s->pattern.fair = s->fair_links || closing == LINK_FAIR;
		if (closing != LINK_NONE && !s->found(s->context, &s->pattern))
			s->stop = true;
	}
	scratch__remove(s->a, node->chain);
	s->fair_links -= link == LINK_FAIR;
	s->depth--;
}

static void extend(struct search *s)
{
	const struct nodes *n = s->a->nodes;
	const struct held_lock wanted = chain_of(s, s->pattern.nodes[s->depth - 1])->wanted;
	uint32_t first = s->pattern.nodes[0];

	for (uint32_t i = n->held_start[wanted.instance];
	     i < n->held_start[wanted.instance + 1] && !s->stop; i++) {
		uint32_t id = n->by_held[i];
		enum link link;

		if (++s->steps > STEP_BUDGET) {
			s->stop = s->a->stats.search_cut = true;
			return;
		}
		if (id <= first)
			continue;
		link = link_to(s, &wanted, id);
		if (link != LINK_NONE && admits(s, id))
			push(s, id, link);
	}
}

void patterns__search(struct analysis *a, bool (*found)(void *context, const struct pattern *p),
		      void *context)
{
	struct search s = { .a = a, .found = found, .context = context };
	uint32_t longest = a->options.max_pattern_length;

	if (longest > MAX_PATTERN)
		longest = MAX_PATTERN;
	if (!scratch__reserve(a))
		return;
	for (uint32_t length = 2; length <= longest && !s.stop; length++) {
		s.wanted_depth = length;
		for (uint32_t i = 0; i < a->nodes->items.count && !s.stop; i++)
			push(&s, i, LINK_NONE);
	}
}
