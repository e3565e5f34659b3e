// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VFIO driver without hardware that does what vfio-ap does: it takes kvm->lock in open_device(),
 * which VFIO calls with its group lock held. On a kernel without 2b48f52f2bff that is one half of
 * the group_lock / kvm->lock inversion; closing the KVM-VFIO device is the other half.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vfio.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include <linux/iommufd.h>
#endif

#include "vfio_lab.h"

#define MAX_DEVICES 16

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "number of devices");
static unsigned int delay_ms;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "sleep this long in open_device before kvm->lock is taken");
static bool lock_kvm = true;
module_param(lock_kvm, bool, 0644);
MODULE_PARM_DESC(lock_kvm, "take kvm->lock in open_device");
static bool killable;
module_param(killable, bool, 0644);
MODULE_PARM_DESC(killable, "take it with mutex_lock_killable");
static bool foreign;
module_param(foreign, bool, 0644);
MODULE_PARM_DESC(foreign, "also take foreign lock X in open_device");
static bool hold_kvm;
module_param(hold_kvm, bool, 0644);
MODULE_PARM_DESC(hold_kvm, "keep an own reference on the VM from open to close");

/* Locks that belong to neither VFIO nor KVM; not static, so that they keep their names. */
DEFINE_MUTEX(lab_foreign_x);
DEFINE_MUTEX(lab_foreign_y);

struct lab_device {
	struct vfio_device vdev;
	struct kvm *kvm;
};

static struct platform_device *parents[MAX_DEVICES];

static int lab_init(struct vfio_device *vdev)
{
	return 0;
}

static void lab_release(struct vfio_device *vdev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	vfio_free_device(vdev);
#endif
}

static int lab_lock_kvm(struct kvm *kvm)
{
	int err = 0;

	if (delay_ms)
		msleep(delay_ms);
	if (killable)
		err = mutex_lock_killable(&kvm->lock);
	else
		mutex_lock(&kvm->lock);
	if (err)
		return err;
	mutex_unlock(&kvm->lock);
	return 0;
}

static int lab_open_device(struct vfio_device *vdev)
{
	struct lab_device *lab = container_of(vdev, struct lab_device, vdev);
	struct kvm *kvm = vdev->kvm;
	int err = 0;

	if (foreign) {
		mutex_lock(&lab_foreign_x);
		mutex_unlock(&lab_foreign_x);
	}
	if (!kvm)
		return 0;
	if (lock_kvm)
		err = lab_lock_kvm(kvm);
	if (!err && hold_kvm) {
		kvm_get_kvm(kvm);
		lab->kvm = kvm;
	}
	return err;
}

static void lab_close_device(struct vfio_device *vdev)
{
	struct lab_device *lab = container_of(vdev, struct lab_device, vdev);

	if (lab->kvm)
		kvm_put_kvm(lab->kvm);
	lab->kvm = NULL;
}

static long lab_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct vfio_device_info info;

	if (cmd != VFIO_DEVICE_GET_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, (void __user *)arg,
			   offsetofend(struct vfio_device_info, num_irqs)))
		return -EFAULT;
	info.flags = VFIO_DEVICE_FLAGS_PLATFORM;
	info.num_regions = 0;
	info.num_irqs = 0;
	return copy_to_user((void __user *)arg, &info,
			    offsetofend(struct vfio_device_info, num_irqs))
		       ? -EFAULT
		       : 0;
}

static void lab_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
}

static const struct vfio_device_ops lab_ops = {
	.name = "vfio_lab",
	.init = lab_init,
	.release = lab_release,
	.open_device = lab_open_device,
	.close_device = lab_close_device,
	.ioctl = lab_ioctl,
	.dma_unmap = lab_dma_unmap,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#endif
};

static int lab_probe(struct platform_device *parent)
{
	struct lab_device *lab;
	int err;

	lab = vfio_alloc_device(lab_device, vdev, &parent->dev, &lab_ops);
	if (IS_ERR(lab))
		return PTR_ERR(lab);
	err = vfio_register_emulated_iommu_dev(&lab->vdev);
	if (err) {
		vfio_put_device(&lab->vdev);
		return err;
	}
	platform_set_drvdata(parent, lab);
	return 0;
}

static void lab_unbind(struct platform_device *parent)
{
	struct lab_device *lab = platform_get_drvdata(parent);

	vfio_unregister_group_dev(&lab->vdev);
	vfio_put_device(&lab->vdev);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
static int lab_remove(struct platform_device *parent)
{
	lab_unbind(parent);
	return 0;
}
#else
#define lab_remove lab_unbind
#endif

static struct platform_driver lab_driver = {
	.driver = {.name = "vfio_lab"},
	.probe = lab_probe,
	.remove = lab_remove,
};

/* --- the control device: orders no real driver would take ---------------------------------------
 */

/* Any ioctl of the group takes group_lock; this one changes nothing. */
static long lab_take_group_lock(struct file *group, u64 status)
{
	return group->f_op->unlocked_ioctl(group, VFIO_GROUP_GET_STATUS, (unsigned long)status);
}

static long lab_old_order(struct file *vm, struct file *group, u64 status)
{
	struct kvm *kvm;
	long err;

	/* file_is_kvm() is for KVM's own modules from 7.2 on */
	if (!vm || !group || strcmp(vm->f_path.dentry->d_name.name, "kvm-vm"))
		return -EINVAL;
	kvm = vm->private_data;
	mutex_lock(&kvm->lock);
	err = lab_take_group_lock(group, status);
	mutex_unlock(&kvm->lock);
	return err;
}

static long lab_y_then_group(struct file *group, u64 status)
{
	long err;

	if (!group)
		return -EINVAL;
	mutex_lock(&lab_foreign_y);
	err = lab_take_group_lock(group, status);
	mutex_unlock(&lab_foreign_y);
	return err;
}

static long lab_x_then_y(void)
{
	mutex_lock(&lab_foreign_x);
	mutex_lock(&lab_foreign_y);
	mutex_unlock(&lab_foreign_y);
	mutex_unlock(&lab_foreign_x);
	return 0;
}

static long lab_control(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct file *vm = NULL, *group = NULL;
	struct vfio_lab_order order;
	long err = -ENOTTY;

	if (copy_from_user(&order, (void __user *)arg, sizeof(order)))
		return -EFAULT;
	if (order.vm_fd >= 0)
		vm = fget(order.vm_fd);
	if (order.group_fd >= 0)
		group = fget(order.group_fd);
	if (cmd == VFIO_LAB_OLD_ORDER)
		err = lab_old_order(vm, group, order.status);
	else if (cmd == VFIO_LAB_X_THEN_Y)
		err = lab_x_then_y();
	else if (cmd == VFIO_LAB_Y_THEN_GROUP)
		err = lab_y_then_group(group, order.status);
	if (vm)
		fput(vm);
	if (group)
		fput(group);
	return err;
}

static const struct file_operations lab_control_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = lab_control,
};

static struct miscdevice lab_control_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vfio_lab",
	.fops = &lab_control_fops,
};

static void lab_drop_parents(void)
{
	int i;

	for (i = 0; i < MAX_DEVICES; i++)
		if (parents[i])
			platform_device_unregister(parents[i]);
}

static int __init vfio_lab_init(void)
{
	unsigned int i;
	int err;

	err = platform_driver_register(&lab_driver);
	if (err)
		return err;
	for (i = 0; i < devices && i < MAX_DEVICES; i++) {
		parents[i] = platform_device_register_simple("vfio_lab", i, NULL, 0);
		if (IS_ERR(parents[i])) {
			err = PTR_ERR(parents[i]);
			parents[i] = NULL;
			goto cleanup;
		}
	}
	err = misc_register(&lab_control_device);
	if (!err)
		return 0;
cleanup:
	lab_drop_parents();
	platform_driver_unregister(&lab_driver);
	return err;
}

static void __exit vfio_lab_exit(void)
{
	misc_deregister(&lab_control_device);
	lab_drop_parents();
	platform_driver_unregister(&lab_driver);
}

module_init(vfio_lab_init);
module_exit(vfio_lab_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO driver that takes kvm->lock in open_device");
