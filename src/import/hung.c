// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hung-task reports out of a kernel log: who is blocked, its stack, since 6.16 also "likely owned
 * by", and with lockdep the locks everybody holds (kernel/hung_task.c).
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/hung.h"
#include "util/idmap.h"

#define HUNG_TASKS_MAX 4096

struct hung_reader {
	struct klog_reader *log;
	struct hung_tasks tasks;
	struct idmap by_pid; /* index in tasks */
	uint32_t current;    /* whose stack or locks come next, NO_ID nobody's */
	bool in_trace;	     /* after "Call Trace:" */
	bool in_locks;	     /* after "Showing all locks held in the system:" */
	bool overflow;
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
	for (uint32_t i = 0; i < r->tasks.count; i++)
		free(r->tasks.items[i].held);
	free(r->tasks.items);
	idmap__release(&r->by_pid);
	free(r);
}

uint32_t hung_reader__reports(const struct hung_reader *r)
{
	return r->reports;
}

static struct hung_task *add_task(struct hung_tasks *tasks)
{
	if (!tasks->items || tasks->count == tasks->capacity) {
		uint32_t capacity = tasks->capacity ? tasks->capacity * 2 : 16;
		struct hung_task *grown = reallocarray(tasks->items, capacity, sizeof(*grown));

		if (!grown)
			return NULL;
		tasks->items = grown;
		tasks->capacity = capacity;
	}
	memset(&tasks->items[tasks->count], 0, sizeof(*tasks->items));
	return &tasks->items[tasks->count++];
}

static int select_task(struct hung_reader *r, const struct klog_task *task,
		       const struct klog_line *line)
{
	struct hung_task *found = NULL;
	uint32_t at;

	r->in_trace = false;
	r->current = NO_ID;
	at = idmap__get(&r->by_pid, task->pid);
	if (at != IDMAP_NONE)
		found = &r->tasks.items[at];
	if (!found && r->tasks.count == HUNG_TASKS_MAX) {
		if (!r->overflow)
			line_reader__complain(&r->log->lines, line->number,
					      "more than %d hung tasks; the rest is left out",
					      HUNG_TASKS_MAX);
		r->overflow = true;
		return 0;
	}
	if (!found) {
		found = add_task(&r->tasks);
		if (!found || idmap__put(&r->by_pid, task->pid, r->tasks.count - 1))
			return -ENOMEM;
		found->task = *task;
		found->line = line->number;
		found->time = line->time;
	}
	r->current = (uint32_t)(found - r->tasks.items);
	return 0;
}

/* "INFO: task C:1 blocked for more than 120 seconds." */
static int blocked_line(struct hung_reader *r, const struct klog_line *line, const char *text)
{
	const char *end = strstr(text, " blocked for more than");
	struct klog_task task;
	int err;

	if (!end)
		end = strstr(text, " blocked in I/O wait for more than");
	if (!end || !klog_parse__colon_task(text, end, &task))
		return -EINVAL;
	err = select_task(r, &task, line);
	if (!err && r->current != NO_ID) {
		/* reported again: the newest stack counts */
		r->tasks.items[r->current].stack.count = 0;
		r->tasks.items[r->current].blocked = true;
	}
	r->reports++;
	return err;
}

/* "INFO: task C:1 [<reader>] [is ]blocked on a mutex likely owned by task D:2 [<writer>]." */
static int owner_line(struct hung_reader *r, const struct klog_line *line, const char *text)
{
	static const char *const phrases[] = {"likely owned by task ", "likely last held by task "};
	const char *end = strstr(text, "blocked on a"), *owner = NULL, *stop;
	struct klog_task task, by = {.known = false};
	int err;

	if (!end)
		return -EINVAL;
	for (const char *at = text; at < end; at++) {
		if (!strncmp(at, " is ", 4) || !strncmp(at, " <", 2)) {
			end = at;
			break;
		}
	}
	while (end > text && end[-1] == ' ')
		end--;
	if (!klog_parse__colon_task(text, end, &task))
		return -EINVAL;
	for (size_t i = 0; i < 2 && !owner; i++)
		if ((owner = strstr(end, phrases[i])))
			owner += strlen(phrases[i]);
	if (owner) {
		/* the comm may hold anything but the last colon is followed by the pid */
		stop = strrchr(owner, ':');
		if (stop)
			stop += 1 + strspn(stop + 1, "0123456789");
		if (!stop || !klog_parse__colon_task(owner, stop, &by))
			return -EINVAL;
	}
	err = select_task(r, &task, line);
	if (!err && r->current != NO_ID) {
		r->tasks.items[r->current].blocked = true;
		r->tasks.items[r->current].owner = by;
	}
	return err;
}

static int info_line(struct hung_reader *r, const struct klog_line *line)
{
	const char *text = line->text + strlen("INFO: task ");
	int err = strstr(text, "blocked on a") ? owner_line(r, line, text)
					       : blocked_line(r, line, text);

	if (err != -EINVAL)
		return err;
	line_reader__complain(
		&r->log->lines, line->number,
		"expected \"INFO: task NAME:PID blocked for more than N seconds.\" or "
		"\"… blocked on a … likely owned by task NAME:PID\"");
	return 0;
}

/* "task:NAME  state:D stack:0 pid:4711 tgid:4711 ppid:1 …" */
static int show_line(struct hung_reader *r, const struct klog_line *line)
{
	const char *name = line->text + 5, *end = strstr(name, "state:");
	const char *pid = end ? strstr(end, "pid:") : NULL;
	struct klog_task task = {.known = true};
	size_t length;

	if (!pid || pid[-1] != ' ')
		return 0;
	pid += 4 + strspn(pid + 4, " ");
	if (!isdigit((unsigned char)*pid))
		return 0;
	while (end > name && end[-1] == ' ')
		end--;
	length = (size_t)(end - name);
	if (length >= sizeof(task.comm))
		length = sizeof(task.comm) - 1;
	memcpy(task.comm, name, length);
	task.comm[length] = '\0';
	task.pid = (uint32_t)strtoul(pid, NULL, 10);
	return select_task(r, &task, line);
}

/* "2 locks held by comm/123:" */
static int held_header(struct hung_reader *r, const struct klog_line *line)
{
	const char *at = strstr(line->text, " held by "), *colon;
	struct klog_task task;

	if (!at)
		return 0;
	colon = strrchr(at, ':');
	r->current = NO_ID;
	if (!klog_parse__task(at + 9, colon ? colon : at + strlen(at), &task)) {
		line_reader__complain(&r->log->lines, line->number,
				      "expected \"N locks held by NAME/PID:\"");
		return 0;
	}
	return select_task(r, &task, line);
}

static int add_held(struct hung_reader *r, struct hung_task *task, const struct klog_lock *lock)
{
	uint32_t n = task->held_count;

	/* syzbot repeats a line per inlined frame */
	if (n && task->held[n - 1].address == lock->address && lock->address) {
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

static int locks_line(struct hung_reader *r, const struct klog_line *line)
{
	struct klog_lock lock;

	if (!strncmp(line->text, "====", 4)) {
		r->in_locks = false;
		r->current = NO_ID;
		return 0;
	}
	if (strstr(line->text, " held by "))
		return held_header(r, line);
	if (*line->text != '#' || r->current == NO_ID)
		return 0;
	if (klog_parse__lock(r->log->lines.m, line->text, &lock))
		return add_held(r, &r->tasks.items[r->current], &lock);
	line_reader__complain(&r->log->lines, line->number,
			      "expected \"#N: ADDRESS (class){usage}, at: function\"");
	return 0;
}

static void trace_line(struct hung_reader *r, const char *text)
{
	struct frame frame;
	bool reliable;

	if (!strncmp(text, "</TASK>", 7) || !strncmp(text, "RIP:", 4)) {
		r->in_trace = false;
		return;
	}
	if (klog_parse__frame(r->log->lines.m, text, &frame, &reliable) && reliable)
		klog_stack__add(&r->tasks.items[r->current].stack, &frame);
}

static void release_line(struct hung_reader *r, const struct klog_line *line)
{
	char release[128];

	if (klog_parse__release(line->text, release, sizeof(release)))
		klog__note_release(r->log, release, line->number);
}

int hung_reader__line(struct hung_reader *r, const struct klog_line *line)
{
	const char *text = line->text;

	if (!strncmp(text, "INFO: task ", 11) && strstr(text, " blocked "))
		return info_line(r, line);
	if (!strncmp(text, "Showing all locks held in the system", 36)) {
		r->in_locks = true;
		r->in_trace = false;
		r->reports++;
		return 0;
	}
	if (r->in_locks)
		return locks_line(r, line);
	if (!strncmp(text, "task:", 5))
		return show_line(r, line);
	if (r->current == NO_ID)
		return 0;
	if (!strncasecmp(text, "Call Trace:", 11)) {
		r->in_trace = true;
		r->tasks.items[r->current].stack.count = 0;
	} else if (r->in_trace) {
		trace_line(r, text);
	} else {
		release_line(r, line);
	}
	return 0;
}

int hung_reader__end(struct hung_reader *r)
{
	return hung__emit(&r->tasks, r->log);
}
