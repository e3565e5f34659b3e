// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lockdep reports that are not about an order of locks alone: interrupts, one class twice, a lock
 * that is let go by a stranger or never.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analysis.h"
#include "import/splat_private.h"

#define NOTE_BYTES 1024

/* --- words -------------------------------------------------------------------------------------
 */

/* "timeline_irq+0x25 [example]": who called the lock function on this stack */
static bool print_place(const struct klog_stack *stack, char *out, size_t size)
{
	struct wait_place place = klog_stack__place(stack);

	*out = '\0';
	if (place.caller < stack->count)
		klog_frame__print(&stack->frames[place.caller], out, size);
	return *out != '\0';
}

static bool print_site(const struct klog_lock *lock, char *out, size_t size)
{
	*out = '\0';
	if (lock->has_site)
		klog_frame__print(&lock->site, out, size);
	return *out != '\0';
}

/* --- findings ----------------------------------------------------------------------------------
 */

struct statement {
	enum finding_kind kind;
	enum finding_code code;
	enum finding_grade grade;
	const struct held_lock *locks;
	uint32_t count;
	uint32_t chain;
	const struct blocked_task *task; /* or NULL */
	bool same_class;
	const char *note;
};

static void state(struct splat_emitter *e, const struct statement *said)
{
	const struct import_options *options = e->log->lines.options;
	uint32_t classes[SPLAT_NAMES_MAX];
	uint8_t modes[SPLAT_NAMES_MAX];
	struct witness witnesses[SPLAT_NAMES_MAX];
	struct blocked_task task;
	char key[1024];
	struct finding finding = {
		.kind = said->kind,
		.code = said->code,
		.grade = said->grade,
		.key = key,
		.length = said->count,
		.classes = classes,
		.modes = modes,
		.witnesses = witnesses,
		.task_count = said->task != NULL,
		.same_class = said->same_class,
		.prediction_note = "a report about the use of locks; there is no order to replay",
		.note = said->note,
		.missing = model__fact(e->m, "source.missing"),
		.first = e->splat->time,
		.last = e->splat->time,
		.count = 1,
	};
	size_t used =
		(size_t)snprintf(key, sizeof(key), "%s stated", finding_code_names[said->code]);

	if (e->err || !options || !options->analysis)
		return;
	for (uint32_t i = 0; i < said->count; i++) {
		classes[i] = model__held_class(e->m, &said->locks[i]);
		modes[i] = said->locks[i].mode;
		witnesses[i] = (struct witness){.dependency = NO_ID,
						.chain = i ? NO_ID : said->chain,
						.last_chain = i ? NO_ID : said->chain,
						.task = e->task,
						.class_edge = NO_ID};
		if (used < sizeof(key))
			used += (size_t)snprintf(key + used, sizeof(key) - used, " %s",
						 model__lock_class(e->m, classes[i])->name);
	}
	if (said->task) {
		task = *said->task;
		finding.tasks = &task;
	}
	if (!analysis__add_finding(options->analysis, &finding))
		e->err = -ENOMEM;
}

/* The reporting task with its stack and what it holds. */
static struct blocked_task reporting_task(struct splat_emitter *e, const struct held_lock *held,
					  uint32_t count)
{
	struct blocked_task task = blocked_task__of(e->task);

	task.kernel_stack = klog_stack__store(e->m, &e->splat->backtrace);
	for (uint32_t i = 0; i < count && task.hold_count < 8; i++)
		task.holds[task.hold_count++] = held[i].instance;
	return task;
}

/* --- one class twice ---------------------------------------------------------------------------
 */

/* The same address twice is proven by itself; two addresses, or none, are lockdep's word only. */
void splat__state_recursion(struct splat_emitter *e)
{
	const struct splat *splat = e->splat;
	struct statement said = {
		.kind = FINDING_NESTING,
		.code = CODE_CLASS_INVERSION,
		.grade = GRADE_WARNING,
		.count = 1,
		.same_class = true,
		.note = "lockdep's word, not proven: two locks of one class, taken "
			"inside each other in an order that nothing declares"};
	struct held_lock wanted, held;

	if (splat->wanted.address && splat->wanted.address == splat->holding.address) {
		splat__new_dependency(e);
		return;
	}
	if (!splat->wanted.name) {
		splat__complain(e, "the lock that is being acquired");
		return;
	}
	if (!splat->wanted.address)
		said.note = "lockdep's word, not proven: the report has no addresses, so it may be "
			    "two locks of one class or the same one twice";
	wanted = splat__lock(e, &splat->wanted, false, NULL);
	if (splat->backtrace.count)
		wanted.stack = klog_stack__store(e->m, &splat->backtrace);
	held = splat__held(e, splat->holding.name ? &splat->holding : &splat->wanted,
			   !splat->wanted.address);
	said.locks = &wanted;
	if (held.instance != wanted.instance)
		said.chain = splat__chain(e, &held, 1, &wanted, e->task);
	else
		said.chain = NO_ID;
	state(e, &said);
}

/* --- interrupts --------------------------------------------------------------------------------
 */

static void name_of(struct klog_lock *lock, const char *name)
{
	if (!lock->name && name) {
		memset(lock, 0, sizeof(*lock));
		lock->name = name;
		lock->index = -1;
	}
}

/*
 * Which lock an interrupt takes, which is taken with interrupts on. The scenario, which is the same
 * in all of these reports, is "lock(unsafe); lock(safe); lock(unsafe or one in between);
 * lock(safe)".
 */
static void find_roles(struct splat *splat)
{
	if (splat->kind == REPORT_IRQ_INVERSION && splat->wanted.name && splat->other.name) {
		splat->safe = splat->taken_by_other ? splat->other : splat->wanted;
		splat->unsafe = splat->taken_by_other ? splat->wanted : splat->other;
	} else if (splat->kind == REPORT_IRQ_ORDER && !splat->unsafe.name) {
		splat->unsafe = splat->wanted;
	}
	if (splat->scenario_count >= 2) {
		name_of(&splat->unsafe, splat->scenario[0]);
		name_of(&splat->safe, splat->scenario[1]);
	}
	if (splat->kind == REPORT_IRQ_ORDER && !splat->safe.name)
		splat->safe = splat->holding;
}

static void say_inconsistent(const struct splat *splat, char *note, size_t size)
{
	char in[320], elsewhere[320];
	const struct klog_stack *now = &splat->backtrace;
	bool known = print_place(&splat->safe_stack, in, sizeof(in));
	bool has_site = print_site(&splat->wanted, elsewhere, sizeof(elsewhere)) ||
			print_place(now, elsewhere, sizeof(elsewhere));
	const char *first = splat->was_in_irq ? in : elsewhere;
	const char *second = splat->was_in_irq ? elsewhere : in;

	snprintf(note, size,
		 "taken in a %s%s%s, and with these interrupts on%s%s: the interrupt may wait for "
		 "the task that it interrupted",
		 *splat->context ? splat->context : "interrupt",
		 (splat->was_in_irq ? known : has_site) ? " by " : "", first,
		 (splat->was_in_irq ? has_site : known) ? " by " : "", second);
}

static void say_order(const struct splat *splat, char *note, size_t size)
{
	const char *context = *splat->context ? splat->context : "interrupt";
	char in[320], on[320], now[320];
	bool has_in = print_place(&splat->safe_stack, in, sizeof(in));
	bool has_on = print_place(&splat->unsafe_stack, on, sizeof(on));
	bool has_now = print_site(&splat->wanted, now, sizeof(now));

	if (!has_in && splat->safe.name == splat->wanted.name && splat->kind != REPORT_IRQ_ORDER)
		has_in = has_now && snprintf(in, sizeof(in), "%.319s", now) > 0;
	snprintf(note, size,
		 "%s-safe: %s, taken in such an interrupt%s%s; %s-unsafe: %s, taken with these "
		 "interrupts on%s%s. The safe one is held while the unsafe one is taken%s%s",
		 context, splat->safe.name ? splat->safe.name : "not in the report",
		 has_in ? " by " : "", in, context,
		 splat->unsafe.name ? splat->unsafe.name : "not in the report",
		 has_on ? " by " : "", on, has_now && splat->kind == REPORT_IRQ_ORDER ? " by " : "",
		 splat->kind == REPORT_IRQ_ORDER ? now : "");
}

static void add_lock(struct splat_emitter *e, struct held_lock *locks, uint32_t *count,
		     const struct klog_lock *lock)
{
	struct held_lock made;

	if (!lock->name || *count == SPLAT_NAMES_MAX)
		return;
	made = splat__held(e, lock, true);
	for (uint32_t i = 0; i < *count; i++)
		if (model__held_class(e->m, &locks[i]) == model__held_class(e->m, &made))
			return;
	locks[(*count)++] = made;
}

void splat__state_interrupt(struct splat_emitter *e, struct splat *splat)
{
	struct statement said = {.kind = FINDING_IRQ,
				 .code = CODE_IRQ_INVERSION,
				 .grade = GRADE_WARNING,
				 .chain = NO_ID};
	struct held_lock locks[SPLAT_NAMES_MAX];
	struct blocked_task task;
	char note[NOTE_BYTES];

	find_roles(splat);
	if (splat->kind == REPORT_INCONSISTENT) {
		name_of(&splat->wanted, splat->scenario_count ? splat->scenario[0] : NULL);
		add_lock(e, locks, &said.count, &splat->wanted);
		say_inconsistent(splat, note, sizeof(note));
	} else {
		add_lock(e, locks, &said.count, &splat->safe);
		for (uint32_t i = 1; i + 1 < splat->path_count; i++) {
			struct klog_lock between = {.name = splat->path[i], .index = -1};

			add_lock(e, locks, &said.count, &between);
		}
		if (splat->kind == REPORT_IRQ_ORDER)
			add_lock(e, locks, &said.count, &splat->holding);
		add_lock(e, locks, &said.count, &splat->unsafe);
		say_order(splat, note, sizeof(note));
	}
	if (!said.count || (said.count < 2 && splat->kind != REPORT_INCONSISTENT))
		splat__complain(e, said.count ? "one of the two locks" : "the lock that is taken");
	if (!said.count)
		return;
	/* the dependency that completed it was seen; the interrupt is no order of locks */
	if (splat->kind == REPORT_IRQ_ORDER && splat->wanted.name && splat->holding.name)
		said.chain = splat__new_dependency(e);
	task = reporting_task(e, NULL, 0);
	said.locks = locks;
	said.task = splat->task.known ? &task : NULL;
	said.note = note;
	state(e, &said);
}

/* --- held too long, let go by a stranger -------------------------------------------------------
 */

void splat__state_leak(struct splat_emitter *e)
{
	const struct splat *splat = e->splat;
	struct held_lock held[KLOG_HELD_MAX + 1];
	uint32_t count = splat__held_of_task(e, held);
	struct blocked_task task = reporting_task(e, held, count);
	char note[NOTE_BYTES], place[320];

	if (!count)
		splat__complain(e, "the list of held locks");
	for (uint32_t i = 0; i < count; i++) {
		struct statement said = {.kind = FINDING_UNLOCK,
					 .code = CODE_LOCK_LEAK,
					 .grade = GRADE_ERROR,
					 .locks = &held[i],
					 .count = 1,
					 .chain = NO_ID,
					 .task = &task,
					 .note = note};
		bool placed =
			i < splat->held_count && print_site(&splat->held[i], place, sizeof(place));

		snprintf(note, sizeof(note), "%s%s%s: a release is missing",
			 splat->kind == REPORT_FREED
				 ? "its memory is freed while it is held"
				 : "still held when the task left the kernel or ended",
			 placed ? "; taken by " : "", placed ? place : "");
		state(e, &said);
	}
}

static void say_held(const struct splat *splat, FILE *out)
{
	char place[320];

	for (uint32_t i = 0; i < splat->held_count; i++) {
		fprintf(out, "%s%s", i ? ", " : "; held then: ", splat->held[i].name);
		if (print_site(&splat->held[i], place, sizeof(place)))
			fprintf(out, " (taken by %s)", place);
	}
}

void splat__state_bad_unlock(struct splat_emitter *e)
{
	const struct splat *splat = e->splat;
	struct statement said = {.kind = FINDING_UNLOCK,
				 .code = CODE_BAD_UNLOCK,
				 .grade = GRADE_ERROR,
				 .count = 1,
				 .chain = NO_ID};
	struct held_lock held[KLOG_HELD_MAX + 1], lock;
	struct blocked_task task;
	char note[NOTE_BYTES] = "", place[320];
	FILE *out;

	if (!splat->wanted.name) {
		splat__complain(e, "the lock that is released");
		return;
	}
	lock = splat__lock(e, &splat->wanted, false, NULL);
	task = reporting_task(e, held, splat__held_of_task(e, held));
	out = fmemopen(note, sizeof(note), "w");
	if (out) {
		fprintf(out, "released%s%s by a task that did not hold it",
			print_site(&splat->wanted, place, sizeof(place)) ? " in " : "", place);
		say_held(splat, out);
		fclose(out);
	}
	said.locks = &lock;
	said.task = &task;
	said.note = note;
	state(e, &said);
}
