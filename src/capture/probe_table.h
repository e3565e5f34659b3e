/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe_table.h - every probe is a row: what it is for, which functions can stand for it (the first
 * that exists on the running kernel wins), and what a missing one costs. Each kernel-version
 * difference is here, with the commit that made it.
 */
#ifndef VFIOTRACE_CAPTURE_PROBE_TABLE_H
#define VFIOTRACE_CAPTURE_PROBE_TABLE_H

#include "capture.h"

enum probe_object { PROBE_IN_LOCKS, PROBE_IN_PATHS, PROBE_IN_LOCKDEP };

enum probe_flags {
	PROBE_REQUIRED = 1,  /* missing: no verdict "pass" */
	PROBE_HOLDS = 2,     /* only with --holds or --record-events */
	PROBE_EVENTS = 4,    /* only with --record-events */
	PROBE_READER = 8,    /* shed first: rwsem readers */
	PROBE_ENTRY = 16,    /* has a program at entry */
	PROBE_EXIT = 32,     /* has a program at exit */
	PROBE_ACQUIRED = 64, /* program is called acquired_FUNCTION (fexit only) */
	/* program name is the row's first function as is; a second: the tracepoint it needs */
	PROBE_TRACEPOINT = 128,
	PROBE_QUIET = 512,   /* not even listed when absent: a debug kernel's variant */
	PROBE_BACKUP = 2048, /* has a backup program, for preemptible kernels (backup_program.h) */
	/* a skipped release would not heal: on preemptible kernels only with a backup program */
	PROBE_NO_OWNER_WORD = 4096,
	PROBE_OPTIONAL = 256, /* absence is normal and no loss: another row covers it */
};

#define PROBE_ALTERNATIVES 3

struct probe_row {
	const char *name;
	enum probe_object object;
	const char *module; /* NULL: vmlinux */
	const char *functions[PROBE_ALTERNATIVES];
	uint32_t flags;
	const char *absent;	/* why it may not exist */
	const char *only_class; /* only orders with such locks need it, or NULL */
	/* Row that sees the release, where no owner word tells: without it what this one sees would
	 * be held for good. NULL: none is needed. */
	const char *released_by;
};

extern const struct probe_row probe_table[];
extern const uint32_t probe_table_count;

/* Which rows stand for a path of the coverage list, best first; by name. */
struct path_row {
	enum path_id path;
	const char *probes[3];
	const char *absent; /* why the path does not exist on some kernels, or NULL */
};
extern const struct path_row path_table[PATH_COUNT];

#endif
