// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No false alarm: the census reads one thing after the other while the machine runs, so a cycle may
 * be made of moments that never were together. A task that did not run between two looks (same
 * number of context switches, not on a CPU, not runnable) changed nothing in between: neither what
 * it holds nor what it waits for. So: note the counts of every task on the cycle, read every link
 * again, and compare the counts. If all stood still, all links were true at the same time.
 */
#include <stdlib.h>
#include <string.h>

#include "census/census_private.h"

#define MAX_CYCLE 256
#define TRIES 3

struct run_state {
	uint64_t switches;
	uint32_t state, tid;
	uint32_t on_cpu, reserved; /* no padding: compared as bytes */
};

/* An int, since 7.x a byte directly before on_rq. */
static uint32_t on_cpu(const struct census_run *r, uint64_t task)
{
	uint8_t byte = 0;

	if (r->offset[AT_TASK_ON_RQ] != r->offset[AT_TASK_ON_CPU] + 1)
		return census__number(r, task, AT_TASK_ON_CPU);
	memory__read(r->memory, task + (uint64_t)r->offset[AT_TASK_ON_CPU], &byte, 1);
	return byte;
}

/* On a CPU first: a task that left one has counted its switch before. */
static struct run_state run_state(const struct census_run *r, uint64_t task)
{
	struct run_state s = {.on_cpu = on_cpu(r, task)};

	s.switches =
		census__pointer(r, task, AT_TASK_NVCSW) + census__pointer(r, task, AT_TASK_NIVCSW);
	s.state = census__number(r, task, AT_TASK_STATE);
	s.tid = census__number(r, task, AT_TASK_TID);
	return s;
}

bool census__ran_since(const struct census_run *r, const struct census_task *t)
{
	struct run_state now = run_state(r, t->address);

	return now.switches != t->record.switches || now.on_cpu || now.state != t->record.state ||
	       now.tid != t->record.tid;
}

struct census_task *census__task_of_id(const struct census_run *r, uint32_t id)
{
	for (struct census_task *t = r->tasks; t; t = t->hh.next)
		if (t->id == id)
			return t;
	return NULL;
}

const struct census_known_lock *census__lock_of_instance(const struct census_run *r,
							 uint32_t instance)
{
	for (const struct census_known_lock *l = r->locks; l; l = l->hh.next)
		if (l->instance == instance)
			return l;
	return NULL;
}

bool census__is_extra_wait(const struct census_run *r, uint64_t task, uint64_t lock)
{
	for (uint32_t i = 0; i < r->extra_wait_count; i++)
		if (r->extra_waits[i].task == task && r->extra_waits[i].lock == lock)
			return true;
	return false;
}

bool census__holds_shared(const struct census_run *r, uint64_t task, uint64_t lock,
			  const struct lock_state *state)
{
	uint32_t entries = 0, waits = census__is_extra_wait(r, task, lock);

	for (uint32_t i = 0; i < r->options->hold_count; i++)
		entries += r->options->holds[i].task == task && r->options->holds[i].lock == lock &&
			   r->options->holds[i].shared;
	for (uint32_t i = 0; i < state->waiter_count && !waits; i++)
		waits = state->waiters[i].task == task;
	return state->readers && entries > waits;
}

/*
 * `waiter` waits for the lock, and `owner` has it, or stands in the queue before the waiter (a
 * reader behind a queued writer waits for that writer).
 */
static bool link_holds(const struct census_run *r, uint32_t instance, uint64_t waiter,
		       uint64_t owner, bool hints)
{
	const struct census_known_lock *lock = census__lock_of_instance(r, instance);
	bool waits = false, owns, before = false;
	struct lock_state state;

	if (!lock || lock_state__read(&state, r->memory, &r->layout, lock->kind, lock->address))
		return false;
	owns = (state.certain && state.owner == owner) ||
	       (hints && state.readers && state.last_reader == owner) ||
	       census__holds_shared(r, owner, lock->address, &state);
	for (uint32_t i = 0; i < state.waiter_count; i++) {
		waits |= state.waiters[i].task == waiter;
		before |= !waits && state.waiters[i].task == owner;
	}
	lock_state__release(&state);
	waits |= census__is_extra_wait(r, waiter, lock->address);
	return waits && (owns || (before && lock->kind == LOCK_KIND_RWSEM));
}

static bool confirm_once(const struct census_run *r, const struct finding *f,
			 struct census_task *const *tasks)
{
	struct run_state before[MAX_CYCLE];
	uint32_t n = f->task_count;

	for (uint32_t i = 0; i < n; i++) {
		before[i] = run_state(r, tasks[i]->address);
		if (before[i].on_cpu || !before[i].state || before[i].tid != tasks[i]->record.tid)
			return false;
	}
	for (uint32_t i = 0; i < n; i++)
		if (!link_holds(r, f->tasks[i].wants, tasks[i]->address,
				tasks[(i + 1) % n]->address, f->code == CODE_POSSIBLE_DEADLOCK))
			return false;
	for (uint32_t i = 0; i < n; i++) {
		struct run_state after = run_state(r, tasks[i]->address);

		if (before[i].switches != after.switches || before[i].state != after.state ||
		    before[i].tid != after.tid || before[i].on_cpu != after.on_cpu)
			return false;
	}
	return true;
}

bool census__confirm(struct census_run *r, const struct finding *f)
{
	struct census_task *tasks[MAX_CYCLE];

	if (!f->task_count || f->task_count > MAX_CYCLE)
		return false;
	for (uint32_t i = 0; i < f->task_count; i++) {
		tasks[i] = census__task_of_id(r, f->tasks[i].task);
		if (!tasks[i])
			return false;
	}
	for (int i = 0; i < TRIES; i++)
		if (confirm_once(r, f, tasks))
			return true;
	return false;
}
