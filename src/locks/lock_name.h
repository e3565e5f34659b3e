/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock_name.h - from the names other tools print to our classes and locks.
 *
 * lockdep names a class after the expression it was initialised with ("&kvm->lock"); ours are
 * type.member of BTF ("kvm.lock"). Known expressions are rows of a table; others are kept as they
 * are. The second table says which lock a function of VFIO or KVM takes, the third which locks it
 * holds while it calls further: hung-task reports and contention events name no locks.
 */
#ifndef VFIOTRACE_LOCKS_LOCK_NAME_H
#define VFIOTRACE_LOCKS_LOCK_NAME_H

#include "model.h"

/* Where a lock of some name was seen: an expression ("iommu->lock") may stand for several types. */
struct lock_context {
	enum lock_kind kind; /* UNKNOWN: may be any */
	const struct frame *frames;
	uint32_t frame_count;
	uint32_t flags; /* CLASS_* that the source adds */
};

/*
 * Class for a lockdep name. "#2" (another key of the same name) is part of it, "/1" is given as
 * `subclass` (may be NULL). A name of the table counts only where kind and frames fit it. Returns
 * NO_ID only without memory.
 */
uint32_t lock_name__class_in(struct model *m, const char *name, size_t length,
			     const struct lock_context *context, uint8_t *subclass);
uint32_t lock_name__class(struct model *m, const char *name, size_t length, enum lock_kind kind,
			  uint8_t *subclass);
/* RCU's own classes: not a lock, may be nested, nobody waits for it. */
bool lock_name__is_rcu(const char *name);
/* A class that is one lock ("kvm_lock"), not a member of objects ("&kvm->lock"). */
bool lock_name__is_static(const char *name, size_t length);

/* The class that `function` takes when it calls a lock function of this kind; NULL unknown. */
const char *lock_site__class(const char *function, enum lock_kind kind, uint32_t kernel_version);

/* A lock that `function` holds while `callee` (a prefix, NULL any) is further in on the stack. */
struct lock_held_by {
	const char *function, *callee, *lock_class;
	uint32_t kernel_from, kernel_until;
};
/* Rows of `function` from index *at on; NULL when there are no more. */
const struct lock_held_by *lock_held_by__next(const char *function, uint32_t kernel_version,
					      uint32_t *at);

#endif
