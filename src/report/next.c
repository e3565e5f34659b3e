// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What to do next about a finding: evidence to keep, the fix, the command for the host. What can
 * only be done on a host that still hangs says so where the source is somebody else's log.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/graph/render.h"

#define LINES_MAX 12

struct lines {
	char **items; /* NULL-terminated */
	uint32_t count;
};

static void add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct lines *lines, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	if (lines->count == LINES_MAX)
		return;
	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) >= 0)
		lines->items[lines->count++] = text;
	va_end(arguments);
}

static uint32_t tid_of(const struct model *m, uint32_t task)
{
	const struct task *t = task < model__task_count(m) ? model__task(m, task) : NULL;

	return t ? t->tid ? t->tid : t->pid : 0;
}

/* --- known bugs ------------------------------------------------------------------------------- */

static void add_fixes(struct lines *lines, const struct finding *f)
{
	for (uint32_t i = 0; i < f->known_count; i++) {
		const struct known_bug *k = &f->known[i];

		if (!strcmp(k->state, "in this kernel"))
			continue;
		add(lines, "The fix is %s (%s): run a kernel that has it.", k->commit, k->title);
	}
}

/* --- deadlocks -------------------------------------------------------------------------------- */

static void add_breaking(struct lines *lines, const struct model *m, const struct finding *f,
			 bool is_log)
{
	const char *where = is_log ? " if the host still hangs" : "";

	for (uint32_t i = 0; i < f->task_count; i++) {
		const struct blocked_task *t = &f->tasks[i];
		bool is_killable = t->breakable == WAIT_KILLABLE;

		if (t->breakable == WAIT_UNINTERRUPTIBLE || t->task >= model__task_count(m))
			continue;
		add(lines, "A signal breaks it%s: `kill -%s %u` (its wait is %s).", where,
		    is_killable ? "KILL" : "INT", tid_of(m, t->task),
		    is_killable ? "killable" : "interruptible");
		return;
	}
	add(lines, "No signal breaks it: every wait is uninterruptible. The tasks stay until the "
		   "host reboots; move the other guests away first.");
}

static const char *structure_of(enum lock_kind kind)
{
	switch (kind) {
	case LOCK_KIND_RWSEM:
		return "rw_semaphore";
	case LOCK_KIND_PERCPU_RWSEM:
		return "percpu_rw_semaphore";
	case LOCK_KIND_RTMUTEX:
		return "rt_mutex";
	default:
		return "mutex";
	}
}

static void add_structures(struct lines *lines, const struct model *m, const struct finding *f)
{
	for (uint32_t i = 0; i < f->task_count && i < 4; i++) {
		const struct blocked_task *t = &f->tasks[i];
		const struct lock_instance *wants =
			t->wants < model__instance_count(m) ? model__instance(m, t->wants) : NULL;

		if (t->task >= model__task_count(m) || !wants || !wants->address)
			continue;
		add(lines, "In crash or drgn: `bt %u`, then `struct %s 0x%" PRIx64 "` (%s).",
		    model__task(m, t->task)->tid,
		    structure_of(model__lock_class(m, wants->lock_class)->kind), wants->address,
		    render_class_name(m, wants->lock_class));
	}
}

static void add_deadlock(struct lines *lines, const struct model *m, const struct finding *f,
			 bool is_log)
{
	if (!f->task_count)
		return;
	add_breaking(lines, m, f, is_log);
	if (is_log)
		add(lines,
		    "Keep this log. If the host still hangs: `vfiotrace now` there names the "
		    "locks, their owners and everybody behind them.");
	else
		add(lines, "Keep the evidence: `echo w > /proc/sysrq-trigger` puts every blocked "
			   "task's stack into the kernel log.");
	add_structures(lines, m, f);
}

/* --- hangs ------------------------------------------------------------------------------------ */

/* Where to look for what a task waits for that is no lock. */
static const char *const elsewhere[WAIT_WHATS] = {
	[WAIT_WHAT_COMPLETION] =
		"Somebody must complete it: look among the other stacks (`echo t > "
		"/proc/sysrq-trigger`) for who works for this function.",
	[WAIT_WHAT_WORK] = "The work is in a kworker: `echo t > /proc/sysrq-trigger` shows the "
			   "workqueues, their pending works and the kworkers' stacks.",
	[WAIT_WHAT_WORKQUEUE] = "A work of that queue does not end: `echo t > /proc/sysrq-trigger` "
				"shows the workqueues, their works and the kworkers' stacks.",
	[WAIT_WHAT_SRCU] = "A reader between srcu_read_lock() and srcu_read_unlock() does not end: "
			   "look for it among the other stacks (`echo t > /proc/sysrq-trigger`).",
	[WAIT_WHAT_RCU] = "A reader or a CPU keeps RCU waiting: look for \"rcu: INFO\" in the log, "
			  "it names the CPU.",
	[WAIT_WHAT_FOLIO] = "It is the storage or the file system: look for I/O errors and resets "
			    "in the log, and at `cat /sys/block/*/inflight`.",
	[WAIT_WHAT_IO] =
		"It is the storage: look for I/O errors and resets in the log, and at `cat "
		"/sys/block/*/inflight`.",
	[WAIT_WHAT_EVENT] = "Look among the other stacks (`echo t > /proc/sysrq-trigger`) for who "
			    "should wake it.",
	[WAIT_WHAT_KTHREAD] = "The kernel thread does not end: its stack (`echo t > "
			      "/proc/sysrq-trigger`) shows where it is.",
	[WAIT_WHAT_UNKNOWN] = "While it is blocked, `cat /proc/TID/stack` as root shows where.",
};

static void add_hang(struct lines *lines, const struct model *m, const struct finding *f)
{
	const struct task_wait *wait = f->tasks[0].wait;
	const struct other_task *owner = &wait->owner;

	if (f->code == CODE_HUNG_ELSEWHERE)
		add(lines, "%s", elsewhere[wait->what]);
	else if (owner->task != NO_ID && owner->stack == NO_ID)
		add(lines,
		    "All depends on the owner: `cat /proc/%u/stack` as root, while the task "
		    "is blocked, shows what it does.",
		    tid_of(m, owner->task));
	else if (owner->task != NO_ID)
		add(lines, "All depends on the owner: see in its stack what keeps it from letting "
			   "the lock go.");
	else
		add(lines, "Who owns the lock is not in this log: `vfiotrace now` on the host says "
			   "it, while the task is blocked.");
	if (f->code == CODE_HUNG_ELSEWHERE || owner->task == NO_ID)
		add(lines,
		    "Keep this log, and while it hangs the stacks of all blocked tasks: `echo w > "
		    "/proc/sysrq-trigger`.");
	else
		add(lines,
		    "Keep this log. If it hangs still: `vfiotrace now` on the host shows the "
		    "lock, its owner and everybody behind it.");
}

/* --- orders ----------------------------------------------------------------------------------- */

static void add_order(struct lines *lines, const struct finding *f, bool is_log)
{
	if (f->grade < GRADE_WARNING) {
		add(lines, "Nothing now: it matters once what keeps the tasks apart is gone.");
		return;
	}
	if (!f->known_count)
		add(lines, "Send both stacks to the maintainers of the code: one of the orders has "
			   "to go.");
	if (is_log)
		add(lines,
		    "Keep the whole log: lockdep reports once per boot. `vfiotrace record` on "
		    "the host shows every further order, and how often.");
	else
		add(lines, "Keep the recording. On the host, `vfiotrace now` tells at once whether "
			   "a hang is this one.");
}

static void add_nesting(struct lines *lines)
{
	add(lines, "Nothing, if something orders the two locks (an address, a parent); else two "
		   "tasks can take them the other way round.");
}

static void add_unlock(struct lines *lines, const struct finding *f)
{
	if (f->code == CODE_LOCK_LEAK)
		add(lines,
		    "Look for a return without a release in the function that took the lock. "
		    "Whoever wants it next hangs: `vfiotrace now` shows them.");
	else
		add(lines, "Look for an error path that releases twice, or releases what another "
			   "task took, in the function that releases.");
}

char **render_next(const struct model *m, const struct finding *f)
{
	struct lines lines = {calloc(LINES_MAX + 1, sizeof(char *)), 0};
	bool is_log = model__fact(m, "source.format");

	if (!lines.items || f->resolved || f->suppressed)
		return lines.items;
	add_fixes(&lines, f);
	switch (f->kind) {
	case FINDING_DEADLOCK:
		add_deadlock(&lines, m, f, is_log);
		break;
	case FINDING_HANG:
		add_hang(&lines, m, f);
		break;
	case FINDING_RECURSION:
		add(&lines, "Whoever gets there hangs for good. `vfiotrace now` on the host shows "
			    "whether a task does already.");
		break;
	case FINDING_INVERSION:
	case FINDING_CYCLE:
		add_order(&lines, f, is_log);
		break;
	case FINDING_NESTING:
		add_nesting(&lines);
		break;
	case FINDING_UNLOCK:
		add_unlock(&lines, f);
		break;
	case FINDING_ORDER:
		add(&lines, "Either the code or the declared order is wrong: mend the one, or "
			    "suppress it with a reason (vfiotrace-rules(7)).");
		break;
	case FINDING_IRQ:
		add(&lines, "Whoever takes the lock outside of the interrupt has to keep that "
			    "interrupt off (spin_lock_irqsave(), spin_lock_bh()).");
		break;
	case FINDING_KINDS:
		break;
	}
	return lines.items;
}

void render_free_lines(char **lines)
{
	for (char **l = lines; l && *l; l++)
		free(*l);
	free(lines);
}
