// SPDX-License-Identifier: GPL-2.0-or-later
/* What the census knows of each task: state, stack, since when it sleeps. */
#include <stdlib.h>
#include <string.h>

#include "census/census_private.h"
#include "capture/capture_private.h"
#include "contention_record.h"

#define STATE_STOPPED 4U
#define STATE_TRACED 8U
#define STATE_NOLOAD 0x400U
#define STATE_RTLOCK 0x1000U
#define KERNEL_THREAD 0x00200000U /* PF_KTHREAD */

struct census_task *census__task(struct census_run *r, uint64_t address)
{
	struct census_task *t;

	HASH_FIND(hh, r->tasks, &address, sizeof(address), t);
	return t;
}

struct census_task *census__task_of_pid(struct census_run *r, uint32_t pid)
{
	for (struct census_task *t = r->tasks; t; t = t->hh.next)
		if (t->record.tid == pid)
			return t;
	return NULL;
}

uint32_t census__task_id(struct census_run *r, struct census_task *t)
{
	const struct census_task_record *c = &t->record;

	if (t->id == NO_ID)
		t->id = model__add_task(r->model, c->pid, c->tid, c->comm, c->start_time,
					c->flags & KERNEL_THREAD ? TASK_KTHREAD : 0);
	return t->id;
}

char census__state_letter(uint32_t state)
{
	if (!state)
		return 'R';
	if (state & STATE_NOLOAD && state & STATE_UNINTERRUPTIBLE)
		return 'I';
	if (state & (STATE_UNINTERRUPTIBLE | STATE_RTLOCK))
		return state & STATE_WAKEKILL ? 'K' : 'D';
	if (state & STATE_INTERRUPTIBLE)
		return 'S';
	return state & STATE_TRACED ? 't' : state & STATE_STOPPED ? 'T' : '?';
}

uint8_t census__breakable(uint32_t state)
{
	if (state & STATE_INTERRUPTIBLE)
		return WAIT_INTERRUPTIBLE;
	return state & STATE_WAKEKILL ? WAIT_KILLABLE : WAIT_UNINTERRUPTIBLE;
}

int census__keep_frames(struct census_task *t, const uint64_t *frames, uint32_t count)
{
	uint64_t *copy = count ? malloc(count * sizeof(*copy)) : NULL;

	if (count && !copy)
		return -ENOMEM;
	free(t->frames);
	t->frames = copy;
	t->frame_count = count;
	if (count)
		memcpy(copy, frames, count * sizeof(*copy));
	return 0;
}

int census__add_task(void *context, const struct census_task_record *record, const uint64_t *frames,
		     const void *regs)
{
	struct census_run *r = context;
	struct census_task *t = census__task(r, record->task);

	(void)regs;
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		t->address = record->task;
		HASH_ADD(hh, r->tasks, address, sizeof(t->address), t);
	}
	t->record = *record;
	t->record.comm[sizeof(t->record.comm) - 1] = 0;
	t->id = t->kernel_stack = t->user_stack = NO_ID;
	return census__keep_frames(t, frames, record->frame_count);
}

/* Tasks say in scheduler time when they last ran; the one that runs now gives the difference. */
void census__relate_clocks(struct census_run *r)
{
	uint64_t latest = 0;

	for (struct census_task *t = r->tasks; t; t = t->hh.next)
		if (t->record.exec_start > latest)
			latest = t->record.exec_start;
	r->out->now = census_source__now(r->source);
	if (!r->out->now) /* an image without a clock that is known: the scheduler's must do */
		r->out->now = latest;
	r->sched_offset = (int64_t)(r->out->now - latest);
}

uint64_t census__asleep_since(const struct census_run *r, const struct census_task *t)
{
	return t->record.exec_start ? t->record.exec_start + (uint64_t)r->sched_offset : 0;
}

uint32_t census__add_stack(struct kernel *k, struct model *m, const uint64_t *frames,
			   uint32_t count)
{
	struct frame named[CENSUS_STACK] = {0};

	if (count > CENSUS_STACK)
		count = CENSUS_STACK;
	for (uint32_t i = 0; i < count; i++)
		kernel__fill_frame(k, frames[i], &named[i]);
	count = kernel__clean_frames(named, count); /* of tracing that there is, or was */
	return count ? model__add_stack(m, STACK_FULL, named, count) : NO_ID;
}

void census__name_stack(struct census_run *r, struct census_task *t)
{
	if (t->kernel_stack == NO_ID)
		t->kernel_stack = census__add_stack(r->kernel, r->model, t->frames, t->frame_count);
}
