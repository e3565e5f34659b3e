// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of locks and lock functions as other tools print them. Data first, lookup below. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "locks/lock_name.h"

struct name_row {
	const char *expression; /* as initialised, without '&' */
	const char *lock_class;
	enum lock_kind kind; /* UNKNOWN: any; else only locks of this kind */
	bool foreign;	     /* no VFIO or KVM lock */
};

static const struct name_row names[] = {
	{"group->group_lock", "vfio_group.group_lock", 0, false},
	{"group->group_rwsem", "vfio_group.group_rwsem", 0, false},
	{"group->kvm_ref_lock", "vfio_group.kvm_ref_lock", 0, false},
	{"group->device_lock", "vfio_group.device_lock", 0, false},
	{"df->kvm_ref_lock", "vfio_device_file.kvm_ref_lock", 0, false},
	{"dev_set->lock", "vfio_device_set.lock", 0, false},
	{"device->dev_set->lock", "vfio_device_set.lock", 0, false},
	{"container->group_lock", "vfio_container.group_lock", 0, false},
	{"iommu->device_list_lock", "vfio_iommu.device_list_lock", 0, false},
	/* the Intel IOMMU driver uses the same expression for a spinlock */
	{"iommu->lock", "intel_iommu.lock", LOCK_KIND_SPINLOCK, true},
	{"iommu->lock", "vfio_iommu.lock", 0, false},
	{"vdev->igate", "vfio_pci_core_device.igate", 0, false},
	{"vdev->memory_lock", "vfio_pci_core_device.memory_lock", 0, false},
	{"vdev->vma_lock", "vfio_pci_core_device.vma_lock", 0, false},
	{"vdev->ioeventfds_lock", "vfio_pci_core_device.ioeventfds_lock", 0, false},
	{"vfio.group_lock", "vfio.group_lock", 0, false},
	{"vfio.iommu_drivers_lock", "vfio.iommu_drivers_lock", 0, false},
	{"kv->lock", "kvm_vfio.lock", 0, false},
	{"kvm->lock", "kvm.lock", 0, false},
	{"kvm->slots_lock", "kvm.slots_lock", 0, false},
	{"kvm->slots_arch_lock", "kvm.slots_arch_lock", 0, false},
	{"kvm->irq_lock", "kvm.irq_lock", 0, false},
	{"kvm->srcu", "kvm.srcu", 0, false},
	{"kvm->irq_srcu", "kvm.irq_srcu", 0, false},
	{"kvm->irqfds.lock", "kvm.irqfds.lock", 0, false},
	{"kvm->irqfds.resampler_lock", "kvm.irqfds.resampler_lock", 0, false},
	{"kvm->mmu_lock", "kvm.mmu_lock", 0, false},
	{"(kvm)->mmu_lock", "kvm.mmu_lock", 0, false},
	{"kvm->mmu_notifier_slots_lock", "kvm.mmu_notifier_slots_lock", 0, false},
	{"kvm->mn_invalidate_lock", "kvm.mn_invalidate_lock", 0, false},
	{"kvm->arch.apic_map_lock", "kvm.arch.apic_map_lock", 0, false},
	{"kvm->arch.config_lock", "kvm.arch.config_lock", 0, false},
	{"kvm->arch.xen.xen_lock", "kvm.arch.xen.xen_lock", 0, false},
	{"hv->hv_lock", "kvm.arch.hyperv.hv_lock", 0, false},
	{"kvm->arch.hyperv.hv_lock", "kvm.arch.hyperv.hv_lock", 0, false},
	{"kvm->arch.crypto.pqap_hook_rwsem", "kvm.arch.crypto.pqap_hook_rwsem", 0, false},
	{"vcpu->mutex", "kvm_vcpu.mutex", 0, false},
	{"vcpu->arch.mp_state_lock", "kvm_vcpu.arch.mp_state_lock", 0, false},
	{"its->its_lock", "vgic_its.its_lock", 0, false},
	{"gpc->refresh_lock", "gfn_to_pfn_cache.refresh_lock", 0, false},
	{"matrix_dev->lock", "ap_matrix_dev.lock", 0, false},
	{"matrix_dev->guests_lock", "ap_matrix_dev.guests_lock", 0, false},
	{"matrix_dev->mdevs_lock", "ap_matrix_dev.mdevs_lock", 0, false},
	{"gvt->lock", "intel_gvt.lock", 0, false},
	{"vgpu->vgpu_lock", "intel_vgpu.vgpu_lock", 0, false},
	{"vgpu->cache_lock", "intel_vgpu.cache_lock", 0, false},
	{"vgpu->vdev.cache_lock", "intel_vgpu.vdev.cache_lock", 0, false},
	{"access->ioas_lock", "iommufd_access.ioas_lock", 0, false},
	{"group->mutex", "iommu_group.mutex", 0, true},
	{"(&group->notifier)->rwsem", "iommu_group.notifier.rwsem", 0, true},
	{"mm->mmap_lock", "mm_struct.mmap_lock", 0, true},
	{"mm->mmap_sem", "mm_struct.mmap_lock", 0, true},
	{"dev->mutex", "device.mutex", 0, true},
	{"root->kernfs_rwsem", "kernfs_root.kernfs_rwsem", 0, true},
	{"(pm_chain_head).rwsem", "pm_chain_head.rwsem", 0, true},
	{"cpu_hotplug_lock.rw_sem", "cpu_hotplug_lock", 0, true},
	{"kvm_lock", "kvm_lock", 0, false},
	{"kvm_usage_lock", "kvm_usage_lock", 0, false},
	{"kvm_count_lock", "kvm_count_lock", 0, false},
	{"vendor_module_lock", "vendor_module_lock", 0, false},
};

static const struct lock_function functions[] = {
	{"mutex_trylock", LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, false, true},
	{"mutex_lock_interruptible", LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, true, false},
	{"mutex_lock_killable", LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, true, false},
	{"__mutex_lock_interruptible", LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, true, false},
	{"__mutex_lock_killable", LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, true, false},
	{"_mutex_lock", LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, false, false},
	{"mutex_lock", LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, false, false},
	{"__mutex_lock", LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, false, false},
	{"down_read_trylock", LOCK_KIND_RWSEM, LOCK_SHARED, false, true},
	{"down_write_trylock", LOCK_KIND_RWSEM, LOCK_EXCLUSIVE, false, true},
	{"down_read_killable", LOCK_KIND_RWSEM, LOCK_SHARED, true, false},
	{"down_read_interruptible", LOCK_KIND_RWSEM, LOCK_SHARED, true, false},
	{"down_write_killable", LOCK_KIND_RWSEM, LOCK_EXCLUSIVE, true, false},
	{"down_read", LOCK_KIND_RWSEM, LOCK_SHARED, false, false},
	{"down_write", LOCK_KIND_RWSEM, LOCK_EXCLUSIVE, false, false},
	{"__down_read", LOCK_KIND_RWSEM, LOCK_SHARED, false, false},
	{"__down_write", LOCK_KIND_RWSEM, LOCK_EXCLUSIVE, false, false},
	{"rwsem_down_read_", LOCK_KIND_RWSEM, LOCK_SHARED, false, false},
	{"rwsem_down_write_", LOCK_KIND_RWSEM, LOCK_EXCLUSIVE, false, false},
	{"percpu_down_read", LOCK_KIND_PERCPU_RWSEM, LOCK_SHARED, false, false},
	{"__percpu_down_read", LOCK_KIND_PERCPU_RWSEM, LOCK_SHARED, false, false},
	{"percpu_down_write", LOCK_KIND_PERCPU_RWSEM, LOCK_EXCLUSIVE, false, false},
	{"cpus_read_lock", LOCK_KIND_PERCPU_RWSEM, LOCK_SHARED, false, false},
	{"cpus_write_lock", LOCK_KIND_PERCPU_RWSEM, LOCK_EXCLUSIVE, false, false},
	{"rt_mutex_lock", LOCK_KIND_RTMUTEX, LOCK_EXCLUSIVE, false, false},
	{"rt_spin_lock", LOCK_KIND_SPINLOCK, LOCK_EXCLUSIVE, false, false},
	{"rt_read_lock", LOCK_KIND_SPINLOCK, LOCK_SHARED_RECURSIVE, false, false},
	{"rt_write_lock", LOCK_KIND_SPINLOCK, LOCK_EXCLUSIVE, false, false},
	{"_raw_spin_trylock", LOCK_KIND_SPINLOCK, LOCK_EXCLUSIVE, false, true},
	{"_raw_spin_lock", LOCK_KIND_SPINLOCK, LOCK_EXCLUSIVE, false, false},
	{"__raw_spin_lock", LOCK_KIND_SPINLOCK, LOCK_EXCLUSIVE, false, false},
	{"_raw_read_lock", LOCK_KIND_SPINLOCK, LOCK_SHARED, false, false},
	{"_raw_write_lock", LOCK_KIND_SPINLOCK, LOCK_EXCLUSIVE, false, false},
	{"__srcu_read_lock", LOCK_KIND_OTHER, LOCK_SHARED_RECURSIVE, false, false},
	{"srcu_read_lock", LOCK_KIND_OTHER, LOCK_SHARED_RECURSIVE, false, false},
	{"synchronize_srcu", LOCK_KIND_OTHER, LOCK_EXCLUSIVE, false, false},
	{"__synchronize_srcu", LOCK_KIND_OTHER, LOCK_EXCLUSIVE, false, false},
	{"down_interruptible", LOCK_KIND_OTHER, LOCK_EXCLUSIVE, true, false},
	{"down_killable", LOCK_KIND_OTHER, LOCK_EXCLUSIVE, true, false},
	{"down", LOCK_KIND_OTHER, LOCK_EXCLUSIVE, false, false},
};

static const char *const internals[] = {
	"__schedule",	      "schedule",	"io_schedule",	       "schedule_preempt_disabled",
	"__lock_acquire",     "lock_acquire",	"check_prev",	       "check_noncircular",
	"validate_chain",     "print_circular", "schedule_timeout",    "__traceiter_contention",
	"rt_mutex_schedule",  "rwbase_",	"__rt_mutex",	       "rt_mutex_slow",
	"rwsem_read_trylock", "lock_sync",	"__context_switch",    "trace_contention",
	"__down_common",      "__down",		"wait_for_completion",
};

struct site_row {
	const char *function; /* prefix */
	enum lock_kind kind;
	const char *lock_class;
	uint32_t kernel_from, kernel_until;
};

#define V(major, minor) ((major) << 16 | (minor) << 8)

static const struct site_row sites[] = {
	{"vfio_file_set_kvm", LOCK_KIND_MUTEX, "vfio_group.group_lock", 0, V(6, 3)},
	{"vfio_file_set_kvm", LOCK_KIND_SPINLOCK, "vfio_group.kvm_ref_lock", V(6, 3), 0},
	{"vfio_group_set_kvm", LOCK_KIND_SPINLOCK, "vfio_group.kvm_ref_lock", V(6, 3), 0},
	{"vfio_file_enforced_coherent", LOCK_KIND_MUTEX, "vfio_group.group_lock", 0, V(6, 3)},
	{"vfio_group_fops_", LOCK_KIND_MUTEX, "vfio_group.group_lock", 0, 0},
	{"vfio_df_group_open", LOCK_KIND_MUTEX, "vfio_group.group_lock", 0, 0},
	{"vfio_df_group_close", LOCK_KIND_MUTEX, "vfio_group.group_lock", 0, 0},
	{"vfio_device_open", LOCK_KIND_MUTEX, "vfio_device_set.lock", 0, 0},
	{"vfio_device_fops_release", LOCK_KIND_MUTEX, "vfio_device_set.lock", 0, V(6, 2)},
	{"vfio_device_group_use_iommu", LOCK_KIND_MUTEX, "vfio_iommu.lock", 0, 0},
	{"vfio_iommu_type1_", LOCK_KIND_MUTEX, "vfio_iommu.lock", 0, 0},
	{"vfio_ap_mdev_open_device", LOCK_KIND_MUTEX, "kvm.lock", 0, 0},
	{"vfio_ap_mdev_set_kvm", LOCK_KIND_MUTEX, "kvm.lock", 0, 0},
	{"kvm_device_release", LOCK_KIND_MUTEX, "kvm.lock", 0, 0},
	{"kvm_ioctl_create_device", LOCK_KIND_MUTEX, "kvm.lock", 0, 0},
	{"kvm_vfio_", LOCK_KIND_MUTEX, "kvm_vfio.lock", 0, 0},
	{"kvm_vcpu_ioctl", LOCK_KIND_MUTEX, "kvm_vcpu.mutex", 0, 0},
	{"kvm_set_memory_region", LOCK_KIND_MUTEX, "kvm.slots_lock", 0, 0},
	{"kvm_vm_ioctl_", LOCK_KIND_MUTEX, "kvm.lock", 0, 0},
	{"kvm_create_vm", LOCK_KIND_MUTEX, "kvm_lock", 0, 0},
	{"kvm_destroy_vm", LOCK_KIND_MUTEX, "kvm_lock", 0, 0},
	{"kvm_online_cpu", LOCK_KIND_MUTEX, "kvm_lock", 0, V(6, 12)},
	{"kvm_online_cpu", LOCK_KIND_MUTEX, "kvm_usage_lock", V(6, 12), 0},
	{"vfio_pci_mmap_fault", LOCK_KIND_RWSEM, "vfio_pci_core_device.memory_lock", 0, 0},
	{"vfio_pci_mmap_huge_fault", LOCK_KIND_RWSEM, "vfio_pci_core_device.memory_lock", 0, 0},
	{"vfio_pci_zap_and_", LOCK_KIND_RWSEM, "vfio_pci_core_device.memory_lock", 0, 0},
	{"vfio_pci_set_irqs_ioctl", LOCK_KIND_MUTEX, "vfio_pci_core_device.igate", 0, 0},
};

static const struct lock_held_by holders[] = {
	/* kvm_put_kvm() comes after the unlock */
	{"kvm_device_release", "kvm_vfio_", "kvm.lock", 0, 0},
	{"kvm_vfio_set_attr", "vfio_", "kvm_vfio.lock", 0, 0},
	{"vfio_group_fops_unl_ioctl", "*", "vfio_device_set.lock", V(6, 1), V(6, 2)},
	{"vfio_group_fops_unl_ioctl", "*", "vfio_group.group_lock", 0, 0},
	{"vfio_df_open", "*", "vfio_device_set.lock", 0, 0},
	{"vfio_device_open", "*", "vfio_device_set.lock", 0, 0},
	{"vfio_device_fops_release", "*", "vfio_device_set.lock", V(6, 1), V(6, 2)},
	{"vfio_device_fops_release", "*", "vfio_group.group_lock", 0, 0},
	{"vfio_df_close", "*", "vfio_device_set.lock", 0, 0},
	{"kvm_vcpu_ioctl", "*", "kvm_vcpu.mutex", 0, 0},
	{"kvm_set_memory_region", "*", "kvm.slots_lock", 0, 0},
	{"kvm_vm_ioctl_create_vcpu", "*", "kvm.lock", 0, 0},
	{"vfio_iommu_type1_ioctl", "pin_user_pages", "vfio_iommu.lock", 0, 0},
	{"vfio_iommu_type1_ioctl", "vfio_pin", "vfio_iommu.lock", 0, 0},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool in_range(uint32_t version, uint32_t from, uint32_t until)
{
	/* an unknown kernel may be any */
	return !version || (version >= from && (!until || version < until));
}

/* "&kvm->lock#2/1": cut "/1" off. More than lockdep's eight subclasses is part of the name. */
static size_t split_subclass(const char *name, size_t length, uint8_t *subclass)
{
	*subclass = 0;
	if (length > 2 && name[length - 2] == '/' && name[length - 1] >= '0' &&
	    name[length - 1] <= '7') {
		*subclass = (uint8_t)(name[length - 1] - '0');
		return length - 2;
	}
	return length;
}

static size_t without_key(const char *name, size_t length)
{
	size_t end = length;

	while (end && isdigit((unsigned char)name[end - 1]))
		end--;
	return end && end < length && name[end - 1] == '#' ? end - 1 : length;
}

static const struct name_row *find_name(const char *name, size_t length, enum lock_kind kind)
{
	length = without_key(name, length);
	if (length && *name == '&') {
		name++;
		length--;
	}
	for (size_t i = 0; i < COUNT(names); i++)
		if (strlen(names[i].expression) == length &&
		    !memcmp(names[i].expression, name, length) &&
		    (!names[i].kind || names[i].kind == kind))
			return &names[i];
	return NULL;
}

uint32_t lock_name__class(struct model *m, const char *name, size_t length, enum lock_kind kind,
			  uint8_t *subclass)
{
	const struct name_row *row;
	uint8_t unused;
	char text[320];

	length = split_subclass(name, length, subclass ? subclass : &unused);
	row = find_name(name, length, kind);
	if (row)
		snprintf(text, sizeof(text), "%s", row->lock_class);
	else
		snprintf(text, sizeof(text), "%.*s", (int)(length > 256 ? 256 : length), name);
	return model__add_class(m, text, kind, row && !row->foreign ? CLASS_IN_SCOPE : 0);
}

bool lock_name__is_static(const char *name, size_t length)
{
	return length && *name != '&' && *name != '(' && !memmem(name, length, "->", 2);
}

const struct lock_function *lock_function__find(const char *symbol)
{
	for (size_t i = 0; i < COUNT(functions); i++)
		if (!strcmp(functions[i].name, "down") ? !strcmp(symbol, "down")
						       : has_prefix(symbol, functions[i].name))
			return &functions[i];
	return NULL;
}

bool lock_function__is_internal(const char *symbol)
{
	for (size_t i = 0; i < COUNT(internals); i++)
		if (has_prefix(symbol, internals[i]))
			return true;
	return false;
}

const char *lock_site__class(const char *function, enum lock_kind kind, uint32_t kernel_version)
{
	for (size_t i = 0; i < COUNT(sites); i++)
		if (sites[i].kind == kind && has_prefix(function, sites[i].function) &&
		    in_range(kernel_version, sites[i].kernel_from, sites[i].kernel_until))
			return sites[i].lock_class;
	return NULL;
}

const struct lock_held_by *lock_held_by__next(const char *function, uint32_t kernel_version,
					      uint32_t *at)
{
	for (; *at < COUNT(holders); ++*at) {
		const struct lock_held_by *row = &holders[*at];

		if (!strcmp(row->function, function) &&
		    in_range(kernel_version, row->kernel_from, row->kernel_until)) {
			++*at;
			return row;
		}
	}
	return NULL;
}
