// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which owners stay (now --wait-for). Between two looks at everything the owner words are read
 * again and again, so that a lock two tasks pass to and fro is not taken for one that is kept.
 */
#include <string.h>
#include <time.h>

#include "census/census_private.h"
#include "util/clock.h"

#define PAUSE_NS 3000000L

static bool has_owner(const struct lock_state *state)
{
	return state->certain && state->owner;
}

void census__watch_owners(struct census *c, uint64_t ns, bool (*stop)(void))
{
	const struct timespec pause = {0, PAUSE_NS};
	struct census_run *r = c->run;
	uint64_t end = clock_mono_ns() + ns;

	for (struct census_known_lock *l = r->locks; l; l = l->hh.next)
		l->steady = has_owner(&l->state);
	while (clock_mono_ns() < end && !stop()) {
		for (struct census_known_lock *l = r->locks; l; l = l->hh.next) {
			struct lock_state state;

			if (!l->steady)
				continue;
			l->steady = !lock_state__read_owner(&state, r->memory, &r->layout, l->kind,
							    l->address) &&
				    has_owner(&state) && state.owner == l->state.owner;
		}
		nanosleep(&pause, NULL);
	}
}

void census__keep_steady(struct census *c, const struct census *before)
{
	const struct census_run *r = c->run;
	const struct census_known_lock *was;
	uint32_t kept = 0, row = 0;

	/* rows of `locks` are in the order of the table they were made from */
	for (const struct census_known_lock *l = r->locks; l && row < c->lock_count;
	     l = l->hh.next, row++) {
		HASH_FIND(hh, before->run->locks, &l->address, sizeof(l->address), was);
		if (was && was->steady && has_owner(&l->state) &&
		    l->state.owner == was->state.owner)
			c->locks[kept++] = c->locks[row];
	}
	c->lock_count = kept;
}
