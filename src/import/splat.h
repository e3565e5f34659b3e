/* SPDX-License-Identifier: GPL-2.0-or-later */
/* splat.h - one lockdep report while it is read, and how it becomes part of the model. */
#ifndef VFIOTRACE_IMPORT_SPLAT_H
#define VFIOTRACE_IMPORT_SPLAT_H

#include "import/klog.h"
#include "import/klog_parse.h"

#define SPLAT_CHAIN_MAX 64

#define SPLAT_NAMES_MAX 16

/* "-> #N (class)" and the stack on which it was acquired. */
struct splat_entry {
	uint32_t number;
	struct klog_lock lock;
	struct klog_stack stack;
};

struct splat {
	enum report_kind kind;
	uint32_t line; /* of the banner */
	uint64_t time;
	struct klog_task task;
	struct klog_lock wanted, holding;
	struct klog_lock other; /* the class "in the past" of an interrupt inversion */
	bool taken_by_other;	/* … took ours, instead of being taken under it */
	/* of reports about interrupts: what an interrupt takes, and where; what is taken with
	 * interrupts on, and where */
	struct klog_lock safe, unsafe;
	struct klog_stack safe_stack, unsafe_stack;
	char context[16]; /* "HARDIRQ", "SOFTIRQ", or "" */
	bool was_in_irq;  /* the use that is recalled was in the interrupt, not this one */
	const char *scenario[SPLAT_NAMES_MAX]; /* "lock(a); lock(b); …" of both CPUs, in order */
	uint32_t scenario_count;
	const char *path[SPLAT_NAMES_MAX]; /* "Chain exists of: a --> b --> c" */
	uint32_t path_count;
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
