// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instance cycles: a cycle of classes, instantiated with lock instances, tasks and held sets. The
 * filters are switched on together first (is there an instance cycle that can deadlock?), then one
 * by one to find out which of them forbids all instance cycles; the codes of vfiotrace-findings(7)
 * from "instance-inversion" down follow.
 */
#include "analysis/analysis_private.h"

#include <stdlib.h>

#define STEP_BUDGET 200000 /* of one search */
#define SORT_ABOVE 16	   /* dependencies of an edge */
#define SHOWN_AT_LEAST 64  /* dependencies looked at for something to show */
#define MAX_LENGTH 16384   /* of a cycle taken down to instances: the search is recursive */

enum filter {
	FILTER_DISTINCT = 1,  /* one task per dependency */
	FILTER_UNGATED = 2,   /* no guard */
	FILTER_UNORDERED = 4, /* not ordered by fork/join */
	FILTER_SUPPORTED = 8, /* fair links only where a writer was seen */
	FILTER_HARD = 16,     /* no fair links */
};

struct instantiation {
	struct analysis *a;
	const struct cycle *cycle;
	uint32_t filter, first; /* first: the cycle's edge at level 0 */
	uint64_t steps;
	uint32_t must;
	bool limited;	    /* this search ended at its budget */
	bool unsure;	    /* this search met an order that is not known */
	bool open;	    /* some search ended without an answer */
	struct ids *sorted; /* by level: dependencies by from-instance; empty: scan the edge */
	uint32_t *dependencies, *segments;
	struct decision *decision; /* chains and tasks are filled while searching */
};

/* The budgets of this search and of all searches together. */
static void take_steps(struct instantiation *r, uint64_t steps)
{
	struct analysis *a = r->a;

	r->steps += steps;
	r->limited |= r->steps > budget_of(a, STEP_BUDGET);
	if (!a->finishing)
		return;
	r->limited |= a->steps_left < steps;
	a->steps_left -= a->steps_left < steps ? a->steps_left : steps;
}

static uint32_t edge_at(const struct instantiation *r, uint32_t level)
{
	return (r->first + level) % r->cycle->length;
}

static bool link_allowed(const struct instantiation *r, uint8_t wanted, uint8_t held,
			 uint32_t instance)
{
	enum link link = link_of(wanted, held);

	if (link == LINK_NONE || (link == LINK_FAIR && r->filter & FILTER_HARD))
		return false;
	return link == LINK_HARD || !(r->filter & FILTER_SUPPORTED) ||
	       model__instance(r->a->m, instance)->flags & INSTANCE_HAD_WRITER;
}

/* Does the dependency fit behind the one chosen before, and close the cycle if it is the last? */
static bool fits(const struct instantiation *r, uint32_t level, const struct dependency *d)
{
	const struct model *m = r->a->m;

	if (d->from == d->to || hold_mode(d->from_mode) != r->cycle->modes[edge_at(r, level)])
		return false;
	if (level) {
		const struct dependency *before = model__dependency(m, r->dependencies[level - 1]);

		if (before->to != d->from ||
		    !link_allowed(r, before->to_mode, d->from_mode, d->from))
			return false;
	}
	if (level == r->cycle->length - 1) {
		const struct dependency *first = model__dependency(m, r->dependencies[0]);

		return d->to == first->from && link_allowed(r, d->to_mode, first->from_mode, d->to);
	}
	return true;
}

/* Live, the model's own witnesses say who it was, as long as it has kept them all. */
static bool uses_index(const struct analysis *a, uint32_t dependency)
{
	return a->occurrences &&
	       (!a->options.live_kernel || model__dependency(a->m, dependency)->chain_count >
						   model__dependency_chains_kept(a->m, dependency));
}

static uint32_t occurrence_count(const struct analysis *a, uint32_t dependency)
{
	if (uses_index(a, dependency))
		return (uint32_t)(a->occurrence_start[dependency + 1] -
				  a->occurrence_start[dependency]);
	return model__dependency_chains_kept(a->m, dependency);
}

static struct occurrence occurrence_at(const struct analysis *a, uint32_t dependency, uint32_t i)
{
	struct occurrence occurrence = {.segment = NO_ID};

	if (uses_index(a, dependency)) {
		occurrence = a->occurrences[a->occurrence_start[dependency] + i];
		if (!a->options.live_kernel || occurrence.task != NO_ID)
			return occurrence;
	} else {
		occurrence.chain = model__dependency_chain(a->m, dependency, i);
	}
	occurrence.task = model__chain(a->m, occurrence.chain)->first_task;
	return occurrence;
}

/* A chain that several tasks went through always offers one that is not used yet. */
static bool task_is_free(const struct instantiation *r, const struct occurrence *occurrence)
{
	return occurrence->task == NO_ID || !r->a->task_used[occurrence->task] ||
	       (r->a->options.live_kernel &&
		model__chain(r->a->m, occurrence->chain)->task_count > 1);
}

static bool occurrence_allowed(struct instantiation *r, uint32_t level,
			       const struct occurrence *occurrence)
{
	const struct forkjoin *f = r->a->forkjoin;

	if (r->filter & FILTER_DISTINCT && !task_is_free(r, occurrence))
		return false;
	if (r->filter & FILTER_UNGATED && scratch__gates(r->a, occurrence->chain))
		return false;
	if (!(r->filter & FILTER_UNORDERED) || !forkjoin__orders_any(f))
		return true;
	take_steps(r, level);
	for (uint32_t i = 0; i < level && !r->limited; i++) {
		enum fork_order before = forkjoin__order(f, r->segments[i], occurrence->segment);
		enum fork_order after = forkjoin__order(f, occurrence->segment, r->segments[i]);

		r->unsure |= before == ORDER_UNDECIDED || after == ORDER_UNDECIDED;
		if (before != ORDER_NONE || after != ORDER_NONE)
			return false;
	}
	return !r->limited;
}

static bool extend(struct instantiation *r, uint32_t level);

static bool try_dependency(struct instantiation *r, uint32_t level, uint32_t id)
{
	uint32_t at = edge_at(r, level), occurrences = occurrence_count(r->a, id);
	bool found = false;

	r->dependencies[level] = id;
	take_steps(r, 1);
	if (r->limited)
		return false;
	if (!fits(r, level, model__dependency(r->a->m, id)))
		return false;
	for (uint32_t i = 0; i < occurrences && !found && !r->limited; i++) {
		struct occurrence occurrence = occurrence_at(r->a, id, i);

		take_steps(r, 1);
		if (!occurrence_allowed(r, level, &occurrence))
			continue;
		r->decision->dependencies[at] = id;
		r->decision->chains[at] = occurrence.chain;
		r->decision->tasks[at] = occurrence.task;
		r->segments[level] = occurrence.segment;
		scratch__add(r->a, occurrence.chain);
		if (occurrence.task != NO_ID)
			r->a->task_used[occurrence.task]++;
		found = extend(r, level + 1);
		if (occurrence.task != NO_ID)
			r->a->task_used[occurrence.task]--;
		scratch__remove(r->a, occurrence.chain);
	}
	return found;
}

/* The last dependency's two instances are known: look it up instead of scanning. */
static bool try_last(struct instantiation *r, uint32_t level)
{
	const struct model *m = r->a->m;
	const struct class_edge *edge = model__class_edge(m, r->cycle->edges[edge_at(r, level)]);
	uint32_t from = model__dependency(m, r->dependencies[level - 1])->to;
	uint32_t to = model__dependency(m, r->dependencies[0])->from;
	uint8_t subclasses = model__dependency(m, edge->first_dependency)->subclasses;

	for (uint8_t modes = 0; modes < LOCK_MODES * LOCK_MODES; modes++) {
		uint32_t id;

		if (!(edge->modes & 1u << modes))
			continue;
		id = model__find_annotated(m, from, modes / LOCK_MODES, to, modes % LOCK_MODES,
					   subclasses);
		if (id != NO_ID && try_dependency(r, level, id))
			return true;
	}
	return false;
}

static uint32_t from_at(const struct instantiation *r, const struct ids *sorted, uint64_t i)
{
	return model__dependency(r->a->m, sorted->items[i])->from;
}

static bool try_sorted(struct instantiation *r, uint32_t level, const struct ids *sorted)
{
	uint32_t from = model__dependency(r->a->m, r->dependencies[level - 1])->to;
	uint64_t low = 0, high = sorted->count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (from_at(r, sorted, middle) < from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < sorted->count && from_at(r, sorted, low) == from && !r->limited; low++) {
		if (try_dependency(r, level, sorted->items[low]))
			return true;
	}
	return false;
}

static bool extend(struct instantiation *r, uint32_t level)
{
	uint32_t edge;

	if (level == r->cycle->length)
		return true;
	if (r->limited)
		return false;
	if (level && level == r->cycle->length - 1)
		return try_last(r, level);
	if (level && r->sorted[level].count)
		return try_sorted(r, level, &r->sorted[level]);
	if (!level && r->must != NO_ID)
		return try_dependency(r, 0, r->must);
	edge = r->cycle->edges[edge_at(r, level)];
	for (uint32_t i = 0; i < model__class_edge(r->a->m, edge)->dependency_count; i++) {
		if (try_dependency(r, level, model__class_edge_dependency(r->a->m, edge, i)))
			return true;
		if (r->limited)
			break;
	}
	return false;
}

static bool search(struct instantiation *r, uint32_t filter)
{
	/* in a live kernel every task can run every path */
	if (r->a->options.live_kernel)
		filter &= ~(uint32_t)FILTER_DISTINCT;
	r->filter = filter;
	r->steps = 0;
	r->limited = r->unsure = false;
	if (extend(r, 0))
		return true;
	r->open |= r->limited || r->unsure;
	return false;
}

static int compare_from(const void *x, const void *y, void *context)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	uint32_t from = model__dependency(context, a)->from,
		 other = model__dependency(context, b)->from;

	if (from != other)
		return from < other ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* Levels between first and last join on the instance: sort big edges by it. */
static bool sort_levels(struct instantiation *r)
{
	for (uint32_t level = 1; level + 1 < r->cycle->length; level++) {
		uint32_t edge = r->cycle->edges[edge_at(r, level)];
		uint32_t count = model__class_edge(r->a->m, edge)->dependency_count;
		struct ids *sorted = &r->sorted[level];

		if (count <= SORT_ABOVE)
			continue;
		take_steps(r, count);
		if (r->a->finishing && !r->a->steps_left)
			return true;
		for (uint32_t i = 0; i < count; i++) {
			if (!ids__push(sorted, model__class_edge_dependency(r->a->m, edge, i)))
				return false;
		}
		qsort_r(sorted->items, sorted->count, sizeof(uint32_t), compare_from, r->a->m);
	}
	return true;
}

/* No instance cycle: show the first occurrence of each edge, and see whether readers alone close
 * it.
 */
static void decide_classes(struct instantiation *r)
{
	const struct model *m = r->a->m;
	const struct cycle *cycle = r->cycle;

	r->decision->code = CODE_CLASS_INVERSION;
	r->decision->fair = false;
	r->steps = 0;
	r->limited = false;
	for (uint32_t i = 0; i < cycle->length; i++) {
		uint32_t next = (i + 1) % cycle->length, best = NO_ID;
		enum link best_link = LINK_NONE;

		for (uint32_t j = 0; j < model__class_edge(m, cycle->edges[i])->dependency_count &&
				     best_link != LINK_HARD && (!r->limited || j < SHOWN_AT_LEAST);
		     j++, take_steps(r, 1)) {
			uint32_t id = model__class_edge_dependency(m, cycle->edges[i], j);
			const struct dependency *d = model__dependency(m, id);
			enum link link = link_of(d->to_mode, cycle->modes[next]);

			if (hold_mode(d->from_mode) == cycle->modes[i] && link > best_link) {
				best = id;
				best_link = link;
			}
		}
		if (best == NO_ID) {
			r->decision->report = false;
			return;
		}
		r->decision->dependencies[i] = best;
		r->decision->chains[i] = model__dependency(m, best)->first_chain;
		r->decision->tasks[i] = model__chain(m, r->decision->chains[i])->first_task;
		if (best_link == LINK_FAIR &&
		    !(model__lock_class(m, cycle->classes[next])->flags & CLASS_HAD_WRITER))
			r->decision->code = CODE_READ_ONLY;
		r->decision->fair |= best_link == LINK_FAIR;
		if (model__lock_class(m, cycle->classes[i])->flags & CLASS_INSTANCE_ONLY)
			r->decision->report = false;
	}
}

/* Which filter forbids every instance cycle? */
static void decide_harmless(struct instantiation *r)
{
	struct decision *decision = r->decision;

	if (!search(r, FILTER_DISTINCT)) {
		if (search(r, 0))
			decision->code = CODE_SAME_THREAD;
		else
			decide_classes(r);
		return;
	}
	if (!search(r, FILTER_DISTINCT | FILTER_UNGATED)) {
		search(r, FILTER_DISTINCT);
		decision->code = CODE_GATED;
		decision->guard_count = scratch__guards(r->a, decision->chains, r->cycle->length,
							decision->guards, 4);
	} else if (!search(r, FILTER_DISTINCT | FILTER_UNGATED | FILTER_UNORDERED)) {
		search(r, FILTER_DISTINCT | FILTER_UNGATED);
		decision->code = CODE_ORDERED;
	} else {
		decision->code = CODE_READ_ONLY;
	}
}

/* The next lower code, and nothing but the classes to go by. */
static void leave_undecided(struct instantiation *r)
{
	decide_classes(r);
	r->decision->limited = true;
	r->a->stats.undecided++;
}

enum finding_code cycle__instance_code(const struct analysis *a, const struct cycle *cycle)
{
	for (uint32_t i = 0; i < cycle->length; i++)
		if (lock_kind__is_wait(model__lock_class(a->m, cycle->classes[i])->kind))
			return CODE_WAIT_INVERSION;
	return CODE_INSTANCE_INVERSION;
}

static void decide_all(struct instantiation *r)
{
	uint32_t all = FILTER_DISTINCT | FILTER_UNGATED | FILTER_UNORDERED | FILTER_SUPPORTED;
	struct decision *decision = r->decision;

	decision->report = true;
	if (r->cycle->length > MAX_LENGTH) {
		leave_undecided(r);
		return;
	}
	if (search(r, all | FILTER_HARD) || search(r, all)) {
		decision->fair = !(r->filter & FILTER_HARD);
		decision->code = cycle__instance_code(r->a, r->cycle);
		return;
	}
	if (r->open) {
		leave_undecided(r);
		return;
	}
	if (r->must != NO_ID) {
		/* one dependency cannot show that a cycle is harmless */
		decision->report = false;
		return;
	}
	decide_harmless(r);
	if (r->open)
		leave_undecided(r);
}

static void note_same_thread(struct instantiation *r)
{
	const uint32_t *tasks = r->decision->tasks;

	r->decision->same_thread = true;
	for (uint32_t i = 0; i < r->cycle->length; i++) {
		const struct chain *chain = model__chain(r->a->m, r->decision->chains[i]);

		if (tasks[i] == NO_ID || tasks[i] != tasks[0] || chain->task_count > 1)
			r->decision->same_thread = false;
	}
}

struct decision *decision__new(struct analysis *a, uint32_t length)
{
	struct decision *decision = arena__alloc(&a->arena, sizeof(*decision), 8);

	if (!decision)
		return NULL;
	decision->dependencies = arena__alloc(&a->arena, length * sizeof(uint32_t), 4);
	decision->chains = arena__alloc(&a->arena, length * sizeof(uint32_t), 4);
	decision->tasks = arena__alloc(&a->arena, length * sizeof(uint32_t), 4);
	return decision->dependencies && decision->chains && decision->tasks ? decision : NULL;
}

static bool allocate(struct instantiation *r)
{
	uint32_t length = r->cycle->length;

	r->dependencies = malloc(length * sizeof(uint32_t));
	r->segments = malloc(length * sizeof(uint32_t));
	r->sorted = calloc(length, sizeof(*r->sorted));
	return r->dependencies && r->segments && r->sorted;
}

bool decide(struct analysis *a, const struct cycle *cycle, uint32_t must, struct decision *decision)
{
	struct instantiation r = {.a = a, .cycle = cycle, .must = must, .decision = decision};
	bool decided = false;

	decision->fair = decision->limited = decision->same_thread = decision->report = false;
	decision->guard_count = 0;
	for (uint32_t i = 0; must != NO_ID && i < cycle->length; i++) {
		const struct dependency *d = model__dependency(a->m, must);

		if (cycle->edges[i] == d->class_edge && cycle->modes[i] == hold_mode(d->from_mode))
			r.first = i;
	}
	if (scratch__reserve(a) && allocate(&r) && sort_levels(&r)) {
		decide_all(&r);
		if (r.decision->report)
			note_same_thread(&r);
		decided = r.decision->report;
	}
	for (uint32_t i = 0; r.sorted && i < cycle->length; i++)
		ids__release(&r.sorted[i]);
	free(r.sorted);
	free(r.dependencies);
	free(r.segments);
	return decided;
}
