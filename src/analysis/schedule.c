// SPDX-License-Identifier: GPL-2.0-or-later
/* The interleaving that reaches a predicted deadlock, in words a person can replay. */
#include "analysis/predict_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 64

struct writer {
	struct predictor *p;
	const char **steps;
	uint32_t count;
};

static bool add_step(struct writer *w, const char *text)
{
	const char *copy = model__intern(w->p->a->m, text);

	if (copy && w->count < MAX_STEPS)
		w->steps[w->count++] = copy;
	return copy;
}

static const char *task_name(const struct predictor *p, uint32_t task, char *buffer, size_t size)
{
	const struct task *t = model__task(p->a->m, task);

	if (t->pid)
		snprintf(buffer, size, "%s/%u", t->comm, t->tid);
	else
		snprintf(buffer, size, "%s", t->comm);
	return buffer;
}

static const char *lock_name(const struct predictor *p, uint32_t id, char *buffer, size_t size)
{
	const struct lock_instance *instance = model__instance(p->a->m, id);
	const char *class = model__lock_class(p->a->m, instance->lock_class)->name;

	if (instance->address)
		snprintf(buffer, size, "%s#%llx", class, (unsigned long long)instance->address);
	else
		snprintf(buffer, size, "%s", class);
	return buffer;
}

static void place_of(const struct predictor *p, uint32_t event, char *buffer, size_t size)
{
	struct stack stack = model__stack(p->a->m, p->events[event].stack);
	const char *symbol = stack.frame_count ? stack.frames[0].symbol : NULL;

	*buffer = '\0';
	if (symbol)
		snprintf(buffer, size, " at %s", symbol);
}

/* What the last event of a run did, as "has taken L (at 12)". */
static void describe(const struct predictor *p, uint32_t event, char *buffer, size_t size)
{
	static const char *const verbs[] = {
		[EVENT_ACQUIRE] = "has taken",
		[EVENT_RELEASE] = "has released",
		[EVENT_TRY_ACQUIRE] = "has taken",
		[EVENT_REQUEST] = "asks for",
		[EVENT_FORK] = "has started",
		[EVENT_JOIN] = "has joined",
		[EVENT_READ] = "has read",
		[EVENT_WRITE] = "has written",
		[EVENT_BEGIN] = "has begun",
		[EVENT_END] = "has ended",
		[EVENT_DOWNGRADE] = "has downgraded",
		[EVENT_CUT] = "goes on",
	};
	const struct trace_event *e = &p->events[event];
	char what[160] = "", place[160];

	if (e->op <= EVENT_REQUEST || e->op == EVENT_DOWNGRADE)
		lock_name(p, e->operand, what, sizeof(what));
	else if (e->op == EVENT_FORK || e->op == EVENT_JOIN)
		task_name(p, e->operand, what, sizeof(what));
	else if (e->op == EVENT_READ || e->op == EVENT_WRITE)
		snprintf(what, sizeof(what), "%s", model__variable(p->a->m, e->operand));
	place_of(p, event, place, sizeof(place));
	snprintf(buffer, size, "%s%s%s%s", verbs[e->op], *what ? " " : "", what, place);
}

static bool add_run(struct writer *w, uint32_t last, uint32_t events)
{
	char text[640], task[96], what[400];

	task_name(w->p, w->p->events[last].task, task, sizeof(task));
	describe(w->p, last, what, sizeof(what));
	snprintf(text, sizeof(text), "%s runs %u event%s, until it %s", task, events,
		 events == 1 ? "" : "s", what);
	return add_step(w, text);
}

/* How often the task changes along the events of the closure, in trace order. */
static uint32_t count_runs(const struct predictor *p)
{
	uint32_t runs = 0, task = NO_ID;

	for (uint32_t i = 0; i < p->event_count; i++) {
		if (p->local[i] >= p->done[p->events[i].task])
			continue;
		runs += p->events[i].task != task;
		task = p->events[i].task;
	}
	return runs;
}

static bool add_runs(struct writer *w, uint32_t skip)
{
	const struct predictor *p = w->p;
	uint32_t task = NO_ID, last = NO_ID, events = 0, run = 0;

	for (uint32_t i = 0; i < p->event_count; i++) {
		if (p->local[i] >= p->done[p->events[i].task])
			continue;
		if (p->events[i].task != task) {
			if (run > skip && !add_run(w, last, events))
				return false;
			run++;
			task = p->events[i].task;
			events = 0;
		}
		last = i;
		events++;
	}
	return run <= skip || add_run(w, last, events);
}

static bool add_waits(struct writer *w, const struct pattern *pattern)
{
	const struct predictor *p = w->p;

	for (uint32_t i = 0; i < pattern->length; i++) {
		uint32_t event = (uint32_t)p->a->nodes->entries.items[p->current[i]].event;
		uint32_t next = pattern->nodes[(i + 1) % pattern->length];
		char text[640], task[96], owner[96], lock[160], place[160];

		task_name(p, p->events[event].task, task, sizeof(task));
		task_name(p, p->a->nodes->items.items[next].task, owner, sizeof(owner));
		lock_name(p, p->events[event].operand, lock, sizeof(lock));
		place_of(p, event, place, sizeof(place));
		snprintf(text, sizeof(text), "%s waits for %s%s, which %s holds", task, lock, place,
			 owner);
		if (!add_step(w, text))
			return false;
	}
	return true;
}

const char **predictor__schedule(struct predictor *p, const struct pattern *pattern,
				 uint32_t *count)
{
	struct writer w = {.p = p};
	uint32_t runs = count_runs(p), room = MAX_STEPS - pattern->length - 1, skip = 0;
	char text[120];

	w.steps = arena__alloc(&p->a->arena, MAX_STEPS * sizeof(*w.steps), 8);
	if (!w.steps)
		return NULL;
	if (runs > room) {
		skip = runs - room;
		snprintf(text, sizeof(text),
			 "follow the trace through its first %u switches between tasks", skip);
		add_step(&w, text);
	}
	if (!add_runs(&w, skip) || !add_waits(&w, pattern))
		return NULL;
	*count = w.count;
	return w.steps;
}
