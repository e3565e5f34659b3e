// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classes that type.member makes too coarse. An instance-only class still takes part in cycles of
 * instances; no class-level cycle of grade warning runs through it. lockdep has finer keys for these
 * locks, or does not validate them at all.
 */
#include "analysis/internal.h"

#include <fnmatch.h>

static const struct {
	const char *pattern, *reason;
} coarse[] = {
	{ "device.mutex", "device_lock is not validated by lockdep: parents and children nest" },
	{ "inode.i_rwsem", "lockdep has a key per filesystem and subclasses for parent and child" },
	{ "kernfs_rwsem", "one semaphore per kernfs root: sysfs and cgroup trees nest" },
	{ "kernfs_root.kernfs_rwsem", "as kernfs_rwsem" },
	{ "slab:*", "unnamed: cache and call site stand in for a class" },
	{ "kmalloc-*", "unnamed: cache and call site stand in for a class" },
};

static bool is_coarse(const struct lock_class *class, const struct rule_set *rules)
{
	if (class->flags & CLASS_FROM_SITE)
		return true;
	for (size_t i = 0; i < sizeof(coarse) / sizeof(coarse[0]); i++) {
		if (!fnmatch(coarse[i].pattern, class->name, 0))
			return true;
	}
	for (uint32_t i = 0; rules && i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (rule->kind == RULE_INSTANCE_ONLY && rule->class_count &&
		    !fnmatch(rule->classes[0], class->name, 0))
			return true;
	}
	return false;
}

void class_rules__apply(struct model *m, const struct rule_set *rules, uint32_t from_class)
{
	for (uint32_t i = from_class; i < model__class_count(m); i++) {
		const struct lock_class *class = model__lock_class(m, i);

		if (is_coarse(class, rules))
			model__add_class(m, class->name, class->kind, CLASS_INSTANCE_ONLY);
	}
}
