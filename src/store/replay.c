// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One model added to another through the model's own functions: for merging recordings, keeping
 * hosts apart, and for redaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/replay.h"
#include "util/idmap.h"

/* Names of another host say whose they are. */
static const char *host_name(struct replay *r, const char *name)
{
	char text[1024];

	if (!name || !r->options->host || !r->options->prefix)
		return name;
	snprintf(text, sizeof(text), "%s: %s", r->options->prefix, name);
	return model__intern(r->to, text);
}

/* --- entities ------------------------------------------------------------------------------ */

static int replay_classes(struct replay *r)
{
	for (uint32_t i = 0; i < model__class_count(r->from); i++) {
		const struct lock_class *c = model__lock_class(r->from, i);
		uint32_t flags = c->flags, id;
		const char *name = redact_class(r->redactor, c->name, &flags);

		/* another recording's "class-1" is another class */
		if (flags & CLASS_REDACTED)
			name = host_name(r, name);
		id = model__add_class(r->to, name, c->kind, flags);

		if (id == NO_ID || id_table__set(&r->maps.classes, i, id))
			return -ENOMEM;
	}
	return 0;
}

/* Which kinds of object `m` has at each address. -ENOMEM: `kinds` is released by the caller. */
static int note_objects(const struct model *m, struct idmap *kinds)
{
	for (uint32_t i = 0; i < model__object_count(m); i++) {
		const struct object *object = model__object(m, i);
		uint32_t known = idmap__get(kinds, object->address);

		if (known != IDMAP_NONE)
			idmap__set(kinds, object->address, known | 1U << object->kind);
		else if (object->address && idmap__put(kinds, object->address, 1U << object->kind))
			return -ENOMEM;
	}
	return 0;
}

static bool object_exists(const struct idmap *kinds, const struct object *object)
{
	uint32_t known = object->address ? idmap__get(kinds, object->address) : IDMAP_NONE;

	return known != IDMAP_NONE && known & 1U << object->kind;
}

/* Twice: a parent may come after its child. */
static int replay_objects_into(struct replay *r, const struct idmap *before)
{
	for (uint32_t pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < model__object_count(r->from); i++) {
			struct object o = *model__object(r->from, i);
			uint32_t id;

			if (!replay_wants(r, objects, i)) {
				if (replay_moved(r, objects, i, NO_ID))
					return -ENOMEM;
				continue;
			}
			o.name = host_name(r, redact_object_name(r->redactor, o.kind, o.name));
			o.detail = redact_object_detail(r->redactor, o.kind, o.detail);
			o.address = redact_address(r->redactor, o.address);
			o.parent = mapped(&r->maps.objects, o.parent);
			/* Two kernels may use one address for different things. */
			if (object_exists(before, &o))
				o.address ^= (uint64_t)r->options->host << 48;
			id = model__add_object(r->to, &o);
			if (id == NO_ID || replay_moved(r, objects, i, id))
				return -ENOMEM;
		}
	}
	return 0;
}

static int replay_objects(struct replay *r)
{
	struct idmap before = {0};
	int error = r->options->host ? note_objects(r->to, &before) : 0;

	if (!error)
		error = replay_objects_into(r, &before);
	idmap__release(&before);
	return error;
}

static uint32_t replay_instance(struct replay *r, const struct lock_instance *known)
{
	/* Generations tell users of one address apart, and so do hosts. */
	uint32_t generation = known->generation + (r->options->host << 20);
	uint32_t id = model__add_instance(r->to, mapped(&r->maps.classes, known->lock_class),
					  redact_address(r->redactor, known->address), generation);

	if (id == NO_ID)
		return NO_ID;
	model__name_instance(r->to, id,
			     host_name(r, redact_instance_name(r->redactor, r->from, known)),
			     mapped(&r->maps.objects, known->object));
	model__restore_instance_flags(r->to, id, known->flags);
	return id;
}

static int replay_instances(struct replay *r)
{
	for (uint32_t i = 0; i < model__instance_count(r->from); i++) {
		bool wanted = replay_wants(r, instances, i);
		uint32_t id = wanted ? replay_instance(r, model__instance(r->from, i)) : NO_ID;

		yield(r);
		if ((wanted && id == NO_ID) || replay_moved(r, instances, i, id))
			return -ENOMEM;
	}
	return 0;
}

static int replay_tasks(struct replay *r)
{
	for (uint32_t i = 0; i < model__task_count(r->from); i++) {
		const struct task *t = model__task(r->from, i);
		uint64_t start = t->start_time ^ ((uint64_t)r->options->host << 56);
		uint32_t id;

		yield(r);
		if (!replay_wants(r, tasks, i)) {
			if (id_table__set(&r->maps.tasks, i, NO_ID))
				return -ENOMEM;
			continue;
		}
		id = model__add_task(r->to, t->pid, t->tid, redact_comm(r->redactor, t->comm),
				     start, t->flags);
		if (id == NO_ID || id_table__set(&r->maps.tasks, i, id))
			return -ENOMEM;
		if (t->vm != NO_ID)
			model__set_task_vm(r->to, id, mapped(&r->maps.objects, t->vm));
	}
	return 0;
}

static int replay_stack(struct replay *r, uint32_t i)
{
	struct stack stack = model__stack(r->from, i);
	struct frame *frames;
	uint32_t id = NO_ID;

	yield(r);
	if (!replay_wants(r, stacks, i))
		return replay_moved(r, stacks, i, NO_ID);
	frames = redact_frames(r->redactor, (uint8_t)stack.kind, stack.frames, stack.frame_count);
	if (frames)
		id = model__add_stack(r->to, stack.kind, frames, stack.frame_count);
	free(frames);
	return id == NO_ID ? -ENOMEM : replay_moved(r, stacks, i, id);
}

static int replay_entities(struct replay *r)
{
	int error = replay_classes(r);

	if (!error)
		error = replay_objects(r);
	if (!error)
		error = replay_tasks(r);
	if (!error)
		error = replay_instances(r);
	for (uint32_t i = 0; i < model__stack_count(r->from) && !error; i++)
		error = replay_stack(r, i);
	for (uint32_t i = 0; i < model__variable_count(r->from) && !error; i++)
		error = id_table__set(
			&r->maps.variables, i,
			model__add_variable(
				r->to, redact_variable(r->redactor, model__variable(r->from, i))));
	return error;
}

/* --- order ------------------------------------------------------------------------------- */

static struct held_lock replay_held(const struct replay *r, const struct held_lock *from)
{
	struct held_lock lock = *from;

	lock.instance = mapped(&r->maps.instances, from->instance);
	lock.stack = mapped(&r->maps.stacks, from->stack);
	return lock;
}

static int replay_chain(struct replay *r, uint32_t i)
{
	const struct chain *chain = model__chain(r->from, i);
	struct held_lock held[chain->held_count + 1];
	struct held_lock wanted = replay_held(r, &chain->wanted);
	uint32_t id;

	for (uint32_t k = 0; k < chain->held_count; k++)
		held[k] = replay_held(r, &chain->held[k]);
	id = model__add_chain(r->to, held, chain->held_count, &wanted, NO_ID,
			      shifted(r, chain->first), 0, chain->path);
	if (id == NO_ID || replay_moved(r, chains, i, id))
		return -ENOMEM;
	model__count_chain(r->to, id, chain->count, shifted(r, chain->last));
	return 0;
}

/* Occurrences of chains left out still count for the pair of classes, and for a pair of locks
 * known. */
static void replay_counts(struct replay *r)
{
	for (uint32_t i = 0; i < model__class_edge_count(r->from); i++) {
		const struct class_edge *edge = model__class_edge(r->from, i);

		model__restore_edge_count(r->to, mapped(&r->maps.classes, edge->from),
					  mapped(&r->maps.classes, edge->to), edge);
	}
	for (uint32_t i = 0; i < model__dependency_count(r->from); i++) {
		const struct dependency *d = model__dependency(r->from, i);
		uint32_t from = mapped(&r->maps.instances, d->from),
			 to = mapped(&r->maps.instances, d->to);

		yield(r);
		if (from != NO_ID && to != NO_ID)
			model__restore_dependency_count(r->to, from, to, d);
	}
}

static int replay_chains(struct replay *r)
{
	int error = 0;

	for (uint32_t i = 0; i < model__chain_count(r->from) && !error; i++, yield(r))
		error = replay_wants(r, chains, i) ? replay_chain(r, i)
						   : replay_moved(r, chains, i, NO_ID);
	if (error)
		return error;
	for (uint32_t i = 0; i < model__task_chain_count(r->from); i++) {
		const struct task_chain *s = model__task_chain(r->from, i);
		uint32_t task = mapped(&r->maps.tasks, s->task);
		uint32_t chain = mapped(&r->maps.chains, s->chain);

		yield(r);
		if (chain == NO_ID)
			continue;
		model__add_task_chain(r->to, task, chain, shifted(r, s->first), 0);
		model__add_task_chain(r->to, task, chain, shifted(r, s->last), s->count);
	}
	if (r->options->only)
		replay_counts(r);
	return 0;
}

/* --- findings ---------------------------------------------------------------------------- */

static int replay_finding(struct replay *r, const struct finding *f, struct analysis *out)
{
	struct finding copy = *f;
	struct blocked_task *tasks = calloc(f->task_count + 1ULL, sizeof(*tasks));
	struct task_wait *waits = calloc(f->task_count + 1ULL, sizeof(*waits));
	int error = -ENOMEM;

	if (!tasks || !waits || !redact_finding(r->redactor, &copy))
		goto cleanup;
	for (uint32_t i = 0; i < f->task_count; i++) {
		tasks[i] = f->tasks[i];
		tasks[i].since = shifted(r, tasks[i].since);
		if (!tasks[i].wait)
			continue;
		waits[i] = *tasks[i].wait;
		waits[i].site = redact_site(r->redactor, waits[i].site);
		tasks[i].wait = &waits[i];
	}
	copy.tasks = tasks;
	copy.first = shifted(r, f->first);
	copy.last = shifted(r, f->last);
	copy.resolved_at = shifted(r, f->resolved_at);
	error = store_finding__copy(&copy, r->to, &r->maps, out);
	free(copy.schedule);
cleanup:
	free(tasks);
	free(waits);
	return error;
}

int model__replay(struct model *target, const struct model *source,
		  const struct finding_list *findings, struct analysis *target_findings,
		  const struct replay_options *options)
{
	struct replay r = {.to = target, .from = source, .options = options};
	int error = -ENOMEM;

	if (options->redact) {
		r.redactor = redactor__new();
		if (!r.redactor)
			goto cleanup;
	}
	/* facts first: what a finding means depends on the kernel's version */
	error = replay_facts(&r);
	if (!error)
		error = replay_entities(&r);
	if (!error)
		error = replay_chains(&r);
	if (!error)
		error = replay_events(&r);
	if (error)
		goto cleanup;
	replay_paths(&r);
	replay_durations(&r);
	replay_clock(&r);
	replay_losses(&r);
	for (uint32_t i = 0; findings && target_findings && i < findings->count && !error; i++)
		error = replay_finding(&r, findings->items[i], target_findings);
cleanup:
	redactor__free(r.redactor);
	store_maps__clear(&r.maps);
	return error;
}
