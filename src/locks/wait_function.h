/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wait_function.h - what a task waits for, by the functions on its stack: the one table of the
 * kernel's ways to wait, from 3.10 on and for every architecture.
 *
 * A stack is read from its innermost frame outwards. As long as frames belong to the scheduler, to
 * lockdep or to a way of waiting, the outermost of them says what the caller asked for; the first
 * frame that is none of these is the caller, "where" in every sentence.
 */
#ifndef VFIOTRACE_LOCKS_WAIT_FUNCTION_H
#define VFIOTRACE_LOCKS_WAIT_FUNCTION_H

#include "finding.h"

struct wait_function {
	const char *name; /* of the symbol; "name*": its beginning */
	enum wait_what what;
	enum lock_kind kind; /* LOCK_KIND_UNKNOWN: no lock of the model */
	enum lock_mode mode;
	bool breakable, try_lock;
};

/* Suffixes that compilers add (".constprop.0") do not matter. NULL: no way of waiting. */
const struct wait_function *wait_function__find(const char *symbol);
/* The scheduler's and lockdep's own functions, and the slow paths of locks. */
bool wait_function__is_internal(const char *symbol);
/* What wait_event() leaves on a stack, which is a macro and no frame: functions that wake, or that
 * prepare to be woken. */
bool wait_function__is_wake_up(const char *symbol);

struct wait_place {
	const struct wait_function *function; /* NULL: none on this stack */
	uint32_t caller;		      /* index of the frame; == count when it is cut off */
};
struct wait_place wait_place__of(const struct frame *frames, uint32_t count);
/* The same for a task that sleeps: what, even where no function of the table is on the stack. */
enum wait_what wait_place__what(const struct wait_place *place, const struct frame *frames,
				uint32_t count);

#endif
