/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iommufd_abi.h - the few pieces of the iommufd and device cdev interface (Linux 6.6) that the
 * headers of Debian 12 lack. Source: include/uapi/linux/{vfio,iommufd}.h.
 */
#ifndef VFIOTRACE_EXERCISE_IOMMUFD_ABI_H
#define VFIOTRACE_EXERCISE_IOMMUFD_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define CDEV_BIND_IOMMUFD _IO(';', 100 + 18) /* VFIO_DEVICE_BIND_IOMMUFD */
#define CDEV_ATTACH_PT _IO(';', 100 + 19)    /* VFIO_DEVICE_ATTACH_IOMMUFD_PT */
#define IOMMUFD_IOAS_ALLOC _IO(';', 0x81)    /* IOMMU_IOAS_ALLOC */

struct cdev_bind_iommufd {
	__u32 argsz, flags;
	__s32 iommufd;
	__u32 out_devid;
};

struct cdev_attach_pt {
	__u32 argsz, flags, pt_id;
};

struct iommufd_ioas_alloc {
	__u32 size, flags, out_ioas_id;
};

#endif
