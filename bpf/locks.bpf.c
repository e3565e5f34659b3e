// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * locks.bpf.c - one entry probe per lock function; the owner word tells the rest.
 *
 * Every function has a fentry program and a kprobe program for kernels (or modules) that refuse
 * direct calls; user space loads one of the two (capture/probe_table.c). The optional release
 * programs at the end are for --holds and --record-events only.
 *
 * ww_mutex has its own fast path and backs off by design: it is not probed.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "acquire.h"
#include "fault.h"

char LICENSE[] SEC("license") = "GPL";

#define ACQUIRE(function, kind, flags)                                                             \
	SEC("fentry/" #function)                                                                   \
	int fentry_##function(void *ctx)                                                           \
	{                                                                                          \
		return acquire(ctx, fentry_call(ctx), kind, flags);                                \
	}                                                                                          \
	SEC("kprobe/" #function)                                                                   \
	int kprobe_##function(struct pt_regs *ctx)                                                 \
	{                                                                                          \
		return acquire(ctx, kprobe_call(ctx), kind, flags);                                \
	}

/* for kernels that may take the CPU from a task inside a program (backup_program.h) */
#define ACQUIRE_BACKUP(function, kind, flags)                                                      \
	SEC("fentry/" #function)                                                                   \
	int backup_##function(void *ctx)                                                           \
	{                                                                                          \
		return acquire_once(ctx, RUN_BACKUP, fentry_call(ctx), kind, flags);               \
	}
#define ACQUIRE_WITH_BACKUP(function, kind, flags)                                                 \
	ACQUIRE(function, kind, flags)                                                             \
	ACQUIRE_BACKUP(function, kind, flags)

ACQUIRE_WITH_BACKUP(mutex_lock, RECORD_MUTEX, 0)
ACQUIRE(mutex_lock_io, RECORD_MUTEX, 0)
ACQUIRE_WITH_BACKUP(mutex_lock_interruptible, RECORD_MUTEX, RECORD_BREAKABLE)
ACQUIRE_WITH_BACKUP(mutex_lock_killable, RECORD_MUTEX, RECORD_BREAKABLE)
/* pushed without a dependency; whether it succeeded the owner word tells at the next filter */
ACQUIRE_WITH_BACKUP(mutex_trylock, RECORD_MUTEX, RECORD_TRY)

ACQUIRE_WITH_BACKUP(down_write, RECORD_RWSEM, 0)
ACQUIRE_WITH_BACKUP(down_write_killable, RECORD_RWSEM, RECORD_BREAKABLE)
ACQUIRE_WITH_BACKUP(down_write_trylock, RECORD_RWSEM, RECORD_TRY)
ACQUIRE_WITH_BACKUP(down_read, RECORD_RWSEM, RECORD_SHARED)
ACQUIRE(down_read_interruptible, RECORD_RWSEM, RECORD_SHARED | RECORD_BREAKABLE)
ACQUIRE_WITH_BACKUP(down_read_killable, RECORD_RWSEM, RECORD_SHARED | RECORD_BREAKABLE)

/*
 * With DEBUG_LOCK_ALLOC (lockdep, or only LOCK_STAT) mutex_lock and its kin are macros for these,
 * and the rwsem ones exist beside the plain functions.
 */
ACQUIRE(mutex_lock_nested, RECORD_MUTEX, 0)
ACQUIRE(_mutex_lock_nest_lock, RECORD_MUTEX, 0)
ACQUIRE(mutex_lock_io_nested, RECORD_MUTEX, 0)
ACQUIRE(mutex_lock_interruptible_nested, RECORD_MUTEX, RECORD_BREAKABLE)
ACQUIRE(mutex_lock_killable_nested, RECORD_MUTEX, RECORD_BREAKABLE)
ACQUIRE(_mutex_lock_killable, RECORD_MUTEX, RECORD_BREAKABLE) /* its name since 6.16 */
ACQUIRE(_mutex_trylock_nest_lock, RECORD_MUTEX, RECORD_TRY)
ACQUIRE(down_read_nested, RECORD_RWSEM, RECORD_SHARED)
ACQUIRE(down_write_nested, RECORD_RWSEM, 0)
ACQUIRE(down_write_killable_nested, RECORD_RWSEM, RECORD_BREAKABLE)
ACQUIRE(_down_write_nest_lock, RECORD_RWSEM, 0)

/* held iff 1; a reader leaves nothing in the owner word that could tell later */
static __always_inline int read_trylock_done(void *ctx, __u32 which)
{
	struct call call = fentry_call(ctx);
	__u64 result = 0;

	bpf_probe_read_kernel(&result, sizeof(result), ctx + 8);
	if (!(__u32)result)
		return 0;
	acquire_once(ctx, which, call, RECORD_RWSEM, RECORD_SHARED | RECORD_TRY);
	return acquired_late(call.argument);
}

SEC("fexit/down_read_trylock")
int fexit_down_read_trylock(void *ctx)
{
	return read_trylock_done(ctx, RUN_MAIN);
}

SEC("fexit/down_read_trylock")
int backup_down_read_trylock(void *ctx)
{
	return read_trylock_done(ctx, RUN_BACKUP);
}

/* without fexit the attempt counts; the filter drops it while a writer is seen */
SEC("kprobe/down_read_trylock")
int kprobe_down_read_trylock(struct pt_regs *ctx)
{
	return acquire(ctx, kprobe_call(ctx), RECORD_RWSEM, RECORD_SHARED | RECORD_TRY);
}

/* A reader that gave up (-EINTR) holds nothing. */
static __always_inline int reader_gave_up(void *ctx)
{
	struct call call = fentry_call(ctx);
	__u64 result = 0;

	bpf_probe_read_kernel(&result, sizeof(result), ctx + 8);
	if (!(__u32)result)
		return acquired_late(call.argument);
	return drop_lock(call.argument);
}

SEC("fexit/down_read_interruptible")
int fexit_down_read_interruptible(void *ctx)
{
	return reader_gave_up(ctx);
}

SEC("fexit/down_read_killable")
int fexit_down_read_killable(void *ctx)
{
	return reader_gave_up(ctx);
}

#define RELEASE(function)                                                                          \
	SEC("fentry/" #function)                                                                   \
	int fentry_##function(void *ctx)                                                           \
	{                                                                                          \
		__u64 lock = 0;                                                                    \
                                                                                                   \
		bpf_probe_read_kernel(&lock, sizeof(lock), ctx);                                   \
		return released(ctx, lock);                                                        \
	}                                                                                          \
	SEC("kprobe/" #function)                                                                   \
	int kprobe_##function(struct pt_regs *ctx)                                                 \
	{                                                                                          \
		return released(ctx, PT_REGS_PARM1(ctx));                                          \
	}

#define RELEASE_WITH_BACKUP(function)                                                              \
	RELEASE(function)                                                                          \
	SEC("fentry/" #function)                                                                   \
	int backup_##function(void *ctx)                                                           \
	{                                                                                          \
		__u64 lock = 0;                                                                    \
                                                                                                   \
		bpf_probe_read_kernel(&lock, sizeof(lock), ctx);                                   \
		return released_once(ctx, RUN_BACKUP, lock);                                       \
	}

RELEASE_WITH_BACKUP(up_read)

#define DOWNGRADED(program, which)                                                                 \
	SEC("fentry/downgrade_write")                                                              \
	int program(void *ctx)                                                                     \
	{                                                                                          \
		__u64 lock = 0;                                                                    \
                                                                                                   \
		bpf_probe_read_kernel(&lock, sizeof(lock), ctx);                                   \
		return downgraded(ctx, which, lock);                                               \
	}

DOWNGRADED(fentry_downgrade_write, RUN_MAIN)
DOWNGRADED(backup_downgrade_write, RUN_BACKUP)

SEC("kprobe/downgrade_write")
int kprobe_downgrade_write(struct pt_regs *ctx)
{
	return downgraded(ctx, RUN_MAIN, PT_REGS_PARM1(ctx));
}

RELEASE_WITH_BACKUP(percpu_up_write)
ACQUIRE_WITH_BACKUP(percpu_down_write, RECORD_PERCPU, 0)

/* cpu_hotplug_lock, taken by readers without an argument; user space knows its address */
static __always_inline int cpus_read(void *ctx, __u32 which, struct call call)
{
	struct shared_state *shared_state = shared_get();

	if (!shared_state)
		return 0;
	call.argument = shared_state->cpu_hotplug_lock;
	return acquire_once(ctx, which, call, RECORD_PERCPU, RECORD_SHARED);
}

SEC("fentry/cpus_read_lock")
int fentry_cpus_read_lock(void *ctx)
{
	return cpus_read(ctx, RUN_MAIN, fentry_call(ctx));
}

SEC("fentry/cpus_read_lock")
int backup_cpus_read_lock(void *ctx)
{
	return cpus_read(ctx, RUN_BACKUP, fentry_call(ctx));
}

SEC("kprobe/cpus_read_lock")
int kprobe_cpus_read_lock(struct pt_regs *ctx)
{
	return cpus_read(ctx, RUN_MAIN, kprobe_call(ctx));
}

static __always_inline int cpus_read_done(void *ctx, __u32 which)
{
	struct shared_state *shared_state = shared_get();

	return shared_state ? released_once(ctx, which, shared_state->cpu_hotplug_lock) : 0;
}

SEC("fentry/cpus_read_unlock")
int fentry_cpus_read_unlock(void *ctx)
{
	return cpus_read_done(ctx, RUN_MAIN);
}

SEC("fentry/cpus_read_unlock")
int backup_cpus_read_unlock(void *ctx)
{
	return cpus_read_done(ctx, RUN_BACKUP);
}

SEC("kprobe/cpus_read_unlock")
int kprobe_cpus_read_unlock(struct pt_regs *ctx)
{
	return cpus_read_done(ctx, RUN_MAIN);
}

/* An attempt only if the count is 1: then it locks before it decrements. */
static __always_inline int dec_and_lock(void *ctx, __u64 counter, struct call call, __u64 function)
{
	struct task_state *state;
	int value = 0;

	if (bpf_probe_read_kernel(&value, sizeof(value), (void *)counter) || value != 1)
		return 0;
	acquire(ctx, call, RECORD_MUTEX, 0);
	state = task_state_find();
	if (state) {
		state->dec_lock = call.argument;
		state->dec_function = function;
	}
	return 0;
}

SEC("fentry/atomic_dec_and_mutex_lock")
int fentry_atomic_dec_and_mutex_lock(void *ctx)
{
	struct call call = fentry_call(ctx);
	__u64 counter = call.argument;

	bpf_probe_read_kernel(&call.argument, sizeof(call.argument), ctx + 8);
	return dec_and_lock(ctx, counter, call, bpf_get_func_ip(ctx));
}

SEC("kprobe/atomic_dec_and_mutex_lock")
int kprobe_atomic_dec_and_mutex_lock(struct pt_regs *ctx)
{
	struct call call = kprobe_call(ctx);
	__u64 counter = call.argument;

	call.argument = PT_REGS_PARM2(ctx);
	return dec_and_lock(ctx, counter, call, PT_REGS_IP(ctx) & ~15UL);
}

/* --- a lock is made: what was known of its address is about another one ---------------------- */

static __noinline int object_gone(__u64 address, __u32 kind)
{
	struct record_object *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	drop_object(address, kind);
	if (!record) {
		count(COUNT_LOST_RING);
		return 0;
	}
	__builtin_memset(record, 0, sizeof(*record));
	fill_header(&record->header, RECORD_OBJECT);
	record->address = address;
	record->kind = RECORD_OBJECT_FREED;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

/* Known objects make their locks before anybody can use them: theirs were freed, this is another.
 */
static __always_inline int lock_init(__u64 lock)
{
	struct shared_state *shared_state = shared_get();
	struct interest_value *value;
	__u32 object;

	if (!shared_state || !shared_state->ready)
		return 0;
	value = interest_find(shared_state, lock);
	if (!value)
		return 0;
	__sync_fetch_and_add(&value->generation, 1);
	object = value->object;
	if (object) {
		value->object = 0;
		object_gone(lock - (object >> INTEREST_OFFSET_SHIFT),
			    object & ((1 << INTEREST_OFFSET_SHIFT) - 1));
	}
	return 0;
}

/* A task that has no list yet does it in both programs: an extra generation bump is harmless. */
static __always_inline int lock_init_once(void *ctx, __u32 which)
{
	struct task_state *state = task_state_find();
	__u64 lock = 0;

	bpf_probe_read_kernel(&lock, sizeof(lock), ctx);
	return state && is_done(state, ctx, which) ? 0 : lock_init(lock);
}

#define MADE(function)                                                                             \
	SEC("fentry/" #function)                                                                   \
	int fentry_##function(void *ctx)                                                           \
	{                                                                                          \
		return lock_init_once(ctx, RUN_MAIN);                                              \
	}                                                                                          \
	SEC("fentry/" #function)                                                                   \
	int backup_##function(void *ctx)                                                           \
	{                                                                                          \
		return lock_init_once(ctx, RUN_BACKUP);                                            \
	}                                                                                          \
	SEC("kprobe/" #function)                                                                   \
	int kprobe_##function(struct pt_regs *ctx)                                                 \
	{                                                                                          \
		return lock_init(PT_REGS_PARM1(ctx));                                              \
	}

MADE(__mutex_init)	 /* up to 6.12 */
MADE(mutex_init_generic) /* 7.2 */
MADE(__mutex_rt_init)	 /* PREEMPT_RT; 7.2 RT: mutex_rt_init_generic */
MADE(mutex_rt_init_generic)
MADE(__init_rwsem)

/* --- waits that are no acquisition of a lock ------------------------------------------------- */

#ifdef __TARGET_ARCH_x86 /* the tracepoint is x86's */
SEC("tp_btf/page_fault_kernel")
int BPF_PROG(kernel_fault, unsigned long address, struct pt_regs *registers)
{
	return kernel_faulted(ctx, address, PT_REGS_IP(registers));
}
#endif

/* --- optional: --holds, --record-events --------------------------------------------------------
 */

RELEASE(mutex_unlock)
RELEASE(up_write)

/* result: 'v' none, 'e' 0 or -errno, 't' 1 or 0 */
#define ACQUIRED(function, result)                                                                 \
	SEC("fexit/" #function)                                                                    \
	int acquired_##function(void *ctx)                                                         \
	{                                                                                          \
		__u64 words[2] = {};                                                               \
                                                                                                   \
		bpf_probe_read_kernel(words, sizeof(words), ctx);                                  \
		return acquired(words[0], (result == 'e' && (__u32)words[1]) ||                    \
						  (result == 't' && !(__u32)words[1]));            \
	}

ACQUIRED(mutex_lock, 'v')
ACQUIRED(mutex_lock_io, 'v')
ACQUIRED(mutex_lock_interruptible, 'e')
ACQUIRED(mutex_lock_killable, 'e')
ACQUIRED(mutex_trylock, 't')
ACQUIRED(down_write, 'v')
ACQUIRED(down_write_killable, 'e')
ACQUIRED(down_write_trylock, 't')
ACQUIRED(down_read, 'v')

SEC("tp_btf/sched_process_fork")
int BPF_PROG(task_forked, struct task_struct *parent, struct task_struct *child)
{
	return send_task_event(ctx, EVENT_NUMBER_FORK, child->pid);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exited, struct task_struct *task)
{
	return send_task_event(ctx, EVENT_NUMBER_END, task->pid);
}
