// SPDX-License-Identifier: GPL-2.0-or-later
/* From the locks that were found to the wait-for graph: who has each, who waits, with stacks. */
#include <stdlib.h>
#include <string.h>

#include "census/census_private.h"
#include "census/user_stack.h"

#define READS 10 /* of a wait list that changes each time */

/* -ENOMEM only. A lock that cannot be read is gone; one that never stands still is looked at no
 * further. */
static int read_lock(struct census_run *r, struct census_known_lock *l)
{
	const char *name;
	int err = 0;

	for (int i = 0; i < READS; i++) {
		lock_state__release(&l->state);
		err = lock_state__read(&l->state, r->memory, &r->layout, l->kind, l->address);
		if (err || !l->state.changed || l->state.cut)
			break;
	}
	if (err || l->state.changed)
		r->out->changed_while_walked = true;
	if (err || !l->state.changed)
		return err == -ENOMEM ? err : 0;
	name = model__lock_class(r->model, model__instance(r->model, l->instance)->lock_class)
		       ->name;
	if (l->state.cut)
		census__gap(r, "tasks behind the first %u that wait for %s; end some, look again",
			    LOCK_MAX_WAITERS, name);
	else
		census__gap(r, "all who wait for %s: they came and went each time; look again",
			    name);
	return 0;
}

int census__read_locks(struct census_run *r)
{
	struct census_known_lock *l, *next;

	HASH_ITER(hh, r->locks, l, next) {
		int err = read_lock(r, l);

		if (err)
			return err;
		for (uint32_t i = 0; i < l->state.waiter_count; i++) {
			struct census_task *t = census__task(r, l->state.waiters[i].task);

			if (t)
				t->is_waiter = true;
		}
	}
	for (uint32_t i = 0; i < r->extra_wait_count; i++) {
		struct census_task *t = census__task(r, r->extra_waits[i].task);

		if (t)
			t->is_waiter = true;
	}
	return 0;
}

static int add_detail(void *context, const struct census_task_record *record,
		      const uint64_t *frames, const void *regs)
{
	struct census_run *r = context;
	struct census_task *t = census__task(r, record->task);

	if (!t || t->record.tid != record->tid)
		return 0;
	if (record->frame_count && census__keep_frames(t, frames, record->frame_count))
		return -ENOMEM;
	if (regs && r->options->user_stacks && r->user_stacks++ < CENSUS_USER_STACKS)
		t->user_stack = user_stack__take(r->model, record->pid, record->tid, regs,
						 record->reg_bytes);
	return 0;
}

/* Owners may be doing anything: their stacks, and the user stacks of all, in a second look. */
int census__look_closer(struct census_run *r)
{
	uint64_t wanted[1024];
	uint32_t count = 0;

	for (struct census_task *t = r->tasks; t && count < 1024; t = t->hh.next)
		if (t->is_waiter)
			wanted[count++] = t->address;
	for (struct census_known_lock *l = r->locks; l && count < 1024; l = l->hh.next)
		if (l->state.owner && l->state.waiter_count)
			wanted[count++] = l->state.owner;
	return count ? census_source__tasks(r->source, wanted, count, add_detail, r) : 0;
}

static int add_wait(struct census_run *r, const struct census_known_lock *l, uint64_t task,
		    bool shared)
{
	struct census_task *t = census__task(r, task);
	struct waitfor_wait wait = {
		.instance = l->instance,
		.mode = shared ? LOCK_SHARED : LOCK_EXCLUSIVE,
	};

	if (!t) /* came after the list of tasks was made */
		return 0;
	census__name_stack(r, t);
	wait.task = census__task_id(r, t);
	wait.breakable = census__breakable(t->record.state);
	wait.state = census__state_letter(t->record.state);
	wait.since = census__asleep_since(r, t);
	wait.kernel_stack = t->kernel_stack;
	wait.user_stack = t->user_stack;
	return waitfor__add_wait(r->out->waitfor, &wait);
}

static int add_owner(struct census_run *r, const struct census_known_lock *l, uint64_t task,
		     bool certain, bool shared, uint32_t *id)
{
	struct census_task *t = census__task(r, task);
	struct waitfor_owner owner = {
		.instance = l->instance,
		.mode = shared ? LOCK_SHARED : LOCK_EXCLUSIVE,
		.certain = certain,
	};

	if (!t)
		return 0;
	census__name_stack(r, t);
	owner.task = *id = census__task_id(r, t);
	return waitfor__add_owner(r->out->waitfor, &owner);
}

static int add_lock_to_graph(struct census_run *r, const struct census_known_lock *l)
{
	const struct lock_state *s = &l->state;
	struct census *out = r->out;
	struct census_lock *row = &out->locks[out->lock_count];
	int err = 0;

	*row = (struct census_lock){
		.instance = l->instance,
		.kind = l->kind,
		.owner = NO_ID,
		.readers = s->readers,
		.waiter_count = s->waiter_count,
	};
	if (s->owner && !s->handed_over)
		err = add_owner(r, l, s->owner, s->certain, false, &row->owner);
	else if (s->last_reader)
		err = add_owner(r, l, s->last_reader, false, true, &row->owner);
	for (uint32_t i = 0; i < r->options->hold_count && !err; i++) {
		const struct census_hold *hold = &r->options->holds[i];
		uint32_t id;

		if (hold->lock == l->address && hold->shared &&
		    census__holds_shared(r, hold->task, l->address, s))
			err = add_owner(r, l, hold->task, true, true, &id);
	}
	for (uint32_t i = 0; i < s->waiter_count && !err; i++)
		err = add_wait(r, l, s->waiters[i].task, s->waiters[i].shared);
	for (uint32_t i = 0; i < r->extra_wait_count && !err; i++)
		if (r->extra_waits[i].lock == l->address) {
			row->waiter_count++;
			err = add_wait(r, l, r->extra_waits[i].task, r->extra_waits[i].shared);
		}
	out->lock_count++;
	return err;
}

int census__build_graph(struct census_run *r)
{
	struct census *out = r->out;
	int err = 0;

	out->waitfor = waitfor__new(r->model);
	out->locks = calloc(HASH_COUNT(r->locks) + 1, sizeof(*out->locks));
	if (!out->waitfor || !out->locks)
		return -ENOMEM;
	for (struct census_known_lock *l = r->locks; l && !err; l = l->hh.next)
		err = add_lock_to_graph(r, l);
	return err;
}

/* D state, but not waiting for any lock above: I/O, a completion, a semaphore. */
int census__list_blocked(struct census_run *r)
{
	struct census *out = r->out;
	uint32_t room = HASH_COUNT(r->tasks);

	out->blocked_tasks = calloc(room + 1, sizeof(*out->blocked_tasks));
	out->blocked_stacks = calloc(room + 1, sizeof(*out->blocked_stacks));
	if (!out->blocked_tasks || !out->blocked_stacks)
		return -ENOMEM;
	for (struct census_task *t = r->tasks; t; t = t->hh.next) {
		char letter = census__state_letter(t->record.state);

		if (t->is_waiter || (letter != 'D' && letter != 'K'))
			continue;
		census__name_stack(r, t);
		out->blocked_tasks[out->blocked_count] = census__task_id(r, t);
		out->blocked_stacks[out->blocked_count++] = t->kernel_stack;
	}
	return 0;
}
