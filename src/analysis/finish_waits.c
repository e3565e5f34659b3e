// SPDX-License-Identifier: GPL-2.0-or-later
/* Deadlocks among the requests still pending at the end of an event stream. */
#include "analysis/analysis_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "waitfor.h"

static int add_task(struct waitfor *w, const struct model *m, uint32_t task)
{
	const struct held_lock *held = model__held(m, task), *pending = model__pending(m, task);
	struct waitfor_wait wait = {
		.task = task, .state = 'D', .kernel_stack = NO_ID, .user_stack = NO_ID};
	int error = 0;

	for (uint32_t i = 0; !error && i < model__held_count(m, task); i++) {
		struct waitfor_owner owner = {task, held[i].instance, held[i].mode, true};

		error = waitfor__add_owner(w, &owner);
	}
	if (error || !pending)
		return error;
	wait.instance = pending->instance;
	wait.mode = pending->mode;
	wait.kernel_stack = pending->stack;
	wait.breakable = pending->flags & HELD_BREAKABLE ? WAIT_KILLABLE : WAIT_UNINTERRUPTIBLE;
	return waitfor__add_wait(w, &wait);
}

static void add_witnesses(struct analysis *a, struct finding *f)
{
	for (uint32_t i = 0; i < f->length; i++) {
		const struct held_lock *pending = model__pending(a->m, f->tasks[i].task);
		struct witness *w = &f->witnesses[i];
		uint32_t id;

		w->task = f->tasks[i].task;
		if (!pending)
			continue;
		id = model__find_dependency(a->m, f->tasks[i].holds[0], f->modes[i],
					    pending->instance, pending->mode);
		if (id == NO_ID)
			continue;
		w->dependency = id;
		w->chain = model__dependency(a->m, id)->first_chain;
		w->last_chain = model__dependency(a->m, id)->last_chain;
		w->class_edge = model__dependency(a->m, id)->class_edge;
	}
}

/* The order finding over the same locks would say less about the same thing: leave it out. */
static void cover(struct analysis *a, const struct finding *deadlock)
{
	struct finding copy = *deadlock;

	copy.kind = deadlock->length == 1   ? FINDING_RECURSION
		    : deadlock->length == 2 ? FINDING_INVERSION
					    : FINDING_CYCLE;
	copy.task_count = 0;
	for (uint32_t i = 0; i < copy.length; i++)
		copy.modes[i] = hold_mode(copy.modes[i]);
	if (finding__canonicalise(a, &copy)) {
		uint64_t hash = hash_bytes(copy.key, strlen(copy.key));

		if (idmap__get(&a->covered, hash) == IDMAP_NONE)
			idmap__put(&a->covered, hash, 1);
	}
}

static int add_deadlocks(struct analysis *a, const struct finding_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct finding copy = *list->items[i];
		struct finding *stored;

		stored = (struct finding *)analysis__add_finding(a, &copy);
		if (!stored)
			return -ENOMEM;
		add_witnesses(a, stored);
		cover(a, stored);
	}
	return 0;
}

int pending__finish(struct analysis *a)
{
	struct waitfor *w = waitfor__new(a->m);
	struct finding_list list = {0};
	int error = w ? 0 : -ENOMEM;

	for (uint32_t task = 0; !error && task < model__task_count(a->m); task++)
		error = add_task(w, a->m, task);
	if (!error) {
		error = waitfor__find_deadlocks(w, &list, model__clock(a->m)->end);
		error = error < 0 ? error : add_deadlocks(a, &list);
		a->stats.search_limited |= list.search_limited;
	}
	free(list.items);
	waitfor__free(w);
	return error;
}
