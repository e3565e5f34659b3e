/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_limits.h - what a hook, which runs as the agent's own user, may not do to the agent. */
#ifndef VFIOTRACE_AGENT_HOOK_LIMITS_H
#define VFIOTRACE_AGENT_HOOK_LIMITS_H

#include <sys/types.h>

/*
 * For good, and for whatever the process starts: it can read the directory (absolute, without
 * links) and not change anything in it, and it can neither signal `agent` or `keeper`, which ends
 * what it leaves behind, nor look into them.
 * no_new_privs is set. 0, -errno; 0 too on a kernel without Landlock (before 5.13) or seccomp
 * filters, where the former or the latter is not kept from it.
 */
int hook_limits__apply(const char *directory, pid_t agent, pid_t keeper);

#endif
