// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocked tasks as a model: what each holds, then what each waits for, as events; analysis finds
 * the wait-for cycle in the pending requests. Every blocked task is a finding besides.
 *
 * Names of locks come from lockdep's list where there is one; else from the stack: the tables of
 * locks/ say which lock a function of VFIO or KVM waits for and which ones it holds while it calls
 * further. Instances without an address are distinguished by the task that owns them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "import/hung.h"
#include "import/hung_private.h"
#include "locks/class_rules.h"

static struct hung_task *task_at(struct hung_emitter *e, uint64_t i)
{
	return &e->tasks->items.items[i];
}

static bool has_list(const struct hung_emitter *e, const struct hung_task *task)
{
	return task->held_count && task->held_list == e->tasks->last_list;
}

static struct stack stack_of(const struct hung_emitter *e, const struct hung_task *task)
{
	return model__stack(e->m, task->wait.stack);
}

/* --- what a task waits for ---------------------------------------------------------------------
 */

/* Waits that are a lock of the model: the rest (completions, SRCU …) belongs to no order. */
static bool waits_for_lock(const struct hung_task *task)
{
	return task->blocked && wait_what__is_lock(task->wait.what);
}

/* lockdep notes a lock before it waits for it, so that its list ends with the lock that is waited
 * for, provided that the stack is inside that very lock's slow path. */
static bool is_listed_wanted(const struct hung_emitter *e, const struct hung_task *task)
{
	const struct klog_lock *last;
	struct stack stack = stack_of(e, task);

	if (!has_list(e, task) || !waits_for_lock(task) || !task->wait.function ||
	    task->wait.what == WAIT_WHAT_SEMAPHORE)
		return false;
	last = &task->held[task->held_count - 1];
	if (!last->has_site || last->is_spin || lock_name__is_rcu(last->name))
		return false;
	for (uint32_t i = 0; i < stack.frame_count && i <= task->wait.caller_index + 2; i++)
		if (!strcmp(stack.frames[i].symbol, last->site.symbol))
			return true;
	return false;
}

static const struct klog_lock *listed_wanted(const struct hung_task *task)
{
	return task->wanted_list == NO_ID ? NULL : &task->held[task->wanted_list];
}

static uint32_t class_of_listed(struct hung_emitter *e, const struct klog_lock *lock,
				enum lock_kind kind)
{
	struct lock_context context = {
		.kind = lock->is_spin ? LOCK_KIND_SPINLOCK : kind,
		.frames = &lock->site,
		.frame_count = lock->has_site,
	};

	return lock_name__class_in(e->m, lock->name, strlen(lock->name), &context, NULL);
}

static enum lock_kind kind_of(const struct hung_task *task)
{
	if (task->wait.function)
		return task->wait.function->kind;
	return task->wait.what == WAIT_WHAT_MUTEX	? LOCK_KIND_MUTEX
	       : task->wait.what == WAIT_WHAT_SEMAPHORE ? LOCK_KIND_OTHER
							: LOCK_KIND_RWSEM;
}

static const char *word_of(enum lock_kind kind)
{
	switch (kind) {
	case LOCK_KIND_MUTEX:
		return "mutex";
	case LOCK_KIND_RWSEM:
		return "rwsem";
	case LOCK_KIND_PERCPU_RWSEM:
		return "percpu rwsem";
	case LOCK_KIND_RTMUTEX:
		return "rt_mutex";
	default:
		return "lock";
	}
}

static void find_class(struct hung_emitter *e, struct hung_task *task)
{
	const struct klog_lock *listed = listed_wanted(task);
	const char *lock_class = NULL;
	char plain[256] = "", name[300];

	if (listed) {
		task->wanted_class = class_of_listed(e, listed, kind_of(task));
		return;
	}
	if (task->wait.caller) {
		klog_symbol__plain(task->wait.caller, plain, sizeof(plain));
		lock_class = lock_site__class(plain, kind_of(task), e->kernel_version);
	}
	/* a mutex and an rwsem of one function are two locks */
	if (*plain)
		snprintf(name, sizeof(name), "%s of %s()", word_of(kind_of(task)), plain);
	else
		snprintf(name, sizeof(name), "%s whose name is not known",
			 wait_what_names[task->wait.what]);
	task->wanted_class =
		model__add_class(e->m, lock_class ? lock_class : name, kind_of(task),
				 lock_class ? class_rules__flags(lock_class) : CLASS_FROM_SITE);
}

static void find_wanted(struct hung_emitter *e, struct hung_task *task)
{
	task->wanted_class = task->wanted = task->wanted_list = task->owner_at = NO_ID;
	/* /proc and crash say no state: who is inside a lock's slow path is blocked on it */
	if (!task->state && task->wait.function && wait_what__is_lock(task->wait.what) &&
	    !task->wait.function->try_lock)
		task->blocked = true;
	/* the kernel's own word goes before what the stack looks like */
	if (task->owner_what != WAIT_WHAT_UNKNOWN && !task->wait.function)
		task->wait.what = task->owner_what;
	if (!waits_for_lock(task))
		return;
	if (is_listed_wanted(e, task))
		task->wanted_list = task->held_count - 1;
	find_class(e, task);
}

/* --- what a task holds -------------------------------------------------------------------------
 */

/* How many of the locks in its list a task has for certain. */
static uint32_t certain_holds(const struct hung_task *task)
{
	return task->held_count - (task->wanted_list != NO_ID);
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

	if (!e->err && instance != NO_ID)
		e->err = model__add_event(e->m, &event);
}

static bool holds(const struct model *m, uint32_t task, uint32_t instance)
{
	const struct held_lock *held = model__held(m, task);

	for (uint32_t i = 0; i < model__held_count(m, task); i++)
		if (held[i].instance == instance)
			return true;
	return false;
}

/* That it has the lock is known, not in which order it took those that it has: no dependency. */
static void hold(struct hung_emitter *e, uint32_t task, uint64_t time, uint32_t instance,
		 uint8_t mode, uint32_t stack)
{
	if (instance != NO_ID && !holds(e->m, task, instance))
		add_event(e, task, time, EVENT_TRY_ACQUIRE, instance, mode, HELD_TRY, stack);
}

static uint32_t listed_instance(struct hung_emitter *e, const struct klog_lock *lock,
				uint32_t lock_class)
{
	/* without an address only a lock there is one of is the same everywhere */
	return lock->address || lock_name__is_static(lock->name, strlen(lock->name))
		       ? model__add_instance(e->m, lock_class, lock->address, 0)
		       : NO_ID;
}

/* Several tasks that have a lock at once read it. */
static uint8_t mode_of_listed(struct hung_emitter *e, const struct klog_lock *lock)
{
	struct lock_users *users = lock_users__find(e, lock);

	if (strstr(lock->name, "srcu"))
		return LOCK_SHARED_RECURSIVE;
	return users && users->certain > 1 ? LOCK_SHARED : LOCK_EXCLUSIVE;
}

static void acquire_listed(struct hung_emitter *e, struct hung_task *task)
{
	for (uint32_t i = 0; i < certain_holds(task); i++) {
		const struct klog_lock *lock = &task->held[i];
		struct lock_users *users = lock_users__find(e, lock);
		uint32_t instance;

		if (lock_name__is_rcu(lock->name))
			continue;
		/* the last one of a task whose stack is not in the log may be waited for as well */
		if (i + 1 == task->held_count && task->wait.stack == NO_ID && users &&
		    (users->certain || users->possible > 1))
			continue;
		instance = listed_instance(e, lock, class_of_listed(e, lock, LOCK_KIND_UNKNOWN));
		hold(e, task->id, task->time, instance, mode_of_listed(e, lock),
		     klog_site__store(e->m, lock));
	}
}

/* The instance of a class that a task owns, when no address says which one it is. */
static uint32_t owned_instance(struct hung_emitter *e, uint32_t lock_class,
			       const struct klog_task *owner)
{
	uint32_t instance = model__add_instance(e->m, lock_class, 0, owner->pid);
	char name[KLOG_COMM_MAX + 32];

	if (instance != NO_ID) {
		snprintf(name, sizeof(name), "held by %s/%u", owner->comm, owner->pid);
		model__name_instance(e->m, instance, name, NO_ID);
	}
	return instance;
}

/* Two tasks that want a lock of one class do not want the same, unless there is only one. */
static uint32_t unknown_instance(struct hung_emitter *e, const struct hung_task *task)
{
	const char *name = model__lock_class(e->m, task->wanted_class)->name;
	bool is_single = lock_name__is_static(name, strlen(name)) && !strpbrk(name, ". ");

	return model__add_instance(e->m, task->wanted_class, 0,
				   is_single ? 0 : task->task.pid | 1U << 31);
}

static bool has_callee(struct stack stack, uint32_t from, uint32_t until, const char *callee)
{
	for (uint32_t i = from; i < until; i++)
		if (*callee == '*' || !strncmp(stack.frames[i].symbol, callee, strlen(callee)))
			return true;
	return false;
}

/* Call `visit` for every class that the stack says is held, outermost first. */
static void each_held_class(struct hung_emitter *e, const struct hung_task *task,
			    void (*visit)(struct hung_emitter *e, const struct hung_task *task,
					  uint32_t lock_class, const struct frame *frame))
{
	struct stack stack = stack_of(e, task);
	uint32_t first = task->wait.function ? task->wait.caller_index : 0;

	for (uint32_t i = stack.frame_count; i-- > first;) {
		const struct lock_held_by *row;
		char plain[256];
		uint32_t at = 0;

		klog_symbol__plain(stack.frames[i].symbol, plain, sizeof(plain));
		while ((row = lock_held_by__next(plain, e->kernel_version, &at)))
			if (has_callee(stack, first, i, row->callee))
				visit(e, task,
				      model__add_class(e->m, row->lock_class, LOCK_KIND_UNKNOWN,
						       CLASS_IN_SCOPE),
				      &stack.frames[i]);
	}
}

static void acquire_held(struct hung_emitter *e, const struct hung_task *task, uint32_t lock_class,
			 const struct frame *frame)
{
	/* several functions on one stack may speak of the same lock */
	hold(e, task->id, task->time, owned_instance(e, lock_class, &task->task), LOCK_EXCLUSIVE,
	     model__add_stack(e->m, STACK_SITE, frame, 1));
}

static void note_holder(struct hung_emitter *e, const struct hung_task *task, uint32_t lock_class,
			const struct frame *frame)
{
	(void)frame;
	class_holders__note(e, lock_class, (uint32_t)(task - e->tasks->items.items));
}

/* --- who owns what is wanted -------------------------------------------------------------------
 */

/* The task that the kernel names, in the model even if the log shows nothing of it. */
static uint32_t add_task(struct hung_emitter *e, const struct klog_task *task)
{
	uint32_t id = model__add_task(e->m, task->pid, task->pid, task->comm, 0, 0);

	if (id == NO_ID)
		e->err = -ENOMEM;
	return id;
}

static void find_owner(struct hung_emitter *e, struct hung_task *task)
{
	const struct klog_lock *listed = listed_wanted(task);
	const struct klog_task *owner = task->owner.known ? &task->owner : NULL;
	struct lock_users *users = listed ? lock_users__find(e, listed) : NULL;

	if (listed)
		task->wanted = listed_instance(e, listed, task->wanted_class);
	if (users && !owner)
		task->owner_at = lock_users__owner(users);
	else if (!owner)
		task->owner_at = class_holders__only(e, task);
	if (task->owner_at != NO_ID)
		owner = &task_at(e, task->owner_at)->task;
	if (task->wanted == NO_ID && owner)
		task->wanted = owned_instance(e, task->wanted_class, owner);
	else if (task->wanted == NO_ID)
		task->wanted = unknown_instance(e, task);
	/* what a list says is noted with the rest of the list */
	if (owner && !(users && task->owner_at != NO_ID))
		hold(e, add_task(e, owner), task->time, task->wanted, LOCK_EXCLUSIVE, NO_ID);
}

static void request(struct hung_emitter *e, const struct hung_task *task)
{
	const struct wait_function *function = task->wait.function;
	uint8_t mode = function					 ? (uint8_t)function->mode
		       : task->wait.what == WAIT_WHAT_RWSEM_READ ? LOCK_SHARED
								 : LOCK_EXCLUSIVE;

	add_event(e, task->id, task->time, EVENT_REQUEST, task->wanted, mode,
		  function && function->breakable ? HELD_BREAKABLE : 0, task->wait.stack);
}

/* --- findings ----------------------------------------------------------------------------------
 */

static const char *missing_of(const struct hung_task *task)
{
	if (task->wait.stack == NO_ID)
		return "its stack (\"Call Trace:\"): where it waits is not known";
	return task->wait.unreliable ? "a reliable stack: every frame is marked \"?\", where it "
				       "waits is not certain"
				     : NULL;
}

static struct other_task owner_of(struct hung_emitter *e, const struct hung_task *task)
{
	struct other_task owner = {.task = NO_ID, .stack = NO_ID};
	const struct hung_task *shown = NULL;
	uint32_t at = task->owner_at;

	if (task->owner.known) {
		owner.task = add_task(e, &task->owner);
		at = hung_tasks__find(e, task->owner.pid);
	}
	if (at != NO_ID) {
		shown = task_at(e, at);
		owner.task = shown->id;
		owner.state = shown->state;
		owner.stack = shown->wait.stack;
		owner.blocked_ns = shown->blocked_ns;
	}
	return owner;
}

static void state_hang(struct hung_emitter *e, const struct hung_task *task)
{
	const struct import_options *options = e->log->lines.options;
	struct blocked_task blocked = blocked_task__of(task->id);
	struct task_wait wait = {.what = task->wait.what,
				 .lock_class = task->wanted_class,
				 .site = task->wait.site,
				 .blocked_ns = task->blocked_ns,
				 .owner = owner_of(e, task)};
	const struct held_lock *held = model__held(e->m, task->id);

	if (e->err || !options || !options->analysis)
		return;
	if (wait.lock_class != NO_ID &&
	    (model__lock_class(e->m, wait.lock_class)->flags & CLASS_FROM_SITE))
		wait.lock_class = NO_ID;
	blocked.wants = task->wanted;
	blocked.wants_mode = task->wait.function ? (uint8_t)task->wait.function->mode : 0;
	blocked.state = task->state ? task->state : 'D';
	blocked.kernel_stack = task->wait.stack;
	blocked.wait = &wait;
	if (task->blocked_ns && task->time > task->blocked_ns)
		blocked.since = task->time - task->blocked_ns;
	while (blocked.hold_count < model__held_count(e->m, task->id) &&
	       blocked.hold_count < sizeof(blocked.holds) / sizeof(blocked.holds[0])) {
		blocked.holds[blocked.hold_count] = held[blocked.hold_count].instance;
		blocked.hold_count++;
	}
	for (uint32_t i = 0; i < task->reports || !i; i++)
		if (!analysis__add_hang(options->analysis, &blocked, task->time, missing_of(task)))
			e->err = -ENOMEM;
}

static void state_hangs(struct hung_emitter *e)
{
	for (uint64_t i = 0; i < e->tasks->earlier.count; i++) {
		struct hung_task *earlier = &e->tasks->earlier.items[i];

		earlier->id = add_task(e, &earlier->task);
		find_wanted(e, earlier);
		state_hang(e, earlier);
	}
	for (uint64_t i = 0; i < e->tasks->items.count; i++)
		if (task_at(e, i)->blocked)
			state_hang(e, task_at(e, i));
}

/* A report without its stack is cut: what it would have said is missing. */
static void complain_no_stack(struct hung_emitter *e, const struct hung_task *task)
{
	if (task->blocked && task->wait.stack == NO_ID && !task->owner.known)
		line_reader__complain(
			&e->log->lines, task->line,
			"task %s:%u is hung, but its \"Call Trace:\" is missing; is the "
			"log cut?",
			task->task.comm, task->task.pid);
}

static int add_tasks(struct hung_emitter *e)
{
	for (uint64_t i = 0; i < e->tasks->items.count; i++) {
		struct hung_task *task = task_at(e, i);

		task->id = add_task(e, &task->task);
		if (e->err)
			return e->err;
		find_wanted(e, task);
		complain_no_stack(e, task);
		for (uint32_t k = 0; has_list(e, task) && k < task->held_count && !e->err; k++)
			lock_users__note(e, (uint32_t)i, k);
		each_held_class(e, task, note_holder);
	}
	for (uint64_t i = 0; i < e->tasks->items.count && !e->err; i++) {
		if (has_list(e, task_at(e, i)))
			acquire_listed(e, task_at(e, i));
		else
			each_held_class(e, task_at(e, i), acquire_held);
	}
	return e->err;
}

/* What all hold is complete before the first request: a later acquisition would end the wait. */
int hung__emit(struct hung_tasks *tasks, struct klog_reader *log)
{
	struct hung_emitter e = {.tasks = tasks, .log = log, .m = log->lines.m};
	const char *release = model__fact(e.m, "kernel.release");

	e.kernel_version = release ? kernel_version__parse(release) : 0;
	add_tasks(&e);
	for (uint64_t i = 0; i < tasks->items.count && !e.err; i++)
		if (task_at(&e, i)->wanted_class != NO_ID)
			find_owner(&e, task_at(&e, i));
	for (uint64_t i = 0; i < tasks->items.count && !e.err; i++)
		if (task_at(&e, i)->wanted != NO_ID)
			request(&e, task_at(&e, i));
	if (!e.err)
		state_hangs(&e);
	hung_emitter__release(&e);
	return e.err;
}
