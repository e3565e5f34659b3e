// SPDX-License-Identifier: GPL-2.0-or-later
/* Unwind and symbolise a sleeping task's user stack with libdw, see user_stack.h. */
#include "census/user_stack.h"

#include <errno.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "census/proc_file.h"

#define TIMEOUT_MS 800
#define NAME 96

struct user_frame {
	uint64_t ip;
	uint32_t offset;
	char symbol[NAME], module[NAME];
};

struct job {
	uint32_t pid, tid;
	uint64_t regs[64];
	uint32_t reg_bytes;
	uint64_t given[USER_STACK_DEPTH]; /* return addresses already known */
	uint32_t given_count;
	struct user_frame frames[USER_STACK_DEPTH];
	uint32_t count;
};

/* --- the process as libdw wants to see it
 * ------------------------------------------------------------------ */

static pid_t next_thread(Dwfl *dwfl, void *argument, void **thread_argument)
{
	struct job *job = argument;

	(void)dwfl;
	if (*thread_argument)
		return 0;
	*thread_argument = job;
	return (pid_t)job->tid;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *argument, void **thread_argument)
{
	struct job *job = argument;

	(void)dwfl;
	*thread_argument = job;
	return (pid_t)job->tid == tid;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *argument)
{
	struct job *job = argument;
	struct iovec local = {result, sizeof(*result)};
	struct iovec remote = {(void *)(uintptr_t)address, sizeof(*result)};

	(void)dwfl;
	return process_vm_readv((pid_t)job->pid, &local, 1, &remote, 1, 0) == sizeof(*result);
}

/* The layout of struct pt_regs on one side, DWARF register numbers on the other. */
static bool set_registers(Dwfl_Thread *thread, void *argument)
{
	struct job *job = argument;
	Dwarf_Word words[32];

#if defined(__x86_64__)
	static const uint8_t at[17] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16};

	if (job->reg_bytes < 21 * 8)
		return false;
	for (int i = 0; i < 17; i++)
		words[i] = job->regs[at[i]];
	return dwfl_thread_state_registers(thread, 0, 17, words);
#elif defined(__aarch64__)
	if (job->reg_bytes < 33 * 8)
		return false;
	for (int i = 0; i < 32; i++)
		words[i] = job->regs[i];
	dwfl_thread_state_register_pc(thread, job->regs[32]);
	return dwfl_thread_state_registers(thread, 0, 32, words);
#else
	(void)thread;
	(void)words;
	return job->reg_bytes == UINT32_MAX;
#endif
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

/* Separate debug files may be fetched over the network by the standard function: never here. */
static int no_debug_info(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			 const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc;
	*found = NULL;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = no_debug_info,
};

/* --- in the thread
 * ----------------------------------------------------------------------------------------- */

static void name_frame(Dwfl *dwfl, struct user_frame *f, uint64_t ip, bool is_return_address)
{
	Dwfl_Module *module = dwfl_addrmodule(dwfl, ip);
	GElf_Off offset = 0;
	Dwarf_Addr start;
	GElf_Sym symbol;
	const char *name;

	f->ip = ip;
	if (!module)
		return;
	name = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL);
	if (name) {
		const char *base = strrchr(name, '/');

		snprintf(f->module, sizeof(f->module), "%s", base ? base + 1 : name);
	}
	f->offset = (uint32_t)(ip - start);
	name = dwfl_module_addrinfo(module, ip - is_return_address, &offset, &symbol, NULL, NULL,
				    NULL);
	if (name) {
		snprintf(f->symbol, sizeof(f->symbol), "%s", name);
		f->offset = (uint32_t)offset + is_return_address;
	}
}

struct walk {
	struct job *job;
	Dwfl *dwfl;
};

static int on_frame(Dwfl_Frame *frame, void *argument)
{
	struct walk *walk = argument;
	struct job *job = walk->job;
	bool is_activation;
	Dwarf_Addr ip;

	if (job->count == USER_STACK_DEPTH || !dwfl_frame_pc(frame, &ip, &is_activation) || !ip)
		return DWARF_CB_ABORT;
	name_frame(walk->dwfl, &job->frames[job->count++], ip, !is_activation);
	return DWARF_CB_OK;
}

static void unwind(void *argument)
{
	struct job *job = argument;
	Dwfl *dwfl = dwfl_begin(&callbacks);
	struct walk walk = {job, dwfl};

	if (!dwfl)
		return;
	if (!dwfl_linux_proc_report(dwfl, (pid_t)job->pid) && !dwfl_report_end(dwfl, NULL, NULL)) {
		if (job->reg_bytes &&
		    dwfl_attach_state(dwfl, NULL, (pid_t)job->pid, &thread_callbacks, job))
			dwfl_getthread_frames(dwfl, (pid_t)job->tid, on_frame, &walk);
		for (uint32_t i = 0; !job->count && i < job->given_count; i++)
			name_frame(dwfl, &job->frames[i], job->given[i], i > 0);
		if (!job->count)
			job->count = job->given_count;
	}
	dwfl_end(dwfl);
}

/* --- outside
 * ---------------------------------------------------------------------------------------------------
 */

static uint32_t add_to_model(struct model *m, const struct job *job)
{
	struct frame frames[USER_STACK_DEPTH] = {0};

	for (uint32_t i = 0; i < job->count; i++) {
		frames[i].ip = job->frames[i].ip;
		frames[i].offset = job->frames[i].offset;
		frames[i].symbol = *job->frames[i].symbol ? job->frames[i].symbol : NULL;
		frames[i].module = *job->frames[i].module ? job->frames[i].module : NULL;
	}
	return job->count ? model__add_stack(m, STACK_FULL, frames, job->count) : NO_ID;
}

static uint32_t run(struct model *m, struct job *job)
{
	uint32_t id;
	int err = run_with_timeout(unwind, free, job, TIMEOUT_MS);

	if (err == -ETIMEDOUT) /* the thread has the job now */
		return NO_ID;
	id = err ? NO_ID : add_to_model(m, job);
	free(job);
	return id;
}

uint32_t user_stack__take(struct model *m, uint32_t pid, uint32_t tid, const void *regs,
			  uint32_t reg_bytes)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NO_ID;
	job->pid = pid;
	job->tid = tid;
	job->reg_bytes = reg_bytes < sizeof(job->regs) ? reg_bytes : sizeof(job->regs);
	memcpy(job->regs, regs, job->reg_bytes);
	return run(m, job);
}

uint32_t user_stack__add(struct model *m, uint32_t pid, const uint64_t *ips, uint32_t count)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NO_ID;
	job->pid = pid;
	job->given_count = count < USER_STACK_DEPTH ? count : USER_STACK_DEPTH;
	memcpy(job->given, ips, job->given_count * sizeof(*ips));
	return run(m, job);
}
