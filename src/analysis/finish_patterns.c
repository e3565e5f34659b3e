// SPDX-License-Identifier: GPL-2.0-or-later
/* Instance-level cycles of the whole trace: which can deadlock, and which provably do. */
#include "analysis/predict.h"

#include <stdlib.h>

#include "analysis/forkjoin.h"

#define FREE_WALK 20000000  /* events walked to decide every pattern, also of proven cycles */
#define LONG_TRACE 2000000  /* events: from here on, proven cycles are left alone at once */
#define WALKS 2		    /* whole traces walked at most beyond that */
#define MAX_PATTERNS 200000 /* looked at */
#define ORDER_BUDGET 100000 /* combinations of segments tried per pattern */

struct collector {
	struct analysis *a;
	struct found_cycles *found;
	struct predictor *predictor;
	const char *undecided; /* why reachability is not claimed, or NULL */
};

/* --- fork/join -------------------------------------------------------------------------------- */

struct order_search {
	struct analysis *a;
	const struct pattern *pattern;
	uint32_t segments[MAX_PATTERN];
	uint32_t steps;
};

/* Is there one event per node so that no two are ordered by fork and join? */
static bool concurrent_from(struct order_search *s, uint32_t level)
{
	const struct nodes *n = s->a->nodes;
	const struct node *node;
	uint32_t last = NO_ID;

	if (level == s->pattern->length)
		return true;
	node = &n->items.items[s->pattern->nodes[level]];
	if (node->first_entry == NO_ID) {
		s->segments[level] = NO_ID;
		return concurrent_from(s, level + 1);
	}
	for (uint32_t e = node->first_entry; e != NO_ID; e = n->entries.items[e].next) {
		uint32_t segment = n->entries.items[e].segment;
		bool ok = e == node->first_entry || segment != last;

		last = segment;
		for (uint32_t i = 0; ok && i < level; i++)
			ok = forkjoin__concurrent(s->a->forkjoin, s->segments[i], segment);
		if (!ok)
			continue;
		if (++s->steps > ORDER_BUDGET)
			return true;
		s->segments[level] = segment;
		if (concurrent_from(s, level + 1))
			return true;
	}
	return false;
}

/* --- patterns to cycles ----------------------------------------------------------------------- */

/* Which held lock of `node` blocks the node before it, in the mode that blocks hardest. */
static uint32_t held_index(const struct chain *chain, const struct held_lock *wanted)
{
	enum link best = LINK_NONE;
	uint32_t at = NO_ID;

	for (uint32_t i = 0; i < chain->held_count; i++) {
		enum link link = link_of(wanted->mode, chain->held[i].mode);

		if (chain->held[i].instance == wanted->instance && link > best) {
			best = link;
			at = i;
		}
	}
	return at;
}

static struct cycle *cycle_of(struct analysis *a, const struct pattern *p,
			      struct decision *decision)
{
	struct cycle *cycle = cycle__new(a, p->length);

	if (!cycle)
		return NULL;
	for (uint32_t i = 0; i < p->length; i++) {
		uint32_t before = p->nodes[(i + p->length - 1) % p->length];
		const struct node *node = &a->nodes->items.items[p->nodes[i]];
		const struct chain *chain = model__chain(a->m, node->chain);
		const struct chain *previous =
			model__chain(a->m, a->nodes->items.items[before].chain);
		uint32_t held = held_index(chain, &previous->wanted);
		uint32_t id = model__chain_dependency(a->m, node->chain, held);

		cycle->classes[i] = model__held_class(a->m, &chain->held[held]);
		cycle->modes[i] = hold_mode(chain->held[held].mode);
		cycle->edges[i] = model__dependency(a->m, id)->class_edge;
		decision->dependencies[i] = id;
		decision->chains[i] = node->chain;
		decision->tasks[i] = node->task != NO_ID ? node->task : chain->first_task;
	}
	return cycle;
}

static bool same_task(const struct analysis *a, const struct pattern *p)
{
	for (uint32_t i = 0; i < p->length; i++) {
		const struct node *node = &a->nodes->items.items[p->nodes[i]];

		if (node->only_task == NO_ID ||
		    node->only_task != a->nodes->items.items[p->nodes[0]].only_task)
			return false;
	}
	return true;
}

static struct found_cycle *found_for(struct collector *c, const struct cycle *cycle,
				     struct decision *decision)
{
	uint64_t hash = cycle__hash(cycle);
	uint32_t id = idmap__get(&c->found->ids, hash);
	struct found_cycle fresh = {.cycle = cycle, .decision = decision};

	if (id != IDMAP_NONE) {
		struct found_cycle *known = &c->found->items.items[id];

		if (known->decision->code <= decision->code)
			return NULL;
		*known = fresh;
		return known;
	}
	if (!vector_push(&c->found->items, fresh) ||
	    idmap__put(&c->found->ids, hash, (uint32_t)c->found->items.count - 1))
		return NULL;
	return &c->found->items.items[c->found->items.count - 1];
}

/*
 * Each check may walk the whole trace. Small traces decide every pattern; in big ones a cycle that
 * is proven needs no second proof, and a budget ends what is left undecided.
 */
static bool is_reachable(struct collector *c, const struct pattern *p, const struct cycle *cycle,
			 bool *decided)
{
	uint32_t known = idmap__get(&c->found->ids, cycle__hash(cycle));
	uint64_t walked;

	*decided = c->predictor;
	if (!c->predictor)
		return false;
	walked = predictor__walked(c->predictor);
	if ((walked > FREE_WALK || model__event_count(c->a->m) > LONG_TRACE) &&
	    known != IDMAP_NONE &&
	    c->found->items.items[known].decision->code <= CODE_PREDICTED_FAIR)
		return true;
	if (walked > FREE_WALK + WALKS * model__event_count(c->a->m)) {
		c->a->stats.search_cut = true;
		*decided = false;
		return false;
	}
	return predictor__check(c->predictor, p);
}

static void count_pattern(struct collector *c, const struct pattern *p, bool reachable)
{
	uint64_t concrete = 1;

	for (uint32_t i = 0; i < p->length; i++)
		concrete *= c->a->nodes->items.items[p->nodes[i]].entry_count;
	c->a->stats.abstract_patterns++;
	c->a->stats.concrete_patterns += concrete;
	c->a->stats.reachable_patterns += reachable;
}

static void fill_prediction(struct collector *c, struct found_cycle *found, const struct pattern *p,
			    bool decided, bool reachable)
{
	found->prediction_note = c->undecided;
	if (!c->undecided && !decided)
		found->prediction_note = "too many candidates in too long a trace";
	if (found->prediction_note)
		return;
	found->prediction = reachable ? PREDICTION_REACHABLE : PREDICTION_UNREACHABLE;
	if (reachable)
		found->schedule = predictor__schedule(c->predictor, p, &found->schedule_count);
}

static bool on_pattern(void *context, const struct pattern *p)
{
	struct collector *c = context;
	struct order_search order = {.a = c->a, .pattern = p};
	struct decision *decision = decision__new(c->a, p->length);
	struct cycle *cycle = decision ? cycle_of(c->a, p, decision) : NULL;
	struct found_cycle *found;
	bool reachable, decided;

	if (!cycle)
		return false;
	reachable = is_reachable(c, p, cycle, &decided);
	count_pattern(c, p, reachable);
	if (c->a->stats.abstract_patterns >= MAX_PATTERNS) {
		c->a->stats.search_cut = true;
		return false;
	}
	if (!reachable && !concurrent_from(&order, 0))
		return true;
	decision->report = true;
	decision->fair = p->fair;
	decision->same_thread = same_task(c->a, p);
	decision->code = CODE_INSTANCE_INVERSION;
	if (reachable && !c->undecided)
		decision->code = p->fair ? CODE_PREDICTED_FAIR : CODE_PREDICTED;
	found = found_for(c, cycle, decision);
	if (found)
		fill_prediction(c, found, p, decided, reachable);
	return true;
}

/* Condition variables order tasks in ways the closure does not know: reachable would be a guess. */
static const char *why_undecided(const struct analysis *a)
{
	if (!a->options.predict)
		return "prediction was not asked for";
	if (!model__event_count(a->m))
		return "no event stream: record with --record-events";
	if (model__events_are_cut(a->m))
		return "the event stream has gaps";
	if (model__fact(a->m, "trace.conditions"))
		return "the trace has wait and notify, which are not followed";
	return NULL;
}

void patterns__collect(struct analysis *a, struct found_cycles *found)
{
	struct collector c = {.a = a, .found = found, .undecided = why_undecided(a)};

	if (!a->nodes || !a->nodes->items.count)
		return;
	if (a->options.predict && !model__events_are_cut(a->m))
		c.predictor = predictor__new(a);
	patterns__search(a, on_pattern, &c);
	predictor__free(c.predictor);
}

struct finding *found_cycle__put(struct analysis *a, const struct found_cycle *found)
{
	struct finding *f = finding__of_cycle(a, found->cycle, found->decision);

	if (!f || !touches_scope(a, f))
		return NULL;
	f->prediction = found->prediction;
	f->prediction_note = found->prediction_note;
	f->schedule = found->schedule;
	f->schedule_count = found->schedule_count;
	return analysis__put(a, f);
}
