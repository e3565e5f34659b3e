// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Order by fork and join alone: a task's events between two of them form a segment; a segment's
 * clock says how many segments of every other task lie entirely before it.
 */
#include "analysis/forkjoin.h"

#include <stdlib.h>
#include <string.h>

/* Above this many clock entries nothing is called ordered (64 Mi entries, 256 MiB). */
#define CLOCK_LIMIT (64u << 20)

struct segment {
	uint32_t task, index;
	uint32_t *clock;
};

struct forkjoin {
	uint32_t tasks;
	VECTOR(struct segment) segments;
	uint32_t *current; /* by task: segment, NO_ID before the first event */
	struct arena arena;
	bool too_big;
};

struct forkjoin *forkjoin__new(uint32_t tasks)
{
	struct forkjoin *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->tasks = tasks;
	f->current = malloc((tasks + 1) * sizeof(*f->current));
	if (!f->current) {
		forkjoin__free(f);
		return NULL;
	}
	memset(f->current, 0xff, (tasks + 1) * sizeof(*f->current));
	return f;
}

void forkjoin__free(struct forkjoin *f)
{
	if (!f)
		return;
	free(f->segments.items);
	free(f->current);
	arena__release(&f->arena);
	free(f);
}

/* Next segment of a task: after what it has done so far, and after `after` if that is one. */
static void advance(struct forkjoin *f, uint32_t task, uint32_t after)
{
	uint32_t before = f->current[task];
	struct segment fresh = {.task = task};
	const struct segment *own, *other;

	if (f->too_big || (f->segments.count + 1) * f->tasks > CLOCK_LIMIT) {
		f->too_big = true;
		return;
	}
	fresh.clock = arena__alloc(&f->arena, f->tasks * sizeof(*fresh.clock), 4);
	if (!fresh.clock || !vector_reserve(&f->segments, f->segments.count + 1)) {
		f->too_big = true;
		return;
	}
	own = before == NO_ID ? NULL : &f->segments.items[before];
	other = after == NO_ID ? NULL : &f->segments.items[after];
	for (uint32_t t = 0; t < f->tasks; t++) {
		uint32_t a = own ? own->clock[t] : 0, b = other ? other->clock[t] : 0;

		fresh.clock[t] = a > b ? a : b;
	}
	if (other && fresh.clock[other->task] <= other->index)
		fresh.clock[other->task] = other->index + 1;
	if (own)
		fresh.index = own->index + 1;
	f->current[task] = (uint32_t)f->segments.count;
	f->segments.items[f->segments.count++] = fresh;
}

uint32_t forkjoin__step(struct forkjoin *f, const struct trace_event *event)
{
	uint32_t segment;

	if (f->current[event->task] == NO_ID)
		advance(f, event->task, NO_ID);
	segment = f->current[event->task];
	if (event->operand >= f->tasks || f->too_big)
		return f->too_big ? NO_ID : segment;
	if (event->op == EVENT_FORK) {
		advance(f, event->operand, segment);
		advance(f, event->task, NO_ID);
	} else if (event->op == EVENT_JOIN && f->current[event->operand] != NO_ID) {
		advance(f, event->task, f->current[event->operand]);
		/* whatever the joined task still does is not before the join */
		advance(f, event->operand, NO_ID);
	}
	return segment;
}

bool forkjoin__concurrent(const struct forkjoin *f, uint32_t segment, uint32_t other)
{
	const struct segment *a, *b;

	if (!f || f->too_big || segment == NO_ID || other == NO_ID)
		return true;
	a = &f->segments.items[segment];
	b = &f->segments.items[other];
	/* one task twice: only when tasks stand for each other */
	if (a->task == b->task)
		return true;
	return a->clock[b->task] <= b->index && b->clock[a->task] <= a->index;
}
