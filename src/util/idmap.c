// SPDX-License-Identifier: GPL-2.0-or-later
/* Open-addressing hash with linear probing; grows at three quarters. */
#include "util/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define HUGE_PAGE (2u << 20)

uint64_t hash_secret[2] = {0xa0761d6478bd642fULL, 0xe7037ed1a0b428dbULL};

/* Without entropy (early in boot) the numbers of wyhash serve: right, and only easier to attack. */
__attribute__((constructor)) static void draw_secret(void)
{
	uint64_t drawn[2];

	if (getrandom(drawn, sizeof(drawn), GRND_NONBLOCK) != sizeof(drawn))
		return;
	hash_secret[0] ^= drawn[0];
	hash_secret[1] ^= drawn[1];
}

uint64_t hash_bytes(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t hash = length, word;

	for (; length >= 8; at += 8, length -= 8) {
		memcpy(&word, at, 8);
		hash = hash_mix(hash, word);
	}
	word = 0;
	memcpy(&word, at, length);
	return hash_mix(hash, word);
}

static uint32_t slot_of(const struct idmap *map, uint64_t key)
{
	uint32_t slot = (uint32_t)hash_mix(key, 0) & map->mask;

	while (map->slots[slot].value != IDMAP_NONE && map->slots[slot].key != key)
		slot = (slot + 1) & map->mask;
	return slot;
}

uint32_t idmap__get(const struct idmap *map, uint64_t key)
{
	if (!map->slots)
		return IDMAP_NONE;
	return map->slots[slot_of(map, key)].value;
}

/* Probes of a big table miss the TLB as much as the cache: ask for huge pages. */
static struct idmap_slot *allocate(uint64_t capacity)
{
	size_t bytes = capacity * sizeof(struct idmap_slot);
	struct idmap_slot *slots;

	if (bytes < 2 * HUGE_PAGE)
		return malloc(bytes);
	slots = aligned_alloc(HUGE_PAGE, bytes);
	if (slots)
		madvise(slots, bytes, MADV_HUGEPAGE);
	return slots;
}

static int grow(struct idmap *map)
{
	uint64_t capacity = map->slots ? 2 * ((uint64_t)map->mask + 1) : 64;
	struct idmap bigger = {.mask = (uint32_t)(capacity - 1), .count = map->count};

	if (capacity > 1ULL << 31)
		return -ENOMEM;
	bigger.slots = allocate(capacity);
	if (!bigger.slots)
		return -ENOMEM;
	for (uint64_t i = 0; i < capacity; i++)
		bigger.slots[i] = (struct idmap_slot){.value = IDMAP_NONE};
	for (uint64_t i = 0; map->slots && i <= map->mask; i++) {
		if (map->slots[i].value != IDMAP_NONE)
			bigger.slots[slot_of(&bigger, map->slots[i].key)] = map->slots[i];
	}
	free(map->slots);
	*map = bigger;
	return 0;
}

int idmap__put(struct idmap *map, uint64_t key, uint32_t value)
{
	if (!map->slots || map->count >= map->mask / 4 * 3) {
		int error = grow(map);

		if (error)
			return error;
	}
	map->slots[slot_of(map, key)] = (struct idmap_slot){key, value};
	map->count++;
	return 0;
}

void idmap__set(struct idmap *map, uint64_t key, uint32_t value)
{
	if (map->slots)
		map->slots[slot_of(map, key)].value = value;
}

void idmap__release(struct idmap *map)
{
	free(map->slots);
	*map = (struct idmap){0};
}
