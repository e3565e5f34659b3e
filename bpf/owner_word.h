/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owner_word.h - what a lock says about itself: owner, flags, waiters.
 *
 * The lock may be freed memory: a failed read is a negative errno, or 0 where loads are direct
 * (read_word.h), and means "released". Owner words come back in one shape for all kernels:
 * `task` is the address of a task_struct (0: nobody), `flags` are OWNER_*.
 *
 * Layouts:
 *  - mutex.owner: task | WAITERS 1 | HANDOFF 2 | PICKUP 4 since 3ca0ff571b09 (4.10). PICKUP means
 * the lock was handed to a waiter that has not woken up yet: named, but not held.
 *  - rw_semaphore.owner: task | READER_OWNED 1 | NONSPINNABLE 2; 5.10 had separate bits for reader
 *    and writer non-spinnable (1 and 2), merged by 7d43f1ce9dd0.. the mask 7 covers both. With
 *    READER_OWNED the task is only the last reader that came, and may be gone: never follow it.
 *  - PREEMPT_RT (mutex: bb630f9f7a7d, rwsem: 42254105dfe8, 5.15): rt_mutex_base.owner,
 *    task | HAS_WAITERS 1; an rwsem is struct rwbase_rt, whose rt_mutex is owned by the writer from
 *    the moment it starts to drain the readers.
 *  - 7.x: mutex and rw_semaphore lost wait_list (a circular list with a head) for first_waiter (a
 *    pointer into a circular list of waiters, NULL when there are none).
 */
#ifndef VFIOTRACE_BPF_OWNER_WORD_H
#define VFIOTRACE_BPF_OWNER_WORD_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "read_word.h"

#define OWNER_MASK 7UL
#define OWNER_WAITERS 1U      /* mutex, RT: the wait queue is not empty */
#define OWNER_HANDOFF 2U      /* mutex */
#define OWNER_PICKUP 4U	      /* mutex: named, not held */
#define OWNER_READER 1U	      /* rwsem: readers own it, task is the last that came */
#define OWNER_NONSPINNABLE 2U /* rwsem */

#define RWSEM_WRITER_LOCKED 1L
#define RWSEM_FLAG_WAITERS 2L
#define RWSEM_READER_SHIFT 8
#define RWBASE_WRITER_BIAS (1 << 30)
#define RWBASE_READER_BIAS (1U << 31)

struct owner_word {
	__u64 task;
	__u32 flags;
};

struct mutex___rt {
	struct rt_mutex_base rtmutex;
} __attribute__((preserve_access_index));

struct rwbase_rt___rt {
	atomic_t readers;
	struct rt_mutex_base rtmutex;
} __attribute__((preserve_access_index));

struct rw_semaphore___rt {
	struct rwbase_rt___rt rwbase;
} __attribute__((preserve_access_index));

struct mutex___list {
	struct list_head wait_list;
} __attribute__((preserve_access_index));

struct mutex___first {
	struct mutex_waiter *first_waiter;
} __attribute__((preserve_access_index));

struct rw_semaphore___list {
	struct list_head wait_list;
} __attribute__((preserve_access_index));

struct rw_semaphore___first {
	struct rwsem_waiter *first_waiter;
} __attribute__((preserve_access_index));

/* True on PREEMPT_RT; decided when the program is loaded, the other branch is dead code. */
static __always_inline bool locks_are_rt(void)
{
	return bpf_core_field_exists(((struct mutex___rt *)0)->rtmutex);
}

/* RT: where the rt_mutex lies in an rwsem */
static __always_inline __u32 rwsem_rt_mutex(void)
{
	return bpf_core_field_offset(((struct rw_semaphore___rt *)0)->rwbase.rtmutex);
}

static __always_inline int rt_owner_word(const struct rt_mutex_base *lock, struct owner_word *out)
{
	__u64 word = 0;
	int err = read_word(__builtin_preserve_access_index(&lock->owner), &word);

	out->task = word & ~1UL;
	out->flags = word & 1;
	return err;
}

/* Who owns the mutex (or, on RT, the rt_mutex that it is). */
static __always_inline int mutex_owner(const void *lock, struct owner_word *out)
{
	__u64 word = 0;
	int err;

	if (locks_are_rt())
		return rt_owner_word(&((const struct mutex___rt *)lock)->rtmutex, out);
	err = read_word(__builtin_preserve_access_index(&((const struct mutex *)lock)->owner),
			&word);
	out->task = word & ~OWNER_MASK;
	out->flags = word & OWNER_MASK;
	return err;
}

/*
 * Who owns the rwsem. OWNER_READER set: readers do (task is a hint only). On RT the owner of the
 * inner rt_mutex: the write owner, or the writer that still drains readers (rwsem_write_held
 * tells).
 */
static __always_inline int rwsem_owner(const void *lock, struct owner_word *out)
{
	__u64 word = 0;
	int err;

	if (locks_are_rt()) {
		const struct rw_semaphore___rt *rt = lock;

		return rt_owner_word(&rt->rwbase.rtmutex, out);
	}
	err = read_word(
		__builtin_preserve_access_index(&((const struct rw_semaphore *)lock)->owner),
		&word);
	out->task = word & ~OWNER_MASK;
	out->flags = word & OWNER_MASK;
	return err;
}

/* rwsem.count as it stands (not RT), or rwbase_rt.readers sign-extended (RT). */
static __always_inline int rwsem_count(const void *lock, long *out)
{
	int readers = 0, err;

	if (locks_are_rt()) {
		const struct rw_semaphore___rt *rt = lock;

		err = bpf_core_read(&readers, sizeof(readers), &rt->rwbase.readers.counter);
		*out = readers;
		return err;
	}
	*out = 0;
	return read_word(
		__builtin_preserve_access_index(&((const struct rw_semaphore *)lock)->count),
		(__u64 *)out);
}

static __always_inline bool rwsem_count_has_writer(long count)
{
	if (locks_are_rt())
		return count == RWBASE_WRITER_BIAS;
	return count & RWSEM_WRITER_LOCKED;
}

/* Readers that hold it now, 0 if none. Bit 63 (read-fail) is masked out. */
static __always_inline long rwsem_count_readers(long count)
{
	if (locks_are_rt()) {
		if (count < 0) /* READER_BIAS + n: no writer about */
			return (__u32)count - RWBASE_READER_BIAS;
		return count == RWBASE_WRITER_BIAS ? 0 : count; /* a writer drains them */
	}
	return (count & ~(1UL << 63)) >> RWSEM_READER_SHIFT;
}

/* Held exclusively by `task`? Negative errno: the memory could not be read. */
static __always_inline int mutex_held_by(const void *lock, __u64 task)
{
	struct owner_word word;
	int err = mutex_owner(lock, &word);

	if (err)
		return err;
	return word.task == task && (locks_are_rt() || !(word.flags & OWNER_PICKUP));
}

static __always_inline int rwsem_write_held_by(const void *lock, __u64 task)
{
	struct owner_word word;
	long count = 0;
	int err = rwsem_owner(lock, &word);

	if (err)
		return err;
	if (word.task != task)
		return 0;
	if (!locks_are_rt())
		return !(word.flags & OWNER_READER);
	err = rwsem_count(lock, &count);
	return err ? err : count == RWBASE_WRITER_BIAS;
}

/* 1: the wait queue is empty in a way only a live lock shows; 0: not; negative errno. */
static __always_inline int list_points_to_itself(const struct list_head *head)
{
	struct list_head list = {};
	int err = bpf_probe_read_kernel(&list, sizeof(list), head);

	return err ? err : list.next == head && list.prev == head;
}

static __always_inline int rt_waiters_empty(const struct rt_mutex_base *lock)
{
	struct rb_node *root = NULL;
	int err = bpf_core_read(&root, sizeof(root), &lock->waiters.rb_root.rb_node);

	return err ? err : !root;
}

static __always_inline int mutex_waiters_empty(const void *lock)
{
	const struct mutex___list *list = lock;
	const struct mutex___first *first = lock;
	void *waiter = NULL;
	int err;

	if (locks_are_rt())
		return rt_waiters_empty(&((const struct mutex___rt *)lock)->rtmutex);
	if (bpf_core_field_exists(list->wait_list))
		return list_points_to_itself(__builtin_preserve_access_index(&list->wait_list));
	if (!bpf_core_field_exists(first->first_waiter))
		return -2; /* a layout we do not know */
	err = bpf_core_read(&waiter, sizeof(waiter), &first->first_waiter);
	return err ? err : !waiter;
}

static __always_inline int rwsem_waiters_empty(const void *lock)
{
	const struct rw_semaphore___list *list = lock;
	const struct rw_semaphore___first *first = lock;
	void *waiter = NULL;
	int err;

	if (locks_are_rt()) {
		const struct rw_semaphore___rt *rt = lock;

		return rt_waiters_empty(&rt->rwbase.rtmutex);
	}
	if (bpf_core_field_exists(list->wait_list))
		return list_points_to_itself(__builtin_preserve_access_index(&list->wait_list));
	if (!bpf_core_field_exists(first->first_waiter))
		return -2;
	err = bpf_core_read(&waiter, sizeof(waiter), &first->first_waiter);
	return err ? err : !waiter;
}

/*
 * Does the memory look like a live lock: an empty wait queue, or the flag that says it is not
 * empty? Freed and reused memory fails this with near certainty. Negative errno: unreadable.
 */
static __always_inline int mutex_looks_valid(const void *lock)
{
	struct owner_word word;
	int empty = mutex_waiters_empty(lock);

	if (empty)
		return empty;
	return mutex_owner(lock, &word) ? 0 : word.flags & OWNER_WAITERS;
}

static __always_inline int rwsem_looks_valid(const void *lock)
{
	struct owner_word word;
	long count = 0;
	int empty = rwsem_waiters_empty(lock);

	if (empty)
		return empty;
	if (locks_are_rt())
		return rwsem_owner(lock, &word) ? 0 : word.flags & OWNER_WAITERS;
	return rwsem_count(lock, &count) ? 0 : !!(count & RWSEM_FLAG_WAITERS);
}

#endif
