/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hung.h - tasks of hung-task reports while they are read, and how they become a model. */
#ifndef VFIOTRACE_IMPORT_HUNG_H
#define VFIOTRACE_IMPORT_HUNG_H

#include "import/klog.h"
#include "import/klog_parse.h"

struct hung_task {
	struct klog_task task;
	struct klog_task owner; /* "likely owned by", when the kernel says so */
	struct klog_stack stack;
	struct klog_lock *held; /* from "Showing all locks held", outermost first */
	uint32_t held_count, held_capacity;
	uint32_t line;
	uint64_t time;
	bool blocked; /* reported as blocked, not only shown */

	/* filled in when the log is over */
	uint32_t id; /* task of the model */
	const struct lock_function *function;
	const char *site;      /* who called it */
	uint32_t wanted_class; /* NO_ID: waits for no lock */
	uint32_t wanted;       /* instance */
	uint32_t wanted_list;  /* index in held[] of the lock waited for, or NO_ID */
};

struct hung_tasks {
	struct hung_task *items;
	uint32_t count, capacity;
};

int hung__emit(struct hung_tasks *tasks, struct klog_reader *log);

#endif
