// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a lock's address is called: the member of a known object at that offset, the current mm's
 * mmap_lock, a static symbol, else the slab cache and the function that first took it.
 *
 * Known objects come from the path probes; a lock seen before its object keeps the name it got.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/class_rules.h"
#include "capture/internal.h"
#include "capture/static_lock.h"
#include "import/lock_name.h"

struct known_object {
	uint64_t address;
	uint32_t size, object;
	char type[48];
};

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
	struct known_object *objects; /* sorted by address, not overlapping */
	uint32_t object_count, object_capacity;
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
	free(names->objects);
	free(names);
}

/* --- objects ------------------------------------------------------------------------------------
 */

static uint32_t position(const struct lock_names *names, uint64_t address)
{
	uint32_t low = 0, high = names->object_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (names->objects[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct known_object *object_around(const struct lock_names *names, uint64_t address)
{
	uint32_t at = position(names, address);
	const struct known_object *object;

	if (!at)
		return NULL;
	object = &names->objects[at - 1];
	return address - object->address < object->size ? object : NULL;
}

uint32_t lock_names__find_object(const struct lock_names *names, uint64_t address)
{
	const struct known_object *object = address ? object_around(names, address) : NULL;

	return object ? object->object : NO_ID;
}

/* Its memory was freed and is used again: what is there now has another name. */
static void forget_object(struct lock_names *names, uint64_t address)
{
	uint32_t at = position(names, address);

	if (!at || !object_around(names, address))
		return;
	memmove(&names->objects[at - 1], &names->objects[at],
		(names->object_count - at) * sizeof(*names->objects));
	names->object_count--;
}

/* Remember it; what overlapped was freed and its memory reused. */
static void keep_object(struct lock_names *names, uint64_t address, const char *type,
			uint32_t object)
{
	int size = kernel__struct_size(names->kernel, type);
	struct known_object fresh = {.address = address, .object = object};
	uint32_t at;

	if (size <= 0 || !address)
		return;
	fresh.size = (uint32_t)size;
	snprintf(fresh.type, sizeof(fresh.type), "%s", type);
	for (uint32_t i = 0; i < names->object_count;) {
		struct known_object *old = &names->objects[i];

		if (old->address < address + fresh.size && address < old->address + old->size)
			memmove(old, old + 1, (--names->object_count - i) * sizeof(*old));
		else
			i++;
	}
	if (names->object_count == names->object_capacity) {
		uint32_t capacity = names->object_capacity ? names->object_capacity * 2 : 64;
		void *grown = realloc(names->objects, capacity * sizeof(*names->objects));

		if (!grown)
			return;
		names->objects = grown;
		names->object_capacity = capacity;
	}
	at = position(names, address);
	memmove(&names->objects[at + 1], &names->objects[at],
		(names->object_count - at) * sizeof(*names->objects));
	names->objects[at] = fresh;
	names->object_count++;
}

/* A vfio_device lies in its driver's own structure; the operations tell which driver. */
static void keep_device(struct lock_names *names, const struct record_object *record,
			uint32_t object)
{
	static const struct {
		const char *operations, *type, *member;
	} drivers[] = {
		{"vfio_pci_ops", "vfio_pci_core_device", "vdev"},
		{"vfio_ap_matrix_dev_ops", "ap_matrix_mdev", "vdev"},
		{"vfio_ccw_dev_ops", "vfio_ccw_private", "vdev"},
		{"intel_vgpu_dev_ops", "intel_vgpu", "vfio_device"},
		{"mlx5vf_pci_ops", "vfio_pci_core_device", "vdev"},
	};
	struct kernel_symbol symbol;

	if (kernel__resolve(names->kernel, record->ops, &symbol, NULL)) {
		for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
			int offset;

			if (strcmp(symbol.name, drivers[i].operations))
				continue;
			offset = kernel__member_offset(names->kernel, drivers[i].type,
						       drivers[i].member);
			if (offset < 0)
				break;
			keep_object(names, record->address - (uint32_t)offset, drivers[i].type,
				    object);
			return;
		}
	}
	keep_object(names, record->address, "vfio_device", object);
}

static void comm_of(uint32_t pid, char *out, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(out, size, "?");
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(out, (int)size, file))
		out[strcspn(out, "\n")] = 0;
	fclose(file);
}

/* kvm.userspace_pid is the tid of the thread that created the VM; /proc knows its process. */
static void name_vm(const struct record_object *record, char *name, size_t size)
{
	char comm[64];

	comm_of((uint32_t)record->pid, comm, sizeof(comm));
	if (!strcmp(comm, "?") && (uint32_t)record->pid == record->header.pid)
		snprintf(comm, sizeof(comm), "%.*s", RECORD_COMM, record->header.comm);
	snprintf(name, size, "%s/%d", comm, record->pid);
}

void lock_names__object(struct lock_names *names, const struct record_object *record)
{
	static const struct {
		enum object_kind kind;
		const char *type, *label;
	} kinds[] = {
		[RECORD_OBJECT_KVM] = {OBJECT_VM, "kvm", NULL},
		[RECORD_OBJECT_GROUP] = {OBJECT_GROUP, "vfio_group", "group"},
		[RECORD_OBJECT_DEVICE] = {OBJECT_DEVICE, "vfio_device", NULL},
		[RECORD_OBJECT_DEVICE_SET] = {OBJECT_DEVICE_SET, "vfio_device_set", "device set"},
		[RECORD_OBJECT_CONTAINER] = {OBJECT_CONTAINER, "vfio_container", "container"},
		[RECORD_OBJECT_IOMMU] = {OBJECT_CONTAINER, "vfio_iommu", "container's IOMMU"},
		[RECORD_OBJECT_KVM_VFIO] = {OBJECT_KVM_VFIO_DEVICE, "kvm_vfio", "KVM-VFIO device"},
		[RECORD_OBJECT_VCPU] = {OBJECT_OTHER, "kvm_vcpu", "vCPU"},
		[RECORD_OBJECT_DEVICE_FILE] = {OBJECT_OTHER, "vfio_device_file", "device file"},
	};
	struct object object = {
		.parent = NO_ID, .number = record->number, .address = record->address};
	char name[128], driver[RECORD_NAME + 1];
	uint32_t id;

	if (record->kind == RECORD_OBJECT_GONE) {
		forget_object(names, record->address);
		return;
	}
	if (!record->kind || record->kind >= sizeof(kinds) / sizeof(kinds[0]))
		return;
	object.kind = kinds[record->kind].kind;
	object.parent = lock_names__find_object(names, record->parent);
	if (record->kind == RECORD_OBJECT_KVM)
		name_vm(record, name, sizeof(name));
	else if (record->kind == RECORD_OBJECT_DEVICE)
		snprintf(name, sizeof(name), "%.*s", RECORD_NAME, record->name);
	else if (record->kind == RECORD_OBJECT_GROUP || record->kind == RECORD_OBJECT_VCPU)
		snprintf(name, sizeof(name), "%s %u", kinds[record->kind].label, record->number);
	else
		snprintf(name, sizeof(name), "%s", kinds[record->kind].label);
	snprintf(driver, sizeof(driver), "%.*s", RECORD_NAME, record->driver);
	object.name = name;
	object.detail = *driver ? driver : NULL;
	object.pid = record->kind == RECORD_OBJECT_KVM ? (uint32_t)record->pid : 0;
	id = model__add_object(names->model, &object);
	if (record->kind == RECORD_OBJECT_DEVICE)
		keep_device(names, record, id);
	else
		keep_object(names, record->address, kinds[record->kind].type, id);
	if (record->kind == RECORD_OBJECT_GROUP)
		keep_object(names, record->parent, "iommu_group", id);
}

/* --- names ---------------------------------------------------------------------------------------
 */

static enum lock_kind model_kind(uint8_t kind)
{
	switch (kind) {
	case RECORD_MUTEX:
		return LOCK_KIND_MUTEX;
	case RECORD_RWSEM:
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
	const struct known_object *object = object_around(names, lock->lock);
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

static struct known_instance *find_instance(const struct lock_names *names,
					    const struct record_lock *lock)
{
	struct instance_key key = {
		.lock = lock->lock, .generation = lock->generation, .kind = lock->kind};
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
	known->key.lock = lock->lock;
	known->key.generation = lock->generation;
	known->key.kind = lock->kind;
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
