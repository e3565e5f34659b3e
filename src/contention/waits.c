// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wait times: the kernel keeps a histogram per (lock, site); here they become rows of the model.
 * Only locks the model knows are taken over: others are foreign to VFIO and KVM.
 */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "contention/contention_private.h"
#include "record.h"
#include "contention.skel.h"

#define STACK_WORDS 32 /* as in map wait_stacks */

static uint32_t stack_of(struct contention *c, int32_t id)
{
	uint64_t frames[STACK_WORDS] = {0};
	uint32_t key = (uint32_t)id, count = 0, first = 0;
	struct kernel_symbol symbol;

	if (id < 0 || bpf_map_lookup_elem(bpf_map__fd(c->bpf->maps.wait_stacks), &key, frames))
		return NO_ID;
	while (count < STACK_WORDS && frames[count])
		count++;
	/* our own program and the slow path come first */
	while (first < count &&
	       (!kernel__resolve(c->options.kernel, frames[first], &symbol, NULL) ||
		!strncmp(symbol.name, "bpf_", 4)))
		first++;
	if (first == count)
		first = 0;
	return census__add_stack(c->options.kernel, c->options.model, frames + first,
				 count - first);
}

/* A new histogram has fewer than were counted when its row was evicted and came again. */
static void add_difference(struct contention *c, struct counted_wait *row,
			   const struct contention_wait *now)
{
	static const struct contention_wait none;
	const struct contention_wait *was = now->count < row->counted.count ? &none : &row->counted;
	struct histogram add = {.count = now->count - was->count,
				.total = now->total - was->total,
				.max = now->max};

	if (!add.count)
		return;
	for (int i = 0; i < CONTENTION_BUCKETS; i++) {
		int to = i < HISTOGRAM_BUCKETS ? i : HISTOGRAM_BUCKETS - 1;

		add.bucket[to] += now->bucket[i] - was->bucket[i];
	}
	model__add_duration(c->options.model, row->instance, row->stack, NO_ID, false, &add);
	row->counted = *now;
}

void contention__remember_names(struct contention *c, const struct census *census)
{
	const struct census_known_lock *lock;

	for (lock = census->run->locks; lock; lock = lock->hh.next) {
		struct named_lock *known;

		if (!lock->in_scope)
			continue;
		HASH_FIND(hh, c->names, &lock->address, sizeof(lock->address), known);
		if (known) {
			known->instance = lock->instance;
			continue;
		}
		known = calloc(1, sizeof(*known));
		if (!known)
			return;
		known->address = lock->address;
		known->instance = lock->instance;
		HASH_ADD(hh, c->names, address, sizeof(known->address), known);
	}
}

static uint32_t instance_of(struct contention *c, uint64_t lock)
{
	const struct named_lock *known;
	uint32_t instance = NO_ID;

	if (c->hooks.known_instance)
		instance = c->hooks.known_instance(c->hooks.context, lock);
	if (instance != NO_ID)
		return instance;
	HASH_FIND(hh, c->names, &lock, sizeof(lock), known);
	return known ? known->instance : NO_ID;
}

static struct counted_wait *row_of(struct contention *c, const struct contention_wait_key *key)
{
	struct counted_wait *row;
	uint32_t instance;

	HASH_FIND(hh, c->waits, key, sizeof(*key), row);
	if (row)
		return row;
	instance = instance_of(c, key->lock);
	if (instance == NO_ID)
		return NULL;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	row->key = *key;
	row->instance = instance;
	row->stack = stack_of(c, key->stack);
	HASH_ADD(hh, c->waits, key, sizeof(row->key), row);
	return row;
}

void contention__collect_waits(struct contention *c)
{
	int fd = bpf_map__fd(c->bpf->maps.waits);
	struct contention_wait_key key, next;
	int left = 2 * CONTENTION_WAITS; /* an LRU map changes while it is walked */

	for (bool more = !bpf_map_get_next_key(fd, NULL, &key); more && left--; key = next) {
		struct contention_wait wait;
		struct counted_wait *row;

		more = !bpf_map_get_next_key(fd, &key, &next);
		row = row_of(c, &key);
		if (row && !bpf_map_lookup_elem(fd, &key, &wait))
			add_difference(c, row, &wait);
	}
}

static void select_row(struct contention *c, struct keep_set *s,
		       const struct contention_wait_key *key)
{
	struct counted_wait *row;

	HASH_FIND(hh, c->waits, key, sizeof(*key), row);
	if (!row)
		return;
	row->is_counted_on = true;
	if (row->instance != NO_ID)
		s->instances[row->instance] = 1;
	if (row->stack != NO_ID)
		s->stacks[row->stack] = 1;
}

void contention__select(struct contention *c, struct keep_set *s)
{
	int fd = bpf_map__fd(c->bpf->maps.waits), left = 2 * CONTENTION_WAITS;
	struct contention_wait_key key, next;
	struct counted_wait *row;

	for (row = c->waits; row; row = row->hh.next)
		row->is_counted_on = false;
	for (bool more = !bpf_map_get_next_key(fd, NULL, &key); more && left--; key = next) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		select_row(c, s, &key);
	}
}

/* The names come again with the look at every VM and device, which is due then. */
void contention__switch_model(struct contention *c, struct model *m, const struct id_remap *remap)
{
	struct counted_wait *row, *next;
	struct named_lock *name, *next_name;

	c->options.model = m;
	c->sweeps = 0;
	HASH_ITER(hh, c->waits, row, next) {
		row->instance = row->instance == NO_ID ? NO_ID : remap->instances[row->instance];
		row->stack = row->stack == NO_ID ? NO_ID : remap->stacks[row->stack];
		if (row->is_counted_on)
			continue;
		HASH_DEL(c->waits, row);
		free(row);
	}
	HASH_ITER(hh, c->names, name, next_name) {
		HASH_DEL(c->names, name);
		free(name);
	}
}

void contention__free_waits(struct contention *c)
{
	struct counted_wait *row, *next;
	struct named_lock *name, *next_name;

	HASH_ITER(hh, c->waits, row, next) {
		HASH_DEL(c->waits, row);
		free(row);
	}
	HASH_ITER(hh, c->names, name, next_name) {
		HASH_DEL(c->names, name);
		free(name);
	}
}
