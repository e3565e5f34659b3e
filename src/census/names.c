// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of locks the census meets: member of a known object, static symbol, mmap_lock, call site.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "census/census_private.h"
#include "kernel/static_lock.h"

struct census_known_lock *census__add_lock(struct census_run *r, uint64_t address,
					   enum lock_kind kind, const char *class_name,
					   const char *name, uint32_t object, bool in_scope)
{
	struct census_known_lock *lock;
	uint32_t class_id, flags = in_scope ? CLASS_IN_SCOPE : 0;

	HASH_FIND(hh, r->locks, &address, sizeof(address), lock);
	if (lock)
		return lock;
	lock = calloc(1, sizeof(*lock));
	if (!lock)
		return NULL;
	if (!strncmp(class_name, "at ", 3))
		flags |= CLASS_FROM_SITE;
	lock->address = address;
	lock->kind = kind;
	lock->in_scope = in_scope;
	lock->instance = NO_ID;
	if (r->options->known_instance)
		lock->instance = r->options->known_instance(r->options->context, address);
	if (lock->instance == NO_ID) {
		class_id = model__add_class(r->model, class_name, kind, flags);
		if (class_id != NO_ID)
			lock->instance = model__add_instance(r->model, class_id, address, 0);
	}
	if (lock->instance == NO_ID) {
		free(lock);
		return NULL;
	}
	if (name)
		model__name_instance(r->model, lock->instance, name, object);
	HASH_ADD(hh, r->locks, address, sizeof(lock->address), lock);
	return lock;
}

/* Objects lie apart, so the one with the largest address at or below the lock is enough. */
static const struct census_object *object_around(const struct census_run *r, uint64_t address)
{
	const struct census_object *o, *best = NULL;

	for (o = r->objects; o; o = o->hh.next)
		if (address >= o->address && address - o->address < o->size &&
		    (!best || o->address > best->address))
			best = o;
	return best;
}

static bool is_mmap_lock(struct census_run *r, uint64_t address, const struct census_task *waiter)
{
	uint64_t mm = census__pointer(r, waiter->address, AT_TASK_MM);

	return mm && r->offset[AT_MM_LOCK] >= 0 && mm + (uint64_t)r->offset[AT_MM_LOCK] == address;
}

/* Functions of the locks themselves: the caller of the outermost one is the acquire site. */
bool census__is_lock_function(const char *symbol)
{
	static const char *const prefixes[] = {
		"__mutex",
		"mutex_",
		"rwsem_",
		"down_",
		"__down",
		"schedule",
		"__schedule",
		"rt_mutex",
		"__rt_mutex",
		"rwbase",
		"__rwbase",
		"preempt_",
		"percpu_",
		"__percpu",
		"ww_mutex",
		"__ww_mutex",
		"atomic_dec_and_mutex",
		"refcount_dec_and_mutex",
		"rt_spin",
		"rtlock",
		"__switch_to",
		"_mutex_lock",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(symbol, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static void site_name(struct census_run *r, const struct census_task *waiter, char *out,
		      size_t size)
{
	for (uint32_t i = 0; i < waiter->frame_count; i++) {
		struct kernel_symbol symbol;
		uint32_t offset;

		if (!kernel__resolve(r->kernel, waiter->frames[i], &symbol, &offset) ||
		    census__is_lock_function(symbol.name))
			continue;
		snprintf(out, size, "at %s", symbol.name);
		return;
	}
	snprintf(out, size, "at an unknown site");
}

struct census_known_lock *census__name_lock(struct census_run *r, uint64_t address,
					    enum lock_kind kind, const struct census_task *waiter)
{
	const struct census_object *object = object_around(r, address);
	char name[128], owner[64];
	const char *member = NULL;

	if (object)
		member = kernel__member_at(r->kernel, object->type,
					   (uint32_t)(address - object->address));
	if (member)
		return census__add_lock(
			r, address, kind, member,
			object->id == NO_ID ? NULL : model__object(r->model, object->id)->name,
			object->id, object->id != NO_ID);
	if (is_mmap_lock(r, address, waiter)) {
		snprintf(owner, sizeof(owner), "memory of %s/%u", waiter->record.comm,
			 waiter->record.pid);
		return census__add_lock(r, address, kind, "mm_struct.mmap_lock", owner, NO_ID,
					false);
	}
	if (static_lock__name(r->kernel, address, name, sizeof(name)))
		return census__add_lock(r, address, kind, name, NULL, NO_ID, false);
	site_name(r, waiter, name, sizeof(name));
	return census__add_lock(r, address, kind, name, NULL, NO_ID, false);
}
