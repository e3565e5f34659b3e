// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the event stream once: thread order, reads-from, fork/join, matching releases. */
#include "analysis/predict_internal.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *table(uint64_t count, bool none)
{
	uint32_t *items = malloc((count + 1) * sizeof(*items));

	if (items)
		memset(items, none ? 0xff : 0, (count + 1) * sizeof(*items));
	return items;
}

static bool allocate(struct predictor *p)
{
	uint32_t instances = model__instance_count(p->a->m);

	p->local = table(p->event_count, false);
	p->task_start = table(p->task_count + 1ULL, false);
	p->task_events = table(p->event_count, false);
	p->cross = table(p->event_count, true);
	p->release = table(p->event_count, true);
	p->slot_of = table(p->event_count, true);
	p->first_slot = table(instances, true);
	p->done = table(p->task_count, false);
	p->target = table(p->task_count, false);
	p->is_dirty = calloc(instances + 1ULL, 1);
	return p->local && p->task_start && p->task_events && p->cross && p->release &&
	       p->slot_of && p->first_slot && p->done && p->target && p->is_dirty;
}

static void group_by_task(struct predictor *p)
{
	uint32_t *at = p->target; /* free until the first check */

	for (uint32_t i = 0; i < p->event_count; i++) {
		p->local[i] = at[p->events[i].task]++;
		p->task_start[p->events[i].task + 1]++;
	}
	for (uint32_t t = 0; t < p->task_count; t++)
		p->task_start[t + 1] += p->task_start[t];
	for (uint32_t i = 0; i < p->event_count; i++)
		p->task_events[p->task_start[p->events[i].task] + p->local[i]] = i;
	memset(at, 0, p->task_count * sizeof(*at));
}

static uint32_t slot_for(struct predictor *p, struct idmap *ids, const struct trace_event *event)
{
	uint64_t key = idmap_pair(event->task, event->operand);
	uint32_t id = idmap__get(ids, key);
	struct slot fresh = { event->operand, event->task, p->first_slot[event->operand], NO_ID,
			      NO_ID };

	if (id != IDMAP_NONE)
		return id;
	id = (uint32_t)p->slots.count;
	if (!vector_push(&p->slots, fresh) || idmap__put(ids, key, id))
		return NO_ID;
	p->first_slot[event->operand] = id;
	return id;
}

/* `last` of a slot serves as its innermost open acquire while the trace is read. */
static bool read_lock_event(struct predictor *p, struct idmap *ids, uint32_t i)
{
	const struct trace_event *event = &p->events[i];
	uint32_t id = slot_for(p, ids, event), open;
	struct slot *slot;

	if (id == NO_ID)
		return false;
	slot = &p->slots.items[id];
	if (event->op == EVENT_RELEASE) {
		open = slot->last;
		if (open == NO_ID)
			return true;
		p->release[open] = i;
		slot->last = idmap__get(&p->outer, open);
		return true;
	}
	p->slot_of[i] = id;
	if (slot->last != NO_ID && idmap__put(&p->outer, i, slot->last))
		return false;
	slot->last = i;
	return true;
}

struct reader {
	struct idmap slots;
	uint32_t *last_write; /* by variable */
	uint32_t *last_event; /* by task */
	uint32_t *forked_by;  /* by task: fork that its next event comes after */
};

/*
 * Traces announce all threads at their top, so the event a fork comes before is the next one of its
 * task, not the first. An acquire keeps it in `cross`, others in the field only acquires use.
 */
static void attach_fork(struct predictor *p, struct reader *r, uint32_t i)
{
	uint32_t *fork = &r->forked_by[p->events[i].task];

	if (p->slot_of[i] != NO_ID)
		p->cross[i] = *fork;
	else
		p->release[i] = *fork;
	*fork = NO_ID;
}

static bool read_event(struct predictor *p, struct reader *r, uint32_t i)
{
	const struct trace_event *event = &p->events[i];
	bool ok = true;

	switch (event->op) {
	case EVENT_READ:
		p->cross[i] = r->last_write[event->operand];
		break;
	case EVENT_WRITE:
		r->last_write[event->operand] = i;
		break;
	case EVENT_FORK:
		r->forked_by[event->operand] = i;
		break;
	case EVENT_JOIN:
		/* a task that did nothing yet has at least been started */
		p->cross[i] = r->forked_by[event->operand] != NO_ID ?
				      r->forked_by[event->operand] :
				      r->last_event[event->operand];
		break;
	case EVENT_ACQUIRE:
	case EVENT_TRY_ACQUIRE:
	case EVENT_RELEASE:
		ok = read_lock_event(p, &r->slots, i);
		break;
	}
	if (r->forked_by[event->task] != NO_ID && r->forked_by[event->task] != i)
		attach_fork(p, r, i);
	r->last_event[event->task] = i;
	return ok;
}

bool predictor__read_trace(struct predictor *p)
{
	struct reader r = { .last_write = table(model__variable_count(p->a->m), true),
			    .last_event = table(p->task_count, true),
			    .forked_by = table(p->task_count, true) };
	bool ok = r.last_write && r.last_event && r.forked_by && allocate(p);

	if (ok)
		group_by_task(p);
	for (uint32_t i = 0; ok && i < p->event_count; i++)
		ok = read_event(p, &r, i);
	for (uint64_t i = 0; i < p->slots.count; i++)
		p->slots.items[i].last = NO_ID;
	idmap__release(&r.slots);
	free(r.last_write);
	free(r.last_event);
	free(r.forked_by);
	return ok;
}
