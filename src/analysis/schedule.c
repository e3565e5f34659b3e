// SPDX-License-Identifier: GPL-2.0-or-later
/* The interleaving that reaches a predicted deadlock, in words a person can replay. */
#include "analysis/predict_internal.h"

#include <inttypes.h>
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
		[EVENT_GAP] = "goes on",
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

static uint32_t count_runs(const struct predictor *p, const uint32_t *events, uint32_t count)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; i < count; i++)
		runs += !i || p->events[events[i]].task != p->events[events[i - 1]].task;
	return runs;
}

static bool add_runs(struct writer *w, const uint32_t *events, uint32_t count)
{
	const struct trace_event *trace = w->p->events;
	uint32_t first = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (i + 1 < count && trace[events[i]].task == trace[events[i + 1]].task)
			continue;
		if (!add_run(w, events[i], i + 1 - first))
			return false;
		first = i + 1;
	}
	return true;
}

/*
 * Too many switches between tasks to list: how far each task gets says it all, because the closure
 * can be run in the order of the trace.
 */
static bool add_parts(struct writer *w, uint32_t room)
{
	const struct predictor *p = w->p;
	char text[640], task[96], what[400];
	uint64_t rest = 0, shown = p->tasks.count;

	if (shown > room)
		shown = room - 1;
	for (uint64_t i = 0; i < shown; i++) {
		uint32_t id = p->tasks.items[i], events = p->done[id];

		if (!events)
			continue;
		task_name(p, id, task, sizeof(task));
		describe(p, p->task_events[p->task_start[id] + events - 1], what, sizeof(what));
		snprintf(text, sizeof(text),
			 "in the order of the trace, %s runs its first %u event%s, until it %s",
			 task, events, events == 1 ? "" : "s", what);
		if (!add_step(w, text))
			return false;
	}
	for (uint64_t i = shown; i < p->tasks.count; i++)
		rest += p->done[p->tasks.items[i]];
	if (!rest)
		return true;
	snprintf(text, sizeof(text),
		 "in the order of the trace, %" PRIu64 " more tasks run their first %" PRIu64
		 " events in all",
		 p->tasks.count - shown, rest);
	return add_step(w, text);
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
	uint32_t room = MAX_STEPS - pattern->length, event_count = 0;
	uint32_t *events = predictor__closure(p, &event_count);
	bool ok;

	*count = 0;
	w.steps = arena__alloc(&p->a->arena, MAX_STEPS * sizeof(*w.steps), 8);
	ok = events && w.steps;
	if (ok && count_runs(p, events, event_count) <= room)
		ok = add_runs(&w, events, event_count);
	else if (ok)
		ok = add_parts(&w, room);
	free(events);
	if (!ok || !add_waits(&w, pattern))
		return NULL;
	*count = w.count;
	return w.steps;
}
