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
			  p->first_slot, p->is_dirty,	 p->holders};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		free(arrays[i]);
	idmap__release(&p->outer);
	idmap__release(&p->slot_ids);
	ids__release(&p->work);
	ids__release(&p->dirty);
	ids__release(&p->touched);
	ids__release(&p->tasks);
	free(p);
}

static void push(struct predictor *p, struct ids *ids, uint32_t id)
{
	p->no_memory |= !ids__push(ids, id);
}

/* Nothing more may be concluded from this closure. */
static bool is_over(const struct predictor *p)
{
	return p->infeasible || p->no_memory || p->walked > p->limit;
}

/* The first `count` events of a task must be in the closure. */
static void need(struct predictor *p, uint32_t task, uint32_t count)
{
	if (p->target[task] >= count)
		return;
	if (!p->target[task])
		push(p, &p->tasks, task);
	if (p->target[task] == p->done[task])
		push(p, &p->work, task);
	p->target[task] = count;
}

static void need_event(struct predictor *p, uint32_t event)
{
	if (event != NO_ID)
		need(p, p->events[event].task, p->local[event] + 1);
}

uint32_t predictor__slot(struct predictor *p, uint32_t task, uint32_t instance)
{
	uint64_t key = idmap_pair(task, instance);
	uint32_t id = idmap__get(&p->slot_ids, key);
	struct slot fresh = {instance, task, p->first_slot[instance], NO_ID, NO_ID, 0, 0};

	if (id != IDMAP_NONE)
		return id;
	id = (uint32_t)p->slots.count;
	if (!vector_push(&p->slots, fresh) || idmap__put(&p->slot_ids, key, id))
		return NO_ID;
	p->first_slot[instance] = id;
	return id;
}

static void include_acquire(struct predictor *p, uint32_t event)
{
	uint32_t id = predictor__slot(p, p->events[event].task, p->events[event].operand);
	struct slot *slot;

	if (id == NO_ID) {
		p->no_memory = true;
		return;
	}
	slot = &p->slots.items[id];
	if (slot->last == NO_ID)
		push(p, &p->touched, id);
	slot->last = event;
	if (p->events[event].mode == LOCK_EXCLUSIVE)
		slot->last_exclusive = event;
	if (!p->is_dirty[slot->instance]) {
		p->is_dirty[slot->instance] = 1;
		push(p, &p->dirty, slot->instance);
	}
}

/* Thread order, reads-from, fork and join. */
static void follow_order(struct predictor *p)
{
	while (p->work.count && !is_over(p)) {
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

		p->walked++;
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
	while (p->dirty.count && !is_over(p)) {
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
	for (uint64_t i = 0; i < p->tasks.count; i++)
		p->done[p->tasks.items[i]] = p->target[p->tasks.items[i]] = 0;
	for (uint64_t i = 0; i < p->touched.count; i++) {
		p->slots.items[p->touched.items[i]].last = NO_ID;
		p->slots.items[p->touched.items[i]].last_exclusive = NO_ID;
	}
	for (uint64_t i = 0; i < p->dirty.count; i++)
		p->is_dirty[p->dirty.items[i]] = 0;
	p->touched.count = p->dirty.count = p->work.count = p->tasks.count = 0;
	p->infeasible = p->no_memory = false;
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
		       p->local[event_of(p, p->current[i])] < p->done[task]) {
			p->current[i] = p->a->nodes->entries.items[p->current[i]].next;
			p->walked++;
		}
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

enum reach predictor__check(struct predictor *p, const struct pattern *pattern, uint64_t budget)
{
	reset(p);
	p->walked++;
	p->limit = p->walked + budget;
	for (uint32_t i = 0; i < pattern->length; i++) {
		const struct node *node = &p->a->nodes->items.items[pattern->nodes[i]];

		p->current[i] = node->first_entry;
		for (uint32_t j = 0; j < i; j++) {
			if (p->a->nodes->items.items[pattern->nodes[j]].task == node->task)
				return REACH_NO;
		}
		/* a chain that no event of the stream shows: nothing to replay */
		if (node->first_entry == NO_ID)
			return REACH_NO;
	}
	while (advance(p, pattern)) {
		for (uint32_t i = 0; i < pattern->length; i++) {
			uint32_t event = event_of(p, p->current[i]);

			need(p, p->events[event].task, p->local[event]);
		}
		close_all(p);
		if (is_over(p))
			return p->infeasible ? REACH_NO : REACH_UNDECIDED;
		if (none_included(p, pattern))
			return REACH_YES;
	}
	return REACH_NO;
}
