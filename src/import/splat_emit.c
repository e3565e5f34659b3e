// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A lockdep report as part of the model: its existing dependency chain and the new dependency
 * become chains, so that analysis finds the same cycle again; what the order graph cannot express
 * (interrupts, a lock taken along to user space) is stated as a finding.
 *
 * A report names instances only for the locks of the reporting task. The dependencies it recalls
 * are between classes, so they get an instance of their own (address 0, generation 0): otherwise a
 * class-level report would look like an inversion of two known locks. Kernels before 4.16 print no
 * addresses at all: then the reporting task's locks are generation 1.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analysis.h"
#include "import/splat.h"

struct emitter {
	const struct splat *splat;
	struct klog_reader *log;
	struct model *m;
	uint32_t task;
	int err;
};

static void complain(struct emitter *e, const char *expected)
{
	line_reader__complain(&e->log->lines, e->splat->line,
			      "this lockdep report is cut or damaged: %s is missing; what is left "
			      "of it is used",
			      expected);
}

static const struct lock_function *function_of(const struct klog_stack *stack)
{
	return stack ? klog_stack__acquire(stack).function : NULL;
}

static bool is_read(const struct splat *splat, const char *name)
{
	for (uint32_t i = 0; i < splat->read_count; i++)
		if (splat->reads[i] && !strcmp(splat->reads[i], name))
			return true;
	return false;
}

/* The address of a lock there is only one of, wherever the report gives it. */
static uint64_t static_address(const struct splat *splat, const char *name)
{
	if (!lock_name__is_static(name, strlen(name)))
		return 0;
	if (splat->wanted.name == name)
		return splat->wanted.address;
	if (splat->holding.name == name)
		return splat->holding.address;
	for (uint32_t i = 0; i < splat->held_count; i++)
		if (splat->held[i].name == name)
			return splat->held[i].address;
	return 0;
}

static uint32_t add_instance(struct emitter *e, const struct klog_lock *lock, bool recalled,
			     uint32_t lock_class)
{
	uint64_t address = static_address(e->splat, lock->name);
	uint32_t instance;

	if (!recalled && lock->address)
		address = lock->address;
	instance = model__add_instance(e->m, lock_class, address, address || recalled ? 0 : 1);
	if (instance == NO_ID)
		e->err = -ENOMEM;
	else if (!address)
		model__name_instance(e->m, instance, "address not in the report", NO_ID);
	return instance;
}

static struct held_lock make_lock(struct emitter *e, const struct klog_lock *lock, bool recalled,
				  const struct klog_stack *stack)
{
	const struct lock_function *function = function_of(stack);
	enum lock_kind kind = function ? function->kind : LOCK_KIND_UNKNOWN;
	struct held_lock made = {.stack = NO_ID, .mode = LOCK_EXCLUSIVE};
	uint32_t lock_class =
		lock_name__class(e->m, lock->name, strlen(lock->name), kind, &made.subclass);

	made.instance = add_instance(e, lock, recalled, lock_class);
	if (stack && stack->count)
		made.stack = klog_stack__store(e->m, stack);
	else
		made.stack = klog_site__store(e->m, lock);
	if (function)
		made.mode = (uint8_t)function->mode;
	else if (stack && is_read(e->splat, lock->name))
		made.mode = LOCK_SHARED;
	return made;
}

/* A lock in its role as held: how it was taken then is not in the report, so the mode that keeps
 * lockdep's verdict is assumed. */
static struct held_lock make_held(struct emitter *e, const struct klog_lock *lock, bool recalled)
{
	struct held_lock held = make_lock(e, lock, recalled, NULL);

	held.mode = LOCK_EXCLUSIVE;
	return held;
}

static uint32_t add_chain(struct emitter *e, const struct held_lock *held, uint32_t count,
			  const struct held_lock *wanted, uint32_t task)
{
	uint32_t chain;

	if (e->err || !count)
		return NO_ID;
	chain = model__add_chain(e->m, held, count, wanted, task, e->splat->time, 1, NO_ID);
	model__add_acquisitions(e->m, 1);
	if (chain == NO_ID)
		e->err = -ENOMEM;
	return chain;
}

static bool same_lock(const struct klog_lock *a, const struct klog_lock *b)
{
	return a->name == b->name && a->address == b->address;
}

/* Everything the reporting task held: the list, or at least the lock named in the report. */
static uint32_t held_of_task(struct emitter *e, struct held_lock *held)
{
	const struct splat *splat = e->splat;
	bool has_holding = !splat->holding.name;
	uint32_t count = 0;

	for (uint32_t i = 0; i < splat->held_count; i++) {
		const struct klog_lock *lock = &splat->held[i];

		if (splat->kind != SPLAT_RECURSIVE && same_lock(lock, &splat->wanted))
			continue;
		has_holding |= same_lock(lock, &splat->holding);
		held[count++] = make_held(e, lock, false);
	}
	if (!has_holding)
		held[count++] = make_held(e, &splat->holding, false);
	return count;
}

static const struct klog_stack *wanted_stack(const struct splat *splat)
{
	for (uint32_t i = 0; i < splat->chain_count; i++)
		if (!splat->chain[i].number && splat->chain[i].stack.count)
			return &splat->chain[i].stack;
	return splat->backtrace.count ? &splat->backtrace : NULL;
}

static uint32_t new_dependency(struct emitter *e)
{
	struct held_lock held[KLOG_HELD_MAX + 1], wanted;
	uint32_t count;

	if (!e->splat->wanted.name) {
		complain(e, "the lock that is being acquired");
		return NO_ID;
	}
	count = held_of_task(e, held);
	if (!count) {
		complain(e, "the lock that is already held");
		return NO_ID;
	}
	wanted = make_lock(e, &e->splat->wanted, false, wanted_stack(e->splat));
	return add_chain(e, held, count, &wanted, e->task);
}

static const struct splat_entry *find_entry(const struct splat *splat, uint32_t number)
{
	for (uint32_t i = 0; i < splat->chain_count; i++)
		if (splat->chain[i].number == number)
			return &splat->chain[i];
	return NULL;
}

/* "-> #k" was acquired with "-> #(k-1)" held; #0 is the new acquisition and stands in `wanted`. */
static void recalled_dependencies(struct emitter *e)
{
	uint32_t past = model__add_task(e->m, 0, 0, "an earlier task", 0, TASK_AGGREGATED);

	for (uint32_t k = 1; k < e->splat->chain_count; k++) {
		const struct splat_entry *to = find_entry(e->splat, k);
		const struct splat_entry *from = find_entry(e->splat, k - 1);
		struct held_lock held, wanted;

		if (!to || !from) {
			complain(e, "an entry of the dependency chain");
			continue;
		}
		held = make_held(e, &from->lock, true);
		wanted = make_lock(e, &to->lock, true, &to->stack);
		add_chain(e, &held, 1, &wanted, past);
	}
}

static void circular(struct emitter *e)
{
	if (e->splat->chain_count < 2)
		complain(e, "the existing dependency chain (\"-> #N …\")");
	recalled_dependencies(e);
	new_dependency(e);
}

static void inferred_dependency(struct emitter *e, const struct klog_lock *from,
				const struct klog_lock *to)
{
	uint32_t interrupt = model__add_task(e->m, 0, 0, "an interrupt", 0, TASK_AGGREGATED);
	struct held_lock held = make_held(e, from, true), wanted = make_held(e, to, true);

	held.flags |= HELD_INFERRED;
	wanted.flags |= HELD_INFERRED;
	add_chain(e, &held, 1, &wanted, interrupt);
}

/* safe -> unsafe: an interrupt that takes the safe lock may hit the holder of the unsafe one */
static void irq_order(struct emitter *e)
{
	new_dependency(e);
	if (e->splat->wanted.name && e->splat->holding.name)
		inferred_dependency(e, &e->splat->wanted, &e->splat->holding);
}

static void irq_inversion(struct emitter *e)
{
	const struct klog_lock *ours = &e->splat->wanted, *other = &e->splat->other;
	struct held_lock held, wanted;

	if (!ours->name || !other->name) {
		complain(e, "one of the two locks");
		return;
	}
	held = make_held(e, e->splat->taken_by_other ? other : ours, false);
	wanted = make_lock(e, e->splat->taken_by_other ? ours : other, false, NULL);
	add_chain(e, &held, 1, &wanted, e->task);
	inferred_dependency(e, e->splat->taken_by_other ? ours : other,
			    e->splat->taken_by_other ? other : ours);
}

/* A finding about one class that the order graph cannot derive. */
static void state_finding(struct emitter *e, enum finding_kind kind, enum finding_code code,
			  enum finding_grade grade, const struct held_lock *lock, uint32_t chain,
			  const char *note)
{
	uint32_t lock_class = model__held_class(e->m, lock);
	struct witness witness = {.dependency = NO_ID,
				  .chain = chain,
				  .last_chain = chain,
				  .task = e->task,
				  .class_edge = NO_ID};
	uint8_t mode = lock->mode;
	char key[512];
	struct finding finding = {
		.kind = kind,
		.code = code,
		.grade = grade,
		.key = key,
		.length = 1,
		.classes = &lock_class,
		.modes = &mode,
		.witnesses = &witness,
		.prediction_note = "a report about one lock; there is no order to replay",
		.note = note,
		.first = e->splat->time,
		.last = e->splat->time,
		.count = 1,
	};

	if (e->err || !e->log->lines.options || !e->log->lines.options->analysis)
		return;
	snprintf(key, sizeof(key), "%s stated %s", finding_kind_names[kind],
		 model__lock_class(e->m, lock_class)->name);
	analysis__add_finding(e->log->lines.options->analysis, &finding);
}

/* The interrupt may find the very lock held: X wants X. */
static void inconsistent(struct emitter *e)
{
	struct klog_lock elsewhere = e->splat->wanted;
	struct held_lock held, wanted;
	uint32_t chain;

	if (!elsewhere.name) {
		complain(e, "the lock that is taken");
		return;
	}
	elsewhere.has_site = false;
	held = make_held(e, &elsewhere, true);
	held.flags |= HELD_INFERRED;
	wanted = make_lock(e, &e->splat->wanted, false, wanted_stack(e->splat));
	chain = add_chain(e, &held, 1, &wanted, e->task);
	state_finding(e, FINDING_CYCLE, CODE_CLASS_INVERSION, GRADE_WARNING, &wanted, chain,
		      "taken in an interrupt, and elsewhere with interrupts enabled: the interrupt "
		      "may wait for the task it interrupted");
}

static void left_held(struct emitter *e)
{
	struct held_lock held[KLOG_HELD_MAX + 1];
	uint32_t count = held_of_task(e, held), chain = NO_ID;

	if (!count)
		complain(e, "the list of held locks");
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			chain = add_chain(e, held, i, &held[i], e->task);
		state_finding(e, FINDING_UNLOCK, CODE_BAD_UNLOCK, GRADE_ERROR, &held[i], chain,
			      "still held when the task left the kernel: a release is missing");
	}
}

static void bad_unlock(struct emitter *e)
{
	struct trace_event event = {.time = e->splat->time, .task = e->task, .op = EVENT_RELEASE};
	struct held_lock lock;

	if (!e->splat->wanted.name) {
		complain(e, "the lock that is released");
		return;
	}
	lock = make_lock(e, &e->splat->wanted, false, NULL);
	event.operand = lock.instance;
	event.stack = lock.stack;
	event.subclass = lock.subclass;
	if (!e->err)
		e->err = model__add_event(e->m, &event);
}

int splat__emit(const struct splat *splat, struct klog_reader *log)
{
	struct emitter e = {.splat = splat, .log = log, .m = log->lines.m};

	e.task = model__add_task(e.m, splat->task.pid, splat->task.pid,
				 splat->task.known ? splat->task.comm : "a task", 0, 0);
	if (e.task == NO_ID)
		return -ENOMEM;
	switch (splat->kind) {
	case SPLAT_CIRCULAR:
		circular(&e);
		break;
	case SPLAT_RECURSIVE:
		new_dependency(&e);
		break;
	case SPLAT_INCONSISTENT:
		inconsistent(&e);
		break;
	case SPLAT_IRQ_ORDER:
		irq_order(&e);
		break;
	case SPLAT_IRQ_INVERSION:
		irq_inversion(&e);
		break;
	case SPLAT_HELD:
		left_held(&e);
		break;
	case SPLAT_UNLOCK:
		bad_unlock(&e);
		break;
	case SPLAT_NO_ORDER:
		line_reader__complain(&log->lines, splat->line,
				      "this lockdep report is not about the order of locks; it is "
				      "left out");
		break;
	}
	return e.err;
}
