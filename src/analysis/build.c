// SPDX-License-Identifier: GPL-2.0-or-later
/* Making findings: from cycles and dependencies, their canonical order and key, the list. */
#include "analysis/analysis_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum finding_grade grade_of(enum finding_code code)
{
	static const enum finding_grade grades[FINDING_CODES] = {
		[CODE_DEADLOCK] = GRADE_CRITICAL,
		[CODE_RECURSION] = GRADE_CRITICAL,
		[CODE_PREDICTED] = GRADE_ERROR,
		[CODE_PREDICTED_FAIR] = GRADE_ERROR,
		[CODE_INSTANCE_INVERSION] = GRADE_WARNING,
		[CODE_WAIT_INVERSION] = GRADE_WARNING,
		[CODE_CLASS_INVERSION] = GRADE_WARNING,
		[CODE_BAD_UNLOCK] = GRADE_ERROR,
		[CODE_ORDER_VIOLATION] = GRADE_WARNING,
		[CODE_POSSIBLE_DEADLOCK] = GRADE_WARNING,
		[CODE_HUNG_ON_LOCK] = GRADE_WARNING,
		[CODE_HUNG_ELSEWHERE] = GRADE_WARNING,
		[CODE_IRQ_INVERSION] = GRADE_WARNING,
		[CODE_LOCK_LEAK] = GRADE_ERROR,
		/* the rest is info */
	};

	return grades[code];
}

struct finding *finding__new(struct analysis *a, enum finding_kind kind, enum finding_code code,
			     uint32_t length)
{
	struct finding *f = arena__alloc(&a->arena, sizeof(*f), 8);

	if (!f)
		return NULL;
	f->kind = kind;
	f->code = code;
	f->grade = grade_of(code);
	f->length = length;
	f->classes = arena__alloc(&a->arena, length * sizeof(*f->classes), 4);
	f->modes = arena__alloc(&a->arena, length, 1);
	f->witnesses = arena__alloc(&a->arena, length * sizeof(*f->witnesses), 8);
	if (!f->classes || !f->modes || !f->witnesses)
		return NULL;
	for (uint32_t i = 0; i < length; i++)
		f->witnesses[i] = (struct witness){NO_ID, NO_ID, NO_ID, 0, NO_ID, NO_ID};
	return f;
}

static struct witness witness_of(const struct model *m, uint32_t id, uint32_t chain_id)
{
	const struct dependency *d = model__dependency(m, id);
	struct witness w = {.dependency = id,
			    .chain = chain_id,
			    .last_chain = d->last_chain,
			    .class_edge = d->class_edge};
	const struct chain *chain = model__chain(m, chain_id);

	w.task = chain->first_task;
	for (uint32_t i = 0; i < chain->held_count; i++) {
		if (model__chain_dependency(m, chain_id, i) == id)
			w.held_index = i;
	}
	return w;
}

/* Counters and attributes that follow from the witnesses' dependencies. */
static void sum_up(const struct model *m, struct finding *f)
{
	f->first = f->last = 0;
	f->count = UINT64_MAX;
	for (uint32_t i = 0; i < f->length; i++) {
		const struct dependency *d;

		if (f->witnesses[i].dependency == NO_ID)
			continue;
		d = model__dependency(m, f->witnesses[i].dependency);
		/* the cycle exists since its last dependency came, and repeats with the rarest */
		f->first = d->first > f->first ? d->first : f->first;
		f->last = d->last > f->last ? d->last : f->last;
		f->count = d->count < f->count ? d->count : f->count;
		f->inferred |= !!(d->flags & DEPENDENCY_INFERRED);
	}
	if (f->count == UINT64_MAX)
		f->count = 1;
}

static bool fill_guards(struct analysis *a, struct finding *f, const struct decision *decision)
{
	f->guard_count = decision->guard_count;
	f->guards = arena__alloc(&a->arena, sizeof(decision->guards), 4);
	if (f->guards)
		memcpy(f->guards, decision->guards, sizeof(decision->guards));
	return f->guards;
}

static const char *cycle_note(const struct finding *f, const struct decision *decision)
{
	if (decision->limited)
		return "not decided which instances and tasks meet: too many to examine them all";
	if (f->code == CODE_READ_ONLY)
		return "readers only block each other behind a writer, and none was seen";
	if (f->code == CODE_ORDERED)
		return "fork and join order every unguarded occurrence";
	if (decision->fair)
		return "a reader waits behind a queued writer";
	return NULL;
}

/* A chain that was evicted and seen again has the tasks that were new to it since. */
static bool knows_all_tasks(const struct model *m)
{
	return !model__fact(m, "model.forgotten");
}

struct finding *finding__of_cycle(struct analysis *a, const struct cycle *cycle,
				  const struct decision *decision)
{
	struct finding *f = finding__new(a, cycle->length == 2 ? FINDING_INVERSION : FINDING_CYCLE,
					 decision->code, cycle->length);

	if (!f || !fill_guards(a, f, decision))
		return NULL;
	for (uint32_t i = 0; i < cycle->length; i++) {
		f->classes[i] = cycle->classes[i];
		f->modes[i] = cycle->modes[i];
		f->witnesses[i] = witness_of(a->m, decision->dependencies[i], decision->chains[i]);
		if (decision->tasks[i] != NO_ID)
			f->witnesses[i].task = decision->tasks[i];
	}
	f->same_thread = decision->same_thread && knows_all_tasks(a->m);
	f->note = cycle_note(f, decision);
	if (f->code == CODE_ORDERED)
		f->ordered_by = "fork/join";
	sum_up(a->m, f);
	return finding__canonicalise(a, f) ? f : NULL;
}

struct finding *finding__of_dependency(struct analysis *a, enum finding_kind kind,
				       enum finding_code code, uint32_t dependency)
{
	const struct dependency *d = model__dependency(a->m, dependency);
	const struct class_edge *edge = model__class_edge(a->m, d->class_edge);
	struct finding *f = finding__new(a, kind, code, kind == FINDING_ORDER ? 2 : 1);

	if (!f)
		return NULL;
	f->classes[0] = edge->from;
	f->modes[0] = hold_mode(d->from_mode);
	if (kind == FINDING_ORDER) {
		f->classes[1] = edge->to;
		f->modes[1] = hold_mode(d->to_mode);
	}
	f->witnesses[0] = witness_of(a->m, dependency, d->first_chain);
	f->same_thread =
		model__chain(a->m, d->first_chain)->task_count == 1 && knows_all_tasks(a->m);
	sum_up(a->m, f);
	return finding__canonicalise(a, f) ? f : NULL;
}

/* --- canonical order and key ------------------------------------------------------------------ */

static int compare_element(const struct analysis *a, const struct finding *f, uint32_t i,
			   uint32_t j)
{
	int by_name = strcmp(model__lock_class(a->m, f->classes[i])->name,
			     model__lock_class(a->m, f->classes[j])->name);

	return by_name ? by_name : (int)f->modes[i] - (int)f->modes[j];
}

/* Start of the least rotation (J.-P. Duval 1983, as two competing starts): O(length). */
static uint32_t least_rotation(const struct analysis *a, const struct finding *f)
{
	uint32_t n = f->length, i = 0, j = 1, k = 0;

	while (i < n && j < n && k < n) {
		int order = compare_element(a, f, (i + k) % n, (j + k) % n);

		if (!order) {
			k++;
			continue;
		}
		if (order > 0)
			i += k + 1;
		else
			j += k + 1;
		if (i == j)
			j++;
		k = 0;
	}
	return i < j ? i : j;
}

/* Tasks of a deadlock rotate with it; it starts at the smallest task, so two deadlocks over the
 * same classes stay two findings. */
static uint32_t first_task(const struct analysis *a, const struct finding *f)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < f->task_count; i++) {
		const struct task *task = model__task(a->m, f->tasks[i].task);
		const struct task *least = model__task(a->m, f->tasks[best].task);

		if (task->tid < least->tid || (task->tid == least->tid && task->pid < least->pid))
			best = i;
	}
	return best;
}

static bool rotate(struct analysis *a, struct finding *f, uint32_t start)
{
	struct finding *turned = finding__new(a, f->kind, f->code, f->length);

	if (!turned)
		return false;
	for (uint32_t i = 0; i < f->length; i++) {
		uint32_t from = (i + start) % f->length;

		turned->classes[i] = f->classes[from];
		turned->modes[i] = f->modes[from];
		turned->witnesses[i] = f->witnesses[from];
	}
	f->classes = turned->classes;
	f->modes = turned->modes;
	f->witnesses = turned->witnesses;
	if (f->kind == FINDING_DEADLOCK && f->task_count == f->length) {
		struct blocked_task *tasks;

		tasks = arena__alloc(&a->arena, f->length * sizeof(*tasks), 8);
		if (!tasks)
			return false;
		for (uint32_t i = 0; i < f->length; i++)
			tasks[i] = f->tasks[(i + start) % f->length];
		f->tasks = tasks;
	}
	return true;
}

static const char *make_key(struct analysis *a, const struct finding *f)
{
	char *text = NULL, *copy;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(finding_kind_names[f->kind], out);
	for (uint32_t i = 0; i < f->length; i++) {
		fprintf(out, "%c%s%s", i ? '>' : ':', model__lock_class(a->m, f->classes[i])->name,
			f->modes[i] == LOCK_EXCLUSIVE ? "" : "(shared)");
		if (f->kind == FINDING_DEADLOCK && i < f->task_count)
			fprintf(out, "@%" PRIu32, model__task(a->m, f->tasks[i].task)->tid);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	copy = arena__alloc(&a->arena, size + 1, 1);
	if (copy)
		memcpy(copy, text, size);
	free(text);
	return copy;
}

bool finding__canonicalise(struct analysis *a, struct finding *f)
{
	uint32_t start = 0;

	if (f->kind == FINDING_DEADLOCK)
		start = first_task(a, f);
	else if (f->length > 1 && f->kind != FINDING_ORDER)
		start = least_rotation(a, f);
	if (start && !rotate(a, f, start))
		return false;
	f->key = make_key(a, f);
	return f->key;
}

/* --- the list --------------------------------------------------------------------------------- */

static uint32_t find_key(const struct analysis *a, uint64_t *hash, const char *key)
{
	uint32_t id;

	for (; (id = idmap__get(&a->by_key, *hash)) != IDMAP_NONE; ++*hash) {
		if (!strcmp(a->list.items[id]->key, key))
			return id;
	}
	return NO_ID;
}

int analysis__index_keys(struct analysis *a)
{
	idmap__release(&a->by_key);
	for (uint32_t i = 0; i < a->list.count; i++) {
		const char *key = a->list.items[i]->key;
		uint64_t hash = hash_bytes(key, strlen(key));

		while (idmap__get(&a->by_key, hash) != IDMAP_NONE)
			hash++;
		if (idmap__put(&a->by_key, hash, i))
			return -ENOMEM;
	}
	return 0;
}

static bool list_push(struct finding_list *list, struct finding *f)
{
	uint64_t capacity = list->capacity;

	if (list->count == capacity) {
		if (!array_reserve_bytes((void **)&list->items, &capacity, capacity + 1,
					 sizeof(struct finding *)))
			return false;
		list->capacity = (uint32_t)capacity;
	}
	list->items[list->count++] = f;
	return true;
}

static void announce(struct analysis *a, const struct finding *f)
{
	if (a->options.on_finding)
		a->options.on_finding(a->options.context, f);
}

bool is_covered(const struct analysis *a, const char *key)
{
	return idmap__get(&a->covered, hash_bytes(key, strlen(key))) != IDMAP_NONE;
}

struct finding *analysis__put(struct analysis *a, const struct finding *f)
{
	uint64_t hash = hash_bytes(f->key, strlen(f->key));
	uint32_t id = find_key(a, &hash, f->key);
	struct finding *stored, merged = *f;

	if (is_covered(a, f->key))
		return id == NO_ID ? NULL : a->list.items[id];
	match_known(a, &merged);
	if (id != NO_ID) {
		enum finding_grade before = a->list.items[id]->grade;

		stored = a->list.items[id];
		if (f->kind == FINDING_HANG && stored->kind == FINDING_HANG) {
			hang__merge(stored, &merged);
			return stored;
		}
		/* of several cycles over the same classes the worst stands for them */
		if (a->finishing && a->runs.items[id] == a->run && stored->code <= f->code)
			return stored;
		a->runs.items[id] = a->run;
		merged.key = stored->key;
		merged.first = stored->first && stored->first < f->first ? stored->first : f->first;
		*stored = merged;
		if (before < GRADE_WARNING && stored->grade >= GRADE_WARNING)
			announce(a, stored);
		return stored;
	}
	stored = arena__alloc(&a->arena, sizeof(*stored), 8);
	if (!stored || !ids__push(&a->runs, a->run) || !list_push(&a->list, stored) ||
	    idmap__put(&a->by_key, hash, a->list.count - 1))
		return NULL;
	*stored = merged;
	announce(a, stored);
	return stored;
}
