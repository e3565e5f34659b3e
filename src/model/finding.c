// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of kinds, codes, grades and waits; the list's order and exit code. */
#include "finding.h"
#include "exit_code.h"

#include <stdlib.h>
#include <string.h>

const char *const finding_kind_names[FINDING_KINDS] = {
	[FINDING_INVERSION] = "inversion",
	[FINDING_CYCLE] = "cycle",
	[FINDING_RECURSION] = "recursion",
	[FINDING_DEADLOCK] = "deadlock",
	[FINDING_NESTING] = "nesting",
	[FINDING_UNLOCK] = "unlock",
	[FINDING_ORDER] = "order",
	[FINDING_HANG] = "hang",
	[FINDING_IRQ] = "irq",
};

const char *const finding_code_names[FINDING_CODES] = {
	[CODE_DEADLOCK] = "deadlock",
	[CODE_RECURSION] = "recursion",
	[CODE_PREDICTED] = "predicted",
	[CODE_PREDICTED_FAIR] = "predicted-fair",
	[CODE_INSTANCE_INVERSION] = "instance-inversion",
	[CODE_WAIT_INVERSION] = "wait-inversion",
	[CODE_CLASS_INVERSION] = "class-inversion",
	[CODE_BAD_UNLOCK] = "bad-unlock",
	[CODE_ORDER_VIOLATION] = "order-violation",
	[CODE_SAME_CLASS_NESTING] = "same-class-nesting",
	[CODE_GATED] = "gated",
	[CODE_ORDERED] = "ordered",
	[CODE_SAME_THREAD] = "same-thread",
	[CODE_READ_ONLY] = "read-only",
	[CODE_POSSIBLE_DEADLOCK] = "possible-deadlock",
	[CODE_HUNG_ON_LOCK] = "hung-on-lock",
	[CODE_HUNG_ELSEWHERE] = "hung-elsewhere",
	[CODE_IRQ_INVERSION] = "irq-inversion",
	[CODE_LOCK_LEAK] = "lock-leak",
};

const char *const finding_grade_names[FINDING_GRADES] = {
	[GRADE_INFO] = "info",
	[GRADE_WARNING] = "warning",
	[GRADE_ERROR] = "error",
	[GRADE_CRITICAL] = "critical",
};

const char *const wait_what_names[WAIT_WHATS] = {
	[WAIT_WHAT_MUTEX] = "mutex",
	[WAIT_WHAT_RWSEM_READ] = "rwsem-read",
	[WAIT_WHAT_RWSEM_WRITE] = "rwsem-write",
	[WAIT_WHAT_RWSEM] = "rwsem",
	[WAIT_WHAT_SEMAPHORE] = "semaphore",
	[WAIT_WHAT_RTMUTEX] = "rtmutex",
	[WAIT_WHAT_PERCPU_RWSEM] = "percpu-rwsem",
	[WAIT_WHAT_COMPLETION] = "completion",
	[WAIT_WHAT_WORK] = "work",
	[WAIT_WHAT_WORKQUEUE] = "workqueue",
	[WAIT_WHAT_SRCU] = "srcu",
	[WAIT_WHAT_RCU] = "rcu",
	[WAIT_WHAT_FOLIO] = "folio",
	[WAIT_WHAT_IO] = "io",
	[WAIT_WHAT_EVENT] = "event",
	[WAIT_WHAT_KTHREAD] = "kthread",
	[WAIT_WHAT_UNKNOWN] = "unknown",
};

bool wait_what__is_lock(enum wait_what what)
{
	return what <= WAIT_WHAT_PERCPU_RWSEM;
}

bool finding_kind__is_wait(enum finding_kind kind)
{
	return kind == FINDING_DEADLOCK || kind == FINDING_HANG;
}

struct blocked_task blocked_task__of(uint32_t task)
{
	return (struct blocked_task){.task = task,
				     .wants = NO_ID,
				     .kernel_stack = NO_ID,
				     .user_stack = NO_ID,
				     .vm = NO_ID,
				     .device = NO_ID};
}

bool finding__goes_through_wait(const struct model *m, const struct finding *f)
{
	for (uint32_t i = 0; f->classes && i < f->length; i++)
		if (lock_kind__is_wait(model__lock_class(m, f->classes[i])->kind))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	const struct finding *x = *(const struct finding *const *)a;
	const struct finding *y = *(const struct finding *const *)b;

	if (x->grade != y->grade)
		return x->grade > y->grade ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->key ? x->key : "", y->key ? y->key : "");
}

void finding_list__sorted(const struct finding_list *list, const struct finding **out)
{
	for (uint32_t i = 0; i < list->count; i++)
		out[i] = list->items[i];
	if (list->count)
		qsort(out, list->count, sizeof(*out), compare);
}

bool finding_list__is_complete(const struct finding_list *list, const struct model *m)
{
	return (!list || (!list->search_limited && !list->undecided)) && !model__has_losses(m) &&
	       !model__fact(m, "trace.conditions") && !model__fact(m, "source.missing");
}

int finding_list__exit_code(const struct finding_list *list)
{
	int code = EXIT_CLEAN;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct finding *finding = list->items[i];

		if (finding->suppressed)
			continue;
		if (finding->code == CODE_DEADLOCK && !finding->resolved)
			return EXIT_DEADLOCK;
		if (finding->grade >= GRADE_WARNING)
			code = EXIT_FINDING;
	}
	return code;
}
