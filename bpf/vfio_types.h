/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio_types.h - the members of VFIO's and KVM's private structures that programs read.
 *
 * These types live in module BTF and differ between kernels, so only what is read is declared here;
 * CO-RE finds the offsets in the module that is loaded. Compared with the BTF of 6.1.192, 6.12.117
 * and 7.2.13. Guard every use with bpf_core_type_exists / bpf_core_field_exists: without the module
 * (or before the member existed) the access cannot be relocated, and must be dead code.
 *
 * struct vfio is a static struct of several translation units with different members: the flavour
 * with group_list is the one wanted here.
 */
#ifndef VFIOTRACE_BPF_VFIO_TYPES_H
#define VFIOTRACE_BPF_VFIO_TYPES_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>

#define VFIO_TYPE __attribute__((preserve_access_index))

struct vfio_device;
struct vfio_group;

struct vfio_container {
	struct list_head group_list;
	struct rw_semaphore group_lock;
	void *iommu_data;
} VFIO_TYPE;

/* vfio_iommu_type1's private state: container.iommu_data */
struct vfio_iommu {
	struct mutex lock;
	struct mutex device_list_lock; /* since ce4b4657ff18 (6.0) */
} VFIO_TYPE;

struct vfio_device_set {
	void *set_id;
	struct mutex lock;
	struct list_head device_list; /* vfio_device.dev_set_list */
	unsigned int device_count;
} VFIO_TYPE;

struct vfio_group {
	struct device dev;
	struct iommu_group *iommu_group;
	struct vfio_container *container;
	struct list_head device_list; /* vfio_device.group_next */
	struct mutex device_lock;
	struct list_head vfio_next;
	struct mutex group_lock; /* since c82e81ab2569 (6.1); before: group_rwsem */
	struct kvm *kvm;
	struct file *opened_file;
	spinlock_t kvm_ref_lock; /* since 2b48f52f2bff (6.3): the fix for group_lock <-> kvm.lock */
	unsigned int container_users;
} VFIO_TYPE;

struct vfio_device_ops {
	int (*open_device)(struct vfio_device *device);
} VFIO_TYPE;

struct vfio_device {
	struct device *dev;
	struct vfio_group *group;
	struct vfio_device_set *dev_set;
	struct list_head dev_set_list;
	struct list_head group_next;
	struct kvm *kvm;
	unsigned int index;
	unsigned int open_count;
	struct device device;
	const struct vfio_device_ops *ops;
	void (*put_kvm)(struct kvm *); /* since 2b48f52f2bff: vfio_device_get_kvm_safe exists */
} VFIO_TYPE;

/* file->private_data of a device file since b1a59be8a2b6 (6.6); before: the vfio_device itself */
struct vfio_device_file {
	struct vfio_device *device;
	struct vfio_group *group;
	spinlock_t kvm_ref_lock;
	struct kvm *kvm;
	struct iommufd_ctx *iommufd;
} VFIO_TYPE;

/* The global state of group.c (6.2 and later) or vfio_main.c (6.1). */
struct vfio___groups {
	struct list_head group_list; /* vfio_group.vfio_next */
	struct mutex group_lock;
} VFIO_TYPE;

/* struct kvm itself is in vmlinux.h; with kvm as a module CO-RE finds it in kvm.ko's BTF or
 * vmlinux's. */

struct kvm_vfio {
	struct list_head file_list; /* kvm_vfio_file.node; before ba70a89f3c2a (5.19): group_list */
	struct mutex lock;
} VFIO_TYPE;

struct kvm_vfio_file {
	struct list_head node;
	struct file *file;
} VFIO_TYPE;

struct kvm_device_ops {
	const char *name; /* "kvm-vfio" */
} VFIO_TYPE;

/* file->private_data of a KVM device */
struct kvm_device {
	const struct kvm_device_ops *ops;
	struct kvm *kvm;
	void *private;		  /* struct kvm_vfio * for "kvm-vfio" */
	struct list_head vm_node; /* kvm.devices */
} VFIO_TYPE;

/* Fields the running kernel may lack although the struct exists. */
#define HAS_GROUP_KVM_REF_LOCK() bpf_core_field_exists(((struct vfio_group *)0)->kvm_ref_lock)
#define HAS_DEVICE_FILE() bpf_core_type_exists(struct vfio_device_file)
#define HAS_GET_KVM_SAFE() bpf_core_field_exists(((struct vfio_device *)0)->put_kvm)

#endif
