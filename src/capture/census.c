// SPDX-License-Identifier: GPL-2.0-or-later
/* The census: one look at everything, see census.h for what and census_internal.h for the steps. */
#include "census.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/census_internal.h"
#include "capture/user_stack.h"
#include "contention_record.h"

#define STATE_STOPPED 4U
#define STATE_TRACED 8U
#define STATE_NOLOAD 0x400U
#define STATE_RTLOCK 0x1000U
#define MAX_USER_STACKS 64U
#define KERNEL_THREAD 0x00200000U /* PF_KTHREAD */

static char error_text[256];

const char *census__error(void)
{
	return error_text;
}

void census__note(struct census_run *r, const char *format, ...)
{
	struct census *out = r->out;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (out->note_count < sizeof(out->notes) / sizeof(*out->notes))
		out->notes[out->note_count++] = model__intern(r->model, text);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* --- tasks
 * ------------------------------------------------------------------------------------------------
 */

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

static uint8_t breakable(uint32_t state)
{
	if (state & STATE_INTERRUPTIBLE)
		return WAIT_INTERRUPTIBLE;
	return state & STATE_WAKEKILL ? WAIT_KILLABLE : WAIT_UNINTERRUPTIBLE;
}

static int keep_frames(struct census_task *t, const uint64_t *frames, uint32_t count)
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

static int add_task(void *context, const struct census_task_record *record, const uint64_t *frames,
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
	return keep_frames(t, frames, record->frame_count);
}

/* Tasks say in scheduler time when they last ran; the one that runs now gives the difference. */
static void relate_clocks(struct census_run *r)
{
	uint64_t latest = 0;

	for (struct census_task *t = r->tasks; t; t = t->hh.next)
		if (t->record.exec_start > latest)
			latest = t->record.exec_start;
	r->sched_offset = (int64_t)(now_ns() - latest);
}

static uint64_t asleep_since(const struct census_run *r, const struct census_task *t)
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
	return count ? model__add_stack(m, STACK_FULL, named, count) : NO_ID;
}

static void name_stack(struct census_run *r, struct census_task *t)
{
	if (t->kernel_stack == NO_ID)
		t->kernel_stack = census__add_stack(r->kernel, r->model, t->frames, t->frame_count);
}

/* --- locks and waits
 * ---------------------------------------------------------------------------------------- */

static int read_locks(struct census_run *r)
{
	struct census_known_lock *l, *next;

	HASH_ITER(hh, r->locks, l, next) {
		int err = lock_state__read(&l->state, r->memory, &r->layout, l->kind, l->address);

		if (err == -ENOMEM)
			return err;
		if (err || l->state.changed)
			r->out->changed_while_walked = true;
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
	if (record->frame_count && keep_frames(t, frames, record->frame_count))
		return -ENOMEM;
	if (regs && r->options->user_stacks && r->user_stacks++ < MAX_USER_STACKS)
		t->user_stack = user_stack__take(r->model, record->pid, record->tid, regs,
						 record->reg_bytes);
	return 0;
}

/* Owners may be doing anything: their stacks, and the user stacks of all, in a second look. */
static int look_closer(struct census_run *r)
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
	name_stack(r, t);
	wait.task = census__task_id(r, t);
	wait.breakable = breakable(t->record.state);
	wait.state = census__state_letter(t->record.state);
	wait.since = asleep_since(r, t);
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
	name_stack(r, t);
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

		if (hold->lock == l->address && hold->shared && s->readers)
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

static int build_graph(struct census_run *r)
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
static int list_blocked(struct census_run *r)
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
		name_stack(r, t);
		out->blocked_tasks[out->blocked_count] = census__task_id(r, t);
		out->blocked_stacks[out->blocked_count++] = t->kernel_stack;
	}
	return 0;
}

/* --- life cycle
 * ---------------------------------------------------------------------------------------------- */

static int open_source(struct census_run *r)
{
	int err = 0;

	r->source = r->options->source ? r->options->source : census_source__open(r->kernel, &err);
	if (!r->source) {
		snprintf(error_text, sizeof(error_text),
			 "cannot load the census programs: %s; needs root (CAP_BPF, CAP_PERFMON, "
			 "CAP_SYS_ADMIN) and a kernel with BTF",
			 strerror(-err));
		return err;
	}
	r->memory = census_source__memory(r->source);
	census__find_offsets(r);
	err = lock_layout__init(&r->layout, r->kernel);
	if (err)
		snprintf(error_text, sizeof(error_text),
			 "this kernel's mutex or rwsem has no layout "
			 "that is known here");
	return err ? -ENOTSUP : 0;
}

static int run_steps(struct census_run *r)
{
	int err = census_source__tasks(r->source, NULL, 0, add_task, r);

	if (err)
		return err;
	relate_clocks(r);
	err = census__find_objects(r);
	if (!err)
		err = census__find_waits(r);
	if (!err)
		err = read_locks(r);
	if (!err)
		err = look_closer(r);
	if (!err)
		err = build_graph(r);
	if (r->user_stacks > MAX_USER_STACKS)
		census__note(r, "user stacks were taken of the first %u tasks only",
			     MAX_USER_STACKS);
	return err || !r->options->stacks_of_blocked ? err : list_blocked(r);
}

static void set_clock(struct model *m, uint64_t start, uint64_t end)
{
	struct timespec real;

	clock_gettime(CLOCK_REALTIME, &real);
	*model__clock(m) = (struct model_clock){
		.realtime_offset =
			(int64_t)real.tv_sec * 1000000000LL + real.tv_nsec - (int64_t)now_ns(),
		.start = start,
		.end = end,
		.has_time = true,
	};
}

struct census *census__run(const struct census_options *options, int *error)
{
	struct census *c = calloc(1, sizeof(*c));
	struct census_run *r = calloc(1, sizeof(*r));
	uint64_t start = now_ns();
	int err = -ENOMEM;

	error_text[0] = 0;
	if (!c || !r) {
		free(r);
		goto cleanup;
	}
	*r = (struct census_run){
		.copy = *options,
		.options = &r->copy,
		.kernel = options->kernel,
		.model = options->model,
		.out = c,
		.owns_source = !options->source,
	};
	c->run = r;
	err = open_source(r);
	if (!err)
		err = run_steps(r);
	c->duration_ns = now_ns() - start;
	if (!err && !model__clock(r->model)->has_time)
		set_clock(r->model, start, now_ns());
cleanup:
	*error = err;
	if (!err)
		return c;
	if (!error_text[0])
		snprintf(error_text, sizeof(error_text), "census: %s", strerror(-err));
	census__free(c);
	return NULL;
}

static int add_finding(struct finding_list *out, struct finding *f)
{
	struct finding **more;

	if (out->count == out->capacity) {
		uint32_t capacity = out->capacity ? out->capacity * 2 : 4;

		more = realloc(out->items, capacity * sizeof(*more));
		if (!more)
			return -ENOMEM;
		out->items = more;
		out->capacity = capacity;
	}
	out->items[out->count++] = f;
	return 0;
}

int census__find_deadlocks(struct census *c, struct finding_list *out, uint64_t now)
{
	struct finding_list all = {0};
	int err = waitfor__find_deadlocks(c->waitfor, &all, now), added = 0;

	for (uint32_t i = 0; i < all.count && err >= 0; i++) {
		if (!census__confirm(c->run, all.items[i]))
			continue;
		err = add_finding(out, all.items[i]);
		added += err >= 0;
	}
	free(all.items);
	return err < 0 ? err : added;
}

static void free_run(struct census_run *r)
{
	struct census_task *t, *next_task;
	struct census_object *o, *next_object;
	struct census_known_lock *l, *next_lock;

	if (!r)
		return;
	HASH_ITER(hh, r->tasks, t, next_task) {
		HASH_DEL(r->tasks, t);
		free(t->frames);
		free(t);
	}
	HASH_ITER(hh, r->objects, o, next_object) {
		HASH_DEL(r->objects, o);
		free(o);
	}
	HASH_ITER(hh, r->locks, l, next_lock) {
		HASH_DEL(r->locks, l);
		lock_state__release(&l->state);
		free(l);
	}
	free(r->extra_waits);
	if (r->owns_source)
		census_source__close(r->source);
	free(r);
}

void census__free(struct census *c)
{
	if (!c)
		return;
	free_run(c->run);
	waitfor__free(c->waitfor);
	free(c->locks);
	free(c->opens);
	free(c->blocked_tasks);
	free(c->blocked_stacks);
	free(c);
}
