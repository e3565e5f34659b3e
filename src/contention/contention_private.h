/* SPDX-License-Identifier: GPL-2.0-or-later */
/* contention_private.h - the state the pieces of live contention detection share. */
#ifndef VFIOTRACE_CONTENTION_PRIVATE_H
#define VFIOTRACE_CONTENTION_PRIVATE_H

#include <uthash.h>

#include "census/census_private.h"
#include "contention/contention.h"
#include "contention_record.h"

struct contention_bpf;
struct ring_buffer;

/* A deadlock that was reported: watched until it dissolves. */
struct active_deadlock {
	char *key;
	uint32_t link_count;
	struct contention_link *links; /* task, lock, since */
	struct active_deadlock *next;
};

/* A deadlock the kernel reported that has not been looked at from here. */
struct pending_deadlock {
	struct contention_deadlock record;
	uint32_t tries;
	struct pending_deadlock *next;
};

struct stall_key {
	uint64_t task, since;
};
struct reported_stall {
	struct stall_key key;
	bool seen; /* in this sweep */
	UT_hash_handle hh;
};

struct counted_wait {
	struct contention_wait_key key;
	uint32_t instance, stack;
	struct contention_wait counted; /* already in the model */
	bool is_counted_on;		/* the kernel has it still, as of the last compaction */
	UT_hash_handle hh;
};

/* VFIO and KVM locks the last looks have seen: names for wait times where no lock probe gives them.
 */
struct named_lock {
	uint64_t address;
	uint32_t instance;
	UT_hash_handle hh;
};

struct contention {
	struct capture_options options;
	struct contention_hooks hooks;
	struct contention_bpf *bpf;
	struct ring_buffer *ring;
	struct census_source *source;
	struct pending_deadlock *pending;
	struct active_deadlock *active;
	struct reported_stall *stalls;
	struct counted_wait *waits;
	struct named_lock *names;
	uint32_t sweeps;
	struct census_hold *holds; /* scratch of one look */
	uint32_t hold_count;
	uint64_t losses_seen[CONTENTION_COUNTERS];
	bool attached, stopped;
};

/* Copy of the note of `task`; false: it does not wait. */
bool contention__note(const struct contention *c, uint64_t task, struct contention_note *out);
/* Every note, as an array the caller frees; NULL with *count 0 when there is none. */
struct contention_note *contention__notes(const struct contention *c, uint32_t *count);
/* One look at everything with what live capture knows more. NULL on error. */
struct census *contention__census(struct contention *c);

/* deadlock.c */
void contention__look_at_pending(struct contention *c);
void contention__find_missed(struct contention *c);
void contention__check_resolved(struct contention *c);
void contention__free_deadlocks(struct contention *c);
/* stall.c */
void contention__find_stalls(struct contention *c, const struct contention_note *notes,
			     uint32_t count);
void contention__free_stalls(struct contention *c);
/* waits.c */
void contention__collect_waits(struct contention *c);
void contention__remember_names(struct contention *c, const struct census *census);
void contention__free_waits(struct contention *c);

#endif
