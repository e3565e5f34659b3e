// SPDX-License-Identifier: GPL-2.0-or-later
/* The writing thread: one batch of the queue after the other into the file. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/writer.h"

/* On a host without an idle processor the event stream must not cost the traced side. */
#define NICE_OF_EVENTS 19

static void note_error(struct store_writer *w, int error)
{
	pthread_mutex_lock(&w->error_lock);
	snprintf(w->error, sizeof(w->error), "%s", sink__error(w->sink));
	pthread_mutex_unlock(&w->error_lock);
	atomic_store(&w->last_error, error);
}

/* Is it lost? */
static bool account_finding(struct store_writer *w, const struct row_finding *row, bool failed)
{
	struct row_finding finding = *row;
	bool kept = failed && findings__keep(&w->retained, &finding);

	if (!failed)
		findings__drop(&w->retained, finding.key); /* older than what is in the file */
	if (!kept)
		row_finding__release(&finding);
	return failed && !kept;
}

static void release_findings(const struct row_findings *row)
{
	struct finding_rows rows = {.items = row->items, .count = row->count};

	findings__release(&rows);
}

/* How many are lost? */
static uint64_t account_events(const struct row_events *row, bool failed)
{
	bool gap = row->count && row->events[0].op == EVENT_GAP;

	free(row->owned);
	return failed ? row->count - gap : 0;
}

/* For one more attempt; how many events are lost with that? The first trigger's are kept. */
static uint64_t keep_flight(struct store_writer *w, const struct row_fired *row)
{
	if (w->kept_flight.why)
		return account_events(&row->stream, true);
	w->kept_flight = *row;
	return 0;
}

/* Findings of a failed batch are kept for the next; events are counted as lost. */
static void account_batch(struct store_writer *w, const struct record *records, size_t bytes,
			  bool failed)
{
	const char *at = (const char *)records, *end = at + bytes;
	uint64_t lost = 0;

	while (at < end) {
		const struct record *record = (const struct record *)at;
		const void *payload = record->payload;
		const struct row_events *many = record__events(record);

		if (record->type == ROW_FINDING)
			lost += account_finding(w, payload, failed);
		else if (record->type == ROW_FINDINGS)
			release_findings(payload);
		else if (record->type == ROW_EVENT)
			lost += failed && ((const struct trace_event *)payload)->op != EVENT_GAP;
		else if (record->type == ROW_FIRED && failed)
			lost += keep_flight(w, payload);
		else if (many)
			lost += account_events(many, failed);
		at += record__bytes(record);
	}
	if (lost)
		sink__note_gap(w->sink);
	atomic_fetch_add(&w->lost, lost);
}

/* How many bytes come before the first record of that type; all of them: there is none. */
static size_t bytes_before(const struct record *records, size_t bytes, enum row_type type)
{
	size_t at = 0;

	while (at < bytes) {
		const struct record *record = (const void *)((const char *)records + at);

		if (record->type == type)
			break;
		at += record__bytes(record);
	}
	return at;
}

/* The graph fits again. Where this does not, it will not next time. */
static void write_flight(struct store_writer *w)
{
	struct {
		struct record record;
		struct row_fired row;
	} one = {{ROW_FIRED, 0, sizeof(one.row)}, w->kept_flight};
	int error;

	if (!w->kept_flight.why)
		return;
	error = sink__write(w->sink, &one.record, sizeof(one));
	atomic_fetch_add(&w->lost, account_events(&w->kept_flight.stream, error != 0));
	if (error)
		note_error(w, error);
	w->kept_flight = (struct row_fired){0};
}

static int write_retained(struct store_writer *w)
{
	struct {
		struct record record;
		struct row_finding row;
	} one = {.record = {ROW_FINDING, 0, sizeof(one.row)}};
	int error = 0;

	while (w->retained.count && !error) {
		one.row = w->retained.items[w->retained.count - 1];
		error = sink__write(w->sink, &one.record, sizeof(one));
		if (!error)
			row_finding__release(&w->retained.items[--w->retained.count]);
	}
	return error;
}

/* What was in failed batches and refers to the graph. */
static int write_kept(struct store_writer *w)
{
	int error = write_retained(w);

	if (!error)
		write_flight(w);
	return error;
}

/* Only where the priority can be raised again: a finding must not wait behind the stream. */
static void learn_priority(struct store_writer *w)
{
	id_t self = (id_t)gettid();

	w->usual_nice = getpriority(PRIO_PROCESS, self);
	if (setpriority(PRIO_PROCESS, self, w->usual_nice - 1))
		return;
	setpriority(PRIO_PROCESS, self, w->usual_nice);
	atomic_store(&w->thread_id, (int)self);
}

static void choose_priority(struct store_writer *w)
{
	id_t self = (id_t)atomic_load(&w->thread_id);
	bool raise_priority = atomic_exchange(&w->raise_priority, false);

	if (!self)
		return;
	setpriority(PRIO_PROCESS, self, raise_priority ? w->usual_nice : NICE_OF_EVENTS);
	if (atomic_load(&w->raise_priority)) /* since a moment ago */
		setpriority(PRIO_PROCESS, self, w->usual_nice);
}

void store_writer__raise_priority(struct store_writer *w)
{
	int thread = atomic_load(&w->thread_id);

	atomic_store(&w->raise_priority, true);
	if (thread)
		setpriority(PRIO_PROCESS, (id_t)thread, w->usual_nice);
}

/*
 * Every commit leaves a file that reads: rows refer to rows of earlier batches, so after one that
 * failed nothing is written until the tracing side has sent the whole graph again, and findings of
 * failed batches only behind it.
 */
static void write_batch(struct store_writer *w, const struct record *records, size_t bytes)
{
	size_t dropped = w->incomplete ? bytes_before(records, bytes, ROW_GRAPH_AGAIN) : 0;
	int error;

	account_batch(w, records, dropped, true);
	records = (const void *)((const char *)records + dropped);
	bytes -= dropped;
	if (!bytes)
		return;
	error = sink__write(w->sink, records, bytes);
	account_batch(w, records, bytes, error != 0);
	if (!error && bytes_before(records, bytes, ROW_GRAPH_WHOLE) < bytes)
		error = write_kept(w);
	w->incomplete = error != 0;
	if (!error)
		return;
	note_error(w, error);
	atomic_fetch_add(&w->failures, 1);
}

void *store_writer__thread(void *context)
{
	struct store_writer *w = context;
	const struct record *records;
	size_t bytes;

	pthread_setname_np(pthread_self(), "vfiotrace-store");
	learn_priority(w);
	while (queue__take(w->queue, &records, &bytes)) {
		if (!bytes)
			continue;
		choose_priority(w);
		write_batch(w, records, bytes);
	}
	return NULL;
}
