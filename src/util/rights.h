/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rights.h - how a process gives up its rights for good, before it reads what others wrote: the
 * agent's children and the commands that root starts.
 */
#ifndef VFIOTRACE_UTIL_RIGHTS_H
#define VFIOTRACE_UTIL_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/capability.h>

struct rights_drop {
	bool runs_programs; /* the filter lets it start one: syscall_filter__install */
	/*
	 * Where there is no other user (a user namespace of one) or no right to become it, root
	 * goes on as root without capabilities and behind the filter; else that is an error.
	 */
	bool or_stay;
};

/* All but these leave the bounding set, as far as there is CAP_SETPCAP; no ambient one stays. */
void rights__bound(const cap_value_t *kept, size_t count);
/*
 * The caller, alone in its process: root becomes nobody; no capability, no new privileges, no core
 * file, the end when its parent ends, and the filter of syscall_filter.h. 0, -errno: exit then.
 */
int rights__drop_all(struct rights_drop how);

#endif
