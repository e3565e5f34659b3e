// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paths.bpf.c - where in VFIO and KVM a task is, and how often each path ran.
 *
 * Two sorts of probes. Anchors are entry points that exist on every kernel (file operations): they
 * set the task's scope, which turns chain work on. Set, not incremented: a missed exit heals at the
 * next anchor. Paths are the operations of the coverage list; which function stands for a path on
 * which kernel is a row of capture/probe_table.c, with the commit that moved it.
 *
 * This object is loaded once per set of modules that came up, so every program stands alone.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "path_event.h"
#include "sights.h"

char LICENSE[] SEC("license") = "GPL";

/* Set by user space before loading. */
const volatile struct path_constants constants;

/* --- anchors ------------------------------------------------------------------------------------
 */

static __always_inline __u64 private_data(__u64 file)
{
	return (__u64)BPF_CORE_READ((struct file *)file, private_data);
}

static __always_inline struct task_state *enter(__u32 scope, __u64 object, __u32 command)
{
	struct shared_state *shared_state = shared_get();
	struct task_state *state;

	if (!shared_state || !shared_state->ready)
		return NULL;
	state = task_state_get();
	if (!state)
		return NULL;
	state->scope = scope;
	state->outer_scope = SCOPE_NONE;
	state->scope_object = object;
	state->command = command;
	return state;
}

static __always_inline struct task_state *leave(__u32 scope)
{
	struct task_state *state = task_state_find();

	if (!state || state->scope != scope)
		return NULL;
	state->scope = state->outer_scope;
	state->outer_scope = SCOPE_NONE;
	return state;
}

#define ARGUMENTS(words, ctx)                                                                      \
	__u64 words[5] = {};                                                                       \
	bpf_probe_read_kernel(words, sizeof(words), ctx)

/* on_enter(words), on_exit(result): the same two for direct calls and for kprobes */
#define PROBE(function, arguments, on_enter, on_exit)                                              \
	SEC("fentry/" #function)                                                                   \
	int fentry_##function(void *ctx)                                                           \
	{                                                                                          \
		ARGUMENTS(words, ctx);                                                             \
		return on_enter(ctx, words);                                                       \
	}                                                                                          \
	SEC("fexit/" #function)                                                                    \
	int fexit_##function(void *ctx)                                                            \
	{                                                                                          \
		ARGUMENTS(words, ctx);                                                             \
		return on_exit(ctx, (long)words[arguments]);                                       \
	}                                                                                          \
	KPROBE_PAIR(function, on_enter, on_exit)

#define KPROBE_ENTRY(function, on_enter)                                                           \
	SEC("kprobe/" #function)                                                                   \
	int kprobe_##function(struct pt_regs *ctx)                                                 \
	{                                                                                          \
		__u64 words[5] = {PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx)};     \
                                                                                                   \
		return on_enter(ctx, words);                                                       \
	}

#define KPROBE_PAIR(function, on_enter, on_exit)                                                   \
	KPROBE_ENTRY(function, on_enter)                                                           \
	SEC("kretprobe/" #function)                                                                \
	int kretprobe_##function(struct pt_regs *ctx)                                              \
	{                                                                                          \
		return on_exit(ctx, PT_REGS_RC(ctx));                                              \
	}

#define ENTRY_PROBE(function, on_enter)                                                            \
	SEC("fentry/" #function)                                                                   \
	int fentry_##function(void *ctx)                                                           \
	{                                                                                          \
		ARGUMENTS(words, ctx);                                                             \
		return on_enter(ctx, words);                                                       \
	}                                                                                          \
	KPROBE_ENTRY(function, on_enter)

static __always_inline int on_group_ioctl(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 group = private_data(words[0]);

	if (!enter(SCOPE_GROUP_IOCTL, group, words[1]) || !shared_state)
		return 0;
	shared_state->group_fops = (__u64)BPF_CORE_READ((struct file *)words[0], f_op);
	see_group(shared_state, (void *)group);
	see_devices_of(shared_state, (void *)group);
	return 0;
}

static __always_inline int on_group_ioctl_exit(void *ctx, long result)
{
	struct shared_state *shared_state = shared_get();
	struct task_state *state = leave(SCOPE_GROUP_IOCTL);
	struct path_run run = {.path = PATH_NUMBER_DEVICE_OPEN, .how = HOW_NUMBER_GROUP};

	if (state && shared_state) /* VFIO_GROUP_SET_CONTAINER has given it a container */
		see_group(shared_state, (void *)state->scope_object);
	if (!state || !constants.open_by_ioctl ||
	    state->command != VFIO_GROUP_GET_DEVICE_FD_COMMAND)
		return 0;
	run.result = result;
	run.group = state->scope_object;
	run.device = only_device_of((void *)run.group);
	return send_path(&run);
}
PROBE(vfio_group_fops_unl_ioctl, 3, on_group_ioctl, on_group_ioctl_exit)

static __always_inline int on_group_file(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 group = private_data(words[1]);

	if (!enter(SCOPE_GROUP_FILE, group, 0) || !shared_state)
		return 0;
	see_group(shared_state, (void *)group);
	return 0;
}

static __always_inline int on_group_file_exit(void *ctx, long result)
{
	leave(SCOPE_GROUP_FILE);
	return 0;
}
PROBE(vfio_group_fops_release, 2, on_group_file, on_group_file_exit)

/* private_data is set by the open itself: nothing to see yet */
static __always_inline int on_group_open(void *ctx, __u64 *words)
{
	enter(SCOPE_GROUP_FILE, 0, 0);
	return 0;
}
PROBE(vfio_group_fops_open, 2, on_group_open, on_group_file_exit)

static __always_inline int on_device_ioctl(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 object = private_data(words[0]);

	if (enter(SCOPE_DEVICE_IOCTL, object, words[1]) && shared_state)
		see_device(shared_state, device_of_file(object));
	return 0;
}

static __always_inline int on_device_ioctl_exit(void *ctx, long result)
{
	leave(SCOPE_DEVICE_IOCTL);
	return 0;
}
PROBE(vfio_device_fops_unl_ioctl, 3, on_device_ioctl, on_device_ioctl_exit)

static __always_inline int on_device_release(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 object = private_data(words[1]);
	struct path_run run = {.path = PATH_NUMBER_DEVICE_CLOSE, .how = HOW_NUMBER_GROUP};
	struct vfio_device *device = device_of_file(object);

	if (!enter(SCOPE_DEVICE_RELEASE, object, 0) || !shared_state)
		return 0;
	see_device(shared_state, device);
	if (!constants.close_by_release)
		return 0;
	run.device = (__u64)device;
	run.group = device ? (__u64)BPF_CORE_READ(device, group) : 0;
	return send_path(&run);
}

static __always_inline int on_device_release_exit(void *ctx, long result)
{
	leave(SCOPE_DEVICE_RELEASE);
	return 0;
}
PROBE(vfio_device_fops_release, 2, on_device_release, on_device_release_exit)

static __always_inline int on_container_ioctl(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 container = private_data(words[0]);

	if (enter(SCOPE_CONTAINER, container, words[1]) && shared_state)
		see_container(shared_state, (void *)container);
	return 0;
}

static __always_inline int on_container_release(void *ctx, __u64 *words)
{
	enter(SCOPE_CONTAINER, private_data(words[1]), 0);
	return 0;
}

/* the IOMMU backend's state is there once VFIO_SET_IOMMU has run */
static __always_inline int on_container_ioctl_exit(void *ctx, long result)
{
	struct shared_state *shared_state = shared_get();
	struct task_state *state = leave(SCOPE_CONTAINER);

	if (state && shared_state)
		see_container(shared_state, (void *)state->scope_object);
	return 0;
}

static __always_inline int on_container_release_exit(void *ctx, long result)
{
	leave(SCOPE_CONTAINER);
	return 0;
}
PROBE(vfio_fops_unl_ioctl, 3, on_container_ioctl, on_container_ioctl_exit)
PROBE(vfio_fops_release, 2, on_container_release, on_container_release_exit)

/* What an open file of this process is about; 0 if there is no such file. */
static __noinline __u64 object_of_file(int fd)
{
	struct task_struct *current = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(current, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return 0;
	return private_data((__u64)file);
}

static __always_inline int on_kvm_dev_ioctl(void *ctx, __u64 *words)
{
	enter(SCOPE_KVM_DEV_IOCTL, 0, words[1]);
	return 0;
}

static __always_inline int on_kvm_dev_ioctl_exit(void *ctx, long result)
{
	struct task_state *state = leave(SCOPE_KVM_DEV_IOCTL);
	struct path_run run = {.path = PATH_NUMBER_VM_CREATE};
	struct shared_state *shared_state = shared_get();

	if (!state || state->command != KVM_CREATE_VM_COMMAND || !shared_state)
		return 0;
	run.result = result;
	run.kvm = object_of_file(result);
	see_kvm(shared_state, (void *)run.kvm); /* it may live long without an ioctl of its own */
	return send_path(&run);
}
PROBE(kvm_dev_ioctl, 3, on_kvm_dev_ioctl, on_kvm_dev_ioctl_exit)

static __always_inline int on_vm_ioctl(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 kvm = private_data(words[0]);

	if (enter(SCOPE_VM_IOCTL, kvm, words[1]) && shared_state)
		see_kvm(shared_state, (void *)kvm);
	return 0;
}

static __always_inline int on_vm_ioctl_exit(void *ctx, long result)
{
	leave(SCOPE_VM_IOCTL);
	return 0;
}
PROBE(kvm_vm_ioctl, 3, on_vm_ioctl, on_vm_ioctl_exit)

static __always_inline int on_vm_release(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 kvm = private_data(words[1]);

	if (enter(SCOPE_VM_RELEASE, kvm, 0) && shared_state)
		see_kvm(shared_state, (void *)kvm);
	return 0;
}

static __always_inline int on_vm_release_exit(void *ctx, long result)
{
	leave(SCOPE_VM_RELEASE);
	return 0;
}
PROBE(kvm_vm_release, 2, on_vm_release, on_vm_release_exit)

static __always_inline int on_vcpu_ioctl(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 vcpu = private_data(words[0]);

	if (enter(SCOPE_VCPU_IOCTL, vcpu, words[1]) && shared_state)
		see_vcpu(shared_state, (void *)vcpu);
	return 0;
}

static __always_inline int on_vcpu_ioctl_exit(void *ctx, long result)
{
	leave(SCOPE_VCPU_IOCTL);
	return 0;
}
PROBE(kvm_vcpu_ioctl, 3, on_vcpu_ioctl, on_vcpu_ioctl_exit)

static __always_inline int on_kvm_device_ioctl(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	__u64 device = private_data(words[0]);

	if (enter(SCOPE_KVM_DEVICE_IOCTL, device, words[1]) && shared_state &&
	    is_kvm_vfio((void *)device))
		see_kvm_device(shared_state, (void *)device);
	return 0;
}

static __always_inline int on_kvm_device_ioctl_exit(void *ctx, long result)
{
	leave(SCOPE_KVM_DEVICE_IOCTL);
	return 0;
}
PROBE(kvm_device_ioctl, 3, on_kvm_device_ioctl, on_kvm_device_ioctl_exit)

static __always_inline int on_kvm_device_release(void *ctx, __u64 *words)
{
	struct shared_state *shared_state = shared_get();
	struct path_run run = {.path = PATH_NUMBER_KVM_DEVICE_RELEASE};
	struct kvm_device *device = (void *)private_data(words[1]);

	if (!enter(SCOPE_KVM_DEVICE_RELEASE, (__u64)device, 0) || !shared_state)
		return 0;
	/* other KVM devices (vgic …) are released through the same function */
	if (!device || !is_kvm_vfio(device))
		return 0;
	see_kvm_device(shared_state, device);
	run.kvm = (__u64)BPF_CORE_READ(device, kvm);
	return send_path(&run);
}

static __always_inline int on_kvm_device_release_exit(void *ctx, long result)
{
	leave(SCOPE_KVM_DEVICE_RELEASE);
	return 0;
}
PROBE(kvm_device_release, 2, on_kvm_device_release, on_kvm_device_release_exit)

/* --- paths ---------------------------------------------------------------------------------------
 */

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
	forget_object((__u64)kvm, RECORD_OBJECT_KVM);
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
