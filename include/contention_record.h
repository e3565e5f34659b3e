/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * contention_record.h - what bpf/contention.bpf.c and user space share: the notes of waiting tasks,
 * the record of a deadlock, the wait histograms.
 *
 * Invariants: a note exists from contention_begin to contention_end of the same task and lock, in
 * map `notes` under the address of its task_struct. `begin` changes with every begin, so (task,
 * begin) names one moment of waiting; `since` is the first begin of the same wait. Times are
 * CLOCK_MONOTONIC ns taken in the kernel.
 */
#ifndef VFIOTRACE_CONTENTION_RECORD_H
#define VFIOTRACE_CONTENTION_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* flags of contention_begin (include/trace/events/lock.h) */
#define CONTENTION_SPIN 1U
#define CONTENTION_READ 2U
#define CONTENTION_WRITE 4U
#define CONTENTION_RT 8U
#define CONTENTION_PERCPU 16U
#define CONTENTION_MUTEX 32U

#define CONTENTION_DEPTH 16 /* links walked in the kernel; the sweep follows longer chains */
#define CONTENTION_STACK 48
#define CONTENTION_COMM 16
#define CONTENTION_NOTES 16384	  /* tasks that wait at the same time */
#define CONTENTION_WAITS 4096	  /* (lock, site) rows kept, least recently used goes */
#define CONTENTION_SLOW_NS 100000 /* waits from here on get a stack */

/* Task state bits (include/linux/sched.h), unchanged since 4.14 as far as used here. */
#define STATE_INTERRUPTIBLE 1U
#define STATE_UNINTERRUPTIBLE 2U
#define STATE_WAKEKILL 0x100U

struct contention_note {
	__u64 task; /* own key again: tells a reused element apart */
	__u64 lock;
	__u64 begin; /* latest begin */
	__u64 since; /* first begin of this wait */
	__u32 flags; /* of the latest begin */
	__u32 pid, tid;
	__u32 reserved;
	__u64 outer_lock,
		outer_since; /* PREEMPT_RT: the wait a spinlock's wait interrupted, or 0 */
	__u32 outer_flags, reserved2;
};

/* `task` waits for `lock`, which `owner` holds. */
struct contention_link {
	__u64 task;
	__u64 lock;
	__u64 owner;
	__u64 begin, since;
	__u64 start_time; /* task_struct.start_time */
	__u32 flags;
	__u32 pid, tid;
	__u32 state; /* task_struct.__state at the moment of the walk */
	char comm[CONTENTION_COMM];
};

enum { CONTENTION_RECORD_DEADLOCK = 32 }; /* after enum record_type of record.h */

struct contention_deadlock {
	__u32 type; /* as in struct record_header */
	__u32 cpu;
	__u64 mono; /* the contention_begin that closed the cycle */
	__u64 key;  /* same for the same waits, whoever closes */
	__u32 link_count;
	__u32 frame_count, user_frame_count;
	__u32 reserved;
	__u64 frames[CONTENTION_STACK]; /* of links[0], the closing task; innermost first */
	__u64 user_frames[CONTENTION_STACK];
	struct contention_link links[CONTENTION_DEPTH]; /* links[i].owner == links[i + 1].task */
};

/* Wait times: key and value of map `waits`. */
struct contention_wait_key {
	__u64 lock;
	__s32 stack; /* id in map `wait_stacks`; -1: wait shorter than CONTENTION_SLOW_NS or no
			stack */
	__u32 flags; /* READ, WRITE, MUTEX, RT, PERCPU */
};
#define CONTENTION_BUCKETS 64 /* power of two: bucket i counts [2^i, 2^(i+1)) ns */
struct contention_wait {
	__u64 count, total, max;
	__u32 bucket[CONTENTION_BUCKETS];
};

/*
 * Written by the iterator `held_sets` for every task that has a note and a held set: this header
 * and `count` times struct record_lock.
 */
struct contention_held {
	__u64 task;
	__u32 count;
	__u32 reserved;
};
#define CONTENTION_MAX_HELD 32 /* as RECORD_MAX_HELD */

enum contention_counter {
	CONTENTION_COUNT_BEGIN,	    /* begins of sleeping locks seen */
	CONTENTION_COUNT_CANDIDATE, /* walks that came back to where they started */
	CONTENTION_COUNT_REFUTED,   /* candidates the reverse confirmation refused */
	CONTENTION_COUNT_PICKUP,    /* walks ended by a PICKUP word */
	CONTENTION_COUNT_DEEP,	    /* walks that ended at CONTENTION_DEPTH */
	CONTENTION_COUNT_LOST_NOTE, /* map full or busy: the sweep may still see it, a loss */
	CONTENTION_COUNT_LOST_RING,
	CONTENTION_COUNTERS,
};

#endif
