// SPDX-License-Identifier: GPL-2.0-or-later
/* Which parts of a model go over into a smaller one; see keep_set.h. */
#include "keep_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *marks(uint32_t count)
{
	return calloc(count + 1ULL, 1);
}

struct keep_set *keep_set__new(const struct model *m)
{
	struct keep_set *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->chains = marks(model__chain_count(m));
	s->instances = marks(model__instance_count(m));
	s->tasks = marks(model__task_count(m));
	s->stacks = marks(model__stack_count(m));
	s->objects = marks(model__object_count(m));
	s->path_events = marks(model__path_event_count(m));
	if (s->chains && s->instances && s->tasks && s->stacks && s->objects && s->path_events)
		return s;
	keep_set__free(s);
	return NULL;
}

void keep_set__free(struct keep_set *s)
{
	if (!s)
		return;
	free(s->chains);
	free(s->instances);
	free(s->tasks);
	free(s->stacks);
	free(s->objects);
	free(s->path_events);
	free(s);
}

static uint32_t *ids(uint32_t count)
{
	uint32_t *all = malloc((count + 1ULL) * sizeof(*all));

	if (all)
		memset(all, 0xff, (count + 1ULL) * sizeof(*all)); /* NO_ID */
	return all;
}

struct id_remap *id_remap__new(const struct model *m)
{
	struct id_remap *remap = calloc(1, sizeof(*remap));

	if (!remap)
		return NULL;
	remap->chains = ids(model__chain_count(m));
	remap->instances = ids(model__instance_count(m));
	remap->stacks = ids(model__stack_count(m));
	remap->objects = ids(model__object_count(m));
	if (remap->chains && remap->instances && remap->stacks && remap->objects)
		return remap;
	id_remap__free(remap);
	return NULL;
}

void id_remap__free(struct id_remap *remap)
{
	if (!remap)
		return;
	free(remap->chains);
	free(remap->instances);
	free(remap->stacks);
	free(remap->objects);
	free(remap);
}

static void mark(uint8_t *marks, uint32_t id)
{
	if (id != NO_ID)
		marks[id] = 1;
}

/* --- what must stay
 * ----------------------------------------------------------------------------------- */

#define MOST_GUARDS 16

/* What is kept of one class edge in one of its modes. */
struct edge_guards {
	struct {
		uint32_t instance;
		uint8_t strength;
	} guards[MOST_GUARDS]; /* other locks that every occurrence kept held too */
	uint32_t guard_count;
	uint32_t task;
	bool is_seen, is_by_many; /* by more than one task */
};

/* Two that hold it to read are not kept apart by it. */
static uint8_t strength_of(const struct held_lock *held)
{
	return held->mode == LOCK_EXCLUSIVE ? 2 : 1;
}

/* How the occurrence holds a lock beside the one the edge starts at; 0: not. */
static uint8_t held_beside(const struct chain *chain, uint32_t from, uint32_t instance)
{
	for (uint32_t i = 0; i < chain->held_count; i++)
		if (i != from && chain->held[i].instance == instance)
			return strength_of(&chain->held[i]);
	return 0;
}

static void note_first(struct edge_guards *edge, const struct chain *chain, uint32_t from)
{
	edge->is_seen = true;
	for (uint32_t i = 0; i < chain->held_count && edge->guard_count < MOST_GUARDS; i++) {
		if (i == from)
			continue;
		edge->guards[edge->guard_count].instance = chain->held[i].instance;
		edge->guards[edge->guard_count++].strength = strength_of(&chain->held[i]);
	}
}

/* True if the occurrence rules out a guard of those kept before, or makes one weaker. */
static bool rules_out(struct edge_guards *edge, const struct chain *chain, uint32_t from)
{
	uint32_t kept = 0, before = edge->guard_count;
	bool is_weaker = false;

	for (uint32_t i = 0; i < before; i++) {
		uint8_t strength = held_beside(chain, from, edge->guards[i].instance);

		is_weaker |= strength < edge->guards[i].strength;
		if (!strength)
			continue;
		edge->guards[kept] = edge->guards[i];
		if (strength < edge->guards[kept].strength)
			edge->guards[kept].strength = strength;
		kept++;
	}
	edge->guard_count = kept;
	return is_weaker;
}

/*
 * Guards and "all by one task" make a cycle harmless, so an occurrence that speaks against either
 * must stay. `from`: which held lock of the chain the edge starts at.
 */
static bool must_stay(struct edge_guards *edge, const struct chain *chain, uint32_t from)
{
	bool is_first = !edge->is_seen;

	if (is_first)
		note_first(edge, chain, from);
	if (is_first || rules_out(edge, chain, from)) {
		edge->task = chain->first_task;
		edge->is_by_many = chain->task_count > 1;
		return true;
	}
	if (chain->held_count > MOST_GUARDS)
		return true;
	if (edge->is_by_many || chain->held_count - 1 > edge->guard_count ||
	    (chain->task_count < 2 && chain->first_task == edge->task))
		return false;
	edge->is_by_many = true;
	return true;
}

int keep_set__class_order(struct keep_set *s, const struct model *m)
{
	const uint32_t modes = LOCK_MODES * LOCK_MODES;
	struct edge_guards *all = calloc(model__class_edge_count(m) + 1ULL, modes * sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (uint32_t i = 0; i < model__chain_count(m); i++) {
		const struct chain *chain = model__chain(m, i);

		for (uint32_t k = 0; k < chain->held_count; k++) {
			uint32_t id = model__chain_dependency(m, i, k);
			const struct dependency *d = id == NO_ID ? NULL : model__dependency(m, id);
			uint64_t mode = d ? d->from_mode * LOCK_MODES + d->to_mode : 0;

			if (d && must_stay(&all[d->class_edge * (uint64_t)modes + mode], chain, k))
				s->chains[i] = 1;
		}
	}
	free(all);
	return 0;
}

/* Which held lock of the chain the dependency starts at. */
static uint32_t starts_at(const struct model *m, uint32_t chain, uint32_t dependency)
{
	uint32_t k = 0, last = model__chain(m, chain)->held_count - 1;

	while (k < last && model__chain_dependency(m, chain, k) != dependency)
		k++;
	return k;
}

/* Occurrences of a pair of locks that stays, beginning with one that does. True: another one stays.
 */
static bool weigh_pair(struct keep_set *s, const struct model *m, uint32_t chain,
		       uint32_t dependency)
{
	struct edge_guards edge = {0};
	bool added = false;

	must_stay(&edge, model__chain(m, chain), starts_at(m, chain, dependency));
	for (uint32_t i = 0; i < model__dependency_chains_kept(m, dependency); i++) {
		uint32_t occurrence = model__dependency_chain(m, dependency, i);

		if (!must_stay(&edge, model__chain(m, occurrence),
			       starts_at(m, occurrence, dependency)) ||
		    s->chains[occurrence])
			continue;
		s->chains[occurrence] = 1;
		added = true;
	}
	return added;
}

static bool weigh_pairs(struct keep_set *s, const struct model *m, uint8_t *weighed)
{
	bool added = false;

	for (uint32_t i = 0; i < model__chain_count(m); i++) {
		for (uint32_t k = 0; s->chains[i] && k < model__chain(m, i)->held_count; k++) {
			uint32_t id = model__chain_dependency(m, i, k);

			if (id == NO_ID || weighed[id])
				continue;
			weighed[id] = 1;
			added |= weigh_pair(s, m, i, id);
		}
	}
	return added;
}

int keep_set__guards(struct keep_set *s, const struct model *m)
{
	uint8_t *weighed = marks(model__dependency_count(m));

	if (!weighed)
		return -ENOMEM;
	while (weigh_pairs(s, m, weighed)) /* what was added has pairs of its own */
		;
	free(weighed);
	return 0;
}

static void mark_other(struct keep_set *s, const struct other_task *t)
{
	mark(s->tasks, t->task);
	mark(s->stacks, t->stack);
}

static void mark_blocked(struct keep_set *s, const struct blocked_task *t)
{
	for (uint32_t i = 0; t->wait && i < t->wait->waiter_count; i++)
		mark_other(s, &t->wait->waiters[i]);
	if (t->wait)
		mark_other(s, &t->wait->owner);
	mark(s->tasks, t->task);
	mark(s->instances, t->wants);
	mark(s->stacks, t->kernel_stack);
	mark(s->stacks, t->user_stack);
	mark(s->objects, t->vm);
	mark(s->objects, t->device);
	for (uint32_t i = 0; i < t->hold_count; i++)
		mark(s->instances, t->holds[i]);
}

void keep_set__findings(struct keep_set *s, const struct model *m,
			const struct finding_list *findings)
{
	for (uint32_t i = 0; i < findings->count; i++) {
		const struct finding *f = findings->items[i];

		for (uint32_t j = 0; j < f->length && f->witnesses; j++) {
			const struct witness *w = &f->witnesses[j];

			mark(s->chains, w->chain);
			mark(s->chains, w->last_chain);
			mark(s->tasks, w->task);
			if (w->dependency != NO_ID)
				mark(s->chains, model__dependency(m, w->dependency)->first_chain);
		}
		for (uint32_t j = 0; j < f->guard_count; j++)
			mark(s->instances, f->guards[j]);
		for (uint32_t j = 0; j < f->task_count; j++)
			mark_blocked(s, &f->tasks[j]);
	}
}

/* References of one device given back later than the run looked at. */
struct open_puts {
	uint32_t kept, dropped;
};

/* Backwards, so that each put is met before the get it belongs to. */
static bool is_kept(const struct path_event *e, bool is_new, struct open_puts *puts)
{
	if (e->path == PATH_PUT_KVM) {
		*(is_new ? &puts->kept : &puts->dropped) += 1;
		return is_new;
	}
	if (e->path != PATH_GET_KVM || e->kvm_returned == 0)
		return is_new;
	if (puts->dropped) {
		puts->dropped--;
		return is_new;
	}
	puts->kept -= puts->kept > 0;
	return true;
}

int keep_set__paths(struct keep_set *s, const struct model *m, uint32_t most)
{
	struct open_puts *puts = calloc(model__object_count(m) + 1ULL, sizeof(*puts));
	uint32_t count = model__path_event_count(m);

	if (!puts)
		return -ENOMEM;
	for (uint32_t i = count; i-- > 0;) {
		const struct path_event *e = model__path_event(m, i);
		bool is_new = count - i <= most;

		if (e->device == NO_ID ? is_new : is_kept(e, is_new, &puts[e->device]))
			s->path_events[i] = 1;
	}
	free(puts);
	return 0;
}

/* --- what that refers to
 * ------------------------------------------------------------------------------ */

static void close_chains(struct keep_set *s, const struct model *m)
{
	for (uint32_t i = 0; i < model__chain_count(m); i++) {
		const struct chain *chain = model__chain(m, i);

		if (!s->chains[i])
			continue;
		for (uint32_t k = 0; k < chain->held_count; k++) {
			mark(s->instances, chain->held[k].instance);
			mark(s->stacks, chain->held[k].stack);
		}
		mark(s->instances, chain->wanted.instance);
		mark(s->stacks, chain->wanted.stack);
	}
	for (uint32_t i = 0; i < model__task_chain_count(m); i++) {
		const struct task_chain *pair = model__task_chain(m, i);

		if (s->chains[pair->chain])
			mark(s->tasks, pair->task);
	}
}

static void close_paths(struct keep_set *s, const struct model *m)
{
	for (uint32_t i = 0; i < model__path_event_count(m); i++) {
		const struct path_event *e = model__path_event(m, i);

		if (!s->path_events[i])
			continue;
		mark(s->tasks, e->task);
		mark(s->objects, e->device);
		mark(s->objects, e->group);
		mark(s->objects, e->vm);
		mark(s->instances, e->kvm_ref_lock);
	}
}

static void mark_object(struct keep_set *s, const struct model *m, uint32_t id)
{
	/* parents end: a mark that is there already ends a circle too */
	for (; id != NO_ID; id = model__object(m, id)->parent) {
		bool known = s->objects[id];

		s->objects[id] = 1;
		if (known)
			break;
	}
}

void keep_set__close(struct keep_set *s, const struct model *m)
{
	close_chains(s, m);
	close_paths(s, m);
	for (uint32_t i = 0; i < model__object_count(m); i++)
		if (s->objects[i])
			mark_object(s, m, model__object(m, i)->parent);
	for (uint32_t i = 0; i < model__instance_count(m); i++)
		if (s->instances[i])
			mark_object(s, m, model__instance(m, i)->object);
	for (uint32_t i = 0; i < model__task_count(m); i++)
		if (s->tasks[i])
			mark_object(s, m, model__task(m, i)->vm);
}
