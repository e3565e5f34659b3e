// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Order by fork and join alone: a task's events between two of them form a segment; a segment's
 * clock says how many segments of every other task lie entirely before it.
 */
#include "analysis/forkjoin.h"

#include <stdlib.h>
#include <string.h>

/* Above this many clock entries no further segment is told apart (32 Mi entries, 256 MiB). */
#define CLOCK_LIMIT (32u << 20)

/* How many segments of a task lie entirely before this one. */
struct tick {
	uint32_t task, before;
};

/* By rising task; tasks that are not listed have none before. Shared where nothing was added. */
struct clock {
	uint32_t count;
	struct tick ticks[];
};

struct segment {
	uint32_t task, index;
	const struct clock *clock; /* NULL: nothing of any other task lies before */
};

struct forkjoin {
	uint32_t tasks;
	VECTOR(struct segment) segments;
	uint32_t *current; /* by task: segment, NO_ID before the first event */
	struct arena arena;
	uint64_t entries, limit;
	bool too_big;
};

struct forkjoin *forkjoin__new(const struct analysis *a)
{
	struct forkjoin *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->tasks = model__task_count(a->m);
	f->limit = budget_of(a, CLOCK_LIMIT);
	f->current = malloc((f->tasks + 1ULL) * sizeof(*f->current));
	if (!f->current) {
		forkjoin__free(f);
		return NULL;
	}
	memset(f->current, 0xff, (f->tasks + 1ULL) * sizeof(*f->current));
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

static void put_tick(struct clock *clock, uint32_t task, uint32_t before)
{
	struct tick *last = clock->count ? &clock->ticks[clock->count - 1] : NULL;

	if (!last || last->task != task)
		clock->ticks[clock->count++] = (struct tick){task, before};
	else if (last->before < before)
		last->before = before;
}

/* Both clocks together, and everything up to `after` itself. NULL: too big, or no memory. */
static const struct clock *merge(struct forkjoin *f, const struct clock *own,
				 const struct segment *after)
{
	static const struct clock none;
	const struct clock *other = after->clock ? after->clock : &none;
	struct tick itself = {after->task, after->index + 1};
	uint32_t size, i = 0, j = 0, k = 0;
	struct clock *clock;

	own = own ? own : &none;
	size = own->count + other->count + 1;
	f->entries += size;
	clock = f->entries > f->limit
			? NULL
			: arena__alloc(&f->arena, sizeof(*clock) + size * sizeof(struct tick),
				       _Alignof(struct clock));
	while (clock && (i < own->count || j < other->count || !k)) {
		uint32_t a = i < own->count ? own->ticks[i].task : NO_ID;
		uint32_t b = j < other->count ? other->ticks[j].task : NO_ID;

		if (!k && itself.task <= a && itself.task <= b) {
			put_tick(clock, itself.task, itself.before);
			k++;
		} else if (a <= b) {
			put_tick(clock, a, own->ticks[i++].before);
		} else {
			put_tick(clock, b, other->ticks[j++].before);
		}
	}
	return clock;
}

/* Next segment of a task: after what it has done so far, and after `after` if that is one. */
static void advance(struct forkjoin *f, uint32_t task, uint32_t after)
{
	uint32_t before = f->current[task];
	struct segment fresh = {.task = task};

	if (f->too_big)
		return;
	if (before != NO_ID) {
		fresh.clock = f->segments.items[before].clock;
		fresh.index = f->segments.items[before].index + 1;
	}
	if (after != NO_ID) {
		fresh.clock = merge(f, fresh.clock, &f->segments.items[after]);
		f->too_big = !fresh.clock;
	}
	f->too_big |= f->segments.count + 1 >= NO_ID ||
		      !vector_reserve(&f->segments, f->segments.count + 1);
	if (f->too_big)
		return;
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

bool forkjoin__orders_any(const struct forkjoin *f)
{
	return f && (f->entries || f->too_big);
}

/* How many segments of `task` lie entirely before this one? */
static uint32_t before(const struct segment *segment, uint32_t task)
{
	uint32_t low = 0, high = segment->clock ? segment->clock->count : 0;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (segment->clock->ticks[middle].task < task)
			low = middle + 1;
		else
			high = middle;
	}
	if (!segment->clock || low == segment->clock->count ||
	    segment->clock->ticks[low].task != task)
		return 0;
	return segment->clock->ticks[low].before;
}

enum fork_order forkjoin__order(const struct forkjoin *f, uint32_t segment, uint32_t other)
{
	const struct segment *a, *b;

	if (!f)
		return ORDER_NONE;
	if (segment == NO_ID || other == NO_ID)
		return f->too_big ? ORDER_UNDECIDED : ORDER_NONE;
	a = &f->segments.items[segment];
	b = &f->segments.items[other];
	/* one task twice: only when tasks stand for each other */
	if (a->task == b->task)
		return ORDER_NONE;
	return before(b, a->task) > a->index ? ORDER_BEFORE : ORDER_NONE;
}
