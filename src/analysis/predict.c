// SPDX-License-Identifier: GPL-2.0-or-later
/* SPDOffline's third pass: the sync-preserving closure of a pattern, run to its fixpoint. */
#include "analysis/predict_internal.h"

#include <stdlib.h>

struct predictor *predictor__new(struct analysis *a)
{
	struct predictor *p;

	if (!model__event_count(a->m) || model__event_count(a->m) >= NO_ID)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->a = a;
	p->events = model__events(a->m);
	p->event_count = (uint32_t)model__event_count(a->m);
	p->task_count = model__task_count(a->m);
	if (predictor__read_trace(p))
		return p;
	predictor__free(p);
	return NULL;
}

void predictor__free(struct predictor *p)
{
	if (!p)
		return;
	void *arrays[] = {p->local,	 p->task_start,	 p->task_events, p->cross,
			  p->release,	 p->slots.items, p->done,	 p->target,
			  p->first_slot, p->is_dirty};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		free(arrays[i]);
	idmap__release(&p->outer);
	idmap__release(&p->slot_ids);
	ids__release(&p->work);
	ids__release(&p->dirty);
	ids__release(&p->touched);
	free(p);
}

/* The first `count` events of a task must be in the closure. */
static void need(struct predictor *p, uint32_t task, uint32_t count)
{
	if (p->target[task] >= count)
		return;
	if (p->target[task] == p->done[task])
		ids__push(&p->work, task);
	p->target[task] = count;
}

static void need_event(struct predictor *p, uint32_t event)
{
	if (event != NO_ID)
		need(p, p->events[event].task, p->local[event] + 1);
}

static uint32_t slot_for(struct predictor *p, const struct trace_event *event)
{
	uint64_t key = idmap_pair(event->task, event->operand);
	uint32_t id = idmap__get(&p->slot_ids, key);
	struct slot fresh = {event->operand, event->task, p->first_slot[event->operand], NO_ID,
			     NO_ID};

	if (id != IDMAP_NONE)
		return id;
	id = (uint32_t)p->slots.count;
	if (!vector_push(&p->slots, fresh) || idmap__put(&p->slot_ids, key, id))
		return NO_ID;
	p->first_slot[event->operand] = id;
	return id;
}

static void include_acquire(struct predictor *p, uint32_t event)
{
	uint32_t id = slot_for(p, &p->events[event]);
	struct slot *slot;

	if (id == NO_ID) {
		/* out of memory: claim nothing */
		p->infeasible = true;
		return;
	}
	slot = &p->slots.items[id];
	if (slot->last == NO_ID)
		ids__push(&p->touched, id);
	slot->last = event;
	if (p->events[event].mode == LOCK_EXCLUSIVE)
		slot->last_exclusive = event;
	if (!p->is_dirty[slot->instance]) {
		p->is_dirty[slot->instance] = 1;
		ids__push(&p->dirty, slot->instance);
	}
}

/* Thread order, reads-from, fork and join. */
static void follow_order(struct predictor *p)
{
	while (p->work.count) {
		uint32_t task = p->work.items[--p->work.count];

		p->walked += p->target[task] - p->done[task];
		for (; p->done[task] < p->target[task]; p->done[task]++) {
			uint32_t event = p->task_events[p->task_start[task] + p->done[task]];

			need_event(p, p->cross[event]);
			if (is_acquire(&p->events[event]))
				include_acquire(p, event);
			else
				need_event(p, p->release[event]);
		}
	}
}

static void need_release(struct predictor *p, uint32_t acquire)
{
	for (; acquire != NO_ID; acquire = idmap__get(&p->outer, acquire)) {
		if (p->release[acquire] == NO_ID)
			p->infeasible = true;
		need_event(p, p->release[acquire]);
	}
}

/* A section that a later conflicting one of the closure follows must have ended. */
static void close_lock(struct predictor *p, uint32_t instance)
{
	uint32_t latest = 0, latest_exclusive = 0;

	for (uint32_t i = p->first_slot[instance]; i != NO_ID; i = p->slots.items[i].next) {
		const struct slot *slot = &p->slots.items[i];

		if (slot->last != NO_ID && slot->last > latest)
			latest = slot->last;
		if (slot->last_exclusive != NO_ID && slot->last_exclusive > latest_exclusive)
			latest_exclusive = slot->last_exclusive;
	}
	for (uint32_t i = p->first_slot[instance]; i != NO_ID; i = p->slots.items[i].next) {
		uint32_t last = p->slots.items[i].last;

		if (last == NO_ID)
			continue;
		if (last < (p->events[last].mode == LOCK_EXCLUSIVE ? latest : latest_exclusive))
			need_release(p, last);
	}
}

static void close_all(struct predictor *p)
{
	follow_order(p);
	while (p->dirty.count && !p->infeasible) {
		uint32_t instance = p->dirty.items[--p->dirty.count];

		p->is_dirty[instance] = 0;
		close_lock(p, instance);
		follow_order(p);
	}
}

uint64_t predictor__walked(const struct predictor *p)
{
	return p->walked;
}

static void reset(struct predictor *p)
{
	for (uint32_t t = 0; t < p->task_count; t++)
		p->done[t] = p->target[t] = 0;
	for (uint64_t i = 0; i < p->touched.count; i++) {
		p->slots.items[p->touched.items[i]].last = NO_ID;
		p->slots.items[p->touched.items[i]].last_exclusive = NO_ID;
	}
	for (uint64_t i = 0; i < p->dirty.count; i++)
		p->is_dirty[p->dirty.items[i]] = 0;
	p->touched.count = p->dirty.count = p->work.count = 0;
	p->infeasible = false;
}

static uint32_t event_of(const struct predictor *p, uint32_t entry)
{
	return (uint32_t)p->a->nodes->entries.items[entry].event;
}

/* Go to each node's first acquire outside the closure; false: one has none left. */
static bool advance(struct predictor *p, const struct pattern *pattern)
{
	for (uint32_t i = 0; i < pattern->length; i++) {
		uint32_t task = p->a->nodes->items.items[pattern->nodes[i]].task;

		while (p->current[i] != NO_ID &&
		       p->local[event_of(p, p->current[i])] < p->done[task])
			p->current[i] = p->a->nodes->entries.items[p->current[i]].next;
		if (p->current[i] == NO_ID)
			return false;
	}
	return true;
}

static bool none_included(const struct predictor *p, const struct pattern *pattern)
{
	for (uint32_t i = 0; i < pattern->length; i++) {
		uint32_t event = event_of(p, p->current[i]);

		if (p->local[event] < p->done[p->events[event].task])
			return false;
	}
	return true;
}

bool predictor__check(struct predictor *p, const struct pattern *pattern)
{
	reset(p);
	for (uint32_t i = 0; i < pattern->length; i++) {
		const struct node *node = &p->a->nodes->items.items[pattern->nodes[i]];

		p->current[i] = node->first_entry;
		for (uint32_t j = 0; j < i; j++) {
			if (p->a->nodes->items.items[pattern->nodes[j]].task == node->task)
				return false;
		}
	}
	while (advance(p, pattern)) {
		for (uint32_t i = 0; i < pattern->length; i++) {
			uint32_t event = event_of(p, p->current[i]);

			need(p, p->events[event].task, p->local[event]);
		}
		close_all(p);
		if (p->infeasible)
			return false;
		if (none_included(p, pattern))
			return true;
	}
	return false;
}
