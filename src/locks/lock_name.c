// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of locks and lock functions as other tools print them. Data first, lookup below. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "locks/lock_name.h"

struct name_row {
	const char *expression; /* as initialised, without '&' and parentheses */
	const char *lock_class;
	enum lock_kind kind; /* UNKNOWN: any; else only locks of this kind */
	const char *context; /* where its name alone is not enough: what its frames' names or
			      * modules begin with; NULL: nothing else is called like this */
	bool foreign;	     /* no VFIO or KVM lock */
};

static const struct name_row names[] = {
	{"group->group_lock", "vfio_group.group_lock", 0, "vfio", false},
	{"group->group_rwsem", "vfio_group.group_rwsem", 0, "vfio", false},
	{"group->kvm_ref_lock", "vfio_group.kvm_ref_lock", 0, "vfio", false},
	{"group->device_lock", "vfio_group.device_lock", 0, "vfio", false},
	{"df->kvm_ref_lock", "vfio_device_file.kvm_ref_lock", 0, "vfio", false},
	{"dev_set->lock", "vfio_device_set.lock", 0, NULL, false},
	{"new_dev_set->lock", "vfio_device_set.lock", 0, NULL, false},
	{"device->dev_set->lock", "vfio_device_set.lock", 0, NULL, false},
	{"container->group_lock", "vfio_container.group_lock", 0, "vfio", false},
	{"iommu->device_list_lock", "vfio_iommu.device_list_lock", 0, "vfio", false},
	{"iommu->lock", "intel_iommu.lock", LOCK_KIND_SPINLOCK, NULL, true},
	{"iommu->lock", "vfio_iommu.lock", 0, "vfio", false},
	{"vdev->igate", "vfio_pci_core_device.igate", 0, "vfio", false},
	{"vdev->memory_lock", "vfio_pci_core_device.memory_lock", 0, "vfio", false},
	{"vdev->vma_lock", "vfio_pci_core_device.vma_lock", 0, "vfio", false},
	{"vdev->ioeventfds_lock", "vfio_pci_core_device.ioeventfds_lock", 0, "vfio", false},
	{"vfio.group_lock", "vfio.group_lock", 0, NULL, false},
	{"vfio.iommu_drivers_lock", "vfio.iommu_drivers_lock", 0, NULL, false},
	{"kv->lock", "kvm_vfio.lock", 0, "kvm", false},
	{"kvm->lock", "kvm.lock", 0, NULL, false},
	{"kvm->slots_lock", "kvm.slots_lock", 0, NULL, false},
	{"kvm->slots_arch_lock", "kvm.slots_arch_lock", 0, NULL, false},
	{"kvm->irq_lock", "kvm.irq_lock", 0, NULL, false},
	{"kvm->srcu", "kvm.srcu", 0, NULL, false},
	{"kvm->irq_srcu", "kvm.irq_srcu", 0, NULL, false},
	{"kvm->irqfds.lock", "kvm.irqfds.lock", 0, NULL, false},
	{"kvm->irqfds.resampler_lock", "kvm.irqfds.resampler_lock", 0, NULL, false},
	{"kvm->mmu_lock", "kvm.mmu_lock", 0, NULL, false},
	{"kvm->mmu_notifier_slots_lock", "kvm.mmu_notifier_slots_lock", 0, NULL, false},
	{"kvm->mn_invalidate_lock", "kvm.mn_invalidate_lock", 0, NULL, false},
	{"kvm->arch.apic_map_lock", "kvm.arch.apic_map_lock", 0, NULL, false},
	{"kvm->arch.config_lock", "kvm.arch.config_lock", 0, NULL, false},
	{"kvm->arch.xen.xen_lock", "kvm.arch.xen.xen_lock", 0, NULL, false},
	{"hv->hv_lock", "kvm.arch.hyperv.hv_lock", 0, "kvm", false},
	{"kvm->arch.hyperv.hv_lock", "kvm.arch.hyperv.hv_lock", 0, NULL, false},
	{"kvm->arch.crypto.pqap_hook_rwsem", "kvm.arch.crypto.pqap_hook_rwsem", 0, NULL, false},
	{"vcpu->mutex", "kvm_vcpu.mutex", 0, NULL, false},
	{"vcpu->arch.mp_state_lock", "kvm_vcpu.arch.mp_state_lock", 0, NULL, false},
	{"its->its_lock", "vgic_its.its_lock", 0, "vgic kvm its", false},
	{"gpc->refresh_lock", "gfn_to_pfn_cache.refresh_lock", 0, NULL, false},
	{"gpc->lock", "gfn_to_pfn_cache.lock", 0, NULL, false},
	{"matrix_dev->lock", "ap_matrix_dev.lock", 0, NULL, false},
	{"matrix_dev->guests_lock", "ap_matrix_dev.guests_lock", 0, NULL, false},
	{"matrix_dev->mdevs_lock", "ap_matrix_dev.mdevs_lock", 0, NULL, false},
	{"gvt->lock", "intel_gvt.lock", 0, "intel gvt kvmgt", false},
	{"vgpu->vgpu_lock", "intel_vgpu.vgpu_lock", 0, NULL, false},
	{"vgpu->cache_lock", "intel_vgpu.cache_lock", 0, NULL, false},
	{"vgpu->vdev.cache_lock", "intel_vgpu.vdev.cache_lock", 0, NULL, false},
	{"access->ioas_lock", "iommufd_access.ioas_lock", 0, "iommufd vfio", false},
	{"iopt->iova_rwsem", "io_pagetable.iova_rwsem", 0, NULL, false},
	{"iopt->domains_rwsem", "io_pagetable.domains_rwsem", 0, NULL, false},
	{"pages->mutex", "iopt_pages.mutex", 0, "iopt iommufd pfn vfio", false},
	{"igroup->lock", "iommufd_group.lock", 0, "iommufd vfio", false},
	{"migf->lock", "mlx5_vf_migration_file.lock", 0, "mlx5vf mlx5_vf mlx5_vfio", false},
	{"migf->lock", "hisi_acc_vf_migration_file.lock", 0, "hisi", false},
	{"migf->lock", "virtiovf_migration_file.lock", 0, "virtiovf virtio_vfio", false},
	{"mvdev->state_mutex", "mlx5vf_pci_core_device.state_mutex", 0, NULL, false},
	{"group->mutex", "iommu_group.mutex", 0, NULL, true},
	{"group->notifier->rwsem", "iommu_group.notifier.rwsem", 0, NULL, true},
	{"mm->mmap_lock", "mm_struct.mmap_lock", 0, NULL, true},
	{"mm->mmap_sem", "mm_struct.mmap_lock", 0, NULL, true},
	{"dev->mutex", "device.mutex", 0, NULL, true},
	{"root->kernfs_rwsem", "kernfs_root.kernfs_rwsem", 0, NULL, true},
	{"pm_chain_head.rwsem", "pm_chain_head.rwsem", 0, NULL, true},
	{"cpu_hotplug_lock.rw_sem", "cpu_hotplug_lock", 0, NULL, true},
	{"kvm_lock", "kvm_lock", 0, NULL, false},
	{"kvm_usage_lock", "kvm_usage_lock", 0, NULL, false},
	{"kvm_count_lock", "kvm_count_lock", 0, NULL, false},
	{"vendor_module_lock", "vendor_module_lock", 0, NULL, false},
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
	{"kvm_vm_ioctl_set_memory_region", LOCK_KIND_MUTEX, "kvm.slots_lock", 0, 0},
	{"kvm_vm_ioctl_get_dirty_log", LOCK_KIND_MUTEX, "kvm.slots_lock", 0, 0},
	{"kvm_vm_ioctl_clear_dirty_log", LOCK_KIND_MUTEX, "kvm.slots_lock", 0, 0},
	{"kvm_vm_ioctl_register_coalesced_mmio", LOCK_KIND_MUTEX, "kvm.slots_lock", 0, 0},
	{"kvm_vm_ioctl_create_vcpu", LOCK_KIND_MUTEX, "kvm.lock", 0, 0},
	{"kvm_vm_ioctl_enable_cap", LOCK_KIND_MUTEX, "kvm.lock", 0, 0},
	{"kvm_create_vm", LOCK_KIND_MUTEX, "kvm_lock", 0, 0},
	{"kvm_destroy_vm", LOCK_KIND_MUTEX, "kvm_lock", 0, 0},
	{"kvm_online_cpu", LOCK_KIND_MUTEX, "kvm_lock", 0, V(6, 12)},
	{"kvm_online_cpu", LOCK_KIND_MUTEX, "kvm_usage_lock", V(6, 12), 0},
	{"vfio_pci_mmap_fault", LOCK_KIND_RWSEM, "vfio_pci_core_device.memory_lock", 0, 0},
	{"vfio_pci_mmap_huge_fault", LOCK_KIND_RWSEM, "vfio_pci_core_device.memory_lock", 0, 0},
	{"vfio_pci_zap_and_", LOCK_KIND_RWSEM, "vfio_pci_core_device.memory_lock", 0, 0},
	{"vfio_pci_set_irqs_ioctl", LOCK_KIND_MUTEX, "vfio_pci_core_device.igate", 0, 0},
	/* what else a host hangs on, where one function stands for one lock */
	{"rtnl_lock", LOCK_KIND_MUTEX, "rtnl_mutex", 0, 0},
	{"rtnetlink_rcv_msg", LOCK_KIND_MUTEX, "rtnl_mutex", 0, 0},
	{"console_lock", LOCK_KIND_OTHER, "console_sem", 0, 0},
	{"cgroup_lock", LOCK_KIND_MUTEX, "cgroup_mutex", 0, 0},
	{"lock_mount", LOCK_KIND_RWSEM, "namespace_sem", 0, 0},
	{"pm_notifier_call_chain", LOCK_KIND_RWSEM, "pm_chain_head.rwsem", 0, 0},
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

/* "&(&(kvm)->mmu_lock)->rlock" is "kvm->mmu_lock": up to 5.x spinlocks were named so */
static void normalise(const char *name, size_t length, char *out, size_t size)
{
	static const char rlock[] = "->rlock";
	size_t n = 0;

	for (size_t i = 0; i < length && n + 1 < size; i++)
		if (!strchr("&() ", name[i]))
			out[n++] = name[i];
	if (n >= sizeof(rlock) && !memcmp(out + n - (sizeof(rlock) - 1), rlock, sizeof(rlock) - 1))
		n -= sizeof(rlock) - 1;
	out[n] = '\0';
}

static bool begins_with_a_word_of(const char *words, const char *text)
{
	while (text && *words) {
		size_t length = strcspn(words, " ");

		if (!strncmp(words, text, length))
			return true;
		words += length + (words[length] == ' ');
	}
	return false;
}

/* Nothing says where it was taken, or the places are those of the code that has this lock. */
static bool fits_context(const struct name_row *row, const struct lock_context *context)
{
	if (row->kind && row->kind != context->kind)
		return false;
	if (!row->context || !context->frame_count)
		return true;
	for (uint32_t i = 0; i < context->frame_count; i++)
		if (begins_with_a_word_of(row->context, context->frames[i].module) ||
		    begins_with_a_word_of(row->context, context->frames[i].symbol))
			return true;
	return false;
}

static const struct name_row *find_name(const char *name, size_t length,
					const struct lock_context *context)
{
	char plain[128];

	normalise(name, without_key(name, length), plain, sizeof(plain));
	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(names[i].expression, plain) && fits_context(&names[i], context))
			return &names[i];
	return NULL;
}

uint32_t lock_name__class_in(struct model *m, const char *name, size_t length,
			     const struct lock_context *context, uint8_t *subclass)
{
	const struct name_row *row;
	uint32_t flags = context->flags;
	uint8_t unused;
	char text[320];

	length = split_subclass(name, length, subclass ? subclass : &unused);
	row = find_name(name, length, context);
	if (row) {
		size_t plain = without_key(name, length);

		snprintf(text, sizeof(text), "%s%.*s", row->lock_class, (int)(length - plain),
			 name + plain);
		flags |= row->foreign ? 0 : CLASS_IN_SCOPE;
	} else {
		snprintf(text, sizeof(text), "%.*s", (int)(length > 256 ? 256 : length), name);
	}
	return model__add_class(m, text, context->kind, flags);
}

uint32_t lock_name__class(struct model *m, const char *name, size_t length, enum lock_kind kind,
			  uint8_t *subclass)
{
	const struct lock_context context = {.kind = kind};

	return lock_name__class_in(m, name, length, &context, subclass);
}

bool lock_name__is_rcu(const char *name)
{
	return !strncmp(name, "rcu_", 4) || !strncmp(name, "(rcu_", 5);
}

bool lock_name__is_static(const char *name, size_t length)
{
	return length && *name != '&' && *name != '(' && !memmem(name, length, "->", 2);
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
