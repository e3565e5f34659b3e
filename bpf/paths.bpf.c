// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paths.bpf.c - where in VFIO and KVM a task is, and how often each path ran.
 *
 * Two sorts of probes. Anchors (vfio_anchors.h, kvm_anchors.h) are entry points that exist on every
 * kernel, file operations: they set the task's scope, which turns chain work on. Paths, here, are
 * the operations of the coverage list; which function stands for a path on which kernel is a row of
 * capture/probe_table.c, with the commit that moved it.
 *
 * This object is loaded once per set of modules that came up, so every program stands alone.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kvm_anchors.h"
#include "path_event.h"
#include "object_event.h"
#include "vfio_anchors.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline int on_destroy_vm(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	struct path_run run = {.path = PATH_NUMBER_VM_DESTROY, .kvm = words[0]};
	struct task_state *state;

	if (!shared_state || !shared_state->ready)
		return 0;
	state = task_state_get();
	if (!state)
		return 0;
	if (state->scope != SCOPE_VM_DESTROY)
		state->outer_scope = state->scope;
	state->scope = SCOPE_VM_DESTROY;
	state->path_object = words[0];
	see_kvm(shared_state, (void *)words[0]);
	return send_path(&run);
}

/* The memory goes back now: what is at these addresses next is another lock. */
static __always_inline int on_destroy_vm_exit(void *ctx, long result)
{
	struct shared_state *shared_state = shared_get();
	struct task_state *state = leave(SCOPE_VM_DESTROY);
	struct kvm *kvm;

	if (!state || !shared_state)
		return 0;
	kvm = (void *)state->path_object;
	drop_object((__u64)kvm, RECORD_OBJECT_KVM);
	interest_new_generation(shared_state, LOCK_OF(kvm, lock));
	interest_new_generation(shared_state, LOCK_OF(kvm, slots_lock));
	interest_new_generation(shared_state, LOCK_OF(kvm, irq_lock));
	return 0;
}
PROBE(kvm_destroy_vm, 1, on_destroy_vm, on_destroy_vm_exit)

static __always_inline int on_df_open(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	struct task_state *state = task_state_get();

	if (!state || !shared_state || !shared_state->ready)
		return 0;
	state->path_object = words[0];
	see_device(shared_state, device_of_file(words[0]));
	return 0;
}

static __always_inline int on_df_open_exit(void *ctx, long result)
{
	struct path_run run = {.path = PATH_NUMBER_DEVICE_OPEN, .result = result};
	struct task_state *state = task_state_find();

	if (!state || !state->path_object || !HAS_DEVICE_FILE())
		return 0;
	describe_device_file(&run, (void *)state->path_object);
	state->path_object = 0;
	return send_path(&run);
}
PROBE(vfio_df_open, 1, on_df_open, on_df_open_exit)

static __always_inline int on_df_close(void *ctx, __u64 *words)
{
	struct path_run run = {.path = PATH_NUMBER_DEVICE_CLOSE};

	if (!HAS_DEVICE_FILE())
		return 0;
	describe_device_file(&run, (void *)words[0]);
	return send_path(&run);
}
ENTRY_PROBE(vfio_df_close, on_df_close)

/*
 * The device's VM, taken under kvm_ref_lock: the group's on the group path, the device file's on
 * the cdev path (5c6de3ea7376 states the contract). That lock is a spinlock and not probed: it
 * enters the graph as a leaf inferred from being here.
 */
static __always_inline int on_get_kvm(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	struct vfio_device *device = (void *)words[0];
	struct task_state *state;
	__u64 leaf;

	if (!shared_state || !shared_state->ready)
		return 0;
	state = task_state_get();
	if (!state)
		return 0;
	see_device(shared_state, device);
	leaf = leaf_of_get(state, device);
	state->path_object = (__u64)device;
	infer_leaf(ctx, shared_state, state, leaf);
	return 0;
}

static __always_inline int on_get_kvm_exit(void *ctx, long result)
{
	struct path_run run = {.path = PATH_NUMBER_GET_KVM, .get_put = 1};
	struct task_state *state = task_state_find();
	struct vfio_device *device;

	if (!state || !state->path_object)
		return 0;
	device = (void *)state->path_object;
	state->path_object = 0;
	run.device = (__u64)device;
	run.group = (__u64)BPF_CORE_READ(device, group);
	run.kvm = (__u64)BPF_CORE_READ(device, kvm);
	run.kvm_returned = run.kvm != 0;
	run.kvm_ref_lock = leaf_of_get(state, device);
	run.how = state->scope == SCOPE_DEVICE_IOCTL ? HOW_NUMBER_CDEV : HOW_NUMBER_GROUP;
	return send_path(&run);
}
PROBE(vfio_device_get_kvm_safe, 2, on_get_kvm, on_get_kvm_exit)
PROBE(_vfio_device_get_kvm_safe, 2, on_get_kvm, on_get_kvm_exit) /* 6.3 to 6.5 */

static __always_inline int on_device_put_kvm(void *ctx, __u64 *words)
{
	struct path_run run = {.path = PATH_NUMBER_PUT_KVM, .device = words[0], .get_put = 2};
	struct vfio_device *device = (void *)words[0];

	run.kvm = (__u64)BPF_CORE_READ(device, kvm);
	run.group = (__u64)BPF_CORE_READ(device, group);
	return send_path(&run);
}
ENTRY_PROBE(vfio_device_put_kvm, on_device_put_kvm)

static __always_inline int on_put_kvm(void *ctx, __u64 *words)
{
	struct path_run run = {.path = PATH_NUMBER_PUT_KVM, .kvm = words[0]};

	return send_path(&run);
}
ENTRY_PROBE(kvm_put_kvm, on_put_kvm)

static __always_inline int on_file_set_kvm(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	struct path_run run = {.path = PATH_NUMBER_SET_KVM, .kvm = words[1]};
	struct task_state *state;
	__u64 object;

	if (!shared_state || !shared_state->ready)
		return 0;
	state = task_state_get();
	if (!state)
		return 0;
	object = private_data(words[0]);
	see_kvm(shared_state, (void *)words[1]);
	if ((__u64)BPF_CORE_READ((struct file *)words[0], f_op) == shared_state->group_fops) {
		run.how = HOW_NUMBER_GROUP;
		run.group = object;
		see_group(shared_state, (void *)object);
		if (HAS_GROUP_KVM_REF_LOCK())
			run.kvm_ref_lock = LOCK_OF((struct vfio_group *)object, kvm_ref_lock);
	} else if (HAS_DEVICE_FILE()) {
		run.how = HOW_NUMBER_CDEV;
		run.device = (__u64)device_of_file(object);
		run.kvm_ref_lock = LOCK_OF((struct vfio_device_file *)object, kvm_ref_lock);
		see_device_file((void *)object);
	}
	infer_leaf(ctx, shared_state, state, run.kvm_ref_lock);
	return send_path(&run);
}
ENTRY_PROBE(vfio_file_set_kvm, on_file_set_kvm)

static __always_inline int on_set_attr(void *ctx, __u64 *words)
{
	struct task_state *state = task_state_get();
	struct kvm_device_attr___min {
		__u32 flags, group;
		__u64 attr, addr;
	} attribute = {};

	if (!state)
		return 0;
	/* user API structure, already copied into the kernel: its layout is fixed */
	bpf_probe_read_kernel(&attribute, sizeof(attribute), (void *)words[1]);
	state->path_object = (__u64)BPF_CORE_READ((struct kvm_device *)words[0], kvm);
	state->command = attribute.group == KVM_DEV_VFIO_GROUP_NUMBER ? attribute.attr : 0;
	return 0;
}

static __always_inline int on_set_attr_exit(void *ctx, long result)
{
	struct task_state *state = task_state_find();
	struct path_run run = {.path = PATH_NUMBER_GROUP_ADD, .result = result};

	if (!state || !state->path_object || !state->command || state->command > 2)
		return 0;
	if (state->command == 2)
		run.path = PATH_NUMBER_GROUP_DEL;
	run.kvm = state->path_object;
	state->path_object = 0;
	return send_path(&run);
}
PROBE(kvm_vfio_set_attr, 2, on_set_attr, on_set_attr_exit)

/* Names of addresses are read from kallsyms, which says something else from now on. */
static __always_inline int on_module_change(void)
{
	struct shared_state *shared_state = shared_get();

	if (shared_state)
		__sync_fetch_and_add(&shared_state->module_changes, 1);
	return 0;
}

SEC("tp_btf/module_load")
int module_loaded(void *ctx)
{
	return on_module_change();
}

SEC("tp_btf/module_free")
int module_freed(void *ctx)
{
	return on_module_change();
}
