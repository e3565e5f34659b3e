// SPDX-License-Identifier: GPL-2.0-or-later
/* Owner words and wait queues of mutexes, rwsems and rt_mutexes, see lock_word.h. */
#include <stdlib.h>
#include <string.h>

#include "census/lock_word.h"

#define OWNER_MASK 7ULL
#define MUTEX_PICKUP 4ULL
#define RWSEM_READER 1ULL
#define RWSEM_WRITER_LOCKED 1ULL
#define RWSEM_READER_SHIFT 8
#define RWBASE_WRITER_BIAS (1 << 30)
#define RWSEM_WAITING_FOR_READ 1 /* enum rwsem_waiter_type: WRITE 0, READ 1 */
#define MAX_TREE_DEPTH 32

static int offset(const struct kernel *k, const char *type, const char *a, const char *b)
{
	int found = kernel__member_offset(k, type, a);

	return found >= 0 || !b ? found : kernel__member_offset(k, type, b);
}

int lock_layout__init(struct lock_layout *l, const struct kernel *k)
{
	l->rt = kernel__member_offset(k, "mutex", "rtmutex") >= 0;
	l->mutex_owner = offset(k, "mutex", "owner", NULL);
	l->mutex_list = offset(k, "mutex", "wait_list", NULL);
	l->mutex_first = offset(k, "mutex", "first_waiter", NULL);
	l->rwsem_count = offset(k, "rw_semaphore", "count", NULL);
	l->rwsem_owner = offset(k, "rw_semaphore", "owner", NULL);
	l->rwsem_list = offset(k, "rw_semaphore", "wait_list", NULL);
	l->rwsem_first = offset(k, "rw_semaphore", "first_waiter", NULL);
	l->mutex_waiter_list = offset(k, "mutex_waiter", "list", NULL);
	l->mutex_waiter_task = offset(k, "mutex_waiter", "task", NULL);
	l->rwsem_waiter_list = offset(k, "rwsem_waiter", "list", NULL);
	l->rwsem_waiter_task = offset(k, "rwsem_waiter", "task", NULL);
	l->rwsem_waiter_type = offset(k, "rwsem_waiter", "type", NULL);
	l->rt_owner = offset(k, "rt_mutex_base", "owner", NULL);
	l->rt_root = offset(k, "rt_mutex_base", "waiters", NULL);
	l->rwbase_readers = offset(k, "rw_semaphore", "rwbase.readers", NULL);
	l->rwbase_mutex = offset(k, "rw_semaphore", "rwbase.rtmutex", NULL);
	l->rt_waiter_tree = offset(k, "rt_mutex_waiter", "tree", "tree_entry");
	l->rt_waiter_task = offset(k, "rt_mutex_waiter", "task", NULL);
	l->rt_waiter_lock = offset(k, "rt_mutex_waiter", "lock", NULL);
	l->task_stack = offset(k, "task_struct", "stack", NULL);
	if (l->rt)
		return l->rt_owner < 0 || l->rt_root < 0 ? -ENOENT : 0;
	return l->mutex_owner < 0 || l->rwsem_owner < 0 || l->rwsem_count < 0 ? -ENOENT : 0;
}

/* --- owners
 * ------------------------------------------------------------------------------------------- */

static int read_mutex_owner(struct lock_state *s, const struct memory *m,
			    const struct lock_layout *l)
{
	int err = memory__u64(m, s->address + (uint64_t)l->mutex_owner, &s->word);

	s->handed_over = s->word & MUTEX_PICKUP;
	s->owner = s->word & ~OWNER_MASK;
	s->certain = s->owner && !s->handed_over;
	return err;
}

static int read_rwsem_owner(struct lock_state *s, const struct memory *m,
			    const struct lock_layout *l)
{
	uint64_t count;
	int err = memory__u64(m, s->address + (uint64_t)l->rwsem_count, &count);

	if (!err)
		err = memory__u64(m, s->address + (uint64_t)l->rwsem_owner, &s->word);
	if (err)
		return err;
	s->readers = (uint32_t)((count & ~(1ULL << 63)) >> RWSEM_READER_SHIFT);
	if (s->word & RWSEM_READER) {
		if (s->readers)
			s->last_reader = s->word & ~OWNER_MASK;
	} else if (count & RWSEM_WRITER_LOCKED) {
		s->owner = s->word & ~OWNER_MASK;
		s->certain = s->owner != 0;
		s->readers = 0;
	}
	return 0;
}

static int read_rt_owner(struct lock_state *s, const struct memory *m, const struct lock_layout *l,
			 uint64_t base)
{
	int err = memory__u64(m, base + (uint64_t)l->rt_owner, &s->word);

	s->owner = s->word & ~1ULL;
	s->certain = s->owner != 0;
	return err;
}

static int read_rwbase_owner(struct lock_state *s, const struct memory *m,
			     const struct lock_layout *l)
{
	int32_t readers = 0;
	int err = memory__read(m, s->address + (uint64_t)l->rwbase_readers, &readers,
			       sizeof(readers));

	if (!err)
		err = read_rt_owner(s, m, l, s->address + (uint64_t)l->rwbase_mutex);
	if (err)
		return err;
	/* READER_BIAS + n: readers only; n: a writer drains them; WRITER_BIAS: written */
	if (readers < 0)
		s->readers = (uint32_t)readers - (1U << 31);
	else if (readers != RWBASE_WRITER_BIAS)
		s->readers = (uint32_t)readers;
	/* A writer that drains them waits for them, as everybody behind it does. */
	if (s->readers)
		s->owner = s->certain = 0;
	return 0;
}

static int32_t rwbase_readers(const struct memory *m, const struct lock_layout *l, uint64_t rwsem)
{
	int32_t readers = -1; /* READER_BIAS: no writer about */

	memory__read(m, rwsem + (uint64_t)l->rwbase_readers, &readers, sizeof(readers));
	return readers;
}

bool rwbase_is_written(const struct memory *m, const struct lock_layout *l, uint64_t rwsem)
{
	return rwbase_readers(m, l, rwsem) == RWBASE_WRITER_BIAS;
}

bool rwbase_is_drained(const struct memory *m, const struct lock_layout *l, uint64_t rwsem)
{
	int32_t readers = rwbase_readers(m, l, rwsem);

	return readers > 0 && readers < RWBASE_WRITER_BIAS;
}

int lock_state__read_owner(struct lock_state *s, const struct memory *m,
			   const struct lock_layout *l, enum lock_kind kind, uint64_t address)
{
	memset(s, 0, sizeof(*s));
	s->address = address;
	s->kind = kind;
	switch (kind) {
	case LOCK_KIND_MUTEX:
		return l->rt ? read_rt_owner(s, m, l, address) : read_mutex_owner(s, m, l);
	case LOCK_KIND_RWSEM:
		return l->rt ? read_rwbase_owner(s, m, l) : read_rwsem_owner(s, m, l);
	case LOCK_KIND_RTMUTEX:
		return l->rt_owner >= 0 ? read_rt_owner(s, m, l, address) : -ENOENT;
	default:
		return -EINVAL;
	}
}

/* --- waiters
 * ---------------------------------------------------------------------------------------------- */

static int add_waiter(struct lock_state *s, uint64_t waiter, uint64_t task, bool shared)
{
	uint32_t n = s->waiter_count;

	if (n >= LOCK_MAX_WAITERS) {
		s->changed = s->cut = true;
		return -E2BIG;
	}
	if (!(n & (n - 1)) || n == 0) { /* grow at powers of two */
		struct lock_waiter *more = realloc(s->waiters, (n ? n * 2 : 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->waiters = more;
	}
	s->waiters[s->waiter_count++] = (struct lock_waiter){waiter, task, shared};
	return 0;
}

struct list_node {
	uint64_t next, prev;
};

/*
 * Along a circular list from `first`, until `end` comes up. A node whose prev is not where we come
 * from was changed meanwhile: stop and say so.
 */
static int walk_list(struct lock_state *s, const struct memory *m, const struct lock_layout *l,
		     uint64_t first, uint64_t end, uint64_t come_from)
{
	bool rwsem = s->kind == LOCK_KIND_RWSEM;
	int list = rwsem ? l->rwsem_waiter_list : l->mutex_waiter_list;
	int task_at = rwsem ? l->rwsem_waiter_task : l->mutex_waiter_task;
	uint64_t at = first;

	if (list < 0 || task_at < 0)
		return -ENOENT;
	do {
		uint64_t waiter = at - (uint64_t)list, task;
		struct list_node node;
		uint32_t type = 0;
		int err;

		if (memory__read(m, at, &node, sizeof(node)) ||
		    memory__u64(m, waiter + (uint64_t)task_at, &task) ||
		    (come_from && node.prev != come_from)) {
			s->changed = true;
			return 0;
		}
		if (rwsem && l->rwsem_waiter_type >= 0)
			memory__u32(m, waiter + (uint64_t)l->rwsem_waiter_type, &type);
		err = add_waiter(s, waiter, task, type == RWSEM_WAITING_FOR_READ);
		if (err)
			return err == -E2BIG ? 0 : err;
		come_from = at;
		at = node.next;
	} while (at != end);
	return 0;
}

static int read_list(struct lock_state *s, const struct memory *m, const struct lock_layout *l)
{
	bool rwsem = s->kind == LOCK_KIND_RWSEM;
	int list = rwsem ? l->rwsem_list : l->mutex_list;
	int first = rwsem ? l->rwsem_first : l->mutex_first;
	struct list_node head;
	uint64_t start;
	int err;

	if (list >= 0) {
		uint64_t at = s->address + (uint64_t)list;

		err = memory__read(m, at, &head, sizeof(head));
		if (err || head.next == at)
			return err;
		return walk_list(s, m, l, head.next, at, at);
	}
	if (first < 0)
		return -ENOENT;
	err = memory__u64(m, s->address + (uint64_t)first, &start);
	if (err || !start)
		return err;
	start += (uint64_t)(rwsem ? l->rwsem_waiter_list : l->mutex_waiter_list);
	return walk_list(s, m, l, start, start, 0);
}

struct rb_node {
	uint64_t parent, right, left;
};

static int walk_tree(struct lock_state *s, const struct memory *m, const struct lock_layout *l,
		     uint64_t node, int depth)
{
	struct rb_node rb;
	uint64_t waiter = node - (uint64_t)l->rt_waiter_tree, task;
	int err;

	if (!node)
		return 0;
	if (depth > MAX_TREE_DEPTH || memory__read(m, node, &rb, sizeof(rb)) ||
	    memory__u64(m, waiter + (uint64_t)l->rt_waiter_task, &task)) {
		s->changed = true;
		return 0;
	}
	err = walk_tree(s, m, l, rb.left, depth + 1);
	if (!err)
		err = add_waiter(s, waiter, task, false);
	if (!err)
		err = walk_tree(s, m, l, rb.right, depth + 1);
	return err == -E2BIG ? 0 : err;
}

static int read_tree(struct lock_state *s, const struct memory *m, const struct lock_layout *l)
{
	uint64_t base = s->address, root;
	int err;

	if (l->rt_root < 0 || l->rt_waiter_tree < 0 || l->rt_waiter_task < 0)
		return -ENOENT;
	if (s->kind == LOCK_KIND_RWSEM)
		base += (uint64_t)l->rwbase_mutex;
	err = memory__u64(m, base + (uint64_t)l->rt_root, &root);
	return err ? err : walk_tree(s, m, l, root, 0);
}

int lock_state__read(struct lock_state *s, const struct memory *m, const struct lock_layout *l,
		     enum lock_kind kind, uint64_t address)
{
	int err = lock_state__read_owner(s, m, l, kind, address);

	if (!err)
		err = l->rt || kind == LOCK_KIND_RTMUTEX ? read_tree(s, m, l) : read_list(s, m, l);
	if (err)
		lock_state__release(s);
	return err;
}

void lock_state__release(struct lock_state *s)
{
	free(s->waiters);
	s->waiters = NULL;
	s->waiter_count = 0;
}

/* --- from a waiter to its lock
 * ------------------------------------------------------------------------------ */

/* A waiter lies on the kernel stack of the task it names; a lock's list head does not. */
static bool is_waiter(const struct memory *m, const struct lock_layout *l, uint64_t waiter,
		      int task_at)
{
	uint64_t task, stack;

	return !memory__u64(m, waiter + (uint64_t)task_at, &task) && task &&
	       !memory__u64(m, task + (uint64_t)l->task_stack, &stack) && stack &&
	       waiter - stack < LOCK_STACK_BYTES;
}

uint64_t lock_of_waiter(const struct memory *m, const struct lock_layout *l, enum lock_kind kind,
			uint64_t waiter)
{
	bool rwsem = kind == LOCK_KIND_RWSEM;
	int head = rwsem ? l->rwsem_list : l->mutex_list;
	int list = rwsem ? l->rwsem_waiter_list : l->mutex_waiter_list;
	int task_at = rwsem ? l->rwsem_waiter_task : l->mutex_waiter_task;
	uint64_t at = waiter + (uint64_t)list;

	if (head < 0 || list < 0 || task_at < 0 || l->task_stack < 0 ||
	    !is_waiter(m, l, waiter, task_at))
		return 0;
	for (int i = 0; i < LOCK_MAX_WAITERS; i++) {
		struct list_node node, next;

		if (memory__read(m, at, &node, sizeof(node)) ||
		    memory__read(m, node.next, &next, sizeof(next)) || next.prev != at)
			return 0;
		at = node.next;
		if (!is_waiter(m, l, at - (uint64_t)list, task_at))
			return at - (uint64_t)head;
	}
	return 0;
}

/*
 * Without a list head (7.x) no link leads from a waiter to its lock. But whoever waits in the
 * lock's slow path keeps the lock's address in a register or on its stack, and __switch_to stores
 * the registers on the stack too: it is the word whose wait list has this very waiter.
 */
uint64_t lock_of_headless_waiter(const struct memory *m, const struct lock_layout *l,
				 enum lock_kind kind, uint64_t waiter, const uint64_t *words,
				 uint32_t count)
{
	bool rwsem = kind == LOCK_KIND_RWSEM;
	int first_at = rwsem ? l->rwsem_first : l->mutex_first;
	int task_at = rwsem ? l->rwsem_waiter_task : l->mutex_waiter_task;
	uint64_t found = 0;

	if (first_at < 0 || task_at < 0 || !is_waiter(m, l, waiter, task_at))
		return 0;
	for (uint32_t i = 0; i < count && !found; i++) {
		struct lock_state state = {.kind = kind, .address = words[i]};
		uint64_t first;

		if (!(words[i] >> 63) || words[i] & 7 ||
		    memory__u64(m, words[i] + (uint64_t)first_at, &first) || !first ||
		    (first != waiter && !is_waiter(m, l, first, task_at)) ||
		    read_list(&state, m, l))
			continue;
		for (uint32_t w = 0; w < state.waiter_count; w++)
			if (state.waiters[w].waiter == waiter)
				found = words[i];
		lock_state__release(&state);
	}
	return found;
}
