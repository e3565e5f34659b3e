// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the answer "no deadlock" needs and was not there to be looked at, each with its remedy. The
 * census goes on without it: a deadlock that is seen all the same is one.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "census/census_private.h"

#define KERNEL_THREAD 0x00200000U /* PF_KTHREAD */

void census__gap(struct census_run *r, const char *format, ...)
{
	struct census *out = r->out;
	const char *kept;
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kept = model__intern(r->model, text);
	for (uint32_t i = 0; i < out->gap_count; i++)
		if (out->gaps[i] == kept)
			return;
	if (out->gap_count < sizeof(out->gaps) / sizeof(*out->gaps))
		out->gaps[out->gap_count++] = kept;
}

/* Without addresses of functions neither a sleeper nor an open file tells what it is. */
static void check_symbols(struct census_run *r)
{
	const char *unmarked = census_source__unmarked(r->source);

	if (kernel__symbol(r->kernel, "schedule")) {
		if (unmarked && !r->layout.rt && r->offset[AT_TASK_BLOCKER] < 0)
			census__gap(r,
				    "tasks that wait in %s: this kernel has no function of that "
				    "name; `vfiotrace watch` sees what waits from now on",
				    unmarked);
		return;
	}
	if (census_source__is_image(r->source))
		census__gap(r, "who waits for a lock, and what is open: the names that were found "
			       "in the image lack the kernel's functions; give its System.map with "
			       "--symbols");
	else if (access("/proc/kallsyms", R_OK))
		census__gap(r, "who waits for a lock, and what is open: /proc/kallsyms cannot be "
			       "read; mount /proc (mount -t proc proc /proc)");
	else
		census__gap(r, "who waits for a lock, and what is open: /proc/kallsyms hides its "
			       "addresses; set kernel.kptr_restrict to 1 and run as root with "
			       "CAP_SYSLOG (sysctl kernel.kptr_restrict=1)");
}

/* The iterators show the tasks of our PID namespace. The first one has the kernel's threads. */
static void check_namespace(struct census_run *r)
{
	for (const struct census_task *t = r->tasks; t; t = t->hh.next)
		if (t->record.flags & KERNEL_THREAD)
			return;
	if (census_source__is_image(r->source)) {
		census__gap(r, "tasks: none of the kernel's own was found, so the image's list of "
			       "tasks is cut or damaged; take the dump again");
		return;
	}
	census__gap(r, "tasks outside this PID namespace: run it in the host's "
		       "(nsenter -t 1 -p -m, or the container with --pid=host)");
}

static void check_layout(struct census_run *r)
{
	static const enum census_offset needed[] = {AT_TASK_STACK, AT_TASK_SP,	   AT_TASK_STATE,
						    AT_TASK_NVCSW, AT_TASK_NIVCSW, AT_TASK_TID,
						    AT_TASK_ON_CPU};
	const struct lock_layout *l = &r->layout;
	bool known =
		l->rt ? l->rt_waiter_tree >= 0 && l->rt_waiter_task >= 0 && l->rt_waiter_lock >= 0
		      : (l->mutex_list >= 0 || l->mutex_first >= 0) &&
				(l->rwsem_list >= 0 || l->rwsem_first >= 0) &&
				l->mutex_waiter_task >= 0 && l->rwsem_waiter_task >= 0;

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		known = known && r->offset[needed[i]] >= 0;
	if (!known)
		census__gap(r, "who waits for a lock: this kernel's tasks or wait queues have a "
			       "layout that is not known here; a newer vfiotrace may know it");
}

void census__check_sources(struct census_run *r)
{
	check_symbols(r);
	check_namespace(r);
	check_layout(r);
}
