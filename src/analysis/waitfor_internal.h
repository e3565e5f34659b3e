/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waitfor_internal.h - the wait-for graph as waitfor.c keeps it and waitfor_cycles.c searches it.
 */
#ifndef VFIOTRACE_ANALYSIS_WAITFOR_INTERNAL_H
#define VFIOTRACE_ANALYSIS_WAITFOR_INTERNAL_H

#include "util/idmap.h"
#include "util/memory.h"
#include "waitfor.h"

struct waitfor {
	const struct model *model;
	VECTOR(struct waitfor_wait) waits;
	VECTOR(struct waitfor_owner) owners;
	struct idmap wait_of_task;   /* task -> index into waits */
	struct idmap owner_ids;	     /* (task, instance) -> index into owners */
	struct idmap first_of_lock;  /* instance -> first owner */
	VECTOR(uint32_t) next_owner; /* per owner: next one of the same lock */
	struct idmap queued_writer;  /* instance: some exclusive wait */
	struct arena arena;	     /* findings */
};

/* Does the wait depend on this owner, if it is one? */
bool waitfor__blocks(const struct waitfor *w, const struct waitfor_wait *wait,
		     const struct waitfor_owner *owner);

/* A task of a deadlock waits, and this owner of its lock, the next task, does not let go. */
struct waitfor_step {
	uint32_t wait, owner; /* indexes */
};

/*
 * Called once for each cycle found, canonical by task: the smallest task id comes first. Returns
 * 0, or -errno to end the search. The steps are the callee's until it returns.
 */
typedef int (*waitfor_cycle_fn)(void *context, const struct waitfor_step *steps, uint32_t count);

/*
 * The shortest cycle over every wait and owner, each once, as long as the budget lasts; beyond it
 * at least one cycle over every task that is on any. *limited: there may be more than were called
 * for. `hints`: the shortest cycle over every owner that is not certain instead, the others on it
 * certain or not.
 */
int waitfor__each_cycle(const struct waitfor *w, bool hints, waitfor_cycle_fn found, void *context,
			bool *limited);

#endif
