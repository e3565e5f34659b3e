/* SPDX-License-Identifier: GPL-2.0-or-later */
/* syscall_filter.h - what a process that parses foreign files may still ask of the kernel. */
#ifndef VFIOTRACE_CLI_SYSCALL_FILTER_H
#define VFIOTRACE_CLI_SYSCALL_FILTER_H

#include <stdbool.h>

/*
 * For good, and for children: files may be read and open ones written; making, changing or removing
 * any, sockets, signals to others, looking into other processes, BPF and the like give EPERM, and
 * so do starting a program and ending one, unless runs_programs. Needs no_new_privs. 0, -errno; 0
 * too on a kernel or an architecture without such filters, where what the user may do is the limit.
 */
int syscall_filter__install(bool runs_programs);

#endif
