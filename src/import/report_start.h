/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_start.h - the sentences with which the kernel's reports begin: the one table by which a
 * log is cut into reports, recognised, and distinguished from prose that quotes it.
 */
#ifndef VFIOTRACE_IMPORT_REPORT_START_H
#define VFIOTRACE_IMPORT_REPORT_START_H

#include <stddef.h>

enum report_kind {
	REPORT_NONE,
	REPORT_HUNG_TASK,  /* "INFO: task X:1 blocked for more than N seconds." */
	REPORT_HUNG_OWNER, /* "INFO: task X:1 is blocked on a mutex likely owned by task Y:2." */
	REPORT_LOCK_LIST,  /* "Showing all locks held in the system:" */
	REPORT_BLOCKED,	   /* sysrq-w: every task in it is in D state */
	REPORT_TASKS,	   /* sysrq-t */
	/* lockdep */
	REPORT_CIRCULAR,
	REPORT_RECURSIVE,
	REPORT_INCONSISTENT,  /* one class, taken in an interrupt and with interrupts on */
	REPORT_IRQ_ORDER,     /* safe -> unsafe */
	REPORT_IRQ_INVERSION, /* state change of a lock that has dependencies */
	REPORT_HELD,	      /* left the kernel, or exited, with a lock held */
	REPORT_FREED,	      /* the memory of a held lock is freed */
	REPORT_UNLOCK,
	REPORT_NO_ORDER, /* a lockdep report that says nothing about order */
	REPORT_OTHER,	 /* somebody else's: a stall, an oops, a backtrace */
};

struct report_start {
	enum report_kind kind;
	const char *name; /* in words, for what is left out */
};

/* What `text`, a line without its prefix, begins. REPORT_NONE: nothing, or prose. */
struct report_start report_start__find(const char *text);
/* Where in the line such a sentence stands when an unknown prefix is before it; NULL: nowhere. */
const char *report_start__anchor(const char *text);

#endif
