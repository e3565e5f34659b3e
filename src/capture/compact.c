// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A smaller model takes over while the programs stay attached. What the kernel's own table of
 * chains still has must be kept: its next occurrence is only counted there. What it dropped comes
 * again as new when it is seen again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "contention/contention.h"
#include "capture/capture_private.h"
#include "util/clock.h"

#define BATCH 1024
#define READ_AHEAD_NS 50000000ULL /* records that keep coming must not keep us */

static void select_known(struct capture *c, struct keep_set *s, uint64_t key)
{
	struct known_chain *known;

	HASH_FIND(hh, c->known_chains, &key, sizeof(key), known);
	if (known)
		s->chains[known->chain] = 1;
}

/* Keys stay in their buckets, so one that is there all the time is met once. */
static int select_chains(struct capture *c, struct keep_set *s)
{
	static uint64_t keys[BATCH];
	static struct chain_value values[BATCH];
	int fd = programs__map_fd(c, "chains"), error = 0;
	uint32_t at = 0, *previous = NULL;

	while (!error) {
		uint32_t count = BATCH;

		error = bpf_map_lookup_batch(fd, previous, &at, keys, values, &count, NULL);
		if (error && error != -ENOENT) /* -ENOENT: these are the last */
			return error;
		for (uint32_t i = 0; i < count; i++)
			select_known(c, s, keys[i]);
		previous = &at;
	}
	return 0;
}

/* Locks of records that wait have their names now; later their objects may be gone. */
static void select_waiting(void *context, const void *data)
{
	const struct record_header *header = data;
	const struct record_chain *chain = data;
	struct keep_names *of = context;

	if (header->type != RECORD_CHAIN)
		return;
	lock_names__select(of->names, of->keep, &chain->wanted);
	for (uint32_t i = 0; i < chain->held_count && i < RECORD_MAX_HELD; i++)
		lock_names__select(of->names, of->keep, &chain->held[i]);
}

/* A full stack is sent once for each (site, lock): it stays for as long as the lock does. */
static bool is_site_used(const struct keep_set *s, const struct known_site *site,
			 const uint64_t *locks, uint32_t lock_count)
{
	return s->stacks[site->stack] || bsearch(&site->key.lock, locks, lock_count, sizeof(*locks),
						 lock_names__compare_addresses);
}

static void select_sites(struct capture *c, struct keep_set *s)
{
	uint32_t count = 0;
	uint64_t *locks = lock_names__selected(c->names, s, &count);
	struct known_site *site, *next;

	HASH_ITER(hh, c->known_sites, site, next)
		if (site->stack != NO_ID && is_site_used(s, site, locks, count))
			s->stacks[site->stack] = 1;
	free(locks);
}

int capture__select(struct capture *c, struct keep_set *s)
{
	struct keep_names of = {c->names, s};
	int error = -EOPNOTSUPP;

	/* nothing is counted up here: occurrences and waits that stay go on from what was counted
	 */
	if (c->ring && !c->options.record_events && !c->options.holds)
		error = select_chains(c, s);
	if (error)
		return error;
	lock_names__select_objects(c->names, s);
	deferred__each(c, select_waiting, &of);
	if (c->contention)
		contention__select(c->contention, s);
	c->is_moving = true;
	capture__prefetch(c);
	error = keep_set__guards(s, c->options.model);
	capture__prefetch(c);
	keep_set__close(s, c->options.model);
	select_sites(c, s);
	capture__prefetch(c);
	return error;
}

void capture__prefetch(struct capture *c)
{
	c->read_until = clock_mono_ns() + READ_AHEAD_NS;
	ring_buffer__consume(c->ring);
	c->read_until = 0;
}

void capture__resume(struct capture *c)
{
	if (c->is_moving)
		prefetch__run(c);
}

void capture__switch_model(struct capture *c, struct model *m, const struct id_remap *remap)
{
	struct known_chain *chain, *next_chain;
	struct known_site *site, *next_site;

	c->options.model = m;
	lock_names__switch_model(c->names, m, remap);
	if (c->contention)
		contention__switch_model(c->contention, m, remap);
	HASH_ITER(hh, c->known_chains, chain, next_chain) {
		chain->chain = remap->chains[chain->chain];
		if (chain->chain != NO_ID)
			continue;
		HASH_DEL(c->known_chains, chain);
		free(chain);
	}
	HASH_ITER(hh, c->known_sites, site, next_site) {
		site->stack = site->stack == NO_ID ? NO_ID : remap->stacks[site->stack];
		if (site->stack != NO_ID)
			continue;
		HASH_DEL(c->known_sites, site);
		free(site);
	}
}
