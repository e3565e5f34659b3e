// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocked tasks out of a log: the hung-task detector's reports with the owners it names, sysrq-w
 * and sysrq-t, lockdep's list of held locks, stacks of /proc/PID/stack and of crash. Each stack
 * belongs to the task whose heading it stands under and to no other; a report of another kind ends
 * it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/hung.h"
#include "import/task_line.h"
#include "util/idmap.h"

#define HUNG_TASKS_MAX 131072

/* What the lines that come belong to. */
enum region {
	REGION_NONE,
	REGION_BLOCKED, /* sysrq-w, `foreach UN bt`: every task in it is blocked */
	REGION_TASKS,	/* sysrq-t */
	REGION_LOCKS,	/* list of held locks */
};

struct hung_reader {
	struct klog_reader *log;
	struct hung_tasks tasks;
	struct idmap by_pid; /* index in tasks */
	enum region region;
	uint32_t current; /* whose stack or locks come next, NO_ID nobody's */
	bool has_trace;	  /* `current` has its stack: another one is somebody else's */
	bool overflow;
	uint32_t expected_owner;	   /* pid: the kernel shows the owner after it named it */
	struct klog_stack stack, doubtful; /* of `current`; its "?" frames */
	bool wakes;			   /* among those, what wait_event() leaves behind */
	char context[16];
	uint32_t reports;
};

struct hung_reader *hung_reader__new(struct klog_reader *log)
{
	struct hung_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->log = log;
	r->current = NO_ID;
	return r;
}

void hung_reader__free(struct hung_reader *r)
{
	if (!r)
		return;
	for (uint64_t i = 0; i < r->tasks.items.count; i++)
		free(r->tasks.items.items[i].held);
	free(r->tasks.items.items);
	free(r->tasks.earlier.items);
	idmap__release(&r->by_pid);
	free(r);
}

uint32_t hung_reader__reports(const struct hung_reader *r)
{
	return r->reports;
}

static struct hung_task *current(struct hung_reader *r)
{
	return r->current == NO_ID ? NULL : &r->tasks.items.items[r->current];
}

/* --- stacks ------------------------------------------------------------------------------------
 */

static bool same_wait(const struct hung_wait *a, const struct hung_wait *b)
{
	return a->what == b->what && a->site == b->site;
}

static void read_wait(struct hung_reader *r, struct hung_wait *wait)
{
	const struct klog_stack *stack = r->stack.count ? &r->stack : &r->doubtful;
	struct wait_place place = wait_place__of(stack->frames, stack->count);
	struct model *m = r->log->lines.m;
	char text[320];

	memset(wait, 0, sizeof(*wait));
	wait->unreliable = !r->stack.count;
	wait->function = place.function;
	wait->what = wait_place__what(&place, stack->frames, stack->count);
	if (wait->what == WAIT_WHAT_UNKNOWN && r->wakes)
		wait->what = WAIT_WHAT_EVENT;
	wait->stack = model__add_stack(m, STACK_FULL, stack->frames, stack->count);
	wait->caller_index = place.caller;
	if (place.caller >= stack->count)
		return;
	wait->caller = stack->frames[place.caller].symbol;
	klog_frame__print(&stack->frames[place.caller], text, sizeof(text));
	wait->site = model__intern(m, text);
}

static void forget_stack(struct hung_reader *r)
{
	r->stack.count = r->doubtful.count = 0;
	r->wakes = false;
}

/* The stack of `current` is complete. A task that was reported before and now waits elsewhere has
 * gone on in between: both waits are kept. */
static int end_stack(struct hung_reader *r)
{
	struct hung_task *task = current(r);
	struct hung_wait wait;

	if (!task || (!r->stack.count && !r->doubtful.count))
		return 0;
	read_wait(r, &wait);
	if (task->reports > 1 && task->wait.stack != NO_ID && !same_wait(&task->wait, &wait)) {
		struct hung_task earlier = *task;

		earlier.held = NULL;
		earlier.held_count = 0;
		earlier.reports--;
		if (!vector_push(&r->tasks.earlier, earlier))
			return -ENOMEM;
		task->reports = 1;
		task->owner.known = false;
	}
	task->wait = wait;
	r->has_trace = true;
	forget_stack(r);
	return 0;
}

static int end_task(struct hung_reader *r)
{
	int err = end_stack(r);

	r->current = NO_ID;
	r->has_trace = false;
	forget_stack(r);
	return err;
}

/* --- tasks -------------------------------------------------------------------------------------
 */

static int select_task(struct hung_reader *r, const struct klog_task *task,
		       const struct klog_line *line)
{
	struct hung_task *found;
	uint32_t at;
	int err = end_task(r);

	if (err)
		return err;
	memcpy(r->context, line->context, sizeof(r->context));
	at = idmap__get(&r->by_pid, task->pid);
	if (at != IDMAP_NONE) {
		r->current = at;
		found = current(r);
		if (!*found->task.comm)
			found->task = *task;
		return 0;
	}
	if (r->tasks.items.count == HUNG_TASKS_MAX) {
		if (!r->overflow)
			line_reader__complain(&r->log->lines, line->number,
					      "more than %d tasks; the rest is left out",
					      HUNG_TASKS_MAX);
		r->overflow = true;
		return 0;
	}
	if (!vector_push(&r->tasks.items,
			 (struct hung_task){.task = *task,
					    .line = line->number,
					    .time = line->time,
					    .owner_what = WAIT_WHAT_UNKNOWN,
					    .wait = {.what = WAIT_WHAT_UNKNOWN, .stack = NO_ID}}) ||
	    idmap__put(&r->by_pid, task->pid, (uint32_t)r->tasks.items.count - 1))
		return -ENOMEM;
	r->current = (uint32_t)r->tasks.items.count - 1;
	return 0;
}

static void note_blocked(struct hung_reader *r, const struct klog_line *line, uint64_t ns)
{
	struct hung_task *task = current(r);

	if (!task)
		return;
	task->blocked = true;
	task->reports++;
	task->line = line->number;
	task->time = line->time ? line->time : task->time;
	task->state = 'D';
	if (ns > task->blocked_ns)
		task->blocked_ns = ns;
	r->reports++;
}

static int blocked_line(struct hung_reader *r, const struct klog_line *line,
			const struct task_words *words)
{
	int err = select_task(r, &words->task, line);

	r->expected_owner = 0;
	if (err)
		return err;
	note_blocked(r, line, words->blocked_ns);
	/* without a stack the detector's own words are all there is */
	if (words->io && current(r) && current(r)->wait.stack == NO_ID)
		current(r)->wait.what = WAIT_WHAT_IO;
	return 0;
}

static int owner_line(struct hung_reader *r, const struct klog_line *line,
		      const struct task_words *words)
{
	struct hung_task *task;
	int err = select_task(r, &words->task, line);

	task = current(r);
	if (err || !task)
		return err;
	if (!task->blocked)
		note_blocked(r, line, 0);
	task->owner = words->owner;
	task->owner_what = words->what;
	r->reports += !r->reports;
	r->expected_owner = words->owner.known ? words->owner.pid : 0;
	return end_task(r);
}

/* A task in D state is blocked, except where it is shown as the owner of what another waits for. */
static int state_line(struct hung_reader *r, const struct klog_line *line,
		      const struct task_words *words)
{
	bool again = r->current != NO_ID && current(r)->task.pid == words->task.pid &&
		     !r->has_trace && current(r)->blocked && r->region == REGION_NONE;
	bool is_owner = r->expected_owner && r->expected_owner == words->task.pid;
	int err;

	r->expected_owner = 0;
	if (again) { /* the second line of a hung-task report */
		current(r)->state = words->state ? words->state : current(r)->state;
		return 0;
	}
	err = select_task(r, &words->task, line);
	if (err || r->current == NO_ID)
		return err;
	if (words->state && !(is_owner && current(r)->blocked))
		current(r)->state = words->state;
	if (r->region == REGION_BLOCKED || (words->state == 'D' && !is_owner))
		note_blocked(r, line, 0);
	else
		r->reports++;
	return 0;
}

/* --- lists of held locks -----------------------------------------------------------------------
 */

static int add_held(struct hung_reader *r, struct hung_task *task, const struct klog_lock *lock)
{
	uint32_t n = task->held_count;

	/* a line per inlined frame repeats the lock, number included */
	if (n && task->held[n - 1].index == lock->index &&
	    task->held[n - 1].address == lock->address) {
		task->held[n - 1] = *lock;
		return 0;
	}
	if (n == KLOG_HELD_MAX) {
		model__add_loss(r->log->lines.m, LOSS_HELD_OVERFLOW, 1);
		return 0;
	}
	if (n == task->held_capacity) {
		uint32_t capacity = n ? n * 2 : 4;
		struct klog_lock *grown = reallocarray(task->held, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		task->held = grown;
		task->held_capacity = capacity;
	}
	task->held[task->held_count++] = *lock;
	return 0;
}

static int holds_line(struct hung_reader *r, const struct klog_line *line,
		      const struct task_words *words)
{
	int err = select_task(r, &words->task, line);

	if (err || r->current == NO_ID)
		return err;
	current(r)->held_count = 0;
	current(r)->held_list = r->tasks.last_list;
	return 0;
}

/* "#0: ffff… (&kvm->lock){+.+.}-{3:3}, at: f+0x1/0x2" */
static int lock_line(struct hung_reader *r, const struct klog_line *line)
{
	struct klog_lock lock;

	if (klog_parse__lock(r->log->lines.m, line->text, &lock))
		return add_held(r, current(r), &lock);
	line_reader__complain(&r->log->lines, line->number,
			      "expected \"#N: ADDRESS (class){usage}, at: function\"");
	return 0;
}

/* --- lines -------------------------------------------------------------------------------------
 */

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Lines between a task's heading and its stack, or inside it, that are neither. */
static bool is_beside_frames(const char *text)
{
	static const char *const beside[] = {
		"<",	   "Call T",   "Call t",     "Backtrace", "Stack:",	"Not taint",
		"Tainted", "\"echo 0", "Workqueue:", "Hardware",  "...",	"---",
		"task ",   "ffff",     "([<",	     "LR",	  "[exception", "Last Breaking"};

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (starts_with(text, beside[i]))
			return true;
	return !*text || isdigit((unsigned char)*text);
}

static int stack_line(struct hung_reader *r, const struct klog_line *line)
{
	struct frame frames[2];
	char release[128];
	bool reliable;
	uint32_t count;

	if (klog_parse__release(line->text, release, sizeof(release))) {
		klog__note_release(r->log, release, line->number);
		return 0;
	}
	if (!strncasecmp(line->text, "Call Trace:", 11) || starts_with(line->text, "Backtrace:")) {
		/* a task has one stack: the next one stands in another report */
		return r->has_trace ? end_task(r) : 0;
	}
	if (r->has_trace)
		return 0;
	count = klog_parse__frames(r->log->lines.m, line->text, frames, &reliable);
	if (count) {
		klog_stack__add_line(reliable ? &r->stack : &r->doubtful, frames, count);
		r->wakes |= !reliable && wait_function__is_wake_up(frames[0].symbol);
		return 0;
	}
	if ((r->stack.count || r->doubtful.count) &&
	    (!is_beside_frames(line->text) || starts_with(line->text, "</TASK>")))
		return end_stack(r);
	return 0;
}

static int begin_region(struct hung_reader *r, enum report_kind kind)
{
	int err = end_task(r);

	r->region = kind == REPORT_BLOCKED     ? REGION_BLOCKED
		    : kind == REPORT_TASKS     ? REGION_TASKS
		    : kind == REPORT_LOCK_LIST ? REGION_LOCKS
					       : REGION_NONE;
	r->expected_owner = 0;
	/* a later list replaces an earlier one: what was held then may be held no more */
	if (r->region == REGION_LOCKS)
		r->tasks.last_list++;
	if (r->region != REGION_NONE)
		r->reports++;
	return err;
}

static int task_line(struct hung_reader *r, const struct klog_line *line, bool *used)
{
	struct task_words words;

	*used = true;
	switch (task_line__parse(line->text, &words)) {
	case TASK_LINE_BLOCKED:
		return blocked_line(r, line, &words);
	case TASK_LINE_OWNER:
		return owner_line(r, line, &words);
	case TASK_LINE_STATE:
		return state_line(r, line, &words);
	case TASK_LINE_HOLDS:
		if (r->region == REGION_LOCKS)
			return holds_line(r, line, &words);
		break;
	case TASK_LINE_DAMAGED:
		if (!starts_with(line->text, "INFO: task ") && r->region != REGION_LOCKS)
			break;
		line_reader__complain(
			&r->log->lines, line->number,
			"expected \"INFO: task NAME:PID blocked for more than N seconds.\", \"… "
			"blocked on a … likely owned by task NAME:PID\" or \"N locks held by "
			"NAME/PID:\"");
		return end_task(r);
	case TASK_LINE_NONE:
		break;
	}
	*used = false;
	return 0;
}

int hung_reader__line(struct hung_reader *r, const struct klog_line *line, enum report_kind starts)
{
	bool used;
	int err = 0;

	/* another CPU printed in between */
	if (r->current != NO_ID && *r->context && *line->context &&
	    strcmp(r->context, line->context) && starts == REPORT_NONE)
		return 0;
	if (starts != REPORT_NONE && starts != REPORT_HUNG_OWNER)
		err = begin_region(r, starts);
	if (!err && strstr(line->text, "foreach UN bt"))
		err = begin_region(r, REPORT_BLOCKED);
	if (!err)
		err = task_line(r, line, &used);
	if (err || used)
		return err;
	if (r->region == REGION_LOCKS && starts_with(line->text, "===="))
		return begin_region(r, REPORT_NONE);
	if (r->current == NO_ID)
		return 0;
	if (r->region == REGION_LOCKS)
		return *line->text == '#' ? lock_line(r, line) : 0;
	return stack_line(r, line);
}

int hung_reader__end(struct hung_reader *r)
{
	int err = end_task(r);

	return err ? err : hung__emit(&r->tasks, r->log);
}
