/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * task_line.h - the lines of a log that name a task: the hung-task detector's, sched_show_task's in
 * its forms since 3.10, lockdep's lists, and the headings of crash, drgn and of /proc/PID/stack.
 */
#ifndef VFIOTRACE_IMPORT_TASK_LINE_H
#define VFIOTRACE_IMPORT_TASK_LINE_H

#include "import/klog_parse.h"

enum task_line {
	TASK_LINE_NONE,
	TASK_LINE_BLOCKED, /* "INFO: task X:1 blocked for more than 120 seconds." */
	TASK_LINE_OWNER,   /* "INFO: task X:1 is blocked on a mutex likely owned by task Y:2." */
	TASK_LINE_STATE, /* "task:X state:D stack:0 pid:1 …" and older forms: its stack follows */
	TASK_LINE_HOLDS, /* "2 locks held by X/1:" */
	TASK_LINE_DAMAGED, /* one of these, cut or garbled */
};

struct task_words {
	struct klog_task task, owner; /* owner.known: the kernel names it */
	char state;		      /* 'D' …; 0: not said */
	uint64_t blocked_ns;
	bool io;	     /* "blocked in I/O wait" */
	enum wait_what what; /* of TASK_LINE_OWNER, else WAIT_WHAT_UNKNOWN */
};

enum task_line task_line__parse(const char *text, struct task_words *words);

#endif
