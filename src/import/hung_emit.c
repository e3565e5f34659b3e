// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hung tasks as a model: what each holds, then what each waits for, as events. Analysis finds the
 * wait-for cycle in the pending requests.
 *
 * Names of locks come from lockdep's list where there is one; else from the stack: the tables of
 * lock_name.c say which lock a function of VFIO or KVM waits for and which ones it holds while it
 * calls further. Instances without an address are told apart by the task that owns them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/hung.h"
#include "util/idmap.h"
#include "util/memory.h"

/* Tasks whose stack says that they hold some lock of the class. */
struct holders {
	uint32_t first, second; /* indexes, NO_ID: none */
	bool more;
};

struct hung_emitter {
	struct hung_tasks *tasks;
	struct klog_reader *log;
	struct model *m;
	uint32_t kernel_version;
	struct idmap holder_ids; /* class -> index in holders */
	VECTOR(struct holders) holders;
	int err;
};

static const struct klog_lock *listed_wanted(const struct hung_task *task)
{
	return task->wanted_list == NO_ID ? NULL : &task->held[task->wanted_list];
}

/* lockdep's list ends with the lock that is waited for: it is noted before the wait. */
static void find_listed_wanted(struct hung_task *task)
{
	task->wanted_list = NO_ID;
	if (task->function && task->held_count)
		task->wanted_list = task->held_count - 1;
}

static void find_wanted(struct hung_emitter *e, struct hung_task *task)
{
	struct klog_acquire acquire = klog_stack__acquire(&task->stack);
	const struct klog_lock *listed;
	const char *lock_class;
	char plain[256], name[300];

	task->wanted_class = NO_ID;
	task->function = acquire.function;
	find_listed_wanted(task);
	if (!acquire.function)
		return;
	task->site = acquire.caller < task->stack.count ? task->stack.frames[acquire.caller].symbol
							: "unknown";
	listed = listed_wanted(task);
	if (listed) {
		task->wanted_class = lock_name__class(e->m, listed->name, strlen(listed->name),
						      acquire.function->kind, NULL);
		return;
	}
	klog_symbol__plain(task->site, plain, sizeof(plain));
	lock_class = lock_site__class(plain, acquire.function->kind, e->kernel_version);
	snprintf(name, sizeof(name), "lock of %s()", plain);
	task->wanted_class =
		model__add_class(e->m, lock_class ? lock_class : name, acquire.function->kind,
				 lock_class ? CLASS_IN_SCOPE : CLASS_FROM_SITE);
}

static void add_event(struct hung_emitter *e, uint32_t task, uint64_t time, enum event_op op,
		      uint32_t instance, uint8_t mode, uint8_t flags, uint32_t stack)
{
	struct trace_event event = {.time = time,
				    .task = task,
				    .operand = instance,
				    .stack = stack,
				    .op = (uint8_t)op,
				    .mode = mode,
				    .flags = flags};

	if (!e->err)
		e->err = model__add_event(e->m, &event);
}

/* The instance of a class that a task owns, when no address says which one it is. */
static uint32_t owned_instance(struct hung_emitter *e, uint32_t lock_class,
			       const struct klog_task *owner)
{
	uint32_t instance = model__add_instance(e->m, lock_class, 0, owner ? owner->pid : 0);
	char name[KLOG_COMM_MAX + 32];

	if (owner && instance != NO_ID) {
		snprintf(name, sizeof(name), "held by %s/%u", owner->comm, owner->pid);
		model__name_instance(e->m, instance, name, NO_ID);
	}
	return instance;
}

static bool has_callee(const struct hung_task *task, uint32_t from, uint32_t until,
		       const char *callee)
{
	for (uint32_t i = from; i < until; i++)
		if (*callee == '*' ||
		    !strncmp(task->stack.frames[i].symbol, callee, strlen(callee)))
			return true;
	return false;
}

/* Call `visit` for every class that the stack says is held, outermost first. */
static void each_held_class(struct hung_emitter *e, const struct hung_task *task,
			    void (*visit)(struct hung_emitter *e, const struct hung_task *task,
					  uint32_t lock_class, const struct frame *frame,
					  void *context),
			    void *context)
{
	struct klog_acquire acquire = klog_stack__acquire(&task->stack);
	uint32_t first = acquire.function ? acquire.caller : 0;

	for (uint32_t i = task->stack.count; i-- > first;) {
		const struct lock_held_by *row;
		char plain[256];
		uint32_t at = 0;

		klog_symbol__plain(task->stack.frames[i].symbol, plain, sizeof(plain));
		while ((row = lock_held_by__next(plain, e->kernel_version, &at))) {
			uint32_t lock_class;

			if (!has_callee(task, first, i, row->callee))
				continue;
			lock_class = model__add_class(e->m, row->lock_class, LOCK_KIND_UNKNOWN,
						      CLASS_IN_SCOPE);
			visit(e, task, lock_class, &task->stack.frames[i], context);
		}
	}
}

static bool holds(const struct model *m, uint32_t task, uint32_t instance)
{
	const struct held_lock *held = model__held(m, task);

	for (uint32_t i = 0; i < model__held_count(m, task); i++)
		if (held[i].instance == instance)
			return true;
	return false;
}

static void acquire_held(struct hung_emitter *e, const struct hung_task *task, uint32_t lock_class,
			 const struct frame *frame, void *context)
{
	uint32_t instance = owned_instance(e, lock_class, &task->task);

	(void)context;
	/* several functions on one stack may speak of the same lock */
	if (!holds(e->m, task->id, instance))
		add_event(e, task->id, task->time, EVENT_ACQUIRE, instance, LOCK_EXCLUSIVE,
			  HELD_INFERRED, model__add_stack(e->m, STACK_SITE, frame, 1));
}

static void acquire_listed(struct hung_emitter *e, const struct hung_task *task)
{
	for (uint32_t i = 0; i < task->held_count; i++) {
		const struct klog_lock *lock = &task->held[i];
		uint32_t lock_class, instance;

		if (i == task->wanted_list)
			continue;
		lock_class = lock_name__class(e->m, lock->name, strlen(lock->name),
					      LOCK_KIND_UNKNOWN, NULL);
		instance = model__add_instance(e->m, lock_class, lock->address, 0);
		add_event(e, task->id, task->time, EVENT_ACQUIRE, instance, LOCK_EXCLUSIVE, 0,
			  klog_site__store(e->m, lock));
	}
}

static void note_holder(struct hung_emitter *e, const struct hung_task *task, uint32_t lock_class,
			const struct frame *frame, void *context)
{
	uint32_t at = (uint32_t)(task - e->tasks->items), id;
	struct holders *holders;

	(void)frame;
	(void)context;
	id = idmap__get(&e->holder_ids, lock_class);
	if (id == IDMAP_NONE) {
		if (!vector_push(&e->holders, (struct holders){at, NO_ID, false}) ||
		    idmap__put(&e->holder_ids, lock_class, (uint32_t)e->holders.count - 1))
			e->err = -ENOMEM;
		return;
	}
	holders = e->holders.items ? &e->holders.items[id] : NULL;
	if (!holders || holders->first == at || holders->second == at)
		return;
	if (holders->second == NO_ID)
		holders->second = at;
	else
		holders->more = true;
}

/* Without "likely owned by": the one task whose stack says that it holds such a lock. */
static const struct klog_task *find_holder(const struct hung_emitter *e,
					   const struct hung_task *waiter)
{
	uint32_t id = idmap__get(&e->holder_ids, waiter->wanted_class), own, other;
	const struct holders *holders;

	if (id == IDMAP_NONE || !e->holders.items)
		return NULL;
	holders = &e->holders.items[id];
	own = (uint32_t)(waiter - e->tasks->items);
	other = holders->first == own ? holders->second : holders->first;
	if (holders->more || other == NO_ID ||
	    (holders->first != own && holders->second != own && holders->second != NO_ID))
		return NULL; /* nobody, or two of them: not decided */
	return &e->tasks->items[other].task;
}

static uint32_t wanted_instance(struct hung_emitter *e, struct hung_task *task)
{
	const struct klog_lock *listed = listed_wanted(task);
	const struct klog_task *owner = task->owner.known ? &task->owner : NULL;
	uint32_t instance, id;

	if (listed)
		return model__add_instance(e->m, task->wanted_class, listed->address, 0);
	if (!owner)
		owner = find_holder(e, task);
	instance = owned_instance(e, task->wanted_class, owner);
	if (!owner || instance == NO_ID)
		return instance;
	/* the kernel's word for it, even if the owner's stack says nothing */
	id = model__add_task(e->m, owner->pid, owner->pid, owner->comm, 0, 0);
	if (id == NO_ID)
		e->err = -ENOMEM;
	else if (!holds(e->m, id, instance))
		add_event(e, id, task->time, EVENT_ACQUIRE, instance, LOCK_EXCLUSIVE, 0, NO_ID);
	return instance;
}

static void request(struct hung_emitter *e, const struct hung_task *task)
{
	uint8_t flags = task->function->breakable ? HELD_BREAKABLE : 0;

	add_event(e, task->id, task->time, EVENT_REQUEST, task->wanted,
		  (uint8_t)task->function->mode, flags, klog_stack__store(e->m, &task->stack));
}

static void complain_no_lock(struct hung_emitter *e, const struct hung_task *task)
{
	if (task->stack.count)
		line_reader__complain(
			&e->log->lines, task->line,
			"task %s:%u is hung, but its stack shows no lock it waits for "
			"(innermost: %s)",
			task->task.comm, task->task.pid, task->stack.frames[0].symbol);
	else
		line_reader__complain(
			&e->log->lines, task->line,
			"task %s:%u is hung, but its \"Call Trace:\" is missing; is the "
			"log cut?",
			task->task.comm, task->task.pid);
}

static int add_tasks(struct hung_emitter *e)
{
	for (uint32_t i = 0; i < e->tasks->count; i++) {
		struct hung_task *task = &e->tasks->items[i];

		task->id = model__add_task(e->m, task->task.pid, task->task.pid, task->task.comm, 0,
					   0);
		if (task->id == NO_ID)
			return -ENOMEM;
		find_wanted(e, task);
		if (task->held_count)
			acquire_listed(e, task);
		else
			each_held_class(e, task, acquire_held, NULL);
		each_held_class(e, task, note_holder, NULL);
	}
	return e->err;
}

/* What all hold is complete before the first request: a later acquisition would end the wait. */
int hung__emit(struct hung_tasks *tasks, struct klog_reader *log)
{
	struct hung_emitter e = {.tasks = tasks, .log = log, .m = log->lines.m};
	const char *release = model__fact(e.m, "kernel.release");

	e.kernel_version = release ? kernel_version__parse(release) : 0;
	if (add_tasks(&e)) {
		e.err = e.err ? e.err : -ENOMEM;
		goto cleanup;
	}
	for (uint32_t i = 0; i < tasks->count; i++) {
		struct hung_task *task = &tasks->items[i];

		if (task->wanted_class != NO_ID)
			task->wanted = wanted_instance(&e, task);
		else if (task->blocked)
			complain_no_lock(&e, task);
	}
	for (uint32_t i = 0; i < tasks->count; i++)
		if (tasks->items[i].wanted_class != NO_ID)
			request(&e, &tasks->items[i]);
cleanup:
	idmap__release(&e.holder_ids);
	free(e.holders.items);
	return e.err;
}
