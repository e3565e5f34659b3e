/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idmap.h - open-addressing hash from a 64-bit key to a 32-bit id, and 64-bit mixing.
 *
 * Purpose: the one table in front of chains, dependencies and edges, where uthash's 56 bytes and a
 * pointer chase per entry would be most of the cost.
 *
 * Invariants: keys are either exact (two packed ids) or 64-bit hashes whose owner compares content;
 * nothing is ever removed. Zero-initialised is empty and valid. Hashes are made with a secret of
 * the process, so that no file can choose names and addresses that all fall into one place; they
 * mean nothing outside of it.
 * Errors: idmap__put returns -ENOMEM and leaves the map as it was.
 */
#ifndef VFIOTRACE_UTIL_IDMAP_H
#define VFIOTRACE_UTIL_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#define IDMAP_NONE UINT32_MAX

struct idmap_slot {
	uint64_t key;
	uint32_t value; /* IDMAP_NONE: empty */
};

struct idmap {
	struct idmap_slot *slots;
	uint32_t mask; /* capacity - 1, 0 when there are no slots */
	uint32_t count;
};

extern uint64_t hash_secret[2];

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	/* multiply-fold of wyhash: every input bit reaches every output bit */
	__uint128_t product = (__uint128_t)(a ^ hash_secret[0]) * (b ^ hash_secret[1]);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes(const void *bytes, size_t length);

/* A get of this key follows soon. */
static inline void idmap__prefetch(const struct idmap *map, uint64_t key)
{
	if (map->slots)
		__builtin_prefetch(&map->slots[(uint32_t)hash_mix(key, 0) & map->mask]);
}

/* IDMAP_NONE if absent. */
uint32_t idmap__get(const struct idmap *map, uint64_t key);
/* Insert; the key must be absent. */
int idmap__put(struct idmap *map, uint64_t key, uint32_t value);
void idmap__set(struct idmap *map, uint64_t key, uint32_t value); /* key must be present */
void idmap__release(struct idmap *map);

static inline uint64_t idmap_pair(uint32_t a, uint32_t b)
{
	return (uint64_t)a << 32 | b;
}

#endif
