/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proc_file.h - reads of /proc that cannot hang the tool.
 *
 * /proc/PID/cmdline, maps and the like take that process's mmap_lock, which may be part of the very
 * deadlock that is looked at. A helper thread does the read; when it does not answer in time it is
 * left behind (its wait is killable, so it goes when the tool exits).
 */
#ifndef VFIOTRACE_CENSUS_PROC_FILE_H
#define VFIOTRACE_CENSUS_PROC_FILE_H

#include <stddef.h>
#include <stdint.h>

#define PROC_TIMEOUT_MS 300

/*
 * Run `work(argument)` in a thread and wait at most timeout_ms. 0: done. -ETIMEDOUT: it still runs,
 * and `abandon(argument)` will be called when it ends. -errno: no thread.
 */
int run_with_timeout(void (*work)(void *argument), void (*abandon)(void *argument), void *argument,
		     uint32_t timeout_ms);

/* Up to size - 1 bytes of /proc/PID/NAME, NUL-terminated. Bytes read or -errno. */
long proc_file__read(uint32_t pid, const char *name, char *out, size_t size);

/*
 * What people call the VM of process `pid`: QEMU's -name (guest=NAME), else "" . `out` is hostile
 * text, as everything a process says about itself.
 */
void vm_name(uint32_t pid, char *out, size_t size);

#endif
