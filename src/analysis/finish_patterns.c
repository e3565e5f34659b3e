// SPDX-License-Identifier: GPL-2.0-or-later
/* Instance-level cycles of the whole trace: which can deadlock, and which provably do. */
#include "analysis/predict.h"

#include <stdlib.h>

#include "analysis/forkjoin.h"

#define FREE_WALK 20000000  /* steps taken to decide every pattern, also of proven cycles */
#define LONG_TRACE 2000000  /* events: from here on, proven cycles are left alone at once */
#define WALKS 2		    /* whole traces walked at most beyond that */
#define MAX_PATTERNS 200000 /* looked at */

static const char too_long[] = "too many candidates in too long a trace";
static const char through_wait[] = "a wait orders tasks in ways that no replay knows";

struct collector {
	struct analysis *a;
	struct found_cycles *found;
	struct predictor *predictor;
	const char *undecided; /* why reachability is not claimed, or NULL */
};

/* --- fork/join -------------------------------------------------------------------------------- */

static uint32_t segment_of(const struct nodes *n, uint32_t entry)
{
	return entry == NO_ID ? NO_ID : n->entries.items[entry].segment;
}

/*
 * Is there one event per node so that no two are ordered by fork and join? What lies before one
 * event lies before all that its task does later, so of two ordered events the earlier one can be
 * passed for good (V. K. Garg, B. Waldecker, "Detection of Weak Unstable Predicates in Distributed
 * Programs", 1994): every event is passed at most once.
 */
static enum fork_order order_of(const struct analysis *a, const struct pattern *pattern)
{
	const struct nodes *n = a->nodes;
	uint32_t at[MAX_PATTERN];

	for (uint32_t i = 0; i < pattern->length; i++)
		at[i] = n->items.items[pattern->nodes[i]].first_entry;
	for (uint32_t i = 0, kept = 0; kept < pattern->length; i = (i + 1) % pattern->length) {
		kept++;
		for (uint32_t j = 0; j < pattern->length; j++) {
			enum fork_order order = forkjoin__order(a->forkjoin, segment_of(n, at[i]),
								segment_of(n, at[j]));

			if (order == ORDER_UNDECIDED)
				return order;
			if (order != ORDER_BEFORE)
				continue;
			at[i] = n->entries.items[at[i]].next;
			if (at[i] == NO_ID)
				return ORDER_BEFORE;
			kept = 0;
			j = NO_ID; /* the new one against all the others */
		}
	}
	return ORDER_NONE;
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

static struct found_cycle *known_for(const struct collector *c, const struct cycle *cycle)
{
	uint32_t id = idmap__get(&c->found->ids, cycle__hash(cycle));

	return id == IDMAP_NONE ? NULL : &c->found->items.items[id];
}

/* Where to put this: NULL when what is known of the cycle is as bad, or when memory ends. */
static struct found_cycle *found_for(struct collector *c, const struct cycle *cycle,
				     struct decision *decision)
{
	struct found_cycle fresh = {.cycle = cycle, .decision = decision};
	struct found_cycle *known = known_for(c, cycle);

	if (known) {
		if (known->decision->code <= decision->code)
			return NULL;
		*known = fresh;
		return known;
	}
	if (!vector_push(&c->found->items, fresh) ||
	    idmap__put(&c->found->ids, cycle__hash(cycle), (uint32_t)c->found->items.count - 1))
		return NULL;
	return &c->found->items.items[c->found->items.count - 1];
}

/* The next lower code: instances in both orders, and nothing says that they may meet. */
static void leave_order_undecided(struct collector *c, struct decision *decision)
{
	decision->code = CODE_CLASS_INVERSION;
	decision->limited = true;
	c->a->stats.undecided++;
}

/* The cycle's finding cannot become worse by this pattern. */
static bool is_decided(const struct collector *c, const struct pattern *p,
		       const struct found_cycle *known, enum finding_code unpredicted)
{
	enum finding_code worst = c->undecided || unpredicted == CODE_WAIT_INVERSION ? unpredicted
				  : p->fair ? CODE_PREDICTED_FAIR
					    : CODE_PREDICTED;

	return known && known->decision->code <= worst;
}

/*
 * Each check may walk the whole trace. Small traces decide every pattern; in big ones a cycle that
 * is proven needs no second proof, and a budget ends what is left undecided.
 */
static enum reach reach_of(struct collector *c, const struct pattern *p, bool decided)
{
	uint64_t walked = predictor__walked(c->predictor), events = model__event_count(c->a->m);
	uint64_t free_walk = budget_of(c->a, FREE_WALK);
	uint64_t all = free_walk + budget_of(c->a, WALKS * events);

	if (decided && (walked > free_walk || events > budget_of(c->a, LONG_TRACE))) {
		c->a->stats.unchecked_patterns++;
		return REACH_UNDECIDED;
	}
	if (walked >= all)
		return REACH_UNDECIDED;
	return predictor__check(c->predictor, p, all - walked);
}

static void count_pattern(struct collector *c, const struct pattern *p)
{
	uint64_t concrete = 1;

	for (uint32_t i = 0; i < p->length; i++)
		concrete *= c->a->nodes->items.items[p->nodes[i]].entry_count;
	c->a->stats.abstract_patterns++;
	c->a->stats.concrete_patterns += concrete;
}

static void fill_prediction(struct collector *c, struct found_cycle *found, const struct pattern *p,
			    enum reach reach)
{
	found->prediction_note = c->undecided;
	if (!c->undecided && found->decision->code == CODE_WAIT_INVERSION)
		found->prediction_note = through_wait;
	else if (!c->undecided && reach == REACH_UNDECIDED)
		found->prediction_note = too_long;
	if (found->prediction_note)
		return;
	found->prediction = reach == REACH_YES ? PREDICTION_REACHABLE : PREDICTION_UNREACHABLE;
	if (reach == REACH_YES)
		found->schedule = predictor__schedule(c->predictor, p, &found->schedule_count);
}

/* What is known of the cycle so far does not cover this pattern: nothing says unreachable now. */
static void leave_undecided(struct found_cycle *known)
{
	if (!known || known->prediction != PREDICTION_UNREACHABLE)
		return;
	known->prediction = PREDICTION_NOT_DECIDED;
	known->prediction_note = too_long;
}

static bool on_pattern(void *context, const struct pattern *p)
{
	struct collector *c = context;
	struct decision *decision = decision__new(c->a, p->length);
	struct cycle *cycle = decision ? cycle_of(c->a, p, decision) : NULL;
	enum fork_order order = order_of(c->a, p);
	enum reach reach = REACH_NO;
	enum finding_code unpredicted;
	struct found_cycle *found;
	bool decided, contradiction = false;

	if (!cycle)
		return false;
	unpredicted = cycle__instance_code(c->a, cycle);
	if (c->a->stats.abstract_patterns >= budget_of(c->a, MAX_PATTERNS)) {
		c->a->stats.search_limited = true;
		return false;
	}
	count_pattern(c, p);
	if (order == ORDER_BEFORE)
		return true;
	found = known_for(c, cycle);
	decided = is_decided(c, p, found, unpredicted);
	if (c->predictor && unpredicted != CODE_WAIT_INVERSION)
		reach = reach_of(c, p, decided);
	c->a->stats.reachable_patterns += reach == REACH_YES;
	c->a->stats.undecided += reach == REACH_UNDECIDED && !decided && !c->undecided;
	if (reach == REACH_UNDECIDED && !c->undecided)
		leave_undecided(found);
	if (reach == REACH_YES && !decided && !predictor__replay(c->predictor, p))
		contradiction = true;
	decision->report = true;
	decision->fair = p->fair;
	decision->same_thread = same_task(c->a, p);
	decision->code = unpredicted;
	if (reach == REACH_YES && !c->undecided && !contradiction)
		decision->code = p->fair ? CODE_PREDICTED_FAIR : CODE_PREDICTED;
	else if (order == ORDER_UNDECIDED)
		leave_order_undecided(c, decision);
	found = found_for(c, cycle, decision);
	if (found && contradiction)
		found->prediction_note = "two tasks hold one lock at once in the event stream";
	else if (found)
		fill_prediction(c, found, p, reach);
	return true;
}

/* A stack or an evicted chain is no event; whatever else was lost may have been one. */
static bool lost_events(const struct model *m)
{
	for (int reason = 0; reason < LOSS_REASONS; reason++) {
		if (reason != LOSS_STACK && reason != LOSS_CHAIN_EVICTED &&
		    model__loss(m, (enum loss_reason)reason))
			return true;
	}
	return model__losses_unknown(m);
}

/* Condition variables order tasks in ways the closure does not know: reachable would be a guess. */
static const char *why_undecided(const struct analysis *a)
{
	if (!a->options.predict)
		return "prediction was not asked for";
	if (!model__event_count(a->m))
		return "no event stream: record with --record-events";
	if (model__events_are_cut(a->m) || lost_events(a->m))
		return "the event stream has gaps";
	if (model__fact(a->m, "trace.conditions"))
		return "the trace has wait and notify, which are not followed";
	if (model__fact(a->m, "trace.waits"))
		return through_wait;
	return NULL;
}

const char *patterns__why_undecided(const struct analysis *a, uint32_t length)
{
	const char *why = why_undecided(a);

	if (why || length <= a->stats.searched_length)
		return why;
	return a->stats.search_limited ? too_long : "longer than the cycles that are replayed";
}

void patterns__collect(struct analysis *a, struct found_cycles *found)
{
	struct collector c = {.a = a, .found = found, .undecided = why_undecided(a)};

	a->stats.searched_length = a->options.max_pattern_length;
	if (!a->nodes || !a->nodes->items.count)
		return;
	if (a->options.predict && !model__events_are_cut(a->m) && !lost_events(a->m))
		c.predictor = predictor__new(a);
	if (!c.predictor && !c.undecided)
		c.undecided = "not enough memory";
	patterns__search(a, on_pattern, &c);
	for (uint64_t i = 0; i < found->items.count; i++) {
		if (found->items.items[i].cycle->length > a->stats.searched_length)
			leave_undecided(&found->items.items[i]);
	}
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
