// SPDX-License-Identifier: GPL-2.0-or-later
/* Lock tracepoints as events of the model. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "import/lock_events.h"

struct stream_task {
	uint64_t key; /* tid, context and, for the idle tasks and interrupts, the CPU */
	uint32_t id;
	bool has_request, contended;
	struct trace_event request;
	bool waiting; /* between contention_begin and contention_end */
	uint64_t wait_since;
	uint32_t wait_instance, wait_stack;
	uint8_t wait_mode;
	UT_hash_handle hh;
};

struct lock_stream {
	struct model *m;
	struct stream_task *tasks;
};

struct lock_stream *lock_stream__new(struct model *m)
{
	struct lock_stream *s = calloc(1, sizeof(*s));

	if (s)
		s->m = m;
	return s;
}

void lock_stream__free(struct lock_stream *s)
{
	struct stream_task *task, *next;

	if (!s)
		return;
	HASH_ITER(hh, s->tasks, task, next) {
		HASH_DEL(s->tasks, task);
		free(task);
	}
	free(s);
}

/* An interrupt is no part of the task it interrupted: its locks are its own. */
static uint32_t model_task(struct lock_stream *s, const struct lock_event *event)
{
	char comm[64];

	if (event->context) {
		snprintf(comm, sizeof(comm), "%s on CPU %u",
			 event->context == 'h' ? "hardirq" : "softirq", event->cpu);
		return model__add_task(s->m, 0, 0, comm, 0, TASK_KTHREAD);
	}
	if (!event->tid) {
		snprintf(comm, sizeof(comm), "swapper/%u", event->cpu);
		return model__add_task(s->m, 0, 0, comm, 0, TASK_KTHREAD);
	}
	return model__add_task(s->m, event->pid, event->tid, event->comm, 0, 0);
}

static struct stream_task *find_task(struct lock_stream *s, const struct lock_event *event)
{
	uint64_t key = event->context || !event->tid
			       ? 1ULL << 63 | (uint64_t)(uint8_t)event->context << 32 | event->cpu
			       : event->tid;
	struct stream_task *task;

	HASH_FIND(hh, s->tasks, &key, sizeof(key), task);
	if (task)
		return task;
	task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->key = key;
	task->id = model_task(s, event);
	if (task->id == NO_ID) {
		free(task);
		return NULL;
	}
	HASH_ADD(hh, s->tasks, key, sizeof(task->key), task);
	return task;
}

static enum lock_kind kind_of(const struct lock_event *event)
{
	if (event->is_mutex)
		return LOCK_KIND_MUTEX;
	if (event->is_percpu)
		return LOCK_KIND_PERCPU_RWSEM;
	if (event->is_rt)
		return LOCK_KIND_RTMUTEX;
	return event->is_spin ? LOCK_KIND_SPINLOCK : LOCK_KIND_RWSEM;
}

static uint32_t contended_class(struct lock_stream *s, const struct lock_event *event,
				const struct klog_stack *stack)
{
	struct wait_place acquire = klog_stack__place(stack);
	enum lock_kind kind = kind_of(event);
	const char *lock_class = NULL;
	char plain[256], name[300];

	if (acquire.caller < stack->count && acquire.function) {
		const char *release = model__fact(s->m, "kernel.release");

		klog_symbol__plain(stack->frames[acquire.caller].symbol, plain, sizeof(plain));
		lock_class =
			lock_site__class(plain, kind, release ? kernel_version__parse(release) : 0);
		snprintf(name, sizeof(name), "lock of %s()", plain);
	} else {
		snprintf(name, sizeof(name), "contended lock");
	}
	return model__add_class(s->m, lock_class ? lock_class : name, kind,
				lock_class ? CLASS_IN_SCOPE
					   : CLASS_FROM_SITE | CLASS_INSTANCE_ONLY);
}

static void make_event(struct lock_stream *s, const struct lock_event *event,
		       const struct stream_task *task, const struct klog_stack *stack,
		       struct trace_event *out)
{
	const struct wait_function *function = klog_stack__place(stack).function;
	uint32_t lock_class;

	memset(out, 0, sizeof(*out));
	out->time = event->time;
	out->task = task->id;
	out->mode = event->is_read ? LOCK_SHARED : LOCK_EXCLUSIVE;
	lock_class =
		lock_name__class(s->m, event->name, strlen(event->name),
				 function ? function->kind : LOCK_KIND_UNKNOWN, &out->subclass);
	out->operand = model__add_instance(s->m, lock_class, event->address, 0);
	out->stack = klog_stack__store(s->m, stack);
	if (function && function->breakable)
		out->flags = HELD_BREAKABLE;
}

/* The lock asked for was taken: the task went on. */
static int settle(struct lock_stream *s, struct stream_task *task, uint64_t time)
{
	struct trace_event acquired = task->request;

	if (!task->has_request)
		return 0;
	task->has_request = false;
	task->contended = false;
	acquired.op = EVENT_ACQUIRE;
	acquired.time = time;
	return model__add_event(s->m, &acquired);
}

static int acquire(struct lock_stream *s, struct stream_task *task, const struct lock_event *event,
		   const struct klog_stack *stack)
{
	struct trace_event made;
	int err = settle(s, task, event->time);

	if (err)
		return err;
	make_event(s, event, task, stack, &made);
	if (made.operand == NO_ID)
		return -ENOMEM;
	if (event->is_try) {
		made.op = EVENT_TRY_ACQUIRE;
		return model__add_event(s->m, &made);
	}
	made.op = EVENT_REQUEST;
	task->request = made;
	task->has_request = true;
	return model__add_event(s->m, &made);
}

static int release(struct lock_stream *s, struct stream_task *task, const struct lock_event *event,
		   const struct klog_stack *stack)
{
	struct trace_event made;
	const struct held_lock *held;
	int err = settle(s, task, event->time);

	if (err)
		return err;
	make_event(s, event, task, stack, &made);
	if (made.operand == NO_ID)
		return -ENOMEM;
	made.op = EVENT_RELEASE;
	held = model__held(s->m, task->id);
	for (uint32_t i = 0; i < model__held_count(s->m, task->id); i++) {
		if (held[i].instance != made.operand)
			continue;
		made.mode = held[i].mode;
		made.subclass = held[i].subclass;
		return model__add_event(s->m, &made);
	}
	/* taken before the trace began */
	return 0;
}

static void end_wait(struct lock_stream *s, struct stream_task *task, uint64_t time)
{
	struct histogram waited = {.count = 1};
	uint32_t bucket = 0;

	if (!task->waiting)
		return;
	task->waiting = false;
	waited.total = time > task->wait_since ? time - task->wait_since : 0;
	waited.max = waited.total;
	while (bucket + 1 < HISTOGRAM_BUCKETS && waited.total >> (bucket + 1))
		bucket++;
	waited.bucket[bucket] = 1;
	model__add_duration(s->m, task->wait_instance, task->wait_stack, NO_ID, false, &waited);
}

static int begin_wait(struct lock_stream *s, struct stream_task *task,
		      const struct lock_event *event, const struct klog_stack *stack)
{
	uint32_t lock_class;

	if (task->has_request) {
		/* the request before it names the lock */
		task->contended = true;
		task->wait_instance = task->request.operand;
		task->wait_stack = task->request.stack;
	} else if (!task->waiting) {
		lock_class = contended_class(s, event, stack);
		task->wait_instance = model__add_instance(s->m, lock_class, event->address, 0);
		task->wait_stack = klog_stack__store(s->m, stack);
		if (task->wait_instance == NO_ID)
			return -ENOMEM;
	}
	task->wait_mode = event->is_read ? LOCK_SHARED : LOCK_EXCLUSIVE;
	/* several begins may precede one end: the wait began at the first */
	if (!task->waiting)
		task->wait_since = event->time;
	task->waiting = true;
	return 0;
}

int lock_stream__add(struct lock_stream *s, const struct lock_event *event,
		     const struct klog_stack *stack)
{
	struct stream_task *task = find_task(s, event);

	if (!task)
		return -ENOMEM;
	switch (event->type) {
	case LOCK_EVENT_ACQUIRE:
		return acquire(s, task, event, stack);
	case LOCK_EVENT_ACQUIRED:
		return settle(s, task, event->time);
	case LOCK_EVENT_RELEASE:
		return release(s, task, event, stack);
	case LOCK_EVENT_CONTENDED:
		task->contended = task->has_request;
		return 0;
	case LOCK_EVENT_BEGIN:
		return begin_wait(s, task, event, stack);
	case LOCK_EVENT_END:
		end_wait(s, task, event->time);
		return settle(s, task, event->time);
	}
	return 0;
}

int lock_stream__cut(struct lock_stream *s)
{
	struct trace_event event = {.op = EVENT_GAP, .operand = NO_ID, .stack = NO_ID};
	struct stream_task *task, *next;

	HASH_ITER(hh, s->tasks, task, next) {
		task->has_request = false;
		task->contended = false;
		task->waiting = false;
	}
	return model__add_event(s->m, &event);
}

/* Waits that never ended stay pending; the last requests of running tasks were granted. */
int lock_stream__end(struct lock_stream *s)
{
	struct stream_task *task, *next;
	int err = 0;

	HASH_ITER(hh, s->tasks, task, next) {
		if (err)
			break;
		if (task->has_request && !task->contended) {
			err = settle(s, task, task->request.time);
		} else if (!task->has_request && task->waiting) {
			struct trace_event wait = {.time = task->wait_since,
						   .task = task->id,
						   .operand = task->wait_instance,
						   .stack = task->wait_stack,
						   .op = EVENT_REQUEST,
						   .mode = task->wait_mode};

			err = model__add_event(s->m, &wait);
		}
	}
	return err;
}

void lock_stream__each_waiting(const struct lock_stream *s,
			       void (*say)(void *context, const char *text), void *context)
{
	const struct stream_task *t, *next;

	HASH_ITER(hh, s->tasks, t, next) {
		const struct task *task = model__task(s->m, t->id);
		struct stack stack = model__stack(s->m, t->wait_stack);
		struct wait_place place = wait_place__of(stack.frames, stack.frame_count);
		char site[320] = "a place that was not recorded (perf record -g)", text[512];

		if (!t->waiting)
			continue;
		if (place.caller < stack.frame_count)
			klog_frame__print(&stack.frames[place.caller], site, sizeof(site));
		snprintf(text, sizeof(text),
			 "%s/%u still waits in %s; nothing in the trace tells who has the lock",
			 task->comm, task->tid, site);
		say(context, text);
	}
}
