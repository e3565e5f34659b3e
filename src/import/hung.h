/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hung.h - blocked tasks of a log while it is read, and how they become a model and findings. */
#ifndef VFIOTRACE_IMPORT_HUNG_H
#define VFIOTRACE_IMPORT_HUNG_H

#include "import/klog.h"
#include "import/klog_parse.h"
#include "util/memory.h"

/* What one stack says of a wait. */
struct hung_wait {
	enum wait_what what;
	const struct wait_function *function; /* NULL: none of the table is on the stack */
	const char *caller;		      /* symbol of who called it, NULL: no stack */
	const char *site;		      /* the same as people read it */
	uint32_t caller_index;		      /* in `stack` */
	uint32_t stack;			      /* of the model, NO_ID: none */
	bool unreliable;		      /* nothing but "?" frames */
};

struct hung_task {
	struct klog_task task;
	struct klog_task owner; /* "likely owned by", when the kernel says so */
	enum wait_what owner_what;
	struct hung_wait wait;
	struct klog_lock *held; /* from "Showing all locks held", outermost first */
	uint32_t held_count, held_capacity;
	uint32_t held_list; /* number of the list that held[] is from: only the last one counts */
	uint32_t line;	    /* of the latest report */
	uint64_t time, blocked_ns;
	uint32_t reports; /* how often this wait was reported */
	char state;	  /* 0: not said */
	bool blocked;	  /* reported as blocked, not only shown */

	/* filled in when the log is over */
	uint32_t id;	       /* task of the model */
	uint32_t wanted_class; /* NO_ID: waits for no lock */
	uint32_t wanted;       /* instance */
	uint32_t wanted_list;  /* index in held[] of the lock waited for, or NO_ID */
	uint32_t owner_at;     /* index of the task that owns it, or NO_ID */
};

struct hung_tasks {
	VECTOR(struct hung_task) items;
	VECTOR(struct hung_task) earlier; /* other waits of the same tasks, over since */
	uint32_t last_list;		  /* number of the last list of held locks */
	uint32_t cut_lists;		  /* lists that ended where something else began */
};

int hung__emit(struct hung_tasks *tasks, struct klog_reader *log);

#endif
