/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few pieces of the iommufd and VFIO cdev interface that Debian 12's kernel headers lack. */
#ifndef LAB_IOMMUFD_ABI_H
#define LAB_IOMMUFD_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LAB_DEVICE_BIND_IOMMUFD _IO(';', 100 + 18)
#define LAB_DEVICE_ATTACH_PT _IO(';', 100 + 19)
#define LAB_IOAS_ALLOC _IO(';', 0x81)

struct lab_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

struct lab_attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

struct lab_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#endif
