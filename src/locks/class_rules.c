// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classes known by name: which are VFIO's and KVM's, and which type.member makes too coarse. An
 * instance-only class still takes part in cycles of instances; no class-level cycle of grade
 * warning runs through it. lockdep has finer keys for these locks, or does not validate them at
 * all.
 */
#include "locks/class_rules.h"

#include <fnmatch.h>

#include "analysis/analysis_private.h"

static const struct {
	const char *pattern; /* fnmatch */
	uint32_t flags;
	const char *reason;
} rows[] = {
	{"kvm.*", CLASS_IN_SCOPE, "KVM"},
	{"kvm_*", CLASS_IN_SCOPE, "KVM"},
	{"vfio*", CLASS_IN_SCOPE, "VFIO"},
	{"vendor_module_lock", CLASS_IN_SCOPE, "KVM's vendor module"},
	{"iommufd_*", CLASS_IN_SCOPE, "VFIO's IOMMUFD"},
	{"ap_matrix_*", CLASS_IN_SCOPE, "vfio-ap"},
	{"matrix_dev*", CLASS_IN_SCOPE, "vfio-ap"},
	{"mdev_*", CLASS_IN_SCOPE, "mediated devices"},
	{"device.mutex", CLASS_INSTANCE_ONLY,
	 "device_lock is not validated by lockdep: parents and children nest"},
	{"inode.i_rwsem*", CLASS_INSTANCE_ONLY,
	 "lockdep has a key per filesystem and subclasses for parent and child"},
	{"kernfs_rwsem", CLASS_INSTANCE_ONLY,
	 "one semaphore per kernfs root: sysfs and cgroup trees nest"},
	{"kernfs_root.kernfs_rwsem", CLASS_INSTANCE_ONLY, "as kernfs_rwsem"},
	{"slab:*", CLASS_INSTANCE_ONLY, "unnamed: cache and call site stand in for a class"},
	{"kmalloc-*", CLASS_INSTANCE_ONLY, "unnamed: cache and call site stand in for a class"},
};

uint32_t class_rules__flags(const char *class_name)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!fnmatch(rows[i].pattern, class_name, 0))
			flags |= rows[i].flags;
	return flags;
}

static bool is_declared_coarse(const char *class_name, const struct rule_set *rules)
{
	for (uint32_t i = 0; rules && i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (rule->kind == RULE_INSTANCE_ONLY && rule->class_count &&
		    !fnmatch(rule->classes[0], class_name, 0))
			return true;
	}
	return false;
}

void class_rules__apply(struct model *m, const struct rule_set *rules, uint32_t from_class)
{
	for (uint32_t i = from_class; i < model__class_count(m); i++) {
		const struct lock_class *class = model__lock_class(m, i);
		uint32_t flags = class_rules__flags(class->name);

		if ((class->flags & CLASS_FROM_SITE) || is_declared_coarse(class->name, rules))
			flags |= CLASS_INSTANCE_ONLY;
		if (class->flags & CLASS_FROM_LOCKDEP)
			flags &= ~CLASS_INSTANCE_ONLY;
		if (flags & ~class->flags)
			model__add_class(m, class->name, class->kind, flags);
	}
}
