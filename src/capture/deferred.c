// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records that wait. Deferred ones wait a moment for a name: an object is seen when its file is
 * used, which can be just after its lock was taken for the first time (the device set during the
 * open that makes it known, the IOMMU's state while it is made). A class does not change its name
 * later, so such a chain, and what follows for the same chain, waits for DEFER_NS. Those read ahead
 * wait until the smaller model is there (compact.c).
 */
#include <stdlib.h>
#include <string.h>

#include "capture/capture_private.h"
#include "util/clock.h"

#define DEFER_NS 300000000ULL
#define READ_AHEAD_EVERY 64
#define READ_AHEAD_MOST_NS 10000000000ULL /* then what comes is too much in any case */
#define DEFER_MOST 4096 /* records; then the oldest is decoded with the names there are */

struct waiting_record {
	struct waiting_record *next;
	uint64_t due;
	size_t size;
	__u64 data[]; /* aligned as records are */
};

static bool append(struct record_queue *queue, const void *data, size_t size, uint64_t due)
{
	struct waiting_record *record = malloc(sizeof(*record) + size);

	if (!record)
		return false;
	record->next = NULL;
	record->due = due;
	record->size = size;
	memcpy(record->data, data, size);
	if (queue->last)
		queue->last->next = record;
	else
		queue->first = record;
	queue->last = record;
	queue->count++;
	return true;
}

/* The oldest, which the caller frees; NULL: none waits. */
static struct waiting_record *take(struct record_queue *queue)
{
	struct waiting_record *record = queue->first;

	if (!record)
		return NULL;
	queue->first = record->next;
	if (!queue->first)
		queue->last = NULL;
	queue->count--;
	return record;
}

static void decode_oldest(struct capture *c)
{
	struct waiting_record *record = take(&c->deferred);

	decode__now(c, record->data);
	free(record);
}

bool deferred__add(struct capture *c, const void *data, size_t size, uint64_t now)
{
	if (c->deferred.count >= DEFER_MOST)
		decode_oldest(c);
	return append(&c->deferred, data, size, now + DEFER_NS);
}

/* Decode what is due (everything with now == UINT64_MAX), in the order it came. */
void deferred__run(struct capture *c, uint64_t now)
{
	while (c->deferred.first && c->deferred.first->due <= now)
		decode_oldest(c);
}

void deferred__each(const struct capture *c, void (*visit)(void *context, const void *data),
		    void *context)
{
	const struct waiting_record *record;

	for (record = c->deferred.first; record; record = record->next)
		visit(context, record->data);
}

void prefetch__add(struct capture *c, const void *data, size_t size)
{
	if (!append(&c->prefetch, data, size, 0))
		c->lost_ahead++;
}

/* What comes meanwhile goes behind them: decoding is slower than reading. */
void prefetch__run(struct capture *c)
{
	struct waiting_record *record;
	uint64_t until = clock_mono_ns() + READ_AHEAD_MOST_NS;
	uint32_t decoded = 0;

	while ((record = take(&c->prefetch))) {
		c->is_moving = false;
		decode__record(c, record->data, record->size);
		free(record);
		c->is_moving = true;
		if (!(++decoded % READ_AHEAD_EVERY) && clock_mono_ns() < until)
			capture__prefetch(c);
	}
	c->is_moving = false;
	if (c->lost_ahead)
		model__add_loss(c->options.model, LOSS_MEMORY, c->lost_ahead);
	c->lost_ahead = 0;
}

static void release(struct record_queue *queue)
{
	struct waiting_record *record;

	while ((record = take(queue)))
		free(record);
}

void deferred__free(struct capture *c)
{
	release(&c->deferred);
	release(&c->prefetch);
}
