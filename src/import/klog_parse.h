/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * klog_parse.h - the pieces that kernel reports are made of: locks, stack frames, tasks.
 * Strings are interned in the model.
 */
#ifndef VFIOTRACE_IMPORT_KLOG_PARSE_H
#define VFIOTRACE_IMPORT_KLOG_PARSE_H

#include "locks/lock_name.h"
#include "model.h"

#define KLOG_STACK_MAX 64
#define KLOG_HELD_MAX 64
#define KLOG_COMM_MAX 64

struct klog_lock {
	const char *name; /* as lockdep prints it; NULL: no lock */
	uint64_t address; /* 0 not printed */
	struct frame site;
	bool has_site;
};

struct klog_stack {
	struct frame frames[KLOG_STACK_MAX];
	uint32_t count;
};

struct klog_task {
	char comm[KLOG_COMM_MAX];
	uint32_t pid;
	bool known;
};

/* "ffff… (&kvm->lock){+.+.}-{3:3}, at: f+0x1/0x2 [m]", "#0: …", "(&kvm->lock){+.+.}:" */
bool klog_parse__lock(struct model *m, const char *text, struct klog_lock *lock);
/* "f+0x1/0x2 [m] file.c:3", "[<…>] ? f+…", "f file.c:3 [inline]". False: no frame. `reliable` is
 * false for "?" frames, which are leftovers on the stack. */
bool klog_parse__frame(struct model *m, const char *text, struct frame *frame, bool *reliable);
/* "comm/123" that ends right before `end`. */
bool klog_parse__task(const char *text, const char *end, struct klog_task *task);
/* "comm:123" likewise. */
bool klog_parse__colon_task(const char *text, const char *end, struct klog_task *task);
void klog_stack__add(struct klog_stack *stack, const struct frame *frame);
uint32_t klog_stack__store(struct model *m, const struct klog_stack *stack);
uint32_t klog_site__store(struct model *m, const struct klog_lock *lock);

/* The lock function on a stack and the index of the frame that called it. */
struct klog_acquire {
	const struct lock_function *function; /* NULL: none found */
	uint32_t caller;		      /* index, == count when cut off */
};
struct klog_acquire klog_stack__acquire(const struct klog_stack *stack);
/* Symbol without the suffixes compilers add (".constprop.0"). */
void klog_symbol__plain(const char *symbol, char *plain, size_t size);
/* "6.1.0-53-amd64 #1 Not tainted" -> copies the release; false if it is no such line. */
bool klog_parse__release(const char *text, char *release, size_t size);

#endif
