/* SPDX-License-Identifier: GPL-2.0-or-later */
/* syscall_filter.h - what a process that parses foreign files may still ask of the kernel. */
#ifndef VFIOTRACE_UTIL_SYSCALL_FILTER_H
#define VFIOTRACE_UTIL_SYSCALL_FILTER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * For good, and for children: files may be read and open ones written; making, changing or removing
 * any, sockets, signals to others, looking into other processes, BPF and the like give EPERM, and
 * so do starting a program and ending one, unless runs_programs. Needs no_new_privs. 0, -errno; 0
 * too on a kernel or an architecture without such filters, where what the user may do is the limit.
 */
int syscall_filter__install(bool runs_programs);

/*
 * For good, and for children and the programs they start: `process` gets no signal from them, by
 * its number, its group's or everybody's, and cannot be looked into. Anything else stays as it is.
 * Needs no_new_privs. 0, -errno; 0 too where there are no such filters.
 */
int syscall_filter__shield(pid_t process);

#endif
