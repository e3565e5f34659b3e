// SPDX-License-Identifier: GPL-2.0-or-later
/* Classes, instances, tasks, stacks, objects, variables: find or create, dense ids out. */
#include "model/model_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names that say themselves what they are, whoever brings them. */
static const struct {
	const char *prefix;
	enum lock_kind kind;
} wait_names[] = {
	{"work:", LOCK_KIND_WORK},
	{"workqueue:", LOCK_KIND_WORKQUEUE},
	{"completion:", LOCK_KIND_COMPLETION},
	{"completion@",
	 LOCK_KIND_COMPLETION}, /* the function that waits: no better name is known */
};

static enum lock_kind kind_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof(wait_names) / sizeof(*wait_names); i++)
		if (!strncmp(name, wait_names[i].prefix, strlen(wait_names[i].prefix)))
			return wait_names[i].kind;
	return LOCK_KIND_UNKNOWN;
}

bool lock_kind__is_wait(enum lock_kind kind)
{
	return kind >= LOCK_KIND_SRCU && kind <= LOCK_KIND_COMPLETION;
}

/* One completion says nothing about another: who completes it is a matter of the instance. */
static void set_kind(struct lock_class *c, enum lock_kind kind)
{
	c->kind = kind;
	if (kind == LOCK_KIND_COMPLETION)
		c->flags |= CLASS_INSTANCE_ONLY;
}

uint32_t model__add_class(struct model *m, const char *name, enum lock_kind kind, uint32_t flags)
{
	const char *interned = model__intern(m, name);
	struct lock_class *known;
	uint32_t id;

	if (!interned)
		return NO_ID;
	/* interned strings are unique, so the address is an exact key */
	id = idmap__get(&m->class_ids, (uintptr_t)interned);
	if (id == IDMAP_NONE) {
		struct lock_class fresh = {interned, kind, flags};

		set_kind(&fresh, kind == LOCK_KIND_UNKNOWN ? kind_of_name(interned) : kind);
		id = (uint32_t)m->classes.count;
		if (!vector_reserve(&m->classes, id + 1ULL) ||
		    idmap__put(&m->class_ids, (uintptr_t)interned, id))
			return NO_ID;
		m->classes.items[m->classes.count++] = fresh;
		return id;
	}
	known = &m->classes.items[id];
	known->flags |= flags;
	if (known->kind == LOCK_KIND_UNKNOWN)
		set_kind(known, kind);
	return id;
}

uint32_t model__find_class(const struct model *m, const char *name)
{
	const char *own = model__find_string(m, name);

	return own ? idmap__get(&m->class_ids, (uintptr_t)own) : NO_ID;
}

/* Adds "NAME/SUBCLASS" the first time an acquisition is annotated with it. */
static void add_subclass(struct model *m, uint32_t base, uint8_t subclass)
{
	char name[256];
	uint32_t id = idmap__get(&m->subclass_ids, idmap_pair(base, subclass));

	if (id != IDMAP_NONE)
		return;
	snprintf(name, sizeof(name), "%s/%u", m->classes.items[base].name, subclass);
	id = model__add_class(m, name, m->classes.items[base].kind, m->classes.items[base].flags);
	if (id != NO_ID)
		idmap__put(&m->subclass_ids, idmap_pair(base, subclass), id);
}

uint32_t model__held_class(const struct model *m, const struct held_lock *lock)
{
	uint32_t base = m->instances.items[lock->instance].lock_class, id;

	if (!lock->subclass)
		return base;
	id = idmap__get(&m->subclass_ids, idmap_pair(base, lock->subclass));
	return id == IDMAP_NONE ? base : id;
}

void instance__note_mode(struct model *m, const struct held_lock *lock)
{
	struct lock_instance *instance = &m->instances.items[lock->instance];

	/* one byte per instance stays in the cache where instances and classes do not */
	if (!lock->subclass &&
	    (lock->mode != LOCK_EXCLUSIVE || m->writer_noted.items[lock->instance]))
		return;
	if (lock->subclass)
		add_subclass(m, instance->lock_class, lock->subclass);
	if (lock->mode != LOCK_EXCLUSIVE)
		return;
	instance->flags |= INSTANCE_HAD_WRITER;
	m->classes.items[model__held_class(m, lock)].flags |= CLASS_HAD_WRITER;
	if (!lock->subclass)
		m->writer_noted.items[lock->instance] = 1;
}

uint32_t model__add_instance(struct model *m, uint32_t lock_class, uint64_t address,
			     uint32_t generation)
{
	struct lock_instance fresh = {.lock_class = lock_class,
				      .generation = generation,
				      .address = address,
				      .object = NO_ID};
	uint64_t key = hash_mix(hash_mix(address, lock_class), generation);
	uint32_t id;

	for (; (id = idmap__get(&m->instance_ids, key)) != IDMAP_NONE; key++) {
		const struct lock_instance *known = &m->instances.items[id];

		if (known->lock_class == lock_class && known->address == address &&
		    known->generation == generation)
			return id;
	}
	id = (uint32_t)m->instances.count;
	if (!vector_reserve(&m->instances, id + 1ULL) ||
	    !vector_reserve(&m->writer_noted, id + 1ULL) || idmap__put(&m->instance_ids, key, id))
		return NO_ID;
	m->writer_noted.items[id] = 0;
	m->instances.items[m->instances.count++] = fresh;
	return id;
}

void model__name_instance(struct model *m, uint32_t instance, const char *name, uint32_t object)
{
	struct lock_instance *known = &m->instances.items[instance];

	if (name)
		known->name = model__intern(m, name);
	if (object != NO_ID)
		known->object = object;
}

uint32_t model__add_task(struct model *m, uint32_t pid, uint32_t tid, const char *comm,
			 uint64_t start_time, uint32_t flags)
{
	const char *name = model__intern(m, comm ? comm : "");
	struct task fresh = {pid, tid, flags, NO_ID, start_time, name};
	/* without a tid the task stands for every thread of (pid, comm) */
	uint64_t key = hash_mix(idmap_pair(pid, tid), tid ? start_time : (uintptr_t)name);
	uint32_t id;

	if (!name)
		return NO_ID;
	for (; (id = idmap__get(&m->task_ids, key)) != IDMAP_NONE; key++) {
		struct task *known = &m->tasks.items[id];

		if (known->pid != pid || known->tid != tid || known->start_time != start_time ||
		    (!tid && known->comm != name))
			continue;
		known->flags |= flags;
		if (*name)
			known->comm = name;
		return id;
	}
	id = (uint32_t)m->tasks.count;
	if (!vector_reserve(&m->tasks, id + 1ULL) || idmap__put(&m->task_ids, key, id))
		return NO_ID;
	m->tasks.items[m->tasks.count++] = fresh;
	return id;
}

void model__set_task_vm(struct model *m, uint32_t task, uint32_t vm)
{
	m->tasks.items[task].vm = vm;
}

/*
 * What never changes in an object's life and tells it from another that was made at its address
 * later; 0: nothing, or not known yet.
 */
static uint64_t identity_of(const struct object *o)
{
	switch (o->kind) {
	case OBJECT_VM:
		return o->pid;
	case OBJECT_GROUP:
		return o->number;
	case OBJECT_DEVICE:
		return (uintptr_t)o->name; /* interned */
	case OBJECT_KVM_VFIO_DEVICE:
		return o->parent == NO_ID ? 0 : o->parent + 1ULL;
	default:
		return 0;
	}
}

/* Among those first known by `known_by`. NO_ID: none, and *key is where it would be. */
static uint32_t find_object(const struct model *m, const struct object *fresh, uint64_t known_by,
			    uint64_t *key)
{
	uint64_t identity = identity_of(fresh);
	uint32_t id;

	*key = hash_mix(fresh->kind, fresh->address ? fresh->address : (uintptr_t)fresh->name);
	if (known_by && fresh->address)
		*key = hash_mix(*key, known_by);
	for (; (id = idmap__get(&m->object_ids, *key)) != IDMAP_NONE; (*key)++) {
		const struct object *known = &m->objects.items[id];
		uint64_t other = identity_of(known);

		if (known->kind == fresh->kind && known->address == fresh->address &&
		    (fresh->address ? !other || other == identity : known->name == fresh->name))
			return id;
	}
	return NO_ID;
}

uint32_t model__add_object(struct model *m, const struct object *object)
{
	struct object fresh = *object, *known;
	uint64_t key, unused;
	uint32_t id;

	fresh.name = model__intern(m, object->name);
	fresh.detail = model__intern(m, object->detail);
	id = find_object(m, &fresh, identity_of(&fresh), &key);
	if (id == NO_ID) /* known before it had its identity? */
		id = find_object(m, &fresh, 0, &unused);
	if (id != NO_ID) {
		known = &m->objects.items[id];
		known->name = fresh.name ? fresh.name : known->name;
		known->detail = fresh.detail ? fresh.detail : known->detail;
		known->parent = fresh.parent != NO_ID ? fresh.parent : known->parent;
		known->pid = fresh.pid ? fresh.pid : known->pid;
		known->number = fresh.number ? fresh.number : known->number;
		return id;
	}
	id = (uint32_t)m->objects.count;
	if (!vector_reserve(&m->objects, id + 1ULL) || idmap__put(&m->object_ids, key, id))
		return NO_ID;
	m->objects.items[m->objects.count++] = fresh;
	return id;
}

uint32_t model__add_variable(struct model *m, const char *name)
{
	const char *interned = model__intern(m, name);
	uint32_t id;

	if (!interned)
		return NO_ID;
	id = idmap__get(&m->variable_ids, (uintptr_t)interned);
	if (id != IDMAP_NONE)
		return id;
	id = (uint32_t)m->variables.count;
	if (!vector_reserve(&m->variables, id + 1ULL) ||
	    idmap__put(&m->variable_ids, (uintptr_t)interned, id))
		return NO_ID;
	m->variables.items[m->variables.count++] = interned;
	return id;
}

/* --- reading --------------------------------------------------------------------------------- */

uint32_t model__class_count(const struct model *m)
{
	return (uint32_t)m->classes.count;
}

uint32_t model__instance_count(const struct model *m)
{
	return (uint32_t)m->instances.count;
}

uint32_t model__task_count(const struct model *m)
{
	return (uint32_t)m->tasks.count;
}

uint32_t model__object_count(const struct model *m)
{
	return (uint32_t)m->objects.count;
}

uint32_t model__variable_count(const struct model *m)
{
	return (uint32_t)m->variables.count;
}

const struct lock_class *model__lock_class(const struct model *m, uint32_t id)
{
	return &m->classes.items[id];
}

const struct lock_instance *model__instance(const struct model *m, uint32_t id)
{
	return &m->instances.items[id];
}

const struct task *model__task(const struct model *m, uint32_t id)
{
	return &m->tasks.items[id];
}

const struct object *model__object(const struct model *m, uint32_t id)
{
	return &m->objects.items[id];
}

const char *model__variable(const struct model *m, uint32_t id)
{
	return m->variables.items[id];
}
