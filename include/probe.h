/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h - what is said of a probe: how it is attached, whether it is, why not.
 *
 * Plain data: capture/ and contention/ fill it in, kernel/ decides the level from it, report/ and
 * the verdict read it.
 */
#ifndef VFIOTRACE_PROBE_H
#define VFIOTRACE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

enum attach_level { ATTACH_AUTO, ATTACH_FENTRY, ATTACH_KPROBE, ATTACH_TRACEPOINT, ATTACH_LOCKDEP };
extern const char *const attach_level_names[]; /* "auto" "fentry" "kprobe" "tracepoint" "lockdep" */

enum probe_state { PROBE_OFF, PROBE_ATTACHED, PROBE_MISSING, PROBE_FAILED, PROBE_PENDING };
#define PROBE_STATES (PROBE_PENDING + 1)
extern const char *const probe_state_names[PROBE_STATES]; /* "off" "attached" … */

struct probe_info {
	const char *name;     /* the row: "mutex_lock", "device_open" */
	const char *function; /* what it is attached to, or NULL */
	const char *how;      /* "fentry" "kprobe" "tp_btf" "fexit" "inferred" */
	const char *reason;   /* why not attached, or NULL */
	enum probe_state state;
	bool required_for_verdict;
	const char *only_class; /* only orders with such locks need it; NULL: all do */
	uint64_t skipped;	/* runs the kernel skipped */
};

#endif
