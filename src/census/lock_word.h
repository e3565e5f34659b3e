/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock_word.h - what a lock in kernel memory says about itself, decoded in user space: owner,
 * readers, waiters. The kernel-side twin is bpf/owner_word.h, which explains the layouts.
 *
 * Reads are not atomic against the kernel: a list that does not link back is reported as changed,
 * and whoever draws conclusions confirms them (confirm.c).
 */
#ifndef VFIOTRACE_CENSUS_LOCK_WORD_H
#define VFIOTRACE_CENSUS_LOCK_WORD_H

#include <stdbool.h>

#include "kernel_memory.h"
#include "kernel.h"

#define LOCK_MAX_WAITERS 1024
#define LOCK_STACK_BYTES 65536ULL /* no smaller than a kernel stack anywhere */

/* Offsets from BTF; -ENOENT where the kernel has no such member. */
struct lock_layout {
	bool rt;
	int mutex_owner, mutex_list, mutex_first;
	int rwsem_count, rwsem_owner, rwsem_list, rwsem_first;
	int mutex_waiter_list, mutex_waiter_task;
	int rwsem_waiter_list, rwsem_waiter_task, rwsem_waiter_type;
	int rt_owner, rt_root;		  /* in struct rt_mutex_base */
	int rwbase_readers, rwbase_mutex; /* in struct rw_semaphore on PREEMPT_RT */
	int rt_waiter_tree, rt_waiter_task, rt_waiter_lock;
	int task_stack;
};

struct lock_waiter {
	uint64_t waiter; /* struct mutex_waiter, rwsem_waiter or rt_mutex_waiter */
	uint64_t task;
	bool shared; /* waits to read */
};

struct lock_state {
	uint64_t address;
	enum lock_kind kind;
	uint64_t word;	      /* owner word as it stands */
	uint64_t owner;	      /* task_struct, 0 nobody that can be named */
	bool certain;	      /* owner holds it exclusively, now */
	bool handed_over;     /* PICKUP: owner is named but still has to wake up */
	uint64_t last_reader; /* readers own it: the one that came last, a hint only */
	uint32_t readers;
	bool changed; /* the wait list did not link back: it changed meanwhile */
	bool cut;     /* more than LOCK_MAX_WAITERS wait: these are the first */
	uint32_t waiter_count;
	struct lock_waiter *waiters;
};

int lock_layout__init(struct lock_layout *layout, const struct kernel *k);
/* Kinds: MUTEX, RWSEM, RTMUTEX. Zero or -errno (memory gone, out of memory). */
int lock_state__read(struct lock_state *state, const struct memory *m,
		     const struct lock_layout *layout, enum lock_kind kind, uint64_t address);
void lock_state__release(struct lock_state *state);
/* PREEMPT_RT: does a writer have the rwsem at that address? */
bool rwbase_is_written(const struct memory *m, const struct lock_layout *layout, uint64_t rwsem);
/* Likewise: are there readers, and a writer has shut out new ones? */
bool rwbase_is_drained(const struct memory *m, const struct lock_layout *layout, uint64_t rwsem);
/* The owner part only. */
int lock_state__read_owner(struct lock_state *state, const struct memory *m,
			   const struct lock_layout *layout, enum lock_kind kind, uint64_t address);
/*
 * From a waiter (on its task's stack) along the list to the lock that has the head. 0 if it does
 * not lead to one, or where lists have no head (7.x).
 */
uint64_t lock_of_waiter(const struct memory *m, const struct lock_layout *layout,
			enum lock_kind kind, uint64_t waiter);
/* The same where lists have no head: the lock is among the words of the waiting task's stack. */
uint64_t lock_of_headless_waiter(const struct memory *m, const struct lock_layout *layout,
				 enum lock_kind kind, uint64_t waiter, const uint64_t *words,
				 uint32_t count);

#endif
