// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cycles of the wait-for graph. A lock with many readers has as many edges from each of its
 * waiters, so edges are never written down: a search goes from a wait to its lock, once for each
 * mode that it is waited for in, and on to the owners. That is linear in waits and owners.
 */
#include "analysis/waitfor_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/scc.h"

/* Owners looked at, and cycles found, before only tasks on none yet are started from. */
#define EVERY_EDGE_STEPS 4000000
#define EVERY_EDGE_CYCLES 1000
/* Owners looked at altogether. */
#define ALL_STEPS 20000000

struct search {
	const struct waitfor *w;
	bool hints; /* also over the last reader's name, which proves nothing */
	uint32_t waits;
	uint32_t *lock;	      /* by wait: number of (lock, mode) */
	uint32_t *owner_wait; /* by owner: what its task waits for, NO_ID: for nothing */
	uint32_t *component;  /* by wait, then by (lock, mode): SCC_NONE on no cycle */
	uint32_t locks;
	uint32_t *wait_seen, *lock_seen; /* number of the search that was here last */
	struct waitfor_step *reached;	 /* by wait: the step that led here */
	uint32_t *queue;
	uint8_t *covered; /* by wait: on a cycle that was found */
	struct waitfor_step *steps;
	struct idmap known; /* cycles already found */
	uint64_t looked, cycles;
	uint32_t number;
};

static uint32_t first_owner(const struct search *s, uint32_t wait)
{
	return idmap__get(&s->w->first_of_lock, s->w->waits.items[wait].instance);
}

static bool leads_on(const struct search *s, uint32_t wait, uint32_t owner)
{
	return s->owner_wait[owner] != NO_ID && (s->hints || s->w->owners.items[owner].certain) &&
	       waitfor__blocks(s->w, &s->w->waits.items[wait], &s->w->owners.items[owner]);
}

/* --- what is on a cycle at all ---------------------------------------------------------------- */

static bool number_locks(struct search *s)
{
	struct idmap ids = {0};
	bool ok = true;

	for (uint32_t i = 0; ok && i < s->waits; i++) {
		const struct waitfor_wait *wait = &s->w->waits.items[i];
		uint64_t key = idmap_pair(wait->instance, wait->mode);

		s->lock[i] = idmap__get(&ids, key);
		if (s->lock[i] != IDMAP_NONE)
			continue;
		s->lock[i] = s->locks++;
		ok = !idmap__put(&ids, key, s->lock[i]);
	}
	idmap__release(&ids);
	for (uint32_t i = 0; i < s->w->owners.count; i++)
		s->owner_wait[i] = idmap__get(&s->w->wait_of_task, s->w->owners.items[i].task);
	return ok;
}

static bool find_components(struct search *s)
{
	VECTOR(struct arc) arcs = {0};
	struct adjacency graph = {0};
	bool ok = true;

	for (uint32_t i = 0; ok && i < s->waits; i++) {
		uint32_t node = s->waits + s->lock[i];

		ok = vector_push(&arcs, (struct arc){i, node});
		if (s->lock_seen[s->lock[i]])
			continue;
		s->lock_seen[s->lock[i]] = 1;
		for (uint32_t o = first_owner(s, i); ok && o != IDMAP_NONE;
		     o = s->w->next_owner.items[o]) {
			if (leads_on(s, i, o))
				ok = vector_push(&arcs, (struct arc){node, s->owner_wait[o]});
		}
	}
	if (ok && arcs.count < UINT32_MAX &&
	    adjacency__build(&graph, s->waits + s->locks, arcs.items, (uint32_t)arcs.count))
		s->component = scc__components(&graph);
	adjacency__release(&graph);
	free(arcs.items);
	s->number = 1;
	return s->component;
}

/* --- one search ------------------------------------------------------------------------------- */

/* Everything that a wait leads to; true: `goal` is among it. */
static bool expand(struct search *s, uint32_t at, uint32_t goal, uint32_t *tail)
{
	if (s->lock_seen[s->lock[at]] == s->number)
		return false;
	s->lock_seen[s->lock[at]] = s->number;
	for (uint32_t o = first_owner(s, at); o != IDMAP_NONE; o = s->w->next_owner.items[o]) {
		uint32_t to = s->owner_wait[o];

		s->looked++;
		if (!leads_on(s, at, o) || s->component[to] != s->component[goal] ||
		    s->wait_seen[to] == s->number)
			continue;
		s->wait_seen[to] = s->number;
		s->reached[to] = (struct waitfor_step){at, o};
		if (to == goal)
			return true;
		s->queue[(*tail)++] = to;
	}
	return false;
}

/* Shortest way from a wait back to it, over this owner unless it is NO_ID. Steps, first one first;
 * 0: none. */
static uint32_t shortest(struct search *s, uint32_t start, uint32_t owner)
{
	uint32_t head = 0, tail = 0, count = 0, at = start;
	bool found = false;

	s->number++;
	if (owner == NO_ID) {
		found = expand(s, start, start, &tail);
	} else {
		at = s->owner_wait[owner];
		s->wait_seen[at] = s->number;
		s->reached[at] = (struct waitfor_step){start, owner};
		s->queue[tail++] = at;
		found = at == start;
	}
	while (!found && head < tail)
		found = expand(s, s->queue[head++], start, &tail);
	if (!found)
		return 0;
	at = start;
	do {
		s->steps[count++] = s->reached[at];
		at = s->reached[at].wait;
	} while (at != start);
	for (uint32_t i = 0; i < count / 2; i++) {
		struct waitfor_step swap = s->steps[i];

		s->steps[i] = s->steps[count - 1 - i];
		s->steps[count - 1 - i] = swap;
	}
	return count;
}

/* Canonical by task: the smallest task id comes first. `turned` has room for as many again. */
static struct waitfor_step *rotate(struct search *s, uint32_t count)
{
	struct waitfor_step *turned = s->steps + count;
	uint32_t best = 0;

	for (uint32_t i = 1; i < count; i++)
		if (s->w->waits.items[s->steps[i].wait].task <
		    s->w->waits.items[s->steps[best].wait].task)
			best = i;
	for (uint32_t i = 0; i < count; i++)
		turned[i] = s->steps[(best + i) % count];
	return turned;
}

/* Does the task wait for itself? The shortest of all cycles needs no search. */
static uint32_t own_owner(const struct search *s, uint32_t wait)
{
	const struct waitfor_wait *w = &s->w->waits.items[wait];
	uint32_t owner = idmap__get(&s->w->owner_ids, idmap_pair(w->task, w->instance));

	return owner != IDMAP_NONE && leads_on(s, wait, owner) ? owner : NO_ID;
}

static int report(struct search *s, uint32_t start, uint32_t owner, waitfor_cycle_fn found,
		  void *context)
{
	uint32_t count = shortest(s, start, owner);
	struct waitfor_step *steps;
	uint64_t hash;

	if (!count)
		return 0;
	steps = rotate(s, count);
	for (uint32_t i = 0; i < count; i++)
		s->covered[steps[i].wait] = 1;
	hash = hash_bytes(steps, count * sizeof(*steps));
	if (idmap__get(&s->known, hash) != IDMAP_NONE)
		return 0;
	if (idmap__put(&s->known, hash, 1))
		return -ENOMEM;
	s->cycles++;
	return found(context, steps, count);
}

/* --- all of them ------------------------------------------------------------------------------ */

/* The first wait that was not started from over each of its owners; all of them: how many there
 * are. */
static int every_edge(struct search *s, waitfor_cycle_fn found, void *context, uint32_t *done)
{
	int error = 0;

	for (uint32_t i = 0; i < s->waits; i++) {
		*done = i;
		if (s->component[i] == SCC_NONE)
			continue;
		for (uint32_t o = first_owner(s, i); o != IDMAP_NONE;
		     o = s->w->next_owner.items[o]) {
			if (s->looked++ > EVERY_EDGE_STEPS || s->cycles >= EVERY_EDGE_CYCLES)
				return 0;
			if (s->hints && s->w->owners.items[o].certain)
				continue; /* a cycle of certain owners only is none of these */
			if (leads_on(s, i, o))
				error = report(s, i, o, found, context);
			if (error)
				return error;
		}
	}
	*done = s->waits;
	return 0;
}

static bool allocate(struct search *s)
{
	size_t waits = s->waits + 1ULL, owners = s->w->owners.count + 1;

	s->lock = calloc(waits, sizeof(*s->lock));
	s->owner_wait = calloc(owners, sizeof(*s->owner_wait));
	s->wait_seen = calloc(waits, sizeof(*s->wait_seen));
	s->lock_seen = calloc(waits, sizeof(*s->lock_seen));
	s->reached = calloc(waits, sizeof(*s->reached));
	s->queue = calloc(waits, sizeof(*s->queue));
	s->covered = calloc(waits, 1);
	s->steps = calloc(2 * waits, sizeof(*s->steps));
	return s->lock && s->owner_wait && s->wait_seen && s->lock_seen && s->reached && s->queue &&
	       s->covered && s->steps;
}

int waitfor__each_cycle(const struct waitfor *w, bool hints, waitfor_cycle_fn found, void *context,
			bool *limited)
{
	struct search s = {.w = w, .hints = hints, .waits = (uint32_t)w->waits.count};
	uint32_t done = 0;
	int error = -ENOMEM;

	*limited = false;
	if (allocate(&s) && number_locks(&s) && find_components(&s))
		error = every_edge(&s, found, context, &done);
	*limited = !error && done < s.waits;
	/* one without a hint on it is a deadlock that was found without hints */
	for (uint32_t i = hints ? s.waits : done; !error && i < s.waits && s.looked < ALL_STEPS;
	     i++) {
		if (s.component[i] != SCC_NONE && !s.covered[i])
			error = report(&s, i, own_owner(&s, i), found, context);
	}
	void *arrays[] = {s.lock,    s.owner_wait, s.component, s.wait_seen, s.lock_seen,
			  s.reached, s.queue,	   s.covered,	s.steps};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		free(arrays[i]);
	idmap__release(&s.known);
	return error;
}
