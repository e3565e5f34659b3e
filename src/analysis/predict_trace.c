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
	p->first_slot = table(instances, true);
	p->done = table(p->task_count, false);
	p->target = table(p->task_count, false);
	p->is_dirty = calloc(instances + 1ULL, 1);
	p->holders = calloc(instances + 1ULL, sizeof(*p->holders));
	return p->local && p->task_start && p->task_events && p->cross && p->release &&
	       p->first_slot && p->done && p->target && p->is_dirty && p->holders;
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

/* An acquisition not yet released. */
struct open_section {
	uint32_t instance, acquire;
};
struct open_sections {
	struct open_section *items;
	uint64_t count, capacity;
};

/* Newest open section of the lock; the count if there is none. */
static uint64_t find_open(const struct open_sections *open, uint32_t instance)
{
	for (uint64_t i = open->count; i-- > 0;) {
		if (open->items[i].instance == instance)
			return i;
	}
	return open->count;
}

static bool read_lock_event(struct predictor *p, struct open_sections *open, uint32_t i)
{
	const struct trace_event *event = &p->events[i];
	uint64_t at = find_open(open, event->operand);

	if (event->op == EVENT_RELEASE) {
		if (at == open->count)
			return true;
		p->release[open->items[at].acquire] = i;
		for (open->count--; at < open->count; at++)
			open->items[at] = open->items[at + 1];
		return true;
	}
	if (at < open->count && idmap__put(&p->outer, i, open->items[at].acquire))
		return false;
	return vector_push(open, (struct open_section){event->operand, i});
}

struct reader {
	struct open_sections *open; /* by task */
	uint32_t *last_write;	    /* by variable */
	uint32_t *last_event;	    /* by task */
	uint32_t *forked_by;	    /* by task: fork that its next event comes after */
};

/*
 * Traces announce all threads at their top, so the event a fork comes before is the next one of its
 * task, not the first. An acquire keeps it in `cross`, others in the field only acquires use.
 */
static void attach_fork(struct predictor *p, struct reader *r, uint32_t i)
{
	uint32_t *fork = &r->forked_by[p->events[i].task];

	if (is_acquire(&p->events[i]))
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
		p->cross[i] = r->forked_by[event->operand] != NO_ID ? r->forked_by[event->operand]
								    : r->last_event[event->operand];
		break;
	case EVENT_ACQUIRE:
	case EVENT_TRY_ACQUIRE:
	case EVENT_RELEASE:
		ok = read_lock_event(p, &r->open[event->task], i);
		break;
	}
	if (r->forked_by[event->task] != NO_ID && r->forked_by[event->task] != i)
		attach_fork(p, r, i);
	r->last_event[event->task] = i;
	return ok;
}

bool predictor__read_trace(struct predictor *p)
{
	struct reader r = {.last_write = table(model__variable_count(p->a->m), true),
			   .last_event = table(p->task_count, true),
			   .forked_by = table(p->task_count, true),
			   .open = calloc(p->task_count + 1ULL, sizeof(*r.open))};
	bool ok = r.last_write && r.last_event && r.forked_by && r.open && allocate(p);

	if (ok)
		group_by_task(p);
	for (uint32_t i = 0; ok && i < p->event_count; i++)
		ok = read_event(p, &r, i);
	for (uint32_t t = 0; r.open && t < p->task_count; t++)
		free(r.open[t].items);
	free(r.open);
	free(r.last_write);
	free(r.last_event);
	free(r.forked_by);
	return ok;
}
