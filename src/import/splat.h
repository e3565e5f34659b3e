/* SPDX-License-Identifier: GPL-2.0-or-later */
/* splat.h - one lockdep report while it is read, and how it becomes part of the model. */
#ifndef VFIOTRACE_IMPORT_SPLAT_H
#define VFIOTRACE_IMPORT_SPLAT_H

#include "import/klog.h"
#include "import/klog_parse.h"

#define SPLAT_CHAIN_MAX 64

enum splat_kind {
	SPLAT_CIRCULAR,
	SPLAT_RECURSIVE,
	SPLAT_INCONSISTENT,  /* one class, taken in an interrupt and with interrupts on */
	SPLAT_IRQ_ORDER,     /* safe -> unsafe */
	SPLAT_IRQ_INVERSION, /* state change of a lock that has dependencies */
	SPLAT_HELD,	     /* left the kernel with a lock held */
	SPLAT_UNLOCK,
	SPLAT_NO_ORDER, /* a lockdep report that says nothing about order */
};

/* "-> #N (class)" and the stack on which it was acquired. */
struct splat_entry {
	uint32_t number;
	struct klog_lock lock;
	struct klog_stack stack;
};

struct splat {
	enum splat_kind kind;
	uint32_t line; /* of the banner */
	uint64_t time;
	struct klog_task task;
	struct klog_lock wanted, holding;
	struct klog_lock other; /* the class "in the past" of an interrupt inversion */
	bool taken_by_other;	/* … took ours, instead of being taken under it */
	struct splat_entry *chain;
	uint32_t chain_count, chain_capacity;
	struct klog_lock held[KLOG_HELD_MAX];
	uint32_t held_count;
	bool has_held_list;
	struct klog_stack backtrace;
	const char *reads[KLOG_HELD_MAX]; /* classes shown as rlock() */
	uint32_t read_count;
};

/* 0, or -ENOMEM. What is missing is complained about through the reader. */
int splat__emit(const struct splat *splat, struct klog_reader *log);

#endif
