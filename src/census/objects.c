// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The inventory: VMs, groups, devices, device sets, containers, KVM-VFIO devices, and their locks.
 * Found twice: from open files, and from the kernel's own lists where their addresses are known, so
 * that what nobody has open any more is there too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "census/census_private.h"

/* Locks of each structure; a member the kernel does not have is skipped. */
static const struct lock_row {
	const char *type, *member;
	enum lock_kind kind;
} lock_rows[] = {
	{"kvm", "lock", LOCK_KIND_MUTEX},
	{"kvm", "slots_lock", LOCK_KIND_MUTEX},
	{"kvm", "slots_arch_lock", LOCK_KIND_MUTEX},
	{"kvm", "irq_lock", LOCK_KIND_MUTEX},
	{"kvm_vcpu", "mutex", LOCK_KIND_MUTEX},
	{"kvm_vfio", "lock", LOCK_KIND_MUTEX},
	{"vfio_group", "group_lock", LOCK_KIND_MUTEX},
	{"vfio_group", "device_lock", LOCK_KIND_MUTEX},
	{"vfio_device_set", "lock", LOCK_KIND_MUTEX},
	{"vfio_container", "group_lock", LOCK_KIND_RWSEM},
	{"vfio_iommu", "lock", LOCK_KIND_MUTEX},
	{"vfio_iommu", "device_list_lock", LOCK_KIND_MUTEX},
	{"iommu_group", "mutex", LOCK_KIND_MUTEX},
	{"vfio_pci_core_device", "igate", LOCK_KIND_MUTEX},
	{"vfio_pci_core_device", "memory_lock", LOCK_KIND_RWSEM},
	{"vfio_pci_core_device", "vma_lock", LOCK_KIND_MUTEX},
};

static const struct {
	const char *symbol;
	enum lock_kind kind;
} static_locks[] = {
	{"kvm_lock", LOCK_KIND_MUTEX},
	{"kvm_usage_lock", LOCK_KIND_MUTEX},
	{"vendor_module_lock", LOCK_KIND_MUTEX},
};

/* --- objects and their locks
 * ------------------------------------------------------------------------- */

struct census_object *census__find_object(struct census_run *r, uint64_t address)
{
	struct census_object *o;

	HASH_FIND(hh, r->objects, &address, sizeof(address), o);
	return o;
}

static int add_locks(struct census_run *r, const char *type, uint64_t address, const char *name,
		     uint32_t id)
{
	char class_name[96];

	for (size_t i = 0; i < sizeof(lock_rows) / sizeof(*lock_rows); i++) {
		int offset;

		if (strcmp(lock_rows[i].type, type))
			continue;
		offset = kernel__member_offset(r->kernel, type, lock_rows[i].member);
		if (offset < 0)
			continue;
		snprintf(class_name, sizeof(class_name), "%s.%s", type, lock_rows[i].member);
		if (!census__add_lock(r, address + (uint64_t)offset, lock_rows[i].kind, class_name,
				      name, id, true))
			return -ENOMEM;
	}
	return 0;
}

/* A place that locks are named in; `model_object` may be NULL: then `name` is for its locks. */
struct census_object *census__add_object(struct census_run *r, const char *type, uint64_t address,
					 const struct object *model_object, const char *lock_name)
{
	int size = kernel__struct_size(r->kernel, type);
	struct census_object *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->address = address;
	o->type = type;
	o->size = size > 0 ? (uint32_t)size : 0;
	o->id = model_object ? model__add_object(r->model, model_object) : NO_ID;
	HASH_ADD(hh, r->objects, address, sizeof(o->address), o);
	return add_locks(r, type, address, lock_name, o->id) ? NULL : o;
}

/* --- VFIO
 * ------------------------------------------------------------------------------------------------
 */

static int add_container(struct census_run *r, uint64_t container)
{
	struct object object = {.kind = OBJECT_CONTAINER, .parent = NO_ID, .address = container};
	uint64_t driver, ops, data;
	char text[64], name[32] = "";
	struct census_object *o;

	if (!container || census__find_object(r, container))
		return 0;
	snprintf(text, sizeof(text), "container 0x%llx", (unsigned long long)container);
	object.name = text;
	o = census__add_object(r, "vfio_container", container, &object, text);
	if (!o)
		return -ENOMEM;
	driver = census__pointer(r, container, AT_CONTAINER_DRIVER);
	ops = census__pointer(r, driver, AT_IOMMU_DRIVER_OPS);
	memory__string(r->memory, census__pointer(r, ops, AT_IOMMU_OPS_NAME), name, sizeof(name));
	data = census__pointer(r, container, AT_CONTAINER_DATA);
	if (!data || census__find_object(r, data) || strcmp(name, "vfio-iommu-type1"))
		return 0;
	return census__add_object(r, "vfio_iommu", data, NULL, text) ? 0 : -ENOMEM;
}

static int add_device_set(struct census_run *r, uint64_t set, const char *device)
{
	struct object object = {.kind = OBJECT_DEVICE_SET, .parent = NO_ID, .address = set};
	char text[96];

	if (!set || census__find_object(r, set))
		return 0;
	snprintf(text, sizeof(text), "device set of %s", device);
	object.name = text;
	return census__add_object(r, "vfio_device_set", set, &object, text) ? 0 : -ENOMEM;
}

static int add_group(struct census_run *r, uint64_t group, void *context);

/* vfio-pci's own state surrounds its vfio_device, which is the first member. */
static int add_pci_state(struct census_run *r, uint64_t device, uint32_t id, const char *name)
{
	int first = kernel__member_offset(r->kernel, "vfio_pci_core_device", "vdev");
	struct census_object *o;

	if (first)
		return 0;
	HASH_FIND(hh, r->objects, &device, sizeof(device), o);
	if (o) {
		int size = kernel__struct_size(r->kernel, "vfio_pci_core_device");

		o->type = "vfio_pci_core_device";
		o->size = size > 0 ? (uint32_t)size : o->size;
	}
	return add_locks(r, "vfio_pci_core_device", device, name, id);
}

static int add_device(struct census_run *r, uint64_t device, void *context)
{
	uint64_t dev = census__pointer(r, device, AT_DEVICE_DEV), name_at, group;
	struct object object = {.kind = OBJECT_DEVICE, .parent = NO_ID, .address = device};
	char name[64] = "", driver[64] = "";
	struct census_object *o;
	int err;

	(void)context;
	if (!device || census__find_object(r, device))
		return 0;
	name_at = census__pointer(r, dev, AT_DEV_NAME);
	if (!name_at)
		name_at = census__pointer(r, dev, AT_DEV_INIT_NAME);
	memory__string(r->memory, name_at, name, sizeof(name));
	memory__string(r->memory,
		       census__pointer(r, census__pointer(r, dev, AT_DEV_DRIVER), AT_DRIVER_NAME),
		       driver, sizeof(driver));
	/* the group first, so that the device can name it as its parent */
	group = census__pointer(r, device, AT_DEVICE_GROUP);
	o = group ? census__find_object(r, group) : NULL;
	if (!o && group) {
		err = add_group(r, group, NULL);
		if (err || census__find_object(r, device)) /* the group's list had it */
			return err;
		o = census__find_object(r, group);
	}
	object.parent = o ? o->id : NO_ID;
	object.name = *name ? name : "a device without a name";
	object.detail = *driver ? driver : NULL;
	o = census__add_object(r, "vfio_device", device, &object, object.name);
	if (!o)
		return -ENOMEM;
	err = add_device_set(r, census__pointer(r, device, AT_DEVICE_SET), object.name);
	if (!err && !strcmp(driver, "vfio-pci"))
		err = add_pci_state(r, device, o->id, object.name);
	return err;
}

static int add_group(struct census_run *r, uint64_t group, void *context)
{
	uint64_t iommu = census__pointer(r, group, AT_GROUP_IOMMU);
	struct object object = {.kind = OBJECT_GROUP, .parent = NO_ID, .address = group};
	char text[32];
	struct census_object *o;
	int err;

	(void)context;
	if (!group || census__find_object(r, group))
		return 0;
	object.number = census__number(r, iommu, AT_IOMMU_GROUP_ID);
	snprintf(text, sizeof(text), "group %u", object.number);
	object.name = text;
	o = census__add_object(r, "vfio_group", group, &object, text);
	if (!o)
		return -ENOMEM;
	if (iommu && !census__find_object(r, iommu) &&
	    !census__add_object(r, "iommu_group", iommu, NULL, text))
		return -ENOMEM;
	err = add_container(r, census__pointer(r, group, AT_GROUP_CONTAINER));
	if (err || r->offset[AT_GROUP_DEVICES] < 0)
		return err;
	return census__walk_list(r, group + (uint64_t)r->offset[AT_GROUP_DEVICES],
				 r->offset[AT_DEVICE_GROUP_NEXT], add_device, NULL);
}

/* --- open files
 * --------------------------------------------------------------------------------------------- */

static int remember_open(struct census_run *r, const struct census_file_record *file,
			 uint64_t object)
{
	struct census *out = r->out;
	struct census_object *o = census__find_object(r, object);
	struct census_task *t = census__task(r, file->task);
	struct census_open *more;

	if (!o || o->id == NO_ID || !t)
		return 0;
	if (!(out->open_count & (out->open_count - 1))) {
		more = realloc(out->opens,
			       (out->open_count ? out->open_count * 2 : 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		out->opens = more;
	}
	out->opens[out->open_count++] = (struct census_open){
		.task = census__task_id(r, t), .object = o->id, .fd = file->fd};
	return 0;
}

static int add_file(void *context, const struct census_file_record *file)
{
	struct census_run *r = context;
	uint64_t object = file->object;
	uint32_t vm = NO_ID;
	int err = 0;

	switch (file->kind) {
	case CENSUS_FILE_VM:
		err = census__add_vm(r, object, NULL);
		break;
	case CENSUS_FILE_VCPU:
		return census__add_vcpu(r, object);
	case CENSUS_FILE_KVM_DEVICE: {
		uint64_t kvm = census__pointer(r, object, AT_KVM_DEVICE_KVM);
		struct census_object *o;

		err = census__add_vm(r, kvm, NULL);
		o = census__find_object(r, kvm);
		if (o)
			vm = o->id;
		if (!err)
			err = census__add_kvm_device(r, object, &vm);
		object = census__pointer(r, object, AT_KVM_DEVICE_PRIVATE);
		break;
	}
	case CENSUS_FILE_GROUP:
		err = add_group(r, object, NULL);
		break;
	case CENSUS_FILE_DEVICE:
		/* since b1a59be8a2b6 (6.6) a device file has its own structure in between */
		if (r->offset[AT_DEVICE_FILE_DEVICE] >= 0)
			object = census__pointer(r, object, AT_DEVICE_FILE_DEVICE);
		err = add_device(r, object, NULL);
		break;
	case CENSUS_FILE_CONTAINER:
		err = add_container(r, object);
		break;
	default:
		return 0;
	}
	return err ? err : remember_open(r, file, object);
}

/* --- the kernel's own lists
 * ----------------------------------------------------------------------------------- */

/* Several static structs are called vfio: the one that has groups has a list head in the right
 * place. */
static uint64_t find_group_list(struct census_run *r)
{
	uint64_t addresses[16];
	uint32_t count = kernel__symbols(r->kernel, "vfio", addresses, 16);

	for (uint32_t i = 0; i < count && i < 16 && r->groups_offset >= 0; i++) {
		uint64_t head = addresses[i] + (uint64_t)r->groups_offset, next, prev, back;
		struct lock_state state;
		int err;

		if (memory__u64(r->memory, head, &next) ||
		    memory__u64(r->memory, head + 8, &prev) ||
		    memory__u64(r->memory, next + 8, &back) || back != head)
			continue;
		if (r->groups_lock_offset < 0)
			return addresses[i];
		err = lock_state__read(&state, r->memory, &r->layout, LOCK_KIND_MUTEX,
				       addresses[i] + (uint64_t)r->groups_lock_offset);
		if (err)
			continue;
		err = state.changed;
		lock_state__release(&state);
		if (!err)
			return addresses[i];
	}
	return 0;
}

static void note_hidden_lists(struct census_run *r, bool kvm, bool vfio)
{
	if (!kvm && kernel__symbol(r->kernel, "kvm_vm_release"))
		census__note(
			r,
			"vm_list is not in kallsyms (KALLSYMS_ALL): VMs without an open descriptor "
			"cannot be seen");
	if (!vfio && kernel__symbol(r->kernel, "vfio_group_fops_release"))
		census__note(
			r, "vfio.group_list is not in kallsyms (KALLSYMS_ALL): groups and devices "
			   "without an open descriptor cannot be seen");
}

static int walk_lists(struct census_run *r)
{
	uint64_t vms = kernel__symbol(r->kernel, "vm_list"), vfio = find_group_list(r);
	int err;

	note_hidden_lists(r, vms && r->offset[AT_KVM_LIST] >= 0, vfio);
	err = census__walk_list(r, vms, r->offset[AT_KVM_LIST], census__add_vm, NULL);
	if (!err && vfio)
		err = census__walk_list(r, vfio + (uint64_t)r->groups_offset,
					r->offset[AT_GROUP_NEXT], add_group, NULL);
	if (!err && vfio && r->groups_lock_offset >= 0 &&
	    !census__add_lock(r, vfio + (uint64_t)r->groups_lock_offset, LOCK_KIND_MUTEX,
			      "vfio.group_lock", NULL, NO_ID, true))
		err = -ENOMEM;
	for (size_t i = 0; !err && i < sizeof(static_locks) / sizeof(*static_locks); i++) {
		uint64_t address = kernel__symbol(r->kernel, static_locks[i].symbol);

		if (address && !census__add_lock(r, address, static_locks[i].kind,
						 static_locks[i].symbol, NULL, NO_ID, true))
			err = -ENOMEM;
	}
	return err;
}

int census__find_objects(struct census_run *r)
{
	int err = census_source__files(r->source, add_file, r);

	return err ? err : walk_lists(r);
}
