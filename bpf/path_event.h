/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path_event.h - one run of a path: coverage counter and record, and the leaf lock that a path
 * takes though it is no probed lock.
 */
#ifndef VFIOTRACE_BPF_PATH_EVENT_H
#define VFIOTRACE_BPF_PATH_EVENT_H

#include "object_event.h"

#define PATHS_PER_SECOND 256

/* Numbers of enum path_id and enum path_how in model.h. */
enum {
	PATH_NUMBER_DEVICE_OPEN = 0,
	PATH_NUMBER_DEVICE_CLOSE = 1,
	PATH_NUMBER_GET_KVM = 2,
	PATH_NUMBER_PUT_KVM = 3,
	PATH_NUMBER_SET_KVM = 4,
	PATH_NUMBER_GROUP_ADD = 5,
	PATH_NUMBER_GROUP_DEL = 6,
	PATH_NUMBER_KVM_DEVICE_RELEASE = 7,
	PATH_NUMBER_VM_CREATE = 8,
	PATH_NUMBER_VM_DESTROY = 9,
	HOW_NUMBER_GROUP = 1,
	HOW_NUMBER_CDEV = 2,
};

/* User API numbers: include/uapi/linux/{vfio,kvm}.h */
#define VFIO_GROUP_GET_DEVICE_FD_COMMAND 0x3b6a
#define KVM_CREATE_VM_COMMAND 0xae01
#define KVM_DEV_VFIO_GROUP_NUMBER 1

struct path_run {
	__u64 group, device, kvm, kvm_ref_lock;
	__u32 path;
	__s32 result;
	__u8 how, kvm_returned, get_put, is_inner;
};

static __noinline int send_path(const struct path_run *run)
{
	struct shared_state *state = shared_get();
	struct record_path *record;
	__u64 *hits;

	if (!state || !state->ready)
		return 0;
	hits = bpf_map_lookup_elem(&path_hits, &run->path);
	if (hits && run->get_put != 2) /* a device's put calls kvm_put_kvm, which counts itself */
		(*hits)++;
	if (limited(&state->path_second, &state->path_used, bpf_ktime_get_ns(), PATHS_PER_SECOND)) {
		count(COUNT_PATH_LIMITED);
		return 0;
	}
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count(COUNT_LOST_RING);
		return 0;
	}
	fill_header(&record->header, RECORD_PATH);
	record->path = run->path;
	record->result = run->result;
	record->group = run->group;
	record->device = run->device;
	record->kvm = run->kvm;
	record->kvm_ref_lock = run->kvm_ref_lock;
	record->how = run->how;
	record->kvm_returned = run->kvm_returned;
	record->get_put = run->get_put;
	record->is_inner = run->is_inner;
	__builtin_memset(record->reserved, 0, sizeof(record->reserved));
	bpf_ringbuf_submit(record, 0);
	return 0;
}

/* The first open and the last close of a device call its driver, those between do not. */
static __always_inline __u8 is_inner_open(struct vfio_device *device)
{
	return device && BPF_CORE_READ(device, open_count) != 1;
}

static __always_inline bool is_kvm_vfio(struct kvm_device *device)
{
	char name[8] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(device, ops, name));
	return !__builtin_memcmp(name, "kvm-vfi", 8);
}

static __always_inline void see_device_file(struct vfio_device_file *file)
{
	struct object_event event = {.address = (__u64)file, .kind = RECORD_OBJECT_DEVICE_FILE};

	event.parent = (__u64)BPF_CORE_READ(file, device);
	if (object_is_new(&event))
		send_object_event(&event);
}

static __always_inline void describe_device_file(struct path_run *run,
						 struct vfio_device_file *file)
{
	struct vfio_device *device = BPF_CORE_READ(file, device);

	run->device = (__u64)device;
	run->group = (__u64)BPF_CORE_READ(file, group);
	run->kvm = (__u64)BPF_CORE_READ(device, kvm);
	run->how = run->group ? HOW_NUMBER_GROUP : HOW_NUMBER_CDEV;
	run->is_inner = is_inner_open(device);
}

/* Which kvm_ref_lock vfio_device_get_kvm_safe runs under: told by the ioctl the task is in. */
static __always_inline __u64 leaf_of_get(struct task_state *state, struct vfio_device *device)
{
	struct vfio_device_file *file = (void *)state->scope_object;
	struct vfio_group *group;

	if (state->scope == SCOPE_DEVICE_IOCTL) {
		if (!HAS_DEVICE_FILE())
			return 0;
		see_device_file(file);
		return LOCK_OF(file, kvm_ref_lock);
	}
	if (!HAS_GROUP_KVM_REF_LOCK())
		return 0;
	group = BPF_CORE_READ(device, group);
	return LOCK_OF(group, kvm_ref_lock);
}

static __always_inline void infer_leaf(void *ctx, struct shared_state *shared_state,
				       struct task_state *state, __u64 leaf)
{
	struct record_lock wanted = {.lock = leaf, .kind = RECORD_SPIN, .flags = RECORD_INFERRED};

	if (!leaf || !filter_held(state, bpf_get_current_task(), leaf, 1))
		return;
	chain_seen(ctx, shared_state, state, &wanted);
}

#endif
