// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs of the census: struct kvm, its devices of kind KVM-VFIO, its vcpus, whose process it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "census/census_private.h"
#include "census/proc_file.h"

#define DETAIL 128

int census__add_kvm_device(struct census_run *r, uint64_t device, void *context)
{
	uint32_t vm = *(const uint32_t *)context;
	uint64_t ops = census__pointer(r, device, AT_KVM_DEVICE_OPS);
	uint64_t private = census__pointer(r, device, AT_KVM_DEVICE_PRIVATE);
	char name[32] = "", text[160];
	struct object object = {.kind = OBJECT_KVM_VFIO_DEVICE, .parent = vm, .address = private};

	memory__string(r->memory, census__pointer(r, ops, AT_KVM_OPS_NAME), name, sizeof(name));
	if (strcmp(name, "kvm-vfio") || !private || census__find_object(r, private))
		return 0;
	snprintf(text, sizeof(text), "KVM-VFIO device of %s",
		 vm == NO_ID ? "a VM" : model__object(r->model, vm)->name);
	object.name = text;
	if (vm != NO_ID)
		object.pid = model__object(r->model, vm)->pid;
	return census__add_object(r, "kvm_vfio", private, &object, text) ? 0 : -ENOMEM;
}

static void mark_tasks_of_vm(struct census_run *r, uint32_t pid, uint32_t vm)
{
	struct census_task *t = census__task_of_pid(r, pid);

	if (t && census__task_id(r, t) != NO_ID)
		model__set_task_vm(r->model, t->id, vm);
}

static void add_memory(struct census_run *r, uint64_t kvm, uint32_t id, const char *owner)
{
	uint64_t mm = census__pointer(r, kvm, AT_KVM_MM);
	char text[96];

	snprintf(text, sizeof(text), "memory of %s", owner);
	if (mm && r->offset[AT_MM_LOCK] >= 0)
		census__add_lock(r, mm + (uint64_t)r->offset[AT_MM_LOCK], LOCK_KIND_RWSEM,
				 "mm_struct.mmap_lock", text, id, true);
}

/* One process may have many VMs; its command line is read once. */
static const char *name_of_process(struct census_run *r, uint32_t pid)
{
	if (census_source__is_image(r->source)) /* the process's own memory is not looked at */
		return "";
	if (pid != r->named_pid || !*r->vm_name) {
		vm_name(pid, r->vm_name, sizeof(r->vm_name));
		r->named_pid = pid;
	}
	return r->vm_name;
}

int census__add_vm(struct census_run *r, uint64_t kvm, void *context)
{
	uint32_t pid = census__number(r, kvm, AT_KVM_PID);
	struct object object = {.kind = OBJECT_VM, .parent = NO_ID, .pid = pid, .address = kvm};
	struct census_task *process = census__task_of_pid(r, pid);
	char owner[48], lock_name[64], detail[DETAIL];
	const char *name = "";
	struct census_object *o;

	(void)context;
	if (!kvm || census__find_object(r, kvm))
		return 0;
	if (process) {
		snprintf(owner, sizeof(owner), "%s/%u", process->record.comm, pid);
		name = name_of_process(r, pid);
		snprintf(detail, sizeof(detail), "process %s", owner);
	} else {
		snprintf(owner, sizeof(owner), "pid %u", pid);
		snprintf(detail, sizeof(detail), "process %u has exited", pid);
	}
	object.name = *name ? name : owner;
	object.detail = detail;
	snprintf(lock_name, sizeof(lock_name), "VM of %s", owner);
	o = census__add_object(r, "kvm", kvm, &object, lock_name);
	if (!o)
		return -ENOMEM;
	add_memory(r, kvm, o->id, owner);
	mark_tasks_of_vm(r, pid, o->id);
	if (r->offset[AT_KVM_DEVICES] < 0)
		return 0;
	return census__walk_list(r, kvm + (uint64_t)r->offset[AT_KVM_DEVICES],
				 r->offset[AT_KVM_DEVICE_NODE], census__add_kvm_device, &o->id);
}

int census__add_vcpu(struct census_run *r, uint64_t vcpu)
{
	uint64_t kvm = census__pointer(r, vcpu, AT_VCPU_KVM);
	const struct census_object *vm;
	char text[96];
	int err = census__add_vm(r, kvm, NULL);

	if (err || !kvm || census__find_object(r, vcpu))
		return err;
	vm = census__find_object(r, kvm);
	snprintf(text, sizeof(text), "vcpu %u of %s", census__number(r, vcpu, AT_VCPU_ID),
		 vm && vm->id != NO_ID ? model__object(r->model, vm->id)->name : "a VM");
	return census__add_object(r, "kvm_vcpu", vcpu, NULL, text) ? 0 : -ENOMEM;
}
