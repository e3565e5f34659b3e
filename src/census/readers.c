// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has a lock to read? An rwsem counts its readers and names the one that came last, who may
 * have left since; only since 6.17, with DETECT_HUNG_TASK_BLOCKER, does a reader that leaves take
 * its name away. Elsewhere the one that is named is proved to have it by exclusion:
 *
 *  - the count says that there is one reader, and the task named is asleep: it came before it fell
 *    asleep, and nobody came later;
 *  - so if somebody else is the reader, that task came earlier and has been in the kernel with the
 *    lock ever since. A task that, at any moment after the named one fell asleep, sleeps where
 *    nothing is held, or that was started after it, is not that task;
 *  - when all other tasks are excluded and the tasks of the cycle still have not run, the named
 *    task has the lock.
 *
 * A read hold that somebody else will release (down_read_non_owner) has no name in the owner word.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "census/census_private.h"

#define LOOKS 10
#define PAUSE_NS 50000000L
#define MARGIN_NS 1000000000ULL /* between the scheduler's clock and CLOCK_MONOTONIC */
#define TASK_INTERRUPTIBLE 1U

/*
 * Functions that sleep, interruptibly or idle, with no lock held that another task could want, and
 * those they are called from. A stack of nothing else is that of a task that holds nothing; what is
 * called from them and sleeps by itself has its own frame.
 */
static const char *const holding_nothing[] = {
	/* the way in */
	"do_syscall_64",
	"x64_sys_call",
	"entry_SYSCALL_64_after_hwframe",
	"el0_svc",
	"el0_svc_common",
	"do_el0_svc",
	"el0t_64_sync",
	"el0t_64_sync_handler",
	"invoke_syscall",
	"__do_syscall",
	"system_call",
	"ret_from_fork",
	"ret_from_fork_asm",
	"__ret_from_fork",
	/* sleeping, waiting for children, signals, descriptors, futexes, pipes */
	"do_nanosleep",
	"hrtimer_nanosleep",
	"common_nsleep",
	"common_nsleep_timens",
	"do_wait",
	"kernel_wait4",
	"kernel_waitid",
	"sigsuspend",
	"do_sigtimedwait",
	"do_poll",
	"do_sys_poll",
	"poll_schedule_timeout",
	"do_select",
	"core_sys_select",
	"do_pselect",
	"kern_select",
	"ep_poll",
	"do_epoll_wait",
	"do_epoll_pwait",
	"futex_wait",
	"futex_wait_queue",
	"futex_do_wait",
	"__futex_wait",
	"do_futex",
	"pipe_read",
	"anon_pipe_read",
	"vfs_read",
	"ksys_read",
	/* kernel threads without work */
	"kthread",
	"kthreadd",
	"kthread_worker_fn",
	"worker_thread",
	"rescuer_thread",
	"smpboot_thread_fn",
	"rcu_gp_kthread",
	"rcu_gp_fqs_loop",
	"rcu_tasks_kthread",
	"rcu_tasks_one_gp",
	"kswapd",
	"kcompactd",
	"khugepaged",
	"ksm_scan_thread",
	"oom_reaper",
	"kauditd_thread",
	"watchdog",
	"irq_thread",
	"devtmpfsd",
	"devtmpfs_work_loop",
	"kprobe_optimizer_thread",
	"kdamond_fn",
	"scsi_error_handler",
	"hwrng_fillfn",
	"kjournald2",
};
/* The same of system calls, behind these prefixes. */
static const char *const prefixes[] = {"__x64_sys_",   "__ia32_sys_", "__arm64_sys_",
				       "__s390x_sys_", "__do_sys_",   "__se_sys_"};
static const char *const system_calls[] = {
	"nanosleep",	 "clock_nanosleep", "wait4",	       "waitid",
	"rt_sigsuspend", "pause",	    "rt_sigtimedwait", "poll",
	"ppoll",	 "select",	    "pselect6",	       "epoll_wait",
	"epoll_pwait",	 "epoll_pwait2",    "futex",	       "read",
};

/* Compilers append ".constprop.0", ".isra.0", ".part.0". */
static bool is_name(const char *symbol, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(symbol, name, length) && (!symbol[length] || symbol[length] == '.');
}

static bool holds_nothing(const char *symbol)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t length = strlen(prefixes[i]);

		for (size_t j = 0; !strncmp(symbol, prefixes[i], length) &&
				   j < sizeof(system_calls) / sizeof(*system_calls);
		     j++)
			if (is_name(symbol + length, system_calls[j]))
				return true;
	}
	for (size_t i = 0; i < sizeof(holding_nothing) / sizeof(*holding_nothing); i++)
		if (is_name(symbol, holding_nothing[i]))
			return true;
	return false;
}

bool census__sleeps_with_nothing(const struct census_run *r,
				 const struct census_task_record *record, const uint64_t *frames)
{
	char letter = census__state_letter(record->state);

	if (!record->frame_count || record->on_cpu || (letter != 'S' && letter != 'I'))
		return false;
	for (uint32_t i = 0; i < record->frame_count; i++) {
		struct kernel_symbol symbol;
		uint32_t offset;

		if (!kernel__resolve(r->kernel, frames[i], &symbol, &offset) || symbol.module ||
		    !holds_nothing(symbol.name))
			return false;
	}
	return true;
}

/* --- one look at all tasks
 * ------------------------------------------------------------------------- */

struct exclusion {
	struct census_run *run;
	const struct finding *finding;
	uint64_t asleep_since; /* the first of the readers named */
	uint32_t left;	       /* tasks not excluded in this look */
};

/*
 * A task of the cycle, or one that waits for a lock that somebody on the cycle wants too: if it is
 * the reader, the cycle goes through it, and there is a deadlock all the same.
 */
static bool is_stuck_with_it(const struct exclusion *e, const struct census_task *t)
{
	const struct finding *f = e->finding;
	const struct waitfor *w = e->run->out->waitfor;

	for (uint32_t i = 0; i < f->task_count; i++)
		if (f->tasks[i].task == t->id)
			return true;
	for (uint32_t i = 0; i < waitfor__wait_count(w); i++)
		for (uint32_t k = 0; waitfor__wait(w, i)->task == t->id && k < f->task_count; k++)
			if (f->tasks[k].wants == waitfor__wait(w, i)->instance)
				return !census__ran_since(e->run, t);
	return false;
}

static bool is_own(const struct census_run *r, const struct census_task_record *record)
{
	return !census_source__is_image(r->source) && record->pid == (uint32_t)getpid();
}

static int exclude(void *context, const struct census_task_record *record, const uint64_t *frames,
		   const void *regs)
{
	struct exclusion *e = context;
	struct census_task *t = census__task(e->run, record->task);
	bool known = t && t->record.start_time == record->start_time;

	(void)regs;
	if (is_own(e->run, record) || record->start_time > e->asleep_since + MARGIN_NS ||
	    (known && (t->holds_nothing || (t->id != NO_ID && is_stuck_with_it(e, t)))))
		return 0;
	if (!census__sleeps_with_nothing(e->run, record, frames))
		e->left++;
	else if (known)
		t->holds_nothing = true;
	return 0;
}

static bool names_are_taken_away(const struct census_run *r)
{
	/* the member comes with the option; 6.16 had it for mutexes only */
	return r->offset[AT_TASK_BLOCKER] >= 0 &&
	       kernel__version(r->kernel) >= (6U << 16 | 17U << 8);
}

/* Every owner on the cycle that is only a name: the only reader of its lock? */
static bool all_alone(struct census_run *r, const struct finding *f, uint64_t *asleep_since)
{
	bool alone = true;

	*asleep_since = UINT64_MAX;
	for (uint32_t i = 0; i < f->task_count; i++) {
		const struct census_known_lock *l = census__lock_of_instance(r, f->tasks[i].wants);
		const struct census_task *owner =
			census__task_of_id(r, f->tasks[(i + 1) % f->task_count].task);
		struct lock_state state;
		uint64_t since;

		if (!l || !owner ||
		    lock_state__read_owner(&state, r->memory, &r->layout, l->kind, l->address))
			return false;
		if (state.certain)
			continue;
		alone = alone && state.readers == 1 && state.last_reader == owner->address;
		since = census__asleep_since(r, owner);
		if (since < *asleep_since)
			*asleep_since = since;
	}
	return alone && *asleep_since;
}

/* Since the census began: what it saw of them is true now, and was all the time. */
static bool none_ran(const struct census_run *r, const struct finding *f)
{
	for (uint32_t i = 0; i < f->task_count; i++) {
		const struct census_task *t = census__task_of_id(r, f->tasks[i].task);

		if (!t || census__ran_since(r, t))
			return false;
	}
	return true;
}

int census__prove_readers(struct census_run *r, struct finding *f)
{
	const struct timespec pause = {0, PAUSE_NS};
	struct exclusion e = {.run = r, .finding = f};
	int err = 0;

	if (names_are_taken_away(r) && census__confirm(r, f)) {
		f->note =
			"one reader of the rwsem is named, and takes its name away when it leaves";
		goto proved;
	}
	f->note = "the last task that came to read is named; nothing says that it has not left";
	/* tasks that cannot be seen cannot be excluded */
	if (r->out->gap_count || !all_alone(r, f, &e.asleep_since))
		return 0;
	for (struct census_task *t = r->tasks; t; t = t->hh.next)
		t->holds_nothing = false;
	for (int i = 0; i < LOOKS && !err; i++) {
		e.left = 0;
		err = census_source__all_stacks(r->source, exclude, &e);
		if (err || !e.left || census_source__is_image(r->source))
			break;
		nanosleep(&pause, NULL);
	}
	if (err || e.left || !none_ran(r, f) || !census__confirm(r, f) ||
	    !all_alone(r, f, &e.asleep_since))
		return err;
	f->note = "the rwsem has one reader, and no task but the one named can be it";
proved:
	f->code = CODE_DEADLOCK;
	f->grade = GRADE_CRITICAL;
	return 0;
}
