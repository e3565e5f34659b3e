// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bounded queue between tracing and writing: two buffers that swap places. The tracing side
 * copies into one under a short lock, the writing side works on the other without it, so tracing
 * never waits for a disk.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/store_private.h"

#define TAKE_INTERVAL_NS 250000000L
#define MIN_BUFFER 131072 /* the largest record fits */

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, taken;
	char *fill, *work;
	size_t capacity, used; /* of each buffer; used in `fill` */
	bool urgent, ended, working;
};

struct queue *queue__new(size_t bytes)
{
	struct queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t monotonic;

	if (!q)
		return NULL;
	q->capacity = bytes / 2 < MIN_BUFFER ? MIN_BUFFER : bytes / 2;
	q->fill = malloc(q->capacity);
	q->work = malloc(q->capacity);
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&q->filled, &monotonic);
	pthread_cond_init(&q->taken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (!q->fill || !q->work) {
		queue__free(q);
		return NULL;
	}
	return q;
}

void queue__free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->filled);
	pthread_cond_destroy(&q->taken);
	pthread_mutex_destroy(&q->lock);
	free(q->fill);
	free(q->work);
	free(q);
}

bool queue__put(struct queue *q, enum row_type type, const void *head, size_t head_size,
		const void *tail, size_t tail_size, bool urgent)
{
	const struct record made = {.type = (uint16_t)type,
				    .size = (uint32_t)(head_size + tail_size)};
	const size_t total = record__bytes(&made);
	struct record *record;
	bool fits;

	pthread_mutex_lock(&q->lock);
	/* The stream leaves room for the graph and the findings. */
	fits = q->used + total + (type == ROW_EVENT ? q->capacity / 4 : 0) <= q->capacity;
	if (fits) {
		record = (struct record *)(q->fill + q->used);
		*record = made;
		if (head_size)
			memcpy(record->payload, head, head_size);
		if (tail_size)
			memcpy((char *)record->payload + head_size, tail, tail_size);
		q->used += total;
	}
	if (urgent || !fits || (q->used > q->capacity / 2 && !q->urgent)) {
		q->urgent = true;
		pthread_cond_signal(&q->filled);
	}
	pthread_mutex_unlock(&q->lock);
	return fits;
}

void queue__end(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->ended = true;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

bool queue__take(struct queue *q, const struct record **records, size_t *bytes)
{
	struct timespec until;
	bool more;
	char *swap;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += TAKE_INTERVAL_NS;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&q->lock);
	q->working = false;
	pthread_cond_broadcast(&q->taken);
	while (!q->urgent && !q->ended)
		if (pthread_cond_timedwait(&q->filled, &q->lock, &until) == ETIMEDOUT)
			break;
	swap = q->work;
	q->work = q->fill;
	q->fill = swap;
	*records = (const struct record *)q->work;
	*bytes = q->used;
	q->used = 0;
	q->urgent = false;
	q->working = *bytes != 0;
	more = q->working || !q->ended;
	pthread_mutex_unlock(&q->lock);
	return more;
}

void queue__drain(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	while (q->used || q->working) {
		q->urgent = true;
		pthread_cond_signal(&q->filled);
		pthread_cond_wait(&q->taken, &q->lock);
	}
	pthread_mutex_unlock(&q->lock);
}
