/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kvm_anchors.h - entry points of KVM: VMs, vCPUs, KVM devices. */
#ifndef VFIOTRACE_BPF_KVM_ANCHORS_H
#define VFIOTRACE_BPF_KVM_ANCHORS_H

#include "scope.h"

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

#endif
