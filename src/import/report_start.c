// SPDX-License-Identifier: GPL-2.0-or-later
/* How the kernel's reports begin. Data first, lookup below. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "import/report_start.h"

#define NOT_ORDER " (not about the order of locks)"

/*
 * `head` begins the line (NULL: one of the headings lockdep uses), `rest` stands anywhere behind.
 */
static const struct row {
	const char *head, *rest;
	enum report_kind kind;
	const char *name;
} rows[] = {
	{"INFO: task ", " blocked for more than", REPORT_HUNG_TASK, "hung task"},
	{"INFO: task ", " blocked in I/O wait for more than", REPORT_HUNG_TASK, "hung task"},
	{"INFO: task ", " blocked on a", REPORT_HUNG_OWNER, "owner of a lock"},
	{"INFO: task ", " blocked", REPORT_HUNG_TASK, "hung task"},
	{"Showing all locks held in the system", "", REPORT_LOCK_LIST, "list of held locks"},
	{"sysrq: Show Blocked State", "", REPORT_BLOCKED, "blocked tasks"},
	{"SysRq : Show Blocked State", "", REPORT_BLOCKED, "blocked tasks"},
	{"sysrq: Show State", "", REPORT_TASKS, "all tasks"},
	{"SysRq : Show State", "", REPORT_TASKS, "all tasks"},
	{"sysrq: Show Locks Held", "", REPORT_LOCK_LIST, "list of held locks"},
	{"SysRq : Show Locks Held", "", REPORT_LOCK_LIST, "list of held locks"},

	{NULL, "possible circular locking dependency", REPORT_CIRCULAR, "lockdep: circular"},
	{NULL, "possible recursive locking", REPORT_RECURSIVE, "lockdep: recursive"},
	{NULL, "inconsistent lock state", REPORT_INCONSISTENT, "lockdep: inconsistent"},
	{NULL, "possible irq lock inversion", REPORT_IRQ_INVERSION, "lockdep: irq inversion"},
	{NULL, "lock order detected", REPORT_IRQ_ORDER, "lockdep: irq order"},
	{NULL, "lock held when returning to user space", REPORT_HELD, "lockdep: lock held"},
	{NULL, "lock held at task exit time", REPORT_HELD, "lockdep: lock held"},
	{NULL, "still has locks held", REPORT_HELD, "lockdep: lock held"},
	{NULL, "bad unlock balance", REPORT_UNLOCK, "lockdep: bad unlock"},
	{NULL, "held lock freed", REPORT_FREED, "lockdep: held lock freed"},
	{NULL, "Invalid wait context", REPORT_NO_ORDER, "invalid wait context" NOT_ORDER},
	{NULL, "invalid wait context", REPORT_NO_ORDER, "invalid wait context" NOT_ORDER},
	{NULL, "Nested lock was not taken", REPORT_NO_ORDER, "nested lock was not taken" NOT_ORDER},
	{NULL, "bad contention detected", REPORT_NO_ORDER, "bad contention" NOT_ORDER},
	{NULL, "suspicious RCU usage", REPORT_NO_ORDER, "suspicious RCU usage" NOT_ORDER},
	{NULL, "suspicious rcu_dereference", REPORT_NO_ORDER, "suspicious RCU usage" NOT_ORDER},
	{NULL, "Nested lock", REPORT_NO_ORDER, "nested lock" NOT_ORDER},
	{"BUG: MAX_LOCK", "", REPORT_NO_ORDER,
	 "lockdep's tables are full; it is off from here on" NOT_ORDER},
	{"BUG: MAX_STACK_TRACE_ENTRIES", "", REPORT_NO_ORDER,
	 "lockdep's tables are full; it is off from here on" NOT_ORDER},
	{"INFO: lockdep is turned off", "", REPORT_NO_ORDER, "lockdep is off" NOT_ORDER},
	{"INFO: trying to register non-static key", "", REPORT_NO_ORDER,
	 "a lock was not initialised" NOT_ORDER},
	{"BUG: key ", "has not been registered", REPORT_NO_ORDER,
	 "a lock's key is not registered" NOT_ORDER},
	{"DEBUG_LOCKS_WARN_ON", "", REPORT_NO_ORDER, "lock debugging warning" NOT_ORDER},
	{"BUG: sleeping function called from invalid", "", REPORT_NO_ORDER,
	 "sleeping function called from invalid context" NOT_ORDER},
	{"BUG: scheduling while atomic", "", REPORT_NO_ORDER, "scheduling while atomic" NOT_ORDER},

	{"watchdog: BUG: soft lockup", "", REPORT_OTHER, "soft lockup"},
	{"NMI watchdog: BUG: soft lockup", "", REPORT_OTHER, "soft lockup"},
	{"BUG: soft lockup", "", REPORT_OTHER, "soft lockup"},
	{"watchdog: Watchdog detected hard LOCKUP", "", REPORT_OTHER, "hard lockup"},
	{"NMI watchdog: Watchdog detected hard LOCKUP", "", REPORT_OTHER, "hard lockup"},
	{"Watchdog detected hard LOCKUP", "", REPORT_OTHER, "hard lockup"},
	{"watchdog: CPU", "hard LOCKUP", REPORT_OTHER, "hard lockup"},
	{"BUG: workqueue lockup", "", REPORT_OTHER, "workqueue lockup"},
	{"rcu: INFO: rcu", "stall", REPORT_OTHER, "RCU stall"},
	{"INFO: rcu", "stall", REPORT_OTHER, "RCU stall"},
	{"rcu: INFO: rcu", "", REPORT_OTHER, "RCU report"},
	{"INFO: rcu", "", REPORT_OTHER, "RCU report"},
	{"Sending NMI from CPU", "", REPORT_OTHER, "NMI backtrace"},
	{"NMI backtrace for cpu", "", REPORT_OTHER, "NMI backtrace"},
	{"sysrq: Show backtrace of all active CPUs", "", REPORT_OTHER, "backtrace of all CPUs"},
	{"SysRq : Show backtrace of all active CPUs", "", REPORT_OTHER, "backtrace of all CPUs"},
	{"sysrq: Show Regs", "", REPORT_OTHER, "registers"},
	{"SysRq : Show Regs", "", REPORT_OTHER, "registers"},
	{"Dumping ftrace buffer", "", REPORT_OTHER, "ftrace dump"},
	{"Showing busy workqueues", "", REPORT_OTHER, "busy workqueues"},
	{"WARNING: CPU: ", "", REPORT_OTHER, "kernel warning"},
	{"BUG: unable to handle", "", REPORT_OTHER, "oops"},
	{"BUG: kernel NULL pointer", "", REPORT_OTHER, "oops"},
	{"Unable to handle kernel", "", REPORT_OTHER, "oops"},
	{"Oops: ", "", REPORT_OTHER, "oops"},
	{"Internal error: ", "", REPORT_OTHER, "oops"},
	{"general protection fault", "", REPORT_OTHER, "oops"},
	{"kernel BUG at ", "", REPORT_OTHER, "kernel BUG"},
	{"BUG: K", "SAN", REPORT_OTHER, "sanitizer report"},
	{"UBSAN: ", "", REPORT_OTHER, "sanitizer report"},
	{"Kernel panic - not syncing", "", REPORT_OTHER, "panic"},
};

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* A heading as the kernel prints it, not a mail's subject that quotes it. */
static bool has_heading(const char *text)
{
	static const char *const headings[] = {"WARNING: ", "INFO: ", "BUG: ", "[ ", "ERROR: "};

	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		if (starts_with(text, headings[i]))
			return true;
	return false;
}

struct report_start report_start__find(const char *text)
{
	/* nearly every line of a log ends here */
	bool heading = has_heading(text);
	char first = *text;

	if (!heading && !strchr("SsDwNBrIUOgkK", first))
		return (struct report_start){REPORT_NONE, NULL};
	for (size_t i = 0; first && i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		if (row->head ? *row->head != first || !starts_with(text, row->head) : !heading)
			continue;
		if (*row->rest && !strstr(text, row->rest))
			continue;
		return (struct report_start){row->kind, row->name};
	}
	return (struct report_start){REPORT_NONE, NULL};
}

/* The word that ends at `colon`, with the kernel's own prefix ("rcu: ", "watchdog: ") before it. */
static const char *word_before(const char *text, const char *colon)
{
	static const char *const words[] = {"NMI watchdog: BUG",
					    "watchdog: BUG",
					    "rcu: INFO",
					    "INFO",
					    "WARNING",
					    "BUG",
					    "sysrq",
					    "SysRq ",
					    "Showing all locks held in the system"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(colon - text) > length && !memcmp(colon - length, words[i], length) &&
		    !isalnum((unsigned char)colon[-(ptrdiff_t)length - 1]))
			return colon - length;
	}
	return NULL;
}

const char *report_start__anchor(const char *text)
{
	for (const char *colon = text; (colon = strchr(colon, ':')); colon++) {
		const char *start = word_before(text, colon);

		if (!start)
			continue;
		/* "[ INFO: possible … ]" */
		if (start - text >= 2 && !strncmp(start - 2, "[ ", 2))
			start -= 2;
		if (start > text && report_start__find(start).kind != REPORT_NONE)
			return start;
	}
	return NULL;
}
