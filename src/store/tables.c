// SPDX-License-Identifier: GPL-2.0-or-later
/* Which rows of the model were sent, and in which state: tables_rows.c says what a state is. */
#include <stdlib.h>
#include <string.h>

#include "store/redact.h"
#include "store/tables.h"
#include "store/tables_rows.h"
#include "util/idmap.h"
#include "util/memory.h"

typedef VECTOR(uint64_t) fingerprints;

struct tables {
	fingerprints sent[TABLE_KINDS];
	uint64_t marks[TABLE_KINDS]; /* of tables whose rows never change */
	uint64_t coverage[PATH_COUNT], losses[LOSS_REASONS];
	uint64_t clock, acquisitions;
	struct redactor *redactor; /* NULL: everything as it is */
	bool fresh;		   /* nothing was sent yet */
};

static uint64_t mix_pointer(uint64_t hash, const void *pointer)
{
	return hash_mix(hash, (uintptr_t)pointer);
}

static bool put(struct queue *q, enum row_type type, const void *row, size_t size)
{
	return queue__put(q, type, row, size, NULL, 0, false);
}

static bool send_new_rows(struct tables *t, enum table_kind kind, const struct model *m,
			  struct queue *q)
{
	uint64_t *sent = table_rows[kind].print ? &t->sent[kind].count : &t->marks[kind];
	const struct sending to = {q, t->redactor};
	const uint32_t count = table_rows[kind].count(m);

	while (*sent < count) {
		uint32_t id = (uint32_t)*sent;

		if (table_rows[kind].print && !vector_reserve(&t->sent[kind], id + 1ULL))
			return false;
		if (!table_rows[kind].send(&to, m, id, false))
			return false;
		if (table_rows[kind].print)
			t->sent[kind].items[id] = table_rows[kind].print(m, id);
		++*sent;
	}
	return true;
}

bool tables__send_new(struct tables *t, const struct model *m, struct queue *q)
{
	/* In this order, so that a file that ends early holds what its chains refer to. */
	for (int kind = 0; kind < TABLE_KINDS; kind++)
		if (!send_new_rows(t, kind, m, q))
			return false;
	return true;
}

static bool send_changed_rows(struct tables *t, enum table_kind kind, const struct model *m,
			      struct queue *q)
{
	const struct sending to = {q, t->redactor};
	uint64_t *prints = t->sent[kind].items;

	for (uint32_t id = 0; table_rows[kind].print && id < t->sent[kind].count; id++) {
		uint64_t print = table_rows[kind].print(m, id);

		if (print == prints[id])
			continue;
		if (!table_rows[kind].send(&to, m, id, true))
			return false;
		prints[id] = print;
	}
	return true;
}

static bool put_meta(struct queue *q, const char *key, const char *text, uint64_t number)
{
	struct row_meta row = {key, text, (int64_t)number};

	return put(q, ROW_META, &row, sizeof(row));
}

static bool send_meta(struct tables *t, const struct model *m, struct queue *q)
{
	const struct model_clock *clock = model__clock((struct model *)m);
	uint64_t print = hash_mix(hash_mix(clock->start, clock->end),
				  hash_mix((uint64_t)clock->realtime_offset, clock->has_time));
	const char *unknown = model__losses_unknown(m);

	print = mix_pointer(hash_mix(print, model__acquisitions(m)), unknown);
	if (!t->fresh && print == t->clock)
		return true;
	unknown = redact_text(t->redactor, unknown);
	if (!put_meta(q, "tool_version", VERSION, 0) ||
	    !put_meta(q, "realtime_offset", NULL, (uint64_t)clock->realtime_offset) ||
	    !put_meta(q, "start", NULL, clock->start) || !put_meta(q, "end", NULL, clock->end) ||
	    !put_meta(q, "has_time", NULL, clock->has_time) ||
	    !put_meta(q, "acquisitions", NULL, model__acquisitions(m)) ||
	    (unknown && !put_meta(q, "losses_unknown", unknown, 0)))
		return false;
	t->clock = print;
	return true;
}

static bool send_coverage(struct tables *t, const struct model *m, struct queue *q)
{
	for (int path = 0; path < PATH_COUNT; path++) {
		struct row_coverage row = {(uint32_t)path, *model__coverage(m, path)};
		uint64_t print = mix_pointer(hash_mix(row.coverage.state, row.coverage.hits),
					     row.coverage.reason);

		if (!t->fresh && print == t->coverage[path])
			continue;
		redact_coverage(t->redactor, &row.coverage);
		if (!put(q, ROW_COVERAGE, &row, sizeof(row)))
			return false;
		t->coverage[path] = print;
	}
	return true;
}

static bool send_losses(struct tables *t, const struct model *m, struct queue *q)
{
	for (int reason = 0; reason < LOSS_REASONS; reason++) {
		struct row_loss row = {(uint32_t)reason, model__loss(m, reason)};

		if (!t->fresh && row.count == t->losses[reason])
			continue;
		if (!put(q, ROW_LOSS, &row, sizeof(row)))
			return false;
		t->losses[reason] = row.count;
	}
	return true;
}

bool tables__send_changed(struct tables *t, const struct model *m, struct queue *q)
{
	for (int kind = 0; kind < TABLE_KINDS; kind++)
		if (!send_changed_rows(t, kind, m, q))
			return false;
	if (!send_meta(t, m, q) || !send_coverage(t, m, q) || !send_losses(t, m, q))
		return false;
	t->fresh = false;
	return true;
}

struct tables *tables__new(struct redactor *redactor)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->redactor = redactor;
	t->fresh = true;
	return t;
}

void tables__free(struct tables *t)
{
	if (!t)
		return;
	for (int kind = 0; kind < TABLE_KINDS; kind++)
		free(t->sent[kind].items);
	free(t);
}

void tables__reset(struct tables *t)
{
	for (int kind = 0; kind < TABLE_KINDS; kind++) {
		t->sent[kind].count = 0;
		t->marks[kind] = 0;
	}
	t->fresh = true;
}
