/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user_stack.h - where a sleeping task is in its own program.
 *
 * Unwinds with the call frame information of the process's files (libdw), from the registers the
 * kernel saved, reading its memory with process_vm_readv. All of that may wait for the process's
 * mmap_lock, so it happens in a thread that is left behind when it does not answer in time.
 */
#ifndef VFIOTRACE_CENSUS_USER_STACK_H
#define VFIOTRACE_CENSUS_USER_STACK_H

#include "model.h"

#define USER_STACK_DEPTH 32

/* Adds the stack to the model, symbolised as module+offset and ELF symbols. NO_ID: not to be had.
 */
uint32_t user_stack__take(struct model *m, uint32_t pid, uint32_t tid, const void *regs,
			  uint32_t reg_bytes);
/* The same for return addresses that are already known. */
uint32_t user_stack__add(struct model *m, uint32_t pid, const uint64_t *ips, uint32_t count);

#endif
