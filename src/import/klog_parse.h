/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * klog_parse.h - the pieces that kernel reports are made of: locks, stack frames, tasks.
 * Strings are interned in the model.
 */
#ifndef VFIOTRACE_IMPORT_KLOG_PARSE_H
#define VFIOTRACE_IMPORT_KLOG_PARSE_H

#include "locks/lock_name.h"
#include "locks/wait_function.h"
#include "model.h"

#define KLOG_STACK_MAX 64
#define KLOG_HELD_MAX 64
#define KLOG_COMM_MAX 64

struct klog_lock {
	const char *name; /* as lockdep prints it; NULL: no lock */
	uint64_t address; /* 0 not printed */
	int index;	  /* N of "#N:"; -1: not in a list */
	bool is_spin;	  /* its wait type says so: "{2:2}" */
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
/*
 * The frames of one line: "f+0x1/0x2 [m] file.c:3", "[<…>] ? f+…", "f (file.c:3) m", "f file.c:3
 * [inline]", powerpc's "[sp] [ip] f+…", 32-bit Arm's "(f) from [<…>] (g+…)" and "f from g+…", which
 * tell of the callee and of its caller, crash's "#1 [sp] f at ip". Returns how many, innermost
 * first, 0: no frame. `reliable` is false for "?" and "(unreliable)", leftovers on the stack.
 */
uint32_t klog_parse__frames(struct model *m, const char *text, struct frame frames[2],
			    bool *reliable);
/* The first of them. */
bool klog_parse__frame(struct model *m, const char *text, struct frame *frame, bool *reliable);
/* Add a line's frames; a callee that the line before named as the caller is there already. */
void klog_stack__add_line(struct klog_stack *stack, const struct frame frames[2], uint32_t count);
/* "vgpu_mmio_read+0x51 [examplegpu]" */
void klog_frame__print(const struct frame *frame, char *out, size_t size);
/* "comm/123" that ends right before `end`. */
bool klog_parse__task(const char *text, const char *end, struct klog_task *task);
/* "comm:123" likewise. */
bool klog_parse__colon_task(const char *text, const char *end, struct klog_task *task);
void klog_stack__add(struct klog_stack *stack, const struct frame *frame);
/* Without lockdep's and the scheduler's own frames at its top. */
uint32_t klog_stack__store(struct model *m, const struct klog_stack *stack);
uint32_t klog_site__store(struct model *m, const struct klog_lock *lock);

struct wait_place klog_stack__place(const struct klog_stack *stack);
/* Symbol without the suffixes compilers add (".constprop.0"). */
void klog_symbol__plain(const char *symbol, char *plain, size_t size);
/* "6.1.0-53-amd64 #1 Not tainted" -> copies the release; false if it is no such line. */
bool klog_parse__release(const char *text, char *release, size_t size);

#endif
