/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio_anchors.h - entry points of VFIO: groups, devices, containers. */
#ifndef VFIOTRACE_BPF_VFIO_ANCHORS_H
#define VFIOTRACE_BPF_VFIO_ANCHORS_H

#include "scope.h"

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
	run.is_inner = is_inner_open((void *)run.device);
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
	run.is_inner = is_inner_open(device);
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

#endif
