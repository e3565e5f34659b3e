// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pattern search: depth first, by growing length, from the smallest node of each cycle. Its
 * cost is bounded by a budget of steps; what was not searched is said (search_limited), and up to
 * which length it is complete (searched_length).
 */
#include "analysis/patterns.h"

#define STEP_BUDGET 6000000ULL

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

/* How a hold blocks the node that wants the lock; a fair link counts only with a writer seen. */
static enum link link_at(const struct search *s, const struct node *wanting, uint8_t held)
{
	enum link link = link_of(wanting->wanted_mode, held);

	if (link == LINK_FAIR &&
	    !(model__instance(s->a->m, wanting->wanted)->flags & INSTANCE_HAD_WRITER))
		return LINK_NONE;
	return link;
}

/* How the first node blocks the last one. */
static enum link closing_link(const struct search *s, const struct node *last)
{
	const struct chain *chain = chain_of(s, s->pattern.nodes[0]);
	enum link best = LINK_NONE;

	for (uint32_t i = 0; i < chain->held_count; i++) {
		enum link link = link_at(s, last, chain->held[i].mode);

		if (chain->held[i].instance == last->wanted && link > best)
			best = link;
	}
	return best;
}

/* Does the first node hold this lock at all? */
static bool may_close(const struct search *s, uint32_t wanted)
{
	const struct chain *chain = chain_of(s, s->pattern.nodes[0]);

	for (uint32_t i = 0; i < chain->held_count; i++) {
		if (chain->held[i].instance == wanted)
			return true;
	}
	return false;
}

static bool admits(const struct search *s, uint32_t id)
{
	const struct node *node = node_at(s, id);

	if (node->component != node_at(s, s->pattern.nodes[0])->component ||
	    (s->depth + 1 == s->wanted_depth && !may_close(s, node->wanted)))
		return false;
	for (uint32_t i = 0; i < s->depth; i++) {
		uint32_t other = s->pattern.nodes[i];

		if (node_at(s, other)->wanted == node->wanted)
			return false;
		if (!s->a->options.live_kernel && node->task != NO_ID &&
		    node_at(s, other)->task == node->task)
			return false;
	}
	return !scratch__gates(s->a, node->chain);
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
		closing = closing_link(s, node);
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
	const struct node *last = node_at(s, s->pattern.nodes[s->depth - 1]);
	uint32_t first = s->pattern.nodes[0];

	for (uint32_t i = n->held_start[last->wanted];
	     i < n->held_start[last->wanted + 1] && !s->stop; i++) {
		const struct holder *holder = &n->by_held[i];
		enum link link;

		if (++s->steps > budget_of(s->a, STEP_BUDGET)) {
			s->stop = true;
			return;
		}
		if (holder->node <= first)
			continue;
		link = link_at(s, last, holder->mode);
		if (link != LINK_NONE && admits(s, holder->node))
			push(s, holder->node, link);
	}
}

/* Is anything this node holds wanted while its wanted lock is held? */
static bool may_be_paired(const struct search *s, uint32_t id)
{
	const struct chain *chain = chain_of(s, id);

	for (uint32_t i = 0; i < chain->held_count; i++) {
		uint64_t key = idmap_pair(chain->wanted.instance, chain->held[i].instance);

		if (idmap__get(&s->a->nodes->pairs, key) != IDMAP_NONE)
			return true;
	}
	return false;
}

void patterns__search(struct analysis *a, bool (*found)(void *context, const struct pattern *p),
		      void *context)
{
	struct search s = {.a = a, .found = found, .context = context};
	uint32_t longest = a->options.max_pattern_length;

	if (longest > MAX_PATTERN)
		longest = MAX_PATTERN;
	s.stop = !scratch__reserve(a);
	for (uint32_t length = 2; length <= longest && !s.stop; length++) {
		s.wanted_depth = length;
		for (uint32_t i = 0; i < a->nodes->items.count && !s.stop; i++) {
			if (length > 2 || may_be_paired(&s, i))
				push(&s, i, LINK_NONE);
		}
		a->stats.searched_length = s.stop ? length - 1 : length;
	}
	a->stats.search_limited |= s.stop;
}
