// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings and verdicts in sentences. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/graph/render.h"

/* What each code says about its locks, which come first. */
static const char *const meanings[FINDING_CODES] = {
	[CODE_DEADLOCK] = "wait for each other and cannot go on",
	[CODE_POSSIBLE_DEADLOCK] = "seem to wait for each other: who has a lock to read is only "
				   "known by who came last",
	[CODE_RECURSION] =
		"is taken again by a task that already holds it: that task waits for itself",
	[CODE_PREDICTED] = "can deadlock: a legal reordering of the recorded events gets there",
	[CODE_PREDICTED_FAIR] = "can deadlock: a reader comes to wait behind a queued writer",
	[CODE_BAD_UNLOCK] = "is released by a task that does not hold it",
	[CODE_ORDER_VIOLATION] = "are taken against a declared order",
	[CODE_IRQ_INVERSION] = "can deadlock: an interrupt may take a lock that the task it "
			       "interrupts holds",
	[CODE_LOCK_LEAK] = "is still held by a task that left the kernel or ended",
	[CODE_SAME_CLASS_NESTING] = "is taken while another lock of the same class is held",
};

/* The same for codes that say "are taken in opposite orders", or "in a circle" of three and more.
 */
static const char *const order_meanings[FINDING_CODES] = {
	[CODE_INSTANCE_INVERSION] = " on the very same locks: tasks that meet there deadlock",
	[CODE_WAIT_INVERSION] = ", and one of them is a wait: who waits holds what the one needs "
				"who could end it",
	[CODE_CLASS_INVERSION] = ", though never yet the same locks all the way round",
	[CODE_GATED] = ", but always under a lock that keeps the tasks apart",
	[CODE_ORDERED] = ", but never at the same time (fork/join)",
	[CODE_SAME_THREAD] = ", but only ever by one thread",
	[CODE_READ_ONLY] = " by readers that no writer was seen to stop",
};

static bool one_class(const struct finding *f)
{
	for (uint32_t i = 1; i < f->length; i++)
		if (f->classes[i] != f->classes[0])
			return false;
	return true;
}

static void put_subject(FILE *out, const struct model *m, const struct finding *f)
{
	char task[RENDER_SIZE];

	if (f->kind == FINDING_DEADLOCK) {
		for (uint32_t i = 0; i < f->task_count; i++)
			fprintf(out, "%s%s", i ? i + 1 == f->task_count ? " and " : ", " : "",
				render_task(task, sizeof(task), m, f->tasks[i].task));
		if (f->task_count == 1)
			fprintf(out,
				f->code == CODE_DEADLOCK
					? " waits for a lock that it holds itself and cannot go on"
					: " seems to wait for a lock that it has itself to read");
		return;
	}
	if (order_meanings[f->code] && one_class(f)) {
		fprintf(out, "Locks of the class %s", render_class_name(m, f->classes[0]));
		return;
	}
	for (uint32_t i = 0; i < f->length; i++)
		fprintf(out, "%s%s", i ? i + 1 == f->length ? " and " : ", " : "",
			render_class_name(m, f->classes[i]));
}

static const char *const wait_words[WAIT_WHATS] = {
	[WAIT_WHAT_MUTEX] = "on a mutex",
	[WAIT_WHAT_RWSEM_READ] = "on a rw_semaphore to read",
	[WAIT_WHAT_RWSEM_WRITE] = "on a rw_semaphore to write",
	[WAIT_WHAT_RWSEM] = "on a rw_semaphore",
	[WAIT_WHAT_SEMAPHORE] = "on a semaphore",
	[WAIT_WHAT_RTMUTEX] = "on an rt_mutex",
	[WAIT_WHAT_PERCPU_RWSEM] = "on a percpu_rw_semaphore",
	[WAIT_WHAT_COMPLETION] = "on a completion",
	[WAIT_WHAT_WORK] = "until a work is done",
	[WAIT_WHAT_WORKQUEUE] = "until a workqueue is empty",
	[WAIT_WHAT_SRCU] = "until all SRCU readers are gone",
	[WAIT_WHAT_RCU] = "until all RCU readers are gone",
	[WAIT_WHAT_FOLIO] = "on a page",
	[WAIT_WHAT_IO] = "on I/O",
	[WAIT_WHAT_EVENT] = "on an event",
	[WAIT_WHAT_KTHREAD] = "on a kernel thread",
	[WAIT_WHAT_UNKNOWN] = "on something that the log does not show",
};

/* "in vgpu_mmio_read [examplegpu]": how far into the function says nothing to people. */
static void put_site(FILE *out, const char *site)
{
	const char *module = site ? strchr(site, '[') : NULL;

	if (site)
		fprintf(out, " in %.*s%s%s", (int)strcspn(site, "+ "), site, module ? " " : "",
			module ? module : "");
}

static void put_comm_tid(FILE *out, const struct model *m, uint32_t task)
{
	const struct task *t = model__task(m, task);

	fprintf(out, "%s/%u", t->comm ? t->comm : "?", t->tid ? t->tid : t->pid);
}

const char *render_wait(enum wait_what what)
{
	return wait_words[what];
}

const char *render_state(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "blocked itself";
	case 'I':
		return "idle";
	case 'T':
	case 't':
		return "stopped";
	case 'X':
	case 'Z':
		return "dead";
	default:
		return NULL;
	}
}

static void put_hang(FILE *out, const struct model *m, const struct finding *f)
{
	const struct task_wait *wait = f->tasks[0].wait;
	char duration[RENDER_SIZE];

	put_comm_tid(out, m, f->tasks[0].task);
	if (wait->blocked_ns)
		fprintf(out, " has been blocked for %s",
			render_duration(duration, sizeof(duration), wait->blocked_ns));
	else
		fputs(" is blocked", out);
	fprintf(out, " %s", wait_words[wait->what]);
	if (wait->lock_class != NO_ID)
		fprintf(out, " (%s)", render_class_name(m, wait->lock_class));
	put_site(out, wait->site);
	if (wait->owner.task != NO_ID) {
		fputs(", likely owned by ", out);
		put_comm_tid(out, m, wait->owner.task);
		if (render_state(wait->owner.state))
			fprintf(out, " (%s)", render_state(wait->owner.state));
	}
	fputc('.', out);
}

char *render_sentence(const struct model *m, const struct finding *f)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (f->kind == FINDING_HANG) {
		put_hang(out, m, f);
		fclose(out);
		return text;
	}
	put_subject(out, m, f);
	if (f->same_class)
		fputs(" are taken inside each other, says lockdep; if they are ever the same, or "
		      "taken the other way round, that task hangs",
		      out);
	else if (f->resolved && f->kind == FINDING_DEADLOCK)
		fprintf(out, " waited for each other; the deadlock has been resolved since");
	else if (order_meanings[f->code])
		fprintf(out, " are taken in %s%s", f->length > 2 ? "a circle" : "opposite orders",
			order_meanings[f->code]);
	else if (f->kind != FINDING_DEADLOCK || f->task_count != 1)
		fprintf(out, " %s", meanings[f->code]);
	fputc('.', out);
	fclose(out);
	return text;
}

char *render_cycle(const struct model *m, const struct finding *f)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool closes =
		f->kind != FINDING_UNLOCK && f->kind != FINDING_ORDER && f->kind != FINDING_HANG;

	if (!out)
		return NULL;
	for (uint32_t i = 0; f->length && i < f->length + closes; i++) {
		uint32_t at = i % f->length;

		fprintf(out, "%s%s%s", i ? " -> " : "", render_class_name(m, f->classes[at]),
			f->modes ? render_mode_short(f->modes[at]) : "");
	}
	fclose(out);
	return text;
}

static void put_losses(FILE *out, const struct model *m)
{
	if (model__losses_unknown(m))
		fprintf(out, " How much was lost is not known on this kernel.");
	else if (model__has_losses(m))
		fprintf(out,
			" Something was lost while recording, so more may exist than was seen.");
}

static uint32_t count_grade(const struct finding_list *list, enum finding_grade at_least)
{
	uint32_t count = 0;

	for (uint32_t i = 0; list && i < list->count; i++)
		count += list->items[i]->grade >= at_least && !list->items[i]->suppressed;
	return count;
}

static void put_first(FILE *out, const struct report_input *input, uint32_t bad)
{
	const struct finding **sorted = render_sorted(input->findings);
	char *sentence;

	if (!sorted)
		return;
	for (uint32_t i = 0; i < input->findings->count; i++) {
		if (sorted[i]->suppressed || sorted[i]->grade < GRADE_WARNING)
			continue;
		sentence = render_sentence(input->model, sorted[i]);
		fputs(sentence ? sentence : "", out);
		free(sentence);
		for (uint32_t k = 0; k < sorted[i]->known_count && !k; k++)
			fprintf(out, " Known bug, fixed by %s (%s): %s.",
				sorted[i]->known[k].commit, sorted[i]->known[k].title,
				sorted[i]->known[k].state);
		break;
	}
	free(sorted);
	if (bad > 1)
		fprintf(out, " %u more finding%s of grade warning or worse.", bad - 1,
			bad == 2 ? "" : "s");
}

/* What was not found: said of what was looked at, and not beside what is suppressed or of grade
 * info.
 */
static void put_nothing_bad(FILE *out, const struct report_input *input)
{
	const struct model *m = input->model;
	const bool complete = finding_list__is_complete(input->findings, m);
	const uint32_t count = input->findings ? input->findings->count : 0;
	const uint32_t shown = count_grade(input->findings, GRADE_INFO);

	if (!count && !model__dependency_count(m) && !model__class_edge_count(m)) {
		fputs(complete ? "No lock was taken while another was held, so there is nothing to "
				 "judge."
			       : "No lock was seen taken while another was held; that says little, "
				 "because not all was seen.",
		      out);
		return;
	}
	fprintf(out, "%s among %u lock classes and %u dependencies%s.",
		count	   ? "Nothing of grade warning or worse was found"
		: complete ? "No inversion, no cycle and no deadlock"
			   : "Nothing was found",
		model__class_count(m), model__dependency_count(m),
		complete ? "" : ", but not everything was looked at");
	if (shown)
		fprintf(out, " %u finding%s of grade info.", shown, shown == 1 ? "" : "s");
	if (count > shown)
		fprintf(out, " %u finding%s suppressed.", count - shown,
			count - shown == 1 ? " is" : "s are");
}

char *render_verdict(const struct report_input *input)
{
	const struct model *m = input->model;
	uint32_t bad = count_grade(input->findings, GRADE_WARNING);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (bad) {
		put_first(out, input, bad);
	} else if (model__fact(m, "source.missing")) {
		fprintf(out,
			"The kernel reported something, but its report is cut (missing: %s), so "
			"there is no verdict.",
			model__fact(m, "source.missing"));
	} else {
		put_nothing_bad(out, input);
	}
	if (input->findings && input->findings->search_limited)
		fprintf(out, " The search for cycles ended at its budget, so more may exist than "
			     "are listed.");
	if (input->findings && input->findings->undecided)
		fprintf(out,
			" %" PRIu64 " check%s ended at the budget: what may be worse than it is "
			"listed, or may be left out, is not decided.",
			input->findings->undecided, input->findings->undecided == 1 ? "" : "s");
	if (model__fact(m, "model.forgotten"))
		fprintf(out,
			" Of pairs of locks not seen for long (%s chains), only the order of their "
			"classes is known.",
			model__fact(m, "model.forgotten"));
	if (bad && model__fact(m, "source.missing"))
		fprintf(out, " Missing in the source: %s.", model__fact(m, "source.missing"));
	if (model__fact(m, "trace.conditions"))
		fprintf(out,
			" Wait and notify are not followed: what they order, and the locks they "
			"let go and take again, are not known.");
	put_losses(out, m);
	fclose(out);
	return text;
}
