// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A predicted schedule, run once more before it is believed: the events of the closure in trace
 * order, with nothing but the locks' own rules. Traces are written by others, and one that lets two
 * tasks hold a lock at once proves nothing.
 */
#include "analysis/predict_internal.h"

#include <stdlib.h>

static bool in_closure(const struct predictor *p, uint32_t event)
{
	return p->local[event] < p->done[p->events[event].task];
}

static bool may_take(const struct holders *all, const struct slot *own, uint8_t mode)
{
	if (all->exclusive > own->exclusive)
		return false;
	return mode != LOCK_EXCLUSIVE || all->shared == own->shared;
}

static void give_up(struct holders *all, struct slot *own, uint8_t mode)
{
	bool exclusive = own->exclusive && (mode == LOCK_EXCLUSIVE || !own->shared);

	if (exclusive) {
		own->exclusive--;
		all->exclusive--;
	} else if (own->shared) {
		own->shared--;
		all->shared--;
	}
}

/* false: the locks do not allow it, or no memory. */
static bool run_event(struct predictor *p, uint32_t event)
{
	const struct trace_event *e = &p->events[event];
	struct holders *all;
	struct slot *own;
	uint32_t id;

	if (!is_acquire(e) && e->op != EVENT_RELEASE && e->op != EVENT_DOWNGRADE)
		return true;
	id = predictor__slot(p, e->task, e->operand);
	if (id == NO_ID)
		return false;
	own = &p->slots.items[id];
	all = &p->holders[e->operand];
	if (e->op == EVENT_RELEASE) {
		give_up(all, own, e->mode);
		return true;
	}
	if (e->op == EVENT_DOWNGRADE) {
		if (!own->exclusive)
			return true;
		give_up(all, own, LOCK_EXCLUSIVE);
	} else if (!may_take(all, own, e->mode)) {
		return false;
	}
	if (e->op != EVENT_DOWNGRADE && e->mode == LOCK_EXCLUSIVE) {
		own->exclusive++;
		all->exclusive++;
	} else {
		own->shared++;
		all->shared++;
	}
	return true;
}

/* Does every task of the pattern wait for what the next one holds? */
static bool all_wait(struct predictor *p, const struct pattern *pattern)
{
	for (uint32_t i = 0; i < pattern->length; i++) {
		const struct nodes *n = p->a->nodes;
		const struct node *node = &n->items.items[pattern->nodes[i]];
		const struct node *next =
			&n->items.items[pattern->nodes[(i + 1) % pattern->length]];
		uint32_t id = predictor__slot(p, next->task, node->wanted);
		const struct slot *owner;

		if (id == NO_ID)
			return false;
		owner = &p->slots.items[id];
		if (!owner->exclusive &&
		    (!owner->shared || link_of(node->wanted_mode, LOCK_SHARED) == LINK_NONE))
			return false;
	}
	return true;
}

static int compare_ids(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

uint32_t *predictor__closure(struct predictor *p, uint32_t *count)
{
	uint32_t *events;

	*count = 0;
	for (uint64_t i = 0; i < p->tasks.count; i++)
		*count += p->done[p->tasks.items[i]];
	events = malloc((*count + 1ULL) * sizeof(*events));
	if (!events)
		return NULL;
	p->walked += *count;
	if (*count > p->event_count / 16) { /* sorting would cost more than looking at all */
		*count = 0;
		for (uint32_t i = 0; i < p->event_count; i++) {
			if (in_closure(p, i))
				events[(*count)++] = i;
		}
		return events;
	}
	*count = 0;
	for (uint64_t i = 0; i < p->tasks.count; i++) {
		uint32_t task = p->tasks.items[i];

		for (uint32_t j = 0; j < p->done[task]; j++)
			events[(*count)++] = p->task_events[p->task_start[task] + j];
	}
	qsort(events, *count, sizeof(*events), compare_ids);
	return events;
}

bool predictor__replay(struct predictor *p, const struct pattern *pattern)
{
	uint32_t count = 0, *events = predictor__closure(p, &count);
	bool ok = events;

	for (uint32_t i = 0; ok && i < count; i++)
		ok = run_event(p, events[i]);
	ok = ok && all_wait(p, pattern);
	/* what was not given back */
	for (uint64_t i = 0; i < p->touched.count; i++) {
		struct slot *slot = &p->slots.items[p->touched.items[i]];

		slot->exclusive = slot->shared = 0;
		p->holders[slot->instance] = (struct holders){0};
	}
	free(events);
	return ok;
}
