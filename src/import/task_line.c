// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines that name a task, see task_line.h (kernel/hung_task.c, kernel/sched/core.c). */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "import/task_line.h"

#define SECOND 1000000000ULL

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static void set_task(struct klog_task *task, const char *comm, size_t length, unsigned long pid)
{
	memset(task, 0, sizeof(*task));
	while (length && comm[length - 1] == ' ')
		length--;
	if (length >= sizeof(task->comm))
		length = sizeof(task->comm) - 1;
	memcpy(task->comm, comm, length);
	task->comm[length] = '\0';
	task->pid = (uint32_t)pid;
	task->known = true;
}

/* --- the hung-task detector --------------------------------------------------------------------
 */

/* "… blocked for more than 120 seconds", "… blocked in I/O wait for more than 120 seconds" */
static enum task_line blocked_line(const char *text, struct task_words *words)
{
	const char *end = strstr(text, " blocked for more than"), *number;

	if (!end)
		end = strstr(text, " blocked in I/O wait for more than");
	words->io = end && starts_with(end, " blocked in I/O");
	if (!end)
		end = strstr(text, " blocked");
	if (!end || !klog_parse__colon_task(text, end, &words->task))
		return TASK_LINE_DAMAGED;
	number = strstr(end, " more than ");
	if (number)
		words->blocked_ns = strtoul(number + 11, NULL, 10) % 1000000000 * SECOND;
	words->state = 'D';
	return TASK_LINE_BLOCKED;
}

static enum wait_what what_of(const char *text, const char *end)
{
	const char *kind = strstr(end, "blocked on a");

	if (strstr(kind, "on a mutex"))
		return WAIT_WHAT_MUTEX;
	if (strstr(kind, "rw-semaphore"))
		return memmem(text, (size_t)(kind - text), "<reader>", 8)   ? WAIT_WHAT_RWSEM_READ
		       : memmem(text, (size_t)(kind - text), "<writer>", 8) ? WAIT_WHAT_RWSEM_WRITE
									    : WAIT_WHAT_RWSEM;
	return strstr(kind, "semaphore") ? WAIT_WHAT_SEMAPHORE : WAIT_WHAT_UNKNOWN;
}

/* "X:1 [<reader>] [is ]blocked on a mutex likely owned by task Y:2 [<writer>]." */
static enum task_line owner_line(const char *text, struct task_words *words)
{
	static const char *const phrases[] = {"owned by task ", "last held by task "};
	const char *end = strstr(text, "blocked on a"), *owner = NULL, *stop;

	for (const char *at = text; at < end; at++) {
		if (starts_with(at, " is blocked") || starts_with(at, " <reader>") ||
		    starts_with(at, " <writer>")) {
			end = at;
			break;
		}
	}
	while (end > text && end[-1] == ' ')
		end--;
	if (!klog_parse__colon_task(text, end, &words->task))
		return TASK_LINE_DAMAGED;
	words->what = what_of(text, end);
	words->state = 'D';
	for (size_t i = 0; i < 2 && !owner; i++)
		if ((owner = strstr(end, phrases[i])))
			owner += strlen(phrases[i]);
	if (!owner)
		return TASK_LINE_OWNER; /* "…, but the owner is not found." */
	/* the comm may hold anything but the last colon is followed by the pid */
	stop = strrchr(owner, ':');
	if (stop)
		stop += 1 + strspn(stop + 1, "0123456789");
	if (!stop || !klog_parse__colon_task(owner, stop, &words->owner))
		return TASK_LINE_DAMAGED;
	return TASK_LINE_OWNER;
}

/* --- sched_show_task ---------------------------------------------------------------------------
 */

/* "task:NAME  state:D stack:0 pid:4711 tgid:4711 ppid:1 …" */
static enum task_line show_line(const char *text, struct task_words *words)
{
	const char *name = text + 5, *end = strstr(name, "state:");
	const char *pid = end ? strstr(end, " pid:") : NULL;

	if (!pid)
		return TASK_LINE_NONE;
	pid += 5 + strspn(pid + 5, " ");
	if (!isdigit((unsigned char)*pid))
		return TASK_LINE_NONE;
	set_task(&words->task, name, (size_t)(end - name), strtoul(pid, NULL, 10));
	words->state = end[6];
	return TASK_LINE_STATE;
}

/* The blank before the last word of [text, *end); NULL: there is none. */
static const char *last_word(const char *text, const char **end)
{
	const char *at = *end;

	while (at > text && at[-1] == ' ')
		at--;
	*end = at;
	while (at > text && at[-1] != ' ')
		at--;
	return at > text && at < *end ? at : NULL;
}

static bool is_number(const char *at, const char *end)
{
	return at < end && strspn(at, "0123456789") >= (size_t)(end - at);
}

/*
 * "qemu-kvm        D    0  4711      1 0x80000080", "worker  D29496  9850  19518 0x00000004",
 * "x  D ffff88003fc13680     0   210      2 0x00000000", "x  R  running task    0   1   0 0x00":
 * name, state, what is left of the stack, pid, parent, flags; read from the end, because the name
 * may hold blanks.
 */
static enum task_line old_show_line(const char *text, struct task_words *words)
{
	const char *end = text + strlen(text), *at = last_word(text, &end), *pid;

	if (!at || !starts_with(at, "0x") || end - at < 6)
		return TASK_LINE_NONE;
	end = at;
	at = last_word(text, &end);
	if (!at || !is_number(at, end))
		return TASK_LINE_NONE;
	end = at;
	pid = last_word(text, &end);
	if (!pid || !is_number(pid, end))
		return TASK_LINE_NONE;
	end = pid;
	at = last_word(text, &end);
	if (!at)
		return TASK_LINE_NONE;
	if (is_number(at, end)) {
		end = at;
		at = last_word(text, &end);
	} else if (!strchr("DRSTtXZPIKW", *at) || !is_number(at + 1, end)) {
		return TASK_LINE_NONE;
	}
	if (at && end - at == 4 && !memcmp(at, "task", 4)) { /* "running task" */
		end = at;
		at = last_word(text, &end);
		end = at ? at : end;
		at = at ? last_word(text, &end) : NULL;
	} else if (at && end - at >= 8 && strspn(at, "0123456789abcdef") >= (size_t)(end - at)) {
		end = at; /* the program counter */
		at = last_word(text, &end);
	}
	if (!at || !strchr("DRSTtXZPIKW", *at) || (end - at > 1 && !is_number(at + 1, end)))
		return TASK_LINE_NONE;
	set_task(&words->task, text, (size_t)(at - text), strtoul(pid, NULL, 10));
	words->state = *at;
	return TASK_LINE_STATE;
}

/* --- crash, drgn, /proc ------------------------------------------------------------------------
 */

/* "PID: 4711   TASK: ffff9c0a4b3d8000  CPU: 3    COMMAND: "qemu-kvm"" */
static enum task_line crash_line(const char *text, struct task_words *words)
{
	const char *name = strstr(text, "COMMAND: \"");

	if (!name || !strstr(text, "TASK: "))
		return TASK_LINE_NONE;
	name += strlen("COMMAND: \"");
	set_task(&words->task, name, strcspn(name, "\""), strtoul(text + 4, NULL, 10));
	return TASK_LINE_STATE;
}

/* "==> /proc/4711/task/4712/stack <==", "/proc/4711/stack:", "# cat /proc/4711/stack" */
static enum task_line proc_line(const char *text, struct task_words *words)
{
	const char *at = strstr(text, "/proc/"), *task;
	char *end;
	unsigned long pid;

	if (!at)
		return TASK_LINE_NONE;
	pid = strtoul(at + 6, &end, 10);
	task = end;
	if (starts_with(end, "/task/"))
		pid = strtoul(task + 6, &end, 10);
	if (!pid || !starts_with(end, "/stack"))
		return TASK_LINE_NONE;
	set_task(&words->task, "", 0, pid);
	return TASK_LINE_STATE;
}

/* ">>> prog.stack_trace(4711)", "print(stack_trace(4711))" */
static enum task_line drgn_line(const char *text, struct task_words *words)
{
	const char *at = strstr(text, "stack_trace(");
	char *end;
	unsigned long pid = at ? strtoul(at + 12, &end, 10) : 0;

	if (!pid || pid > UINT32_MAX || *end != ')')
		return TASK_LINE_NONE;
	set_task(&words->task, "", 0, pid);
	return TASK_LINE_STATE;
}

/* "2 locks held by comm/123:", since 6.x "…:  #0: …" never */
static enum task_line holds_line(const char *text, struct task_words *words)
{
	const char *at = strstr(text, " held by "), *colon;

	colon = strrchr(at, ':');
	return klog_parse__task(at + 9, colon ? colon : at + strlen(at), &words->task)
		       ? TASK_LINE_HOLDS
		       : TASK_LINE_DAMAGED;
}

static bool is_holds_line(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && (starts_with(text + digits, " lock held by ") ||
			  starts_with(text + digits, " locks held by "));
}

enum task_line task_line__parse(const char *text, struct task_words *words)
{
	memset(words, 0, sizeof(*words));
	words->what = WAIT_WHAT_UNKNOWN;
	if (starts_with(text, "INFO: task ") && strstr(text, " blocked"))
		return strstr(text, "blocked on a") ? owner_line(text + 11, words)
						    : blocked_line(text + 11, words);
	if (starts_with(text, "task:"))
		return show_line(text, words);
	if (is_holds_line(text))
		return holds_line(text, words);
	if (starts_with(text, "PID: "))
		return crash_line(text, words);
	if (strstr(text, "/proc/"))
		return proc_line(text, words);
	if (strstr(text, "stack_trace("))
		return drgn_line(text, words);
	return old_show_line(text, words);
}
