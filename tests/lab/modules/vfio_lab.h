/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vfio_lab's control device, /dev/vfio_lab, takes: shared with the client programs. */
#ifndef VFIO_LAB_H
#define VFIO_LAB_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct vfio_lab_order {
	__s32 vm_fd;	/* a VM, or -1 */
	__s32 group_fd; /* an open VFIO group, or -1 */
	__u64 status;	/* user address of a struct vfio_group_status */
};

/* Take kvm->lock of vm_fd and, under it, group_lock of group_fd: the order 2b48f52f2bff removed. */
#define VFIO_LAB_OLD_ORDER _IOW('v', 0x80, struct vfio_lab_order)
/* Take foreign lock X, then foreign lock Y; nothing of VFIO is held. */
#define VFIO_LAB_X_THEN_Y _IOW('v', 0x81, struct vfio_lab_order)
/* Take foreign lock Y, then group_lock of group_fd. */
#define VFIO_LAB_Y_THEN_GROUP _IOW('v', 0x82, struct vfio_lab_order)

#endif
