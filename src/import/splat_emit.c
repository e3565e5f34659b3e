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
#include "import/splat_private.h"

void splat__complain(struct splat_emitter *e, const char *missing)
{
	line_reader__complain(&e->log->lines, e->splat->line,
			      "this lockdep report is cut or damaged: %s is missing; what is left "
			      "of it is used",
			      missing);
	if (!model__fact(e->m, "source.missing"))
		model__set_fact(e->m, "source.missing", missing);
}

static const struct wait_function *function_of(const struct klog_stack *stack)
{
	return stack ? klog_stack__place(stack).function : NULL;
}

static bool is_read(const struct splat *splat, const char *name)
{
	for (uint32_t i = 0; i < splat->read_count; i++)
		if (splat->reads[i] && !strcmp(splat->reads[i], name))
			return true;
	return false;
}

struct places {
	const char *name;
	bool is_spin;
	enum lock_kind kind;
	struct frame frames[8];
	uint32_t count;
};

static void add_place(struct places *places, const struct klog_lock *lock,
		      const struct klog_stack *stack)
{
	struct wait_place place;

	if (lock->name != places->name)
		return;
	places->is_spin |= lock->is_spin;
	if (lock->has_site && places->count < 8)
		places->frames[places->count++] = lock->site;
	if (!stack)
		return;
	place = klog_stack__place(stack);
	if (place.function && !places->kind)
		places->kind = place.function->kind;
	if (place.caller < stack->count && places->count < 8)
		places->frames[places->count++] = stack->frames[place.caller];
}

/* One name is one class in the whole report, whatever place of it says where the lock belongs. */
uint32_t splat__class(struct splat_emitter *e, const char *name, uint8_t *subclass)
{
	const struct splat *splat = e->splat;
	struct places places = {.name = name};
	struct lock_context context = {.flags = CLASS_FROM_LOCKDEP};

	add_place(&places, &splat->wanted, splat->backtrace.count ? &splat->backtrace : NULL);
	add_place(&places, &splat->holding, NULL);
	add_place(&places, &splat->other, NULL);
	add_place(&places, &splat->safe, NULL);
	add_place(&places, &splat->unsafe, NULL);
	for (uint32_t i = 0; i < splat->held_count; i++)
		add_place(&places, &splat->held[i], NULL);
	for (uint32_t i = 0; i < splat->chain_count; i++)
		add_place(&places, &splat->chain[i].lock, &splat->chain[i].stack);
	context.kind = places.is_spin ? LOCK_KIND_SPINLOCK : places.kind;
	context.frames = places.frames;
	context.frame_count = places.count;
	return lock_name__class_in(e->m, name, strlen(name), &context, subclass);
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

static uint32_t add_instance(struct splat_emitter *e, const struct klog_lock *lock, bool recalled,
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

struct held_lock splat__lock(struct splat_emitter *e, const struct klog_lock *lock, bool recalled,
			     const struct klog_stack *stack)
{
	const struct wait_function *function = function_of(stack);
	struct held_lock made = {.stack = NO_ID, .mode = LOCK_EXCLUSIVE};
	uint32_t lock_class = splat__class(e, lock->name, &made.subclass);

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
struct held_lock splat__held(struct splat_emitter *e, const struct klog_lock *lock, bool recalled)
{
	struct held_lock held = splat__lock(e, lock, recalled, NULL);

	held.mode = LOCK_EXCLUSIVE;
	return held;
}

uint32_t splat__chain(struct splat_emitter *e, const struct held_lock *held, uint32_t count,
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
uint32_t splat__held_of_task(struct splat_emitter *e, struct held_lock *held)
{
	const struct splat *splat = e->splat;
	bool has_holding = !splat->holding.name;
	uint32_t count = 0;

	for (uint32_t i = 0; i < splat->held_count; i++) {
		const struct klog_lock *lock = &splat->held[i];

		if (splat->kind != REPORT_RECURSIVE && same_lock(lock, &splat->wanted))
			continue;
		has_holding |= same_lock(lock, &splat->holding);
		held[count++] = splat__held(e, lock, false);
	}
	if (!has_holding)
		held[count++] = splat__held(e, &splat->holding, false);
	return count;
}

static const struct klog_stack *wanted_stack(const struct splat *splat)
{
	for (uint32_t i = 0; i < splat->chain_count; i++)
		if (!splat->chain[i].number && splat->chain[i].stack.count)
			return &splat->chain[i].stack;
	return splat->backtrace.count ? &splat->backtrace : NULL;
}

uint32_t splat__new_dependency(struct splat_emitter *e)
{
	struct held_lock held[KLOG_HELD_MAX + 1], wanted;
	uint32_t count;

	if (!e->splat->wanted.name) {
		splat__complain(e, "the lock that is being acquired");
		return NO_ID;
	}
	count = splat__held_of_task(e, held);
	if (!count) {
		splat__complain(e, "the lock that is already held");
		return NO_ID;
	}
	wanted = splat__lock(e, &e->splat->wanted, false, wanted_stack(e->splat));
	return splat__chain(e, held, count, &wanted, e->task);
}

static const struct splat_entry *find_entry(const struct splat *splat, uint32_t number)
{
	for (uint32_t i = 0; i < splat->chain_count; i++)
		if (splat->chain[i].number == number)
			return &splat->chain[i];
	return NULL;
}

static void recall(struct splat_emitter *e, const struct klog_lock *from,
		   const struct klog_lock *to, const struct klog_stack *stack)
{
	uint32_t past = model__add_task(e->m, 0, 0, "an earlier task", 0, TASK_AGGREGATED);
	struct held_lock held = splat__held(e, from, true);
	struct held_lock wanted = splat__lock(e, to, true, stack);

	splat__chain(e, &held, 1, &wanted, past);
}

/* "-> #k" was acquired with "-> #(k-1)" held; #0 is the new acquisition and stands in `wanted`. */
static void recalled_dependencies(struct splat_emitter *e)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < e->splat->chain_count; i++)
		last = e->splat->chain[i].number > last ? e->splat->chain[i].number : last;
	for (uint32_t k = 1; k <= last && k < SPLAT_CHAIN_MAX; k++) {
		const struct splat_entry *to = find_entry(e->splat, k);
		const struct splat_entry *from = find_entry(e->splat, k - 1);
		const struct klog_lock *held = from ? &from->lock : NULL;

		if (!held && k == 1 && e->splat->wanted.name) {
			splat__complain(e, "the entry #0 of the dependency chain");
			held = &e->splat->wanted;
		}
		if (to && held)
			recall(e, held, &to->lock, &to->stack);
		else
			splat__complain(e, "an entry of the dependency chain");
	}
}

/* Without the chain its summary: "Chain exists of: wanted --> … --> held", or the scenario. */
static void summarised_dependencies(struct splat_emitter *e)
{
	const struct splat *splat = e->splat;
	struct klog_lock from = splat->wanted, to = splat->holding;

	splat__complain(e, "the existing dependency chain (\"-> #N …\")");
	for (uint32_t i = 0; i + 1 < splat->path_count; i++) {
		from = (struct klog_lock){.name = splat->path[i], .index = -1};
		to = (struct klog_lock){.name = splat->path[i + 1], .index = -1};
		recall(e, &from, &to, NULL);
	}
	/* CPU1 of the scenario takes them the other way round */
	if (!splat->path_count && splat->scenario_count >= 4 && from.name && to.name)
		recall(e, &from, &to, NULL);
}

static void circular(struct splat_emitter *e)
{
	if (e->splat->chain_count)
		recalled_dependencies(e);
	else
		summarised_dependencies(e);
	splat__new_dependency(e);
}

/* Abbreviated reports: #0 is the lock that is wanted, the last entry the one that is held, and the
 * scenario begins with the held and ends with the wanted one. */
static void complete(struct splat_emitter *e, struct splat *splat)
{
	const struct splat_entry *first = find_entry(splat, 0), *last = NULL;
	uint32_t count = splat->scenario_count;

	for (uint32_t i = 0; i < splat->chain_count; i++)
		if (!last || splat->chain[i].number > last->number)
			last = &splat->chain[i];
	if (!splat->wanted.name) {
		splat__complain(e, "\"is trying to acquire lock:\"");
		if (first)
			splat->wanted = first->lock;
		else if (count >= 4)
			splat->wanted.name = splat->scenario[count - 1];
	}
	if (!splat->holding.name) {
		splat__complain(e, "\"but task is already holding lock:\"");
		if (last && last->number)
			splat->holding = last->lock;
		else if (count >= 4)
			splat->holding.name = splat->scenario[0];
	}
}

int splat__emit(const struct splat *splat, struct klog_reader *log)
{
	struct splat mended = *splat;
	struct splat_emitter e = {.splat = &mended, .log = log, .m = log->lines.m};

	e.task = model__add_task(e.m, splat->task.pid, splat->task.pid,
				 splat->task.known ? splat->task.comm : "a task", 0, 0);
	if (e.task == NO_ID)
		return -ENOMEM;
	switch (splat->kind) {
	case REPORT_CIRCULAR:
		complete(&e, &mended);
		circular(&e);
		break;
	case REPORT_RECURSIVE:
		splat__state_recursion(&e);
		break;
	case REPORT_INCONSISTENT:
	case REPORT_IRQ_ORDER:
	case REPORT_IRQ_INVERSION:
		splat__state_interrupt(&e, &mended);
		break;
	case REPORT_HELD:
	case REPORT_FREED:
		splat__state_leak(&e);
		break;
	case REPORT_UNLOCK:
		splat__state_bad_unlock(&e);
		break;
	default:
		break;
	}
	return e.err;
}
