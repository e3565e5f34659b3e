// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The writing side's hold on the database: batches as transactions, the size limit, and going on
 * after a failure (a full disk may have room again later).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"

struct sink {
	struct row_context rows;
	char *path;
	uint64_t max_size, events_dropped;
	int64_t first_event;
	uint32_t page_size;
	bool gap; /* events were lost since the last one that was written */
	char error[512];
};

static int64_t pragma_number(sqlite3 *db, const char *text)
{
	sqlite3_stmt *query;
	int64_t number = 0;

	if (!sqlite3_prepare_v2(db, text, -1, &query, NULL) && sqlite3_step(query) == SQLITE_ROW)
		number = sqlite3_column_int64(query, 0);
	sqlite3_finalize(query);
	return number;
}

struct sink *sink__open(const char *path, uint64_t max_size, bool overwrite, int *error,
			const struct store_message *message)
{
	struct sink *s = calloc(1, sizeof(*s));

	*error = -ENOMEM;
	if (!s)
		return NULL;
	s->max_size = max_size;
	s->path = strdup(path);
	*error = s->path ? store_file__create(path, overwrite, &s->rows.db, message) : -ENOMEM;
	if (*error)
		goto fail;
	sqlite3_busy_timeout(s->rows.db, 10000);
	/* Bounded memory: dirty pages beyond 8 MiB go to the file before the commit. */
	sqlite3_exec(s->rows.db, "PRAGMA cache_size = -8192; PRAGMA synchronous = FULL", NULL, NULL,
		     NULL);
	s->page_size = (uint32_t)pragma_number(s->rows.db, "PRAGMA page_size");
	for (int i = 0; i < STATEMENTS; i++) {
		if (sqlite3_prepare_v3(s->rows.db, statement_texts[i], -1,
				       SQLITE_PREPARE_PERSISTENT, &s->rows.statements[i], NULL)) {
			*error = store_fail_sql(message, path, s->rows.db);
			goto fail;
		}
	}
	return s;
fail:
	sink__close(s);
	return NULL;
}

void sink__close(struct sink *s)
{
	if (!s)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->rows.statements[i]);
	rows__drop_frames(&s->rows, 0);
	sqlite3_close(s->rows.db);
	free(s->path);
	free(s);
}

const char *sink__error(const struct sink *s)
{
	return s->error;
}

uint64_t sink__events_dropped(const struct sink *s)
{
	return s->events_dropped;
}

void sink__note_gap(struct sink *s)
{
	s->gap = true;
}

/*
 * Make room for `coming` bytes by giving up the oldest events. Freed pages are used again, so the
 * file stays within the limit; the graph is never touched.
 */
static int make_room(struct sink *s, uint64_t coming)
{
	while (s->max_size && s->rows.next_event > s->first_event) {
		int64_t pages = pragma_number(s->rows.db, "PRAGMA page_count");
		int64_t empty = pragma_number(s->rows.db, "PRAGMA freelist_count");
		uint64_t used = (uint64_t)(pages - empty) * s->page_size;
		int64_t events = s->rows.next_event - s->first_event;
		sqlite3_stmt *drop = s->rows.statements[DROP_EVENTS];
		int64_t until;

		if (used + coming <= s->max_size)
			return 0;
		until = s->first_event + events / 8 + 1;
		sqlite3_bind_int64(drop, 1, until);
		if (sqlite3_step(drop) != SQLITE_DONE) {
			sqlite3_reset(drop);
			return -EIO;
		}
		sqlite3_reset(drop);
		s->events_dropped += (uint64_t)(until - s->first_event);
		s->first_event = until;
	}
	return 0;
}

static int close_gap(struct sink *s)
{
	static const struct trace_event gap = {.op = EVENT_GAP, .operand = NO_ID, .stack = NO_ID};

	if (!s->gap)
		return 0;
	s->gap = false;
	return rows__event(&s->rows, &gap);
}

/* What a batch may add to the file, at most. */
static uint64_t coming_bytes(const struct record *records, size_t bytes)
{
	const char *at = (const char *)records, *end = at + bytes;
	uint64_t coming = bytes + bytes / 4 + 65536;

	while (at < end) {
		const struct record *record = (const struct record *)at;

		if (record__events(record))
			coming += record__events(record)->count * EVENT_ROW_BYTES;
		at += record__bytes(record);
	}
	return coming;
}

static int write_all(struct sink *s, const struct record *records, size_t bytes)
{
	const char *at = (const char *)records, *end = at + bytes;
	int error = make_room(s, coming_bytes(records, bytes));

	while (at < end && !error) {
		const struct record *record = (const struct record *)at;

		if (record->type == ROW_EVENT || record__events(record))
			error = close_gap(s);
		if (!error)
			error = rows__write(&s->rows, record);
		at += record__bytes(record);
	}
	return error;
}

int sink__write(struct sink *s, const struct record *records, size_t bytes)
{
	const int64_t first_event = s->first_event, next_event = s->rows.next_event;
	const uint64_t dropped = s->events_dropped;
	const uint32_t frame_count = s->rows.frame_count;
	const struct store_message message = {s->error, sizeof(s->error)};
	sqlite3 *db = s->rows.db;
	int error;

	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL)) {
		error = store_fail_sql(&message, s->path, db);
		goto fail;
	}
	error = write_all(s, records, bytes);
	if (!error && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL))
		error = -EIO;
	if (!error)
		return 0;
	error = error == -ENOMEM ? store_fail(&message, error, "%s: out of memory", s->path)
				 : store_fail_sql(&message, s->path, db);
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
fail:
	s->first_event = first_event;
	s->rows.next_event = next_event;
	s->events_dropped = dropped;
	rows__drop_frames(&s->rows, frame_count);
	return error;
}
