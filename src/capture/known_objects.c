// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects by kernel address; see known_objects.h. */
#include "capture/known_objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t position(const struct known_objects *known, uint64_t address)
{
	uint32_t low = 0, high = known->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (known->items[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct known_object *known_objects__around(const struct known_objects *known,
						 uint64_t address)
{
	uint32_t at = position(known, address);
	const struct known_object *object;

	if (!at)
		return NULL;
	object = &known->items[at - 1];
	return address - object->address < object->size ? object : NULL;
}

uint32_t known_objects__find(const struct known_objects *known, uint64_t address)
{
	const struct known_object *object = address ? known_objects__around(known, address) : NULL;

	return object ? object->object : NO_ID;
}

/* Its memory was freed and is used again: what is there now has another name. */
static void drop_object(struct known_objects *known, uint64_t address)
{
	uint32_t at = position(known, address);

	if (!at || !known_objects__around(known, address))
		return;
	memmove(&known->items[at - 1], &known->items[at],
		(known->count - at) * sizeof(*known->items));
	known->count--;
}

/* Remember it; what overlapped was freed and its memory reused. */
static void keep_object(struct known_objects *known, struct kernel *kernel, uint64_t address,
			const char *type, uint32_t object)
{
	int size = kernel__struct_size(kernel, type);
	struct known_object fresh = {.address = address, .object = object};
	uint32_t at;

	if (size <= 0 || !address)
		return;
	fresh.size = (uint32_t)size;
	snprintf(fresh.type, sizeof(fresh.type), "%s", type);
	for (uint32_t i = 0; i < known->count;) {
		struct known_object *old = &known->items[i];

		if (old->address < address + fresh.size && address < old->address + old->size)
			memmove(old, old + 1, (--known->count - i) * sizeof(*old));
		else
			i++;
	}
	if (known->count == known->capacity) {
		uint32_t capacity = known->capacity ? known->capacity * 2 : 64;
		void *grown = realloc(known->items, capacity * sizeof(*known->items));

		if (!grown)
			return;
		known->items = grown;
		known->capacity = capacity;
	}
	at = position(known, address);
	memmove(&known->items[at + 1], &known->items[at],
		(known->count - at) * sizeof(*known->items));
	known->items[at] = fresh;
	known->count++;
}

/* A vfio_device lies in its driver's own structure; the operations tell which driver. */
static void keep_device(struct known_objects *known, struct kernel *kernel,
			const struct record_object *record, uint32_t object)
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

	if (kernel__resolve(kernel, record->ops, &symbol, NULL)) {
		for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
			int offset;

			if (strcmp(symbol.name, drivers[i].operations))
				continue;
			offset = kernel__member_offset(kernel, drivers[i].type, drivers[i].member);
			if (offset < 0)
				break;
			keep_object(known, kernel, record->address - (uint32_t)offset,
				    drivers[i].type, object);
			return;
		}
	}
	keep_object(known, kernel, record->address, "vfio_device", object);
}

/*
 * "vfio.driver.vfio-pci.open": which function an open of the driver's devices comes to; and
 * "vfio.driver.vfio-pci": its module, for one that was loaded after the facts were read.
 */
static void note_driver(struct kernel *kernel, struct model *m, const char *driver, uint64_t open)
{
	char key[sizeof("vfio.driver..open") + RECORD_NAME], value[160];
	struct kernel_symbol symbol;
	uint32_t offset;

	if (!open || !kernel__resolve(kernel, open, &symbol, &offset) || offset)
		return;
	snprintf(key, sizeof(key), "vfio.driver.%s.open", driver);
	snprintf(value, sizeof(value), "%s %s", symbol.name, symbol.module ? symbol.module : "");
	model__set_fact(m, key, value);
	snprintf(key, sizeof(key), "vfio.driver.%s", driver);
	if (symbol.module)
		model__set_fact(m, key, symbol.module);
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

void known_objects__note(struct known_objects *known, struct kernel *kernel, struct model *m,
			 const struct record_object *record)
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

	if (record->kind == RECORD_OBJECT_FREED) {
		drop_object(known, record->address);
		return;
	}
	if (!record->kind || record->kind >= sizeof(kinds) / sizeof(kinds[0]))
		return;
	object.kind = kinds[record->kind].kind;
	object.parent = known_objects__find(known, record->parent);
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
	id = model__add_object(m, &object);
	if (record->kind == RECORD_OBJECT_DEVICE && *driver)
		note_driver(kernel, m, driver, record->open);
	if (record->kind == RECORD_OBJECT_DEVICE)
		keep_device(known, kernel, record, id);
	else
		keep_object(known, kernel, record->address, kinds[record->kind].type, id);
	if (record->kind == RECORD_OBJECT_GROUP)
		keep_object(known, kernel, record->parent, "iommu_group", id);
}

/* --- a smaller model
 * ---------------------------------------------------------------------------------- */

void known_objects__select(const struct known_objects *known, struct keep_set *s)
{
	for (uint32_t i = 0; i < known->count; i++)
		if (known->items[i].object != NO_ID)
			s->objects[known->items[i].object] = 1;
}

void known_objects__switch_model(struct known_objects *known, const struct id_remap *remap)
{
	for (uint32_t i = 0; i < known->count; i++) {
		uint32_t *object = &known->items[i].object;

		*object = *object == NO_ID ? NO_ID : remap->objects[*object];
	}
}

void known_objects__release(struct known_objects *known)
{
	free(known->items);
}
