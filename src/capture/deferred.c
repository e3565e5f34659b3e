// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records that wait a moment for a name. An object is seen when its file is used, which can be just
 * after its lock was taken for the first time (the device set during the open that makes it known,
 * the IOMMU's state while it is made). A class does not change its name later, so such a chain, and
 * what follows for the same chain, waits for DEFER_NS.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/internal.h"

#define DEFER_NS 300000000ULL
#define DEFER_MOST 4096 /* records; then the oldest is decoded with the names there are */

struct deferred {
	struct deferred *next;
	uint64_t due;
	size_t size;
	__u64 data[]; /* aligned as records are */
};

static void decode_oldest(struct capture *c)
{
	struct deferred *record = c->deferred_first;

	c->deferred_first = record->next;
	if (!c->deferred_first)
		c->deferred_last = NULL;
	c->deferred_count--;
	decode__now(c, record->data);
	free(record);
}

bool deferred__add(struct capture *c, const void *data, size_t size, uint64_t now)
{
	struct deferred *record;

	if (c->deferred_count >= DEFER_MOST)
		decode_oldest(c);
	record = malloc(sizeof(*record) + size);
	if (!record)
		return false;
	record->next = NULL;
	record->due = now + DEFER_NS;
	record->size = size;
	memcpy(record->data, data, size);
	if (c->deferred_last)
		c->deferred_last->next = record;
	else
		c->deferred_first = record;
	c->deferred_last = record;
	c->deferred_count++;
	return true;
}

/* Decode what is due (everything with now == UINT64_MAX), in the order it came. */
void deferred__run(struct capture *c, uint64_t now)
{
	while (c->deferred_first && c->deferred_first->due <= now)
		decode_oldest(c);
}

void deferred__each(const struct capture *c, void (*visit)(void *context, const void *data),
		    void *context)
{
	for (const struct deferred *record = c->deferred_first; record; record = record->next)
		visit(context, record->data);
}

void deferred__free(struct capture *c)
{
	while (c->deferred_first) {
		struct deferred *record = c->deferred_first;

		c->deferred_first = record->next;
		free(record);
	}
}
