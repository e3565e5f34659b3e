/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * object_event.h - the first occurrence of a VM, group, device …: a record that lets user
 * space name every lock in it, and the object's own locks join the interest set.
 */
#ifndef VFIOTRACE_BPF_OBJECT_EVENT_H
#define VFIOTRACE_BPF_OBJECT_EVENT_H

#include "chain.h"
#include "vfio_types.h"

#define LOCK_OF(pointer, member) ((__u64)__builtin_preserve_access_index(&(pointer)->member))

struct object_event {
	__u64 address, parent, second, ops, open;
	__u32 kind, number;
	__s32 pid;
	const char *name, *driver;
};

static __always_inline bool object_is_new(const struct object_event *event)
{
	__u64 key = mix(event->address, event->kind);
	__u64 value = mix(event->parent, event->second), *known;

	known = bpf_map_lookup_elem(&objects, &key);
	if (known && *known == value)
		return false;
	bpf_map_update_elem(&objects, &key, &value, BPF_ANY);
	return true;
}

static __noinline void send_object_event(const struct object_event *event)
{
	struct record_object *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		__u64 key = mix(event->address, event->kind);

		count(COUNT_LOST_RING);
		bpf_map_delete_elem(&objects, &key); /* its name is sent with the next occurrence */
		return;
	}
	fill_header(&record->header, RECORD_OBJECT);
	record->address = event->address;
	record->parent = event->parent;
	record->second = event->second;
	record->ops = event->ops;
	record->open = event->open;
	record->kind = event->kind;
	record->number = event->number;
	record->pid = event->pid;
	record->reserved = 0;
	record->name[0] = 0;
	record->driver[0] = 0;
	if (event->name)
		bpf_probe_read_kernel_str(record->name, sizeof(record->name), event->name);
	if (event->driver)
		bpf_probe_read_kernel_str(record->driver, sizeof(record->driver), event->driver);
	bpf_ringbuf_submit(record, 0);
}

static __noinline void see_kvm(struct shared_state *state, struct kvm *kvm)
{
	struct object_event event = {.address = (__u64)kvm, .kind = RECORD_OBJECT_KVM};

	if (!kvm)
		return;
	event.pid = BPF_CORE_READ(kvm, userspace_pid);
	if (!object_is_new(&event))
		return;
	send_object_event(&event);
	interest_add_of(state, LOCK_OF(kvm, lock), (__u64)kvm, RECORD_OBJECT_KVM);
	interest_add_of(state, LOCK_OF(kvm, slots_lock), (__u64)kvm, RECORD_OBJECT_KVM);
	interest_add_of(state, LOCK_OF(kvm, irq_lock), (__u64)kvm, RECORD_OBJECT_KVM);
	if (bpf_core_field_exists(kvm->slots_arch_lock))
		interest_add_of(state, LOCK_OF(kvm, slots_arch_lock), (__u64)kvm,
				RECORD_OBJECT_KVM);
}

static __always_inline void see_vcpu(struct shared_state *state, struct kvm_vcpu *vcpu)
{
	struct object_event event = {.address = (__u64)vcpu, .kind = RECORD_OBJECT_VCPU};

	if (!vcpu)
		return;
	event.parent = (__u64)BPF_CORE_READ(vcpu, kvm);
	if (!object_is_new(&event))
		return;
	event.number = BPF_CORE_READ(vcpu, vcpu_id);
	send_object_event(&event);
	interest_add_of(state, LOCK_OF(vcpu, mutex), (__u64)vcpu, RECORD_OBJECT_VCPU);
	see_kvm(state, (struct kvm *)event.parent);
}

static __noinline void see_container(struct shared_state *state, struct vfio_container *container)
{
	struct object_event event = {.address = (__u64)container, .kind = RECORD_OBJECT_CONTAINER};
	struct object_event inner = {.kind = RECORD_OBJECT_IOMMU, .parent = (__u64)container};
	struct vfio_iommu *iommu;

	if (!container)
		return;
	iommu = BPF_CORE_READ(container, iommu_data);
	event.second = (__u64)iommu;
	if (!object_is_new(&event))
		return;
	send_object_event(&event);
	interest_add_of(state, LOCK_OF(container, group_lock), (__u64)container,
			RECORD_OBJECT_CONTAINER);
	/* other IOMMU backends (SPAPR) keep another structure there: x86, arm64, s390x use type1 */
	if (!iommu || !bpf_core_type_exists(struct vfio_iommu))
		return;
	inner.address = (__u64)iommu;
	if (!object_is_new(&inner))
		return;
	send_object_event(&inner);
	interest_add_of(state, LOCK_OF(iommu, lock), (__u64)iommu, RECORD_OBJECT_IOMMU);
	if (bpf_core_field_exists(iommu->device_list_lock))
		interest_add_of(state, LOCK_OF(iommu, device_list_lock), (__u64)iommu,
				RECORD_OBJECT_IOMMU);
}

static __noinline void see_group_alone(struct shared_state *state, struct vfio_group *group)
{
	struct object_event event = {.address = (__u64)group, .kind = RECORD_OBJECT_GROUP};

	if (!group)
		return;
	event.parent = (__u64)BPF_CORE_READ(group, iommu_group);
	event.second = (__u64)BPF_CORE_READ(group, container);
	if (!object_is_new(&event))
		return;
	event.number = BPF_CORE_READ(group, iommu_group, id);
	event.name = BPF_CORE_READ(group, dev.kobj.name);
	send_object_event(&event);
	interest_add_of(state, LOCK_OF(group, group_lock), (__u64)group, RECORD_OBJECT_GROUP);
	interest_add_of(state, LOCK_OF(group, device_lock), (__u64)group, RECORD_OBJECT_GROUP);
}

__noinline int see_device_alone(struct shared_state *state, __u64 address)
{
	struct vfio_device *device = (void *)address;
	struct object_event event = {.address = address, .kind = RECORD_OBJECT_DEVICE};
	struct object_event set = {.kind = RECORD_OBJECT_DEVICE_SET};
	struct vfio_device_set *dev_set;

	if (!state || !device)
		return 0;
	dev_set = BPF_CORE_READ(device, dev_set);
	event.parent = (__u64)BPF_CORE_READ(device, group);
	event.second = (__u64)dev_set;
	if (!object_is_new(&event))
		return 0;
	event.name = BPF_CORE_READ(device, dev, kobj.name);
	event.driver = BPF_CORE_READ(device, dev, driver, name);
	event.ops = (__u64)BPF_CORE_READ(device, ops);
	event.open = (__u64)BPF_CORE_READ(device, ops, open_device);
	send_object_event(&event);
	if (!dev_set)
		return 0;
	set.address = (__u64)dev_set;
	set.parent = (__u64)device;
	send_object_event(&set);
	interest_add_of(state, LOCK_OF(dev_set, lock), (__u64)dev_set, RECORD_OBJECT_DEVICE_SET);
	return 0;
}

/* One after the other, not inside each other: a program's stack is 512 bytes. */
static __always_inline void see_group(struct shared_state *state, struct vfio_group *group)
{
	if (!group)
		return;
	see_group_alone(state, group);
	see_container(state, BPF_CORE_READ(group, container));
}

static __always_inline void see_device(struct shared_state *state, struct vfio_device *device)
{
	if (!device)
		return;
	see_group(state, BPF_CORE_READ(device, group));
	see_device_alone(state, (__u64)device);
}

#define DEVICES_SEEN 8 /* of one group at a time; the others are seen when they are used */

/* The n-th device of a group, NULL past the end. */
static __always_inline struct vfio_device *next_device(struct vfio_group *group,
						       struct list_head **at)
{
	struct list_head *head = (void *)LOCK_OF(group, device_list);

	if (bpf_core_read(at, sizeof(*at), &(*at)->next) || !*at || *at == head)
		return NULL;
	return (void *)*at - bpf_core_field_offset(struct vfio_device, group_next);
}

/* Before a device is opened, so that its device set has a name when it is locked. */
static __always_inline void see_devices_of(struct shared_state *state, struct vfio_group *group)
{
	struct list_head *at = (void *)LOCK_OF(group, device_list);

	if (!group)
		return;
#pragma clang loop unroll(disable)
	for (int i = 0; i < DEVICES_SEEN; i++) {
		struct vfio_device *device = next_device(group, &at);

		if (!device)
			break;
		see_device_alone(state, (__u64)device);
	}
}

/* The device a group ioctl is about: known where the group has one only. */
static __always_inline __u64 only_device_of(struct vfio_group *group)
{
	struct list_head *at = (void *)LOCK_OF(group, device_list);
	struct vfio_device *device = next_device(group, &at);

	return device && !next_device(group, &at) ? (__u64)device : 0;
}

static __always_inline void see_kvm_device(struct shared_state *state, struct kvm_device *device)
{
	struct object_event event = {.kind = RECORD_OBJECT_KVM_VFIO};

	if (!device)
		return;
	event.address = (__u64)BPF_CORE_READ(device, private);
	event.parent = (__u64)BPF_CORE_READ(device, kvm);
	if (!event.address || !object_is_new(&event))
		return;
	send_object_event(&event);
	interest_add_of(state, event.address + bpf_core_field_offset(struct kvm_vfio, lock),
			event.address, RECORD_OBJECT_KVM_VFIO);
	see_kvm(state, (struct kvm *)event.parent);
}

/* A device file's private_data: the device itself, or (6.6 and later) a struct vfio_device_file. */
static __always_inline struct vfio_device *device_of_file(__u64 private_data)
{
	struct vfio_device_file *file = (void *)private_data;

	if (!HAS_DEVICE_FILE())
		return (void *)private_data;
	return file ? BPF_CORE_READ(file, device) : NULL;
}

#endif
