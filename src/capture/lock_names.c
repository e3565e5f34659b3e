// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a lock's address is called: the member of a known object at that offset, the current mm's
 * mmap_lock, a static symbol, else the slab cache and the function that first took it.
 *
 * A lock seen before its object (known_objects.h) keeps the name it got.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "locks/class_rules.h"
#include "capture/capture_private.h"
#include "capture/known_objects.h"
#include "kernel/static_lock.h"
#include "locks/lock_name.h"

struct instance_key {
	uint64_t lock;
	uint32_t generation, kind;
};

struct known_instance {
	struct instance_key key;
	uint32_t instance;
	UT_hash_handle hh;
};

struct lock_names {
	struct kernel *kernel;
	struct model *model;
	struct known_objects objects;
	struct known_instance *instances;
};

struct lock_names *lock_names__new(struct kernel *kernel, struct model *model)
{
	struct lock_names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->kernel = kernel;
	names->model = model;
	return names;
}

void lock_names__free(struct lock_names *names)
{
	struct known_instance *instance, *next;

	if (!names)
		return;
	HASH_ITER(hh, names->instances, instance, next) {
		HASH_DEL(names->instances, instance);
		free(instance);
	}
	known_objects__release(&names->objects);
	free(names);
}

/* --- objects ------------------------------------------------------------------------------------
 */

uint32_t lock_names__find_object(const struct lock_names *names, uint64_t address)
{
	return known_objects__find(&names->objects, address);
}

void lock_names__object(struct lock_names *names, const struct record_object *record)
{
	known_objects__note(&names->objects, names->kernel, names->model, record);
}

/* --- names ---------------------------------------------------------------------------------------
 */

static enum lock_kind model_kind(uint8_t kind)
{
	switch (kind) {
	case RECORD_MUTEX:
		return LOCK_KIND_MUTEX;
	case RECORD_RWSEM:
	case RECORD_FAULT:
		return LOCK_KIND_RWSEM;
	case RECORD_PERCPU:
		return LOCK_KIND_PERCPU_RWSEM;
	case RECORD_SPIN:
		return LOCK_KIND_SPINLOCK;
	default:
		return LOCK_KIND_UNKNOWN;
	}
}

/* Slab caches that hold one type only. */
static const char *type_of_cache(const char *cache)
{
	static const struct {
		const char *cache, *type;
	} table[] = {
		{"mm_struct", "mm_struct"},
		{"task_struct", "task_struct"},
		{"inode_cache", "inode"},
		{"ext4_inode_cache", "ext4_inode_info"},
		{"shmem_inode_cache", "shmem_inode_info"},
		{"proc_inode_cache", "proc_inode"},
		{"sock_inode_cache", "socket_alloc"},
		{"signal_cache", "signal_struct"},
		{"sighand_cache", "sighand_struct"},
		{"kernfs_node_cache", "kernfs_node"},
		{"anon_vma", "anon_vma"},
		{"vm_area_struct", "vm_area_struct"},
		{"vma_lock", "vma_lock"},
		{"kvm_vcpu", "kvm_vcpu"},
		{"dentry", "dentry"},
		{"filp", "file"},
		{"xfs_inode", "xfs_inode"},
		{"btrfs_inode", "btrfs_inode"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].cache, cache))
			return table[i].type;
	return NULL;
}

static const char *typed_slab_name(const struct lock_names *names, const struct record_slab *slab)
{
	char cache[RECORD_NAME + 1];
	const char *type;

	snprintf(cache, sizeof(cache), "%.*s", RECORD_NAME, slab ? slab->cache : "");
	type = type_of_cache(cache);
	return type ? kernel__member_at(names->kernel, type, slab->offset) : NULL;
}

static const char *slab_name(struct lock_names *names, const struct record_lock *lock,
			     const struct record_slab *slab, char *out, size_t size)
{
	struct kernel_symbol symbol = {.name = NULL};
	char cache[RECORD_NAME + 1];

	snprintf(cache, sizeof(cache), "%.*s", RECORD_NAME, slab ? slab->cache : "");
	kernel__resolve(names->kernel, lock->site, &symbol, NULL);
	if (*cache)
		snprintf(out, size, "%s+0x%x(%s)", cache, slab->offset,
			 symbol.name ? symbol.name : "?");
	else
		snprintf(out, size, "unnamed(%s)", symbol.name ? symbol.name : "?");
	return out;
}

/* The best name there is: object, mm, static symbol, typed slab cache. NULL: none of these. */
static const char *find_name(struct lock_names *names, const struct record_lock *lock,
			     const struct record_slab *slab, uint64_t mm, uint32_t *owner,
			     char *text, size_t size)
{
	const struct known_object *object = known_objects__around(&names->objects, lock->lock);
	int mm_size = kernel__struct_size(names->kernel, "mm_struct");
	const char *name = NULL;

	*owner = NO_ID;
	if (object) {
		name = kernel__member_at(names->kernel, object->type,
					 (uint32_t)(lock->lock - object->address));
		*owner = object->object;
	}
	if (!name && mm && mm_size > 0 && lock->lock - mm < (uint32_t)mm_size)
		name = kernel__member_at(names->kernel, "mm_struct", (uint32_t)(lock->lock - mm));
	if (!name && lock->kind == RECORD_PERCPU && lock->lock < 4096)
		name = "cpu_hotplug_lock"; /* its address is hidden on this kernel */
	if (!name)
		name = static_lock__name(names->kernel, lock->lock, text, size);
	return name ? name : typed_slab_name(names, slab);
}

static uint32_t name_new(struct lock_names *names, const struct record_lock *lock,
			 const struct record_slab *slab, uint64_t mm)
{
	uint32_t flags = lock->kind == RECORD_SPIN ? CLASS_INFERRED : 0;
	uint32_t owner, lock_class, instance;
	char text[128];
	const char *class_name;

	if (lock->kind == RECORD_LOCKDEP) /* lockdep has named it: "&kvm->lock" */
		return model__add_instance(
			names->model,
			lock_name__class(names->model, slab ? slab->cache : "?",
					 slab ? strnlen(slab->cache, RECORD_NAME) : 1,
					 LOCK_KIND_UNKNOWN, NULL),
			lock->lock, lock->generation);
	class_name = find_name(names, lock, slab, mm, &owner, text, sizeof(text));
	if (!class_name) {
		class_name = slab_name(names, lock, slab, text, sizeof(text));
		flags |= CLASS_FROM_SITE | CLASS_INSTANCE_ONLY;
	}
	lock_class = model__add_class(names->model, class_name, model_kind(lock->kind),
				      flags | class_rules__flags(class_name));
	instance = model__add_instance(names->model, lock_class, lock->lock, lock->generation);
	if (owner != NO_ID && instance != NO_ID) {
		const struct object *object = model__object(names->model, owner);

		snprintf(text, sizeof(text), "%s%s", object->kind == OBJECT_VM ? "VM of " : "",
			 object->name);
		model__name_instance(names->model, instance, text, owner);
	}
	return instance;
}

/* A fault wants a lock that others take: it is the same one. */
static struct instance_key key_of(const struct record_lock *lock)
{
	return (struct instance_key){
		.lock = lock->lock,
		.generation = lock->generation,
		.kind = lock->kind == RECORD_FAULT ? RECORD_RWSEM : lock->kind,
	};
}

static struct known_instance *find_instance(const struct lock_names *names,
					    const struct record_lock *lock)
{
	struct instance_key key = key_of(lock);
	struct known_instance *known;

	HASH_FIND(hh, names->instances, &key, sizeof(key), known);
	return known;
}

bool lock_names__is_known(struct lock_names *names, const struct record_lock *lock,
			  const struct record_slab *slab, uint64_t mm)
{
	uint32_t owner;
	char text[128];

	return find_instance(names, lock) || lock->kind == RECORD_LOCKDEP ||
	       find_name(names, lock, slab, mm, &owner, text, sizeof(text));
}

uint32_t lock_names__instance(struct lock_names *names, const struct record_lock *lock,
			      const struct record_slab *slab, uint64_t mm)
{
	struct known_instance *known = find_instance(names, lock);

	if (known)
		return known->instance;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NO_ID;
	known->key = key_of(lock);
	known->instance = name_new(names, lock, slab, mm);
	HASH_ADD(hh, names->instances, key, sizeof(known->key), known);
	return known->instance;
}

uint32_t lock_names__known(const struct lock_names *names, uint64_t address, uint32_t generation)
{
	static const uint8_t kinds[] = {RECORD_MUTEX, RECORD_RWSEM, RECORD_PERCPU};

	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct instance_key key = {
			.lock = address, .generation = generation, .kind = kinds[i]};
		const struct known_instance *known;

		HASH_FIND(hh, names->instances, &key, sizeof(key), known);
		if (known)
			return known->instance;
	}
	return NO_ID;
}

/* --- a smaller model
 * ---------------------------------------------------------------------------------- */

void lock_names__select(const struct lock_names *names, struct keep_set *s,
			const struct record_lock *lock)
{
	const struct known_instance *known = find_instance(names, lock);

	if (known && known->instance != NO_ID)
		s->instances[known->instance] = 1;
}

void lock_names__select_objects(const struct lock_names *names, struct keep_set *s)
{
	known_objects__select(&names->objects, s);
}

int lock_names__compare_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t *lock_names__selected(const struct lock_names *names, const struct keep_set *s,
			       uint32_t *count)
{
	uint64_t *all = malloc((HASH_COUNT(names->instances) + 1ULL) * sizeof(*all));
	const struct known_instance *known;

	*count = 0;
	for (known = names->instances; all && known; known = known->hh.next)
		if (known->instance != NO_ID && s->instances[known->instance])
			all[(*count)++] = known->key.lock;
	if (all)
		qsort(all, *count, sizeof(*all), lock_names__compare_addresses);
	return all;
}

void lock_names__switch_model(struct lock_names *names, struct model *m,
			      const struct id_remap *remap)
{
	struct known_instance *instance, *next;

	names->model = m;
	known_objects__switch_model(&names->objects, remap);
	HASH_ITER(hh, names->instances, instance, next) {
		if (instance->instance != NO_ID)
			instance->instance = remap->instances[instance->instance];
		if (instance->instance != NO_ID)
			continue;
		HASH_DEL(names->instances, instance);
		free(instance);
	}
}
