// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A deadlock is seen the moment it closes: at contention_begin the owner chain is walked from the
 * lock that is wanted; back at the current task is a cycle.
 *
 * Two rules make that exact. An owner word with PICKUP ends the walk: the lock was handed to a task
 * that still sleeps on it, so it names a waiter. And a cycle is confirmed in reverse, from its last
 * link back: the last waiter waits for a lock that the current task holds and keeps while this
 * program runs, so from then on it releases nothing; with that its own lock's owner word is final,
 * and so on up to the first link. Without them a legal program showed 120 and 39 false cycles
 * in 19.5 M begins.
 *
 * Spinlocks fire both tracepoints too, from interrupts and from inside our own map updates. The
 * first instruction of contention_begin sends them away; contention_end does a lookup only, and
 * changes a map only for the lock its own task noted.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "contention_waits.h"
#include "record.h"
#include "owner_word.h"

char LICENSE[] SEC("license") = "GPL";

/* The soak shows that it can fail by switching the two rules off. */
const volatile bool without_rules = false;
const volatile bool with_waits = true;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONTENTION_NOTES);
	__type(key, __u64); /* task_struct address */
	__type(value, struct contention_note);
} notes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __u64);
} reported SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} deadlocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CONTENTION_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} contention_counters SEC(".maps");

/* Too big for the stack. One per CPU is enough: the program does not nest on a CPU. */
struct walk {
	struct contention_link links[CONTENTION_DEPTH];
	struct contention_note note;
	struct contention_wait no_wait; /* never written: what a wait starts from */
	/* of the cycle: in memory, or the verifier follows each length by itself to the end */
	volatile __u32 length;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

/* How struct task_state of maps.h begins. User space puts the map of the lock programs here. */
struct held_view {
	struct record_lock held[RECORD_MAX_HELD];
	__u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct held_view);
} tasks SEC(".maps");

static __always_inline void count(__u32 what)
{
	__u64 *value = bpf_map_lookup_elem(&contention_counters, &what);

	if (value)
		(*value)++;
}

/*
 * RT: the event names an rt_mutex. One inside an rwsem is not where the rwsem begins; what the task
 * is about to take stands last in its list.
 */
static __always_inline __u64 event_lock(__u64 lock, __u32 *flags)
{
	struct held_view *view;
	const struct record_lock *wanted;

	if (!locks_are_rt() || *flags != CONTENTION_RT)
		return lock;
	view = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), 0, 0);
	if (!view || !view->count)
		return lock;
	wanted = &view->held[(view->count - 1) & (RECORD_MAX_HELD - 1)];
	if (wanted->kind != RECORD_RWSEM || wanted->lock + rwsem_rt_mutex() != lock)
		return lock;
	*flags |= wanted->flags & RECORD_SHARED ? CONTENTION_READ : CONTENTION_WRITE;
	return wanted->lock;
}

/* Is `lock` of an event what the note calls by the name of event_lock()? */
static __always_inline bool is_noted(const struct contention_note *note, __u64 lock)
{
	if (note->lock == lock)
		return true;
	return locks_are_rt() && (note->flags & (CONTENTION_READ | CONTENTION_WRITE)) &&
	       note->lock + rwsem_rt_mutex() == lock;
}

/* Owner of the lock that `flags` describes; 0 when there is none to follow. */
__noinline __u64 follow_owner(__u64 lock, __u32 flags)
{
	struct owner_word word = {};

	if (flags & CONTENTION_PERCPU) /* has no owner word */
		return 0;
	if (flags & CONTENTION_MUTEX) {
		if (mutex_owner((void *)lock, &word))
			return 0;
		if (!locks_are_rt() && (word.flags & OWNER_PICKUP) && !without_rules) {
			count(CONTENTION_COUNT_PICKUP);
			return 0;
		}
		return word.task;
	}
	if (flags & (CONTENTION_READ | CONTENTION_WRITE)) {
		if (rwsem_owner((void *)lock, &word))
			return 0;
		if (!locks_are_rt() && (word.flags & OWNER_READER))
			return 0; /* only the reader that came last, maybe gone */
		/* a writer has the rt_mutex already while it waits for readers, as all behind it do
		 */
		if (locks_are_rt() && rwsem_write_held_by((void *)lock, word.task) != 1)
			return 0;
		return word.task;
	}
	if (flags & CONTENTION_RT)
		return rt_owner_word((void *)lock, &word) ? 0 : word.task;
	return 0;
}

static __always_inline struct contention_note *find_note(__u64 task)
{
	struct contention_note *note = bpf_map_lookup_elem(&notes, &task);

	return note && note->task == task && note->lock ? note : NULL;
}

/* From `lock` along owners and their notes. Returns the number of links back to `current`, or 0. */
static __always_inline __u32 walk_owners(struct walk *walk, __u64 current)
{
	__u64 task = current, lock = walk->note.lock;
	__u64 begin = walk->note.begin, since = walk->note.since;
	__u32 flags = walk->note.flags;

	for (__u32 i = 0; i < CONTENTION_DEPTH; i++) {
		struct contention_link *link = &walk->links[i];
		struct contention_note *note;
		__u64 owner = follow_owner(lock, flags);

		link->task = task;
		link->lock = lock;
		link->flags = flags;
		link->begin = begin;
		link->since = since;
		link->owner = owner;
		if (!owner)
			return 0;
		if (owner == current)
			return i + 1;
		note = find_note(owner);
		if (!note)
			return 0;
		task = owner;
		lock = note->lock;
		flags = note->flags;
		begin = note->begin;
		since = note->since;
	}
	count(CONTENTION_COUNT_DEEP);
	return 0;
}

/* From the last link back: note unchanged, then owner word unchanged. */
static __always_inline bool confirm_in_reverse(struct walk *walk, __u32 length)
{
	if (without_rules)
		return true;
	for (__u32 n = 0; n < CONTENTION_DEPTH; n++) {
		__u32 i = length - 1 - n;
		struct contention_link *link;

		if (n >= length)
			break;
		link = &walk->links[i & (CONTENTION_DEPTH - 1)];
		if (i) {
			struct contention_note *note = find_note(link->task);

			if (!note || note->lock != link->lock || note->begin != link->begin)
				return false;
		}
		if (follow_owner(link->lock, link->flags) != link->owner)
			return false;
	}
	return true;
}

static __always_inline __u64 mix(__u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	return x;
}

/* The same waits give the same key, whichever of them closed the cycle or was seen first. */
static __always_inline __u64 cycle_key(const struct walk *walk, __u32 length)
{
	__u64 key = 0;

	for (__u32 i = 0; i < CONTENTION_DEPTH && i < length; i++)
		key += mix(walk->links[i].task ^ mix(walk->links[i].lock + walk->links[i].since));
	return key;
}

static __always_inline void fill_link(struct contention_link *link)
{
	struct task_struct *task = (void *)link->task;

	link->pid = BPF_CORE_READ(task, tgid);
	link->tid = BPF_CORE_READ(task, pid);
	link->start_time = BPF_CORE_READ(task, start_time);
	link->state = BPF_CORE_READ(task, __state);
	BPF_CORE_READ_INTO(&link->comm, task, comm);
}

static __always_inline void report(void *ctx, struct walk *walk, __u32 length, __u64 now)
{
	__u64 key = cycle_key(walk, length);
	struct contention_deadlock *record;
	long bytes;

	if (bpf_map_lookup_elem(&reported, &key))
		return;
	record = bpf_ringbuf_reserve(&deadlocks, sizeof(*record), 0);
	if (!record) { /* not marked as reported: the next begin tries again, the sweep too */
		count(CONTENTION_COUNT_LOST_RING);
		return;
	}
	bpf_map_update_elem(&reported, &key, &now, BPF_ANY);
	record->type = CONTENTION_RECORD_DEADLOCK;
	record->cpu = bpf_get_smp_processor_id();
	record->mono = now;
	record->key = key;
	record->link_count = length;
	record->reserved = 0;
	for (__u32 i = 0; i < CONTENTION_DEPTH && i < length; i++) {
		fill_link(&walk->links[i]);
		record->links[i] = walk->links[i];
	}
	bytes = bpf_get_stack(ctx, record->frames, sizeof(record->frames), 0);
	record->frame_count = bytes > 0 ? bytes / sizeof(__u64) : 0;
	bytes = bpf_get_stack(ctx, record->user_frames, sizeof(record->user_frames),
			      BPF_F_USER_STACK);
	record->user_frame_count = bytes > 0 ? bytes / sizeof(__u64) : 0;
	bpf_ringbuf_submit(record, 0);
}

/* Make or renew the current task's note in walk->note and in the map. */
static __always_inline bool take_note(struct walk *walk, __u64 current, __u64 lock, __u32 flags,
				      __u64 now)
{
	struct contention_note *old = find_note(current);
	struct contention_note *note = &walk->note;
	__u64 id;

	note->task = current;
	note->lock = lock;
	note->begin = now;
	note->since = now;
	note->flags = flags;
	note->outer_lock = note->outer_since = 0;
	note->outer_flags = 0;
	if (old && old->lock == lock) { /* a mutex begins again for every turn of its loop */
		note->since = old->since;
		note->outer_lock = old->outer_lock;
		note->outer_since = old->outer_since;
		note->outer_flags = old->outer_flags;
	} else if (old && locks_are_rt()) {
		/* schedule() of a sleeping waiter may take spinlocks, which sleep here */
		note->outer_lock = old->lock;
		note->outer_since = old->since;
		note->outer_flags = old->flags;
	}
	id = bpf_get_current_pid_tgid();
	note->pid = id >> 32;
	note->tid = (__u32)id;
	if (!bpf_map_update_elem(&notes, &current, note, BPF_ANY))
		return true;
	count(CONTENTION_COUNT_LOST_NOTE);
	return false;
}

SEC("tp_btf/contention_begin")
int BPF_PROG(contention_begin, void *lock_pointer, unsigned int flags)
{
	__u32 zero = 0, length, noted;
	__u64 current, now, lock;
	struct walk *walk;

	if (!(flags & (CONTENTION_MUTEX | CONTENTION_RT)) &&
	    ((flags & CONTENTION_SPIN) || !(flags & (CONTENTION_READ | CONTENTION_WRITE))))
		return 0;
	walk = bpf_map_lookup_elem(&walks, &zero);
	if (!walk)
		return 0;
	noted = flags;
	lock = event_lock((__u64)lock_pointer, &noted);
	current = bpf_get_current_task();
	now = bpf_ktime_get_ns();
	count(CONTENTION_COUNT_BEGIN);
	/* without a note others cannot see this wait, but this walk may still close a cycle */
	take_note(walk, current, lock, noted, now);
	walk->length = walk_owners(walk, current);
	length = walk->length;
	if (!length || length > CONTENTION_DEPTH)
		return 0;
	count(CONTENTION_COUNT_CANDIDATE);
	if (confirm_in_reverse(walk, length))
		report(ctx, walk, length, now);
	else
		count(CONTENTION_COUNT_REFUTED);
	return 0;
}

SEC("tp_btf/contention_end")
int BPF_PROG(contention_end, void *lock_pointer, int result)
{
	__u64 current = bpf_get_current_task(), lock = (__u64)lock_pointer;
	struct contention_note *note = find_note(current);
	struct contention_note outer;
	struct walk *walk;
	__u32 zero = 0;

	if (!note || !is_noted(note, lock))
		return 0;
	walk = bpf_map_lookup_elem(&walks, &zero);
	if (with_waits && walk)
		add_wait(ctx, &walk->no_wait, note, bpf_ktime_get_ns());
	if (!locks_are_rt() || !note->outer_lock) {
		bpf_map_delete_elem(&notes, &current);
		return 0;
	}
	outer = *note; /* back to the wait this one interrupted */
	outer.lock = note->outer_lock;
	outer.since = note->outer_since;
	outer.begin = bpf_ktime_get_ns();
	outer.flags = note->outer_flags;
	outer.outer_lock = outer.outer_since = 0;
	bpf_map_update_elem(&notes, &current, &outer, BPF_ANY);
	return 0;
}

/* --- held sets, for the sweep ------------------------------------------------------------ */

SEC("iter/task")
int held_sets(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct contention_held header = {};
	struct held_view *view;
	__u64 bytes;

	if (!task || !find_note((__u64)task))
		return 0;
	view = bpf_task_storage_get(&tasks, task, 0, 0);
	if (!view || !view->count)
		return 0;
	header.task = (__u64)task;
	header.count =
		view->count & (RECORD_MAX_HELD - 1); /* of a full set the innermost is left out */
	bytes = header.count * sizeof(struct record_lock);
	barrier_var(bytes);
	bytes &= RECORD_MAX_HELD * sizeof(struct record_lock) - 1;
	bpf_seq_write(ctx->meta->seq, &header, sizeof(header));
	bpf_seq_write(ctx->meta->seq, view->held, bytes);
	return 0;
}
