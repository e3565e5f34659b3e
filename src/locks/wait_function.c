// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's ways to wait. Data first, lookup below. */
#include "locks/wait_function.h"

#include <string.h>

#define MUTEX(name, breakable)                                                                     \
	{                                                                                          \
		name, WAIT_WHAT_MUTEX, LOCK_KIND_MUTEX, LOCK_EXCLUSIVE, breakable, false           \
	}
#define READ(name, breakable)                                                                      \
	{                                                                                          \
		name, WAIT_WHAT_RWSEM_READ, LOCK_KIND_RWSEM, LOCK_SHARED, breakable, false         \
	}
#define WRITE(name, breakable)                                                                     \
	{                                                                                          \
		name, WAIT_WHAT_RWSEM_WRITE, LOCK_KIND_RWSEM, LOCK_EXCLUSIVE, breakable, false     \
	}
#define PERCPU(name, mode)                                                                         \
	{                                                                                          \
		name, WAIT_WHAT_PERCPU_RWSEM, LOCK_KIND_PERCPU_RWSEM, mode, false, false           \
	}
#define SEMAPHORE(name, breakable)                                                                 \
	{                                                                                          \
		name, WAIT_WHAT_SEMAPHORE, LOCK_KIND_OTHER, LOCK_EXCLUSIVE, breakable, false       \
	}
#define RTMUTEX(name)                                                                              \
	{                                                                                          \
		name, WAIT_WHAT_RTMUTEX, LOCK_KIND_RTMUTEX, LOCK_EXCLUSIVE, false, false           \
	}
#define SPIN(name, mode)                                                                           \
	{                                                                                          \
		name, WAIT_WHAT_RTMUTEX, LOCK_KIND_SPINLOCK, mode, false, false                    \
	}
#define TRY(name, what, kind, mode)                                                                \
	{                                                                                          \
		name, what, kind, mode, false, true                                                \
	}
#define OTHER(name, what)                                                                          \
	{                                                                                          \
		name, what, LOCK_KIND_UNKNOWN, LOCK_EXCLUSIVE, false, false                        \
	}

/* The first row that fits counts. */
static const struct wait_function functions[] = {
	TRY("mutex_trylock*", WAIT_WHAT_MUTEX, LOCK_KIND_MUTEX, LOCK_EXCLUSIVE),
	MUTEX("mutex_lock_interruptible*", true),
	MUTEX("mutex_lock_killable*", true),
	MUTEX("__mutex_lock_interruptible*", true),
	MUTEX("__mutex_lock_killable*", true),
	MUTEX("ww_mutex_lock_interruptible*", true),
	MUTEX("__ww_mutex_lock_interruptible*", true),
	MUTEX("mutex_lock*", false),
	MUTEX("_mutex_lock*", false),
	MUTEX("__mutex_lock*", false),
	MUTEX("ww_mutex_lock*", false),
	MUTEX("__ww_mutex_lock*", false),
	TRY("down_read_trylock*", WAIT_WHAT_RWSEM_READ, LOCK_KIND_RWSEM, LOCK_SHARED),
	TRY("down_write_trylock*", WAIT_WHAT_RWSEM_WRITE, LOCK_KIND_RWSEM, LOCK_EXCLUSIVE),
	READ("down_read_killable*", true),
	READ("down_read_interruptible*", true),
	WRITE("down_write_killable*", true),
	READ("down_read", false),
	READ("down_read_nested*", false),
	READ("down_read_non_owner*", false),
	READ("_down_read*", false),
	READ("__down_read*", false),
	WRITE("down_write", false),
	WRITE("down_write_nested*", false),
	WRITE("_down_write*", false),
	WRITE("__down_write*", false),
	READ("rwsem_down_read_*", false),
	WRITE("rwsem_down_write_*", false),
	READ("__rwsem_down_read_*", false),
	WRITE("__rwsem_down_write_*", false),
	READ("call_rwsem_down_read_*", false),
	WRITE("call_rwsem_down_write_*", false),
	PERCPU("percpu_down_read*", LOCK_SHARED),
	PERCPU("__percpu_down_read*", LOCK_SHARED),
	PERCPU("percpu_down_write*", LOCK_EXCLUSIVE),
	PERCPU("percpu_rwsem_wait*", LOCK_SHARED),
	PERCPU("cpus_read_lock", LOCK_SHARED),
	PERCPU("cpus_write_lock", LOCK_EXCLUSIVE),
	RTMUTEX("rt_mutex_lock*"),
	RTMUTEX("_rt_mutex_lock*"),
	RTMUTEX("__rt_mutex_lock*"),
	RTMUTEX("rt_mutex_slowlock*"),
	RTMUTEX("__rt_mutex_slowlock*"),
	SPIN("rt_spin_lock*", LOCK_EXCLUSIVE),
	SPIN("rtlock_slowlock*", LOCK_EXCLUSIVE),
	SPIN("rt_read_lock*", LOCK_SHARED_RECURSIVE),
	SPIN("rt_write_lock*", LOCK_EXCLUSIVE),
	TRY("_raw_spin_trylock*", WAIT_WHAT_UNKNOWN, LOCK_KIND_SPINLOCK, LOCK_EXCLUSIVE),
	SPIN("_raw_spin_lock*", LOCK_EXCLUSIVE),
	SPIN("__raw_spin_lock*", LOCK_EXCLUSIVE),
	SPIN("_raw_read_lock*", LOCK_SHARED),
	SPIN("_raw_write_lock*", LOCK_EXCLUSIVE),
	SEMAPHORE("down_interruptible", true),
	SEMAPHORE("down_killable", true),
	SEMAPHORE("down_timeout", false),
	SEMAPHORE("down", false),
	SEMAPHORE("__down_interruptible*", true),
	SEMAPHORE("__down_killable*", true),
	SEMAPHORE("__down_timeout*", false),
	SEMAPHORE("__down", false),
	SEMAPHORE("__down_common*", false),
	SEMAPHORE("___down_common*", false),

	{"__srcu_read_lock*", WAIT_WHAT_SRCU, LOCK_KIND_OTHER, LOCK_SHARED_RECURSIVE, false, false},
	{"srcu_read_lock*", WAIT_WHAT_SRCU, LOCK_KIND_OTHER, LOCK_SHARED_RECURSIVE, false, false},
	{"synchronize_srcu*", WAIT_WHAT_SRCU, LOCK_KIND_OTHER, LOCK_EXCLUSIVE, false, false},
	{"__synchronize_srcu*", WAIT_WHAT_SRCU, LOCK_KIND_OTHER, LOCK_EXCLUSIVE, false, false},
	OTHER("srcu_barrier*", WAIT_WHAT_SRCU),
	OTHER("synchronize_rcu*", WAIT_WHAT_RCU),
	OTHER("synchronize_sched*", WAIT_WHAT_RCU),
	OTHER("synchronize_net", WAIT_WHAT_RCU),
	OTHER("_synchronize_rcu*", WAIT_WHAT_RCU),
	OTHER("__wait_rcu_gp*", WAIT_WHAT_RCU),
	OTHER("wait_rcu_gp*", WAIT_WHAT_RCU),
	OTHER("wait_rcu_exp_gp*", WAIT_WHAT_RCU),
	OTHER("exp_funnel_lock*", WAIT_WHAT_RCU),
	OTHER("rcu_barrier*", WAIT_WHAT_RCU),
	OTHER("_rcu_barrier*", WAIT_WHAT_RCU),
	OTHER("__flush_work", WAIT_WHAT_WORK),
	OTHER("flush_work", WAIT_WHAT_WORK),
	OTHER("__flush_work_*", WAIT_WHAT_WORK),
	OTHER("flush_delayed_work", WAIT_WHAT_WORK),
	OTHER("flush_rcu_work", WAIT_WHAT_WORK),
	OTHER("cancel_work_sync", WAIT_WHAT_WORK),
	OTHER("__cancel_work_sync", WAIT_WHAT_WORK),
	OTHER("__cancel_work_timer*", WAIT_WHAT_WORK),
	OTHER("cancel_delayed_work_sync", WAIT_WHAT_WORK),
	OTHER("disable_work_sync", WAIT_WHAT_WORK),
	OTHER("disable_delayed_work_sync", WAIT_WHAT_WORK),
	OTHER("schedule_on_each_cpu", WAIT_WHAT_WORK),
	OTHER("work_on_cpu*", WAIT_WHAT_WORK),
	OTHER("flush_workqueue*", WAIT_WHAT_WORKQUEUE),
	OTHER("__flush_workqueue*", WAIT_WHAT_WORKQUEUE),
	OTHER("drain_workqueue", WAIT_WHAT_WORKQUEUE),
	OTHER("destroy_workqueue", WAIT_WHAT_WORKQUEUE),
	OTHER("flush_scheduled_work", WAIT_WHAT_WORKQUEUE),
	OTHER("kthread_stop*", WAIT_WHAT_KTHREAD),
	OTHER("kthread_park", WAIT_WHAT_KTHREAD),
	OTHER("kthread_flush_work*", WAIT_WHAT_KTHREAD),
	OTHER("kthread_cancel_work_sync", WAIT_WHAT_KTHREAD),
	OTHER("kthread_create_on_node", WAIT_WHAT_KTHREAD),
	OTHER("__kthread_create_on_node", WAIT_WHAT_KTHREAD),
	OTHER("kthread_bind*", WAIT_WHAT_KTHREAD),
	OTHER("wait_for_completion*", WAIT_WHAT_COMPLETION),
	OTHER("__wait_for_completion*", WAIT_WHAT_COMPLETION),
	OTHER("wait_for_common*", WAIT_WHAT_COMPLETION),
	OTHER("__wait_for_common*", WAIT_WHAT_COMPLETION),
	OTHER("do_wait_for_common*", WAIT_WHAT_COMPLETION),
	OTHER("folio_wait_*", WAIT_WHAT_FOLIO),
	OTHER("__folio_lock*", WAIT_WHAT_FOLIO),
	OTHER("folio_lock*", WAIT_WHAT_FOLIO),
	OTHER("wait_on_page_bit*", WAIT_WHAT_FOLIO),
	OTHER("wait_on_page_writeback*", WAIT_WHAT_FOLIO),
	OTHER("wait_on_page_locked*", WAIT_WHAT_FOLIO),
	OTHER("__lock_page*", WAIT_WHAT_FOLIO),
	OTHER("sleep_on_page*", WAIT_WHAT_FOLIO),
	OTHER("put_and_wait_on_page_locked*", WAIT_WHAT_FOLIO),
	OTHER("migration_entry_wait*", WAIT_WHAT_FOLIO),
	OTHER("__wait_on_buffer", WAIT_WHAT_IO),
	OTHER("__lock_buffer", WAIT_WHAT_IO),
	OTHER("sleep_on_buffer", WAIT_WHAT_IO),
	OTHER("bit_wait_io*", WAIT_WHAT_IO),
	OTHER("io_schedule*", WAIT_WHAT_IO),
	OTHER("request_wait_answer", WAIT_WHAT_EVENT),
	OTHER("wait_woken", WAIT_WHAT_EVENT),
	OTHER("schedule_timeout*", WAIT_WHAT_EVENT),
	OTHER("schedule_hrtimeout*", WAIT_WHAT_EVENT),
	OTHER("do_nanosleep", WAIT_WHAT_EVENT),
	OTHER("msleep*", WAIT_WHAT_EVENT),
	OTHER("usleep_range*", WAIT_WHAT_EVENT),
};

/* Never the answer to "where", and no answer to "what" by themselves. */
static const char *const internals[] = {
	/* the scheduler */
	"__switch_to*",
	"_switch",
	"__context_switch*",
	"context_switch*",
	"__schedule*",
	"schedule",
	"__sched_text_start",
	"schedule_preempt_disabled",
	"preempt_schedule*",
	"rt_mutex_schedule",
	"rwbase_*",
	"schedule_rtlock",
	"do_sched_yield",
	/* machinery of the ways to wait */
	"__wait_on_bit*",
	"out_of_line_wait_on_bit*",
	"bit_wait*",
	"wait_on_bit*",
	"__rt_mutex*",
	"rt_mutex_slow*",
	"rwsem_*",
	"osq_lock",
	"mutex_optimistic_spin*",
	"__traceiter_contention*",
	"trace_contention*",
	/* who traces, as we do */
	"bpf_trampoline_*",
	"ftrace_trampoline*",
	"kprobe_ftrace_handler*",
	"arch_rethook_trampoline*",
	/* lockdep */
	"__lock_acquire*",
	"lock_acquire*",
	"lock_release*",
	"__lock_release*",
	"check_prev*",
	"check_noncircular*",
	"check_irq_usage*",
	"check_usage*",
	"check_deadlock*",
	"check_chain_key*",
	"validate_chain*",
	"print_circular*",
	"print_deadlock*",
	"print_bad_irq*",
	"print_usage_bug*",
	"print_irq_inversion*",
	"print_unlock_imbalance*",
	"mark_lock*",
	"mark_held_locks*",
	"mark_usage*",
	"lock_sync*",
	"seqcount_lockdep*",
	"dump_stack*",
	"__dump_stack*",
	"show_stack*",
	"dump_backtrace*",
	"unwind_backtrace*",
};

static bool fits(const char *pattern, const char *symbol, size_t length)
{
	size_t size = strlen(pattern);

	if (pattern[size - 1] == '*')
		return length >= size - 1 && !memcmp(pattern, symbol, size - 1);
	return length == size && !memcmp(pattern, symbol, size);
}

const struct wait_function *wait_function__find(const char *symbol)
{
	size_t length = strcspn(symbol, ".");

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (fits(functions[i].name, symbol, length))
			return &functions[i];
	return NULL;
}

bool wait_function__is_internal(const char *symbol)
{
	size_t length = strcspn(symbol, ".");

	for (size_t i = 0; i < sizeof(internals) / sizeof(internals[0]); i++)
		if (fits(internals[i], symbol, length))
			return true;
	return false;
}

bool wait_function__is_wake_up(const char *symbol)
{
	static const char *const names[] = {"autoremove_wake_function", "woken_wake_function",
					    "default_wake_function",	"finish_wait",
					    "prepare_to_wait*",		"init_wait_entry"};
	size_t length;

	symbol += strncmp(symbol, "__pfx_", 6) ? 0 : 6;
	length = strcspn(symbol, ".");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fits(names[i], symbol, length))
			return true;
	return false;
}

struct wait_place wait_place__of(const struct frame *frames, uint32_t count)
{
	struct wait_place place = {NULL, 0};

	for (; place.caller < count; place.caller++) {
		const char *symbol = frames[place.caller].symbol;
		const struct wait_function *function = wait_function__find(symbol);

		if (function)
			place.function = function;
		else if (!wait_function__is_internal(symbol))
			break;
	}
	return place;
}

/* wait_event() is no function: it leaves the caller on the stack, who is called after it. */
enum wait_what wait_place__what(const struct wait_place *place, const struct frame *frames,
				uint32_t count)
{
	static const char *const idle[] = {"worker_thread", "kthread", "kthread_worker_fn",
					   "smpboot_thread_fn", "rescuer_thread"};
	const char *symbol = place->caller < count ? frames[place->caller].symbol : "";

	if (place->function)
		return place->function->what;
	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		if (!strcmp(symbol, idle[i]))
			return WAIT_WHAT_KTHREAD;
	return strstr(symbol, "wait") ? WAIT_WHAT_EVENT : WAIT_WHAT_UNKNOWN;
}
