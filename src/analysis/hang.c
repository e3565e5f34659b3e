// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks that a source says are blocked: one finding for each task and wait. A task that turns out
 * to be on a deadlock has no hang of its own, and who queues behind one lock is found together.
 */
#include "analysis/analysis_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITERS_NAMED 8

/* --- copies ----------------------------------------------------------------------------------- */

static struct task_wait *copy_wait(struct analysis *a, const struct task_wait *from)
{
	struct task_wait *wait = arena__alloc(&a->arena, sizeof(*wait), 8);
	size_t bytes = from->waiter_count * sizeof(*from->waiters);

	if (!wait)
		return NULL;
	*wait = *from;
	wait->site = from->site ? model__intern(a->m, from->site) : NULL;
	wait->waiters = bytes ? arena__alloc(&a->arena, bytes, 8) : NULL;
	if ((bytes && !wait->waiters) || (from->site && !wait->site))
		return NULL;
	if (bytes)
		memcpy(wait->waiters, from->waiters, bytes);
	return wait;
}

bool hang__copy_tasks(struct analysis *a, struct finding *f)
{
	struct blocked_task *tasks = arena__alloc(&a->arena, f->task_count * sizeof(*tasks) + 1, 8);

	if (!tasks)
		return false;
	for (uint32_t i = 0; i < f->task_count; i++) {
		tasks[i] = f->tasks[i];
		tasks[i].wait = tasks[i].wait ? copy_wait(a, tasks[i].wait) : NULL;
		if (f->tasks[i].wait && !tasks[i].wait)
			return false;
	}
	f->tasks = f->task_count ? tasks : NULL;
	return true;
}

/* --- one finding ------------------------------------------------------------------------------ */

/* The task, the kind of wait, the lock and the function that it is in: not how far it got there. */
static char *make_key(const struct analysis *a, const struct blocked_task *t)
{
	const struct task *task = model__task(a->m, t->task);
	const struct task_wait *wait = t->wait;
	const char *site = wait->site ? wait->site : "";
	char *key = NULL;

	if (asprintf(&key, "hang|%" PRIu32 ":%s|%s|%s|%.*s", task->tid, task->comm,
		     wait_what_names[wait->what],
		     wait->lock_class == NO_ID ? ""
					       : model__lock_class(a->m, wait->lock_class)->name,
		     (int)strcspn(site, "+ "), site) < 0)
		return NULL;
	return key;
}

const struct finding *analysis__add_hang(struct analysis *a, const struct blocked_task *task,
					 uint64_t time, const char *missing)
{
	enum finding_code code =
		wait_what__is_lock(task->wait->what) ? CODE_HUNG_ON_LOCK : CODE_HUNG_ELSEWHERE;
	uint32_t lock_class = task->wait->lock_class;
	uint8_t mode = task->wants_mode;
	struct blocked_task copy = *task;
	struct finding f = {.kind = FINDING_HANG,
			    .code = code,
			    .grade = grade_of(code),
			    .classes = &lock_class,
			    .modes = &mode,
			    .length = lock_class != NO_ID,
			    .tasks = &copy,
			    .task_count = 1,
			    .prediction_note =
				    "a task that is blocked; there is no order to replay",
			    .missing = missing,
			    .first = time,
			    .last = time,
			    .count = 1};
	const struct finding *stored;
	char *key = make_key(a, task);

	f.key = key;
	stored = key ? analysis__add_finding(a, &f) : NULL;
	free(key);
	return stored;
}

/* The same wait reported again: counted, and what is known best of it stays. */
void hang__merge(struct finding *into, const struct finding *again)
{
	struct task_wait *before = into->tasks[0].wait, *after = again->tasks[0].wait;

	if (after->owner.task == NO_ID)
		after->owner = before->owner;
	if (after->blocked_ns >= before->blocked_ns) {
		into->tasks = again->tasks;
		into->witnesses = again->witnesses;
	} else if (before->owner.task == NO_ID) {
		before->owner = after->owner;
	}
	if (!again->missing)
		into->missing = NULL;
	if (!into->first || (again->first && again->first < into->first))
		into->first = again->first;
	into->last = again->last > into->last ? again->last : into->last;
	into->count += again->count;
}

/* --- all of them ------------------------------------------------------------------------------ */

static bool mark_deadlocked(const struct analysis *a, uint8_t *on_deadlock)
{
	bool any = false;

	for (uint32_t i = 0; i < a->list.count; i++) {
		const struct finding *f = a->list.items[i];

		for (uint32_t k = 0; f->code == CODE_DEADLOCK && k < f->task_count; k++) {
			if (f->tasks[k].task < model__task_count(a->m))
				on_deadlock[f->tasks[k].task] = 1;
			any = true;
		}
	}
	return any;
}

static bool all_from_sites(const struct analysis *a, const struct finding *f)
{
	for (uint32_t i = 0; i < f->length; i++)
		if (!(model__lock_class(a->m, f->classes[i])->flags & CLASS_FROM_SITE))
			return false;
	return f->length > 0;
}

/*
 * What a deadlock of the list says already: that its tasks hang, and the order of locks that are
 * known by nothing but who waits for them, unless that was reported live before.
 */
static bool is_said(const struct analysis *a, const struct finding *f, const uint8_t *on_deadlock)
{
	if (f->kind == FINDING_HANG)
		return on_deadlock[f->tasks[0].task];
	return f->kind != FINDING_DEADLOCK && !a->options.on_finding && all_from_sites(a, f) &&
	       is_covered(a, f->key);
}

static int drop_said(struct analysis *a)
{
	uint8_t *on_deadlock = calloc(model__task_count(a->m) + 1ULL, 1);
	int error = on_deadlock ? 0 : -ENOMEM;
	uint32_t kept = 0, count = a->list.count;

	if (!error && mark_deadlocked(a, on_deadlock)) {
		for (uint32_t i = 0; i < count; i++) {
			if (is_said(a, a->list.items[i], on_deadlock))
				continue;
			a->runs.items[kept] = a->runs.items[i];
			a->list.items[kept++] = a->list.items[i];
		}
		a->list.count = kept;
		a->runs.count = kept;
		if (kept < count)
			error = analysis__index_keys(a);
	}
	free(on_deadlock);
	return error;
}

/* A hang that waits for an instance which others may wait for too. */
struct queued {
	uint32_t wants, finding;
	uint64_t blocked_ns;
};

static int compare_queued(const void *a, const void *b)
{
	const struct queued *x = a, *y = b;

	if (x->wants != y->wants)
		return x->wants < y->wants ? -1 : 1;
	if (x->blocked_ns != y->blocked_ns)
		return x->blocked_ns > y->blocked_ns ? -1 : 1;
	return x->finding < y->finding ? -1 : 1;
}

/* Who has the lock is known of all that wait for it, as soon as it is of one. */
static void share_owner(struct analysis *a, const struct queued *queue, uint32_t count)
{
	const struct other_task *owner = NULL;

	for (uint32_t i = 0; !owner && i < count; i++) {
		const struct task_wait *wait = a->list.items[queue[i].finding]->tasks[0].wait;

		owner = wait->owner.task == NO_ID ? NULL : &wait->owner;
	}
	for (uint32_t i = 0; owner && i < count; i++) {
		struct blocked_task *t = a->list.items[queue[i].finding]->tasks;

		if (t->wait->owner.task == NO_ID && t->task != owner->task)
			t->wait->owner = *owner;
	}
}

static int name_waiters(struct analysis *a, const struct queued *queue, uint32_t count,
			uint32_t own)
{
	struct blocked_task *t = a->list.items[queue[own].finding]->tasks;
	uint32_t room = count - 1 < WAITERS_NAMED ? count - 1 : WAITERS_NAMED;

	if (!room || t->wait->waiter_count)
		return 0;
	t->wait->waiters = arena__alloc(&a->arena, room * sizeof(*t->wait->waiters), 8);
	if (!t->wait->waiters)
		return -ENOMEM;
	for (uint32_t i = 0; t->wait->waiter_count < room; i++) {
		const struct blocked_task *other = a->list.items[queue[i].finding]->tasks;

		if (i != own)
			t->wait->waiters[t->wait->waiter_count++] =
				(struct other_task){other->task, other->state, other->kernel_stack,
						    other->wait->blocked_ns};
	}
	t->wait->more_waiters = count - 1 - room;
	return 0;
}

static int name_all_waiters(struct analysis *a)
{
	struct queued *queue = calloc(a->list.count + 1ULL, sizeof(*queue));
	uint32_t count = 0, end;
	int error = queue ? 0 : -ENOMEM;

	for (uint32_t i = 0; queue && i < a->list.count; i++) {
		const struct finding *f = a->list.items[i];

		if (f->kind == FINDING_HANG && f->tasks[0].wants != NO_ID)
			queue[count++] =
				(struct queued){f->tasks[0].wants, i, f->tasks[0].wait->blocked_ns};
	}
	if (count)
		qsort(queue, count, sizeof(*queue), compare_queued);
	for (uint32_t start = 0; !error && start < count; start = end) {
		for (end = start; end < count && queue[end].wants == queue[start].wants; end++)
			;
		share_owner(a, queue + start, end - start);
		for (uint32_t i = start; !error && i < end; i++)
			error = name_waiters(a, queue + start, end - start, i - start);
	}
	free(queue);
	return error;
}

int hangs__finish(struct analysis *a)
{
	int error = drop_said(a);

	return error ? error : name_all_waiters(a);
}
