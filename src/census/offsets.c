// SPDX-License-Identifier: GPL-2.0-or-later
/* Offsets the census needs, from BTF once, and the reads that use them. */
#include <string.h>

#include <bpf/btf.h>

#include "census/census_private.h"

#define MAX_LIST 65536 /* elements of one list before it is called endless */

static const struct {
	const char *type, *member;
} places[CENSUS_OFFSETS] = {
	[AT_KVM_LIST] = {"kvm", "vm_list"},
	[AT_KVM_MM] = {"kvm", "mm"},
	[AT_KVM_PID] = {"kvm", "userspace_pid"},
	[AT_KVM_DEVICES] = {"kvm", "devices"},
	[AT_VCPU_KVM] = {"kvm_vcpu", "kvm"},
	[AT_VCPU_ID] = {"kvm_vcpu", "vcpu_id"},
	[AT_KVM_DEVICE_OPS] = {"kvm_device", "ops"},
	[AT_KVM_DEVICE_KVM] = {"kvm_device", "kvm"},
	[AT_KVM_DEVICE_PRIVATE] = {"kvm_device", "private"},
	[AT_KVM_DEVICE_NODE] = {"kvm_device", "vm_node"},
	[AT_KVM_OPS_NAME] = {"kvm_device_ops", "name"},
	[AT_GROUP_NEXT] = {"vfio_group", "vfio_next"},
	[AT_GROUP_IOMMU] = {"vfio_group", "iommu_group"},
	[AT_GROUP_CONTAINER] = {"vfio_group", "container"},
	[AT_GROUP_DEVICES] = {"vfio_group", "device_list"},
	[AT_DEVICE_DEV] = {"vfio_device", "dev"},
	[AT_DEVICE_GROUP] = {"vfio_device", "group"},
	[AT_DEVICE_GROUP_NEXT] = {"vfio_device", "group_next"},
	[AT_DEVICE_SET] = {"vfio_device", "dev_set"},
	[AT_DEVICE_KVM] = {"vfio_device", "kvm"},
	[AT_DEVICE_FILE_DEVICE] = {"vfio_device_file", "device"},
	[AT_CONTAINER_DRIVER] = {"vfio_container", "iommu_driver"},
	[AT_CONTAINER_DATA] = {"vfio_container", "iommu_data"},
	[AT_IOMMU_DRIVER_OPS] = {"vfio_iommu_driver", "ops"},
	[AT_IOMMU_OPS_NAME] = {"vfio_iommu_driver_ops", "name"},
	[AT_IOMMU_GROUP_ID] = {"iommu_group", "id"},
	[AT_DEV_NAME] = {"device", "kobj.name"},
	[AT_DEV_INIT_NAME] = {"device", "init_name"},
	[AT_DEV_DRIVER] = {"device", "driver"},
	[AT_DRIVER_NAME] = {"device_driver", "name"},
	[AT_MM_LOCK] = {"mm_struct", "mmap_lock"},
	[AT_TASK_MM] = {"task_struct", "mm"},
	[AT_TASK_STACK] = {"task_struct", "stack"},
	[AT_TASK_BLOCKED_ON] = {"task_struct", "blocked_on"},
	[AT_TASK_BLOCKER] = {"task_struct", "blocker"},
	[AT_TASK_PI_BLOCKED] = {"task_struct", "pi_blocked_on"},
	[AT_TASK_SP] = {"task_struct", MEMBER_STACK_POINTER},
	[AT_TASK_NVCSW] = {"task_struct", "nvcsw"},
	[AT_TASK_NIVCSW] = {"task_struct", "nivcsw"},
	[AT_TASK_STATE] = {"task_struct", "__state"},
	[AT_TASK_ON_CPU] = {"task_struct", "on_cpu"},
	[AT_TASK_ON_RQ] = {"task_struct", "on_rq"},
	[AT_TASK_TID] = {"task_struct", "pid"},
	[AT_TASK_START] = {"task_struct", "start_time"},
};

/*
 * struct vfio is static in several translation units, with different members; the one wanted has
 * group_list (vfio_main.c up to 6.1, group.c since 9eefba8002c2).
 */
static void find_groups(struct census_run *r)
{
	const struct btf *btf = kernel__btf(r->kernel, "vfio");

	r->groups_offset = r->groups_lock_offset = -ENOENT;
	if (!btf)
		btf = kernel__btf(r->kernel, NULL);
	for (uint32_t id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const struct btf_member *member;
		int list = -ENOENT, lock = -ENOENT;

		if (!btf_is_struct(type) ||
		    strcmp(btf__name_by_offset(btf, type->name_off), "vfio"))
			continue;
		member = btf_members(type);
		for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
			const char *name = btf__name_by_offset(btf, member->name_off);

			if (!strcmp(name, "group_list"))
				list = (int)btf_member_bit_offset(type, i) / 8;
			else if (!strcmp(name, "group_lock"))
				lock = (int)btf_member_bit_offset(type, i) / 8;
		}
		if (list < 0)
			continue;
		r->groups_offset = list;
		r->groups_lock_offset = lock;
		return;
	}
}

void census__find_offsets(struct census_run *r)
{
	for (int i = 0; i < CENSUS_OFFSETS; i++)
		r->offset[i] = kernel__member_offset(r->kernel, places[i].type, places[i].member);
	find_groups(r);
}

uint64_t census__pointer(const struct census_run *r, uint64_t object, enum census_offset at)
{
	uint64_t value = 0;

	if (object && r->offset[at] >= 0)
		memory__u64(r->memory, object + (uint64_t)r->offset[at], &value);
	return value;
}

uint32_t census__number(const struct census_run *r, uint64_t object, enum census_offset at)
{
	uint32_t value = 0;

	if (object && r->offset[at] >= 0)
		memory__u32(r->memory, object + (uint64_t)r->offset[at], &value);
	return value;
}

int census__walk_list(struct census_run *r, uint64_t head, int member,
		      int (*add)(struct census_run *r, uint64_t object, void *context),
		      void *context)
{
	struct {
		uint64_t next, prev;
	} node;
	uint64_t at = head, from;

	if (!head || member < 0 || memory__read(r->memory, head, &node, sizeof(node)))
		return 0;
	for (int i = 0; node.next != head; i++) {
		int err;

		from = at;
		at = node.next;
		if (i == MAX_LIST || memory__read(r->memory, at, &node, sizeof(node)) ||
		    node.prev != from) {
			r->out->changed_while_walked = true;
			return 0;
		}
		err = add(r, at - (uint64_t)member, context);
		if (err)
			return err;
	}
	return 0;
}
