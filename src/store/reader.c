// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A recording back into a model, through the model's own functions. The file may come from anyone:
 * every id and every word is checked before it is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/reader.h"

/* --- columns ----------------------------------------------------------------------------- */

uint64_t column_number(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

uint32_t column_id(sqlite3_stmt *row, int column, const struct id_table *map)
{
	if (sqlite3_column_type(row, column) != SQLITE_INTEGER)
		return NO_ID;
	return id_table__get(map, sqlite3_column_int64(row, column));
}

bool column_is_known(sqlite3_stmt *row, int column, const struct id_table *map)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ||
	       column_id(row, column, map) != NO_ID;
}

const char *column_text(struct reader *r, sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column), *kept;
	char *raw;

	if (!text || !strchr(text, '\\'))
		return text ? model__intern(r->model, text) : NULL;
	raw = store_text__decode(text);
	kept = raw ? model__intern(r->model, raw) : NULL;
	free(raw);
	return kept;
}

int column_word(sqlite3_stmt *row, int column, const char *const *names, int count)
{
	return store_name_index(names, count, (const char *)sqlite3_column_text(row, column));
}

static bool value_fits(const struct reader *r, sqlite3_stmt *row, int column, char wanted)
{
	int type = sqlite3_column_type(row, column);

	switch (wanted) {
	case 'i':
		return type == SQLITE_INTEGER;
	case 'I':
		return type == SQLITE_INTEGER || type == SQLITE_NULL;
	case 't':
		return type == SQLITE_TEXT;
	case 'T':
		return type == SQLITE_TEXT || type == SQLITE_NULL;
	case '#':
		return type == SQLITE_INTEGER && sqlite3_column_int64(row, column) > r->id;
	}
	return true;
}

bool row_fits(const struct reader *r, sqlite3_stmt *row, const char *columns)
{
	for (int i = 0; columns[i]; i++)
		if (!value_fits(r, row, i, columns[i]))
			return false;
	return true;
}

int read_rows(struct reader *r, const char *table, const char *columns, const char *query,
	      row_fn each)
{
	const char *key = strchr(columns, '#');
	sqlite3_stmt *row;
	int error = 0, step;

	r->table = table;
	r->row = 0;
	r->id = -1;
	if (sqlite3_prepare_v2(r->db, query, -1, &row, NULL))
		return -EIO;
	while ((step = sqlite3_step(row)) == SQLITE_ROW) {
		r->row++;
		error = row_fits(r, row, columns) ? each(r, row) : -EBADMSG;
		if (error)
			break;
		if (key)
			r->id = sqlite3_column_int64(row, (int)(key - columns));
	}
	sqlite3_finalize(row);
	return error ? error : step == SQLITE_DONE ? 0 : -EIO;
}

/* --- the file itself, facts -------------------------------------------------------------- */

static int read_meta_row(struct reader *r, sqlite3_stmt *row)
{
	const char *key = (const char *)sqlite3_column_text(row, 0);
	struct model_clock *clock = model__clock(r->model);

	if (!key)
		return -EBADMSG;
	if (!strcmp(key, "realtime_offset"))
		clock->realtime_offset = sqlite3_column_int64(row, 1);
	else if (!strcmp(key, "start"))
		clock->start = column_number(row, 1);
	else if (!strcmp(key, "end"))
		clock->end = column_number(row, 1);
	else if (!strcmp(key, "has_time"))
		clock->has_time = column_number(row, 1);
	else if (!strcmp(key, "acquisitions"))
		model__add_acquisitions(r->model, column_number(row, 1));
	else if (!strcmp(key, "losses_unknown"))
		model__set_losses_unknown(r->model, column_text(r, row, 1));
	else if (!strcmp(key, "closed"))
		r->closed = true;
	else if (!strcmp(key, "events_dropped"))
		r->events_dropped = sqlite3_column_int64(row, 1);
	else if (!strcmp(key, "verdict"))
		return model__set_fact(r->model, "recording.verdict", column_text(r, row, 1));
	else if (!strcmp(key, "tool_version"))
		return model__set_fact(r->model, "recording.version", column_text(r, row, 1));
	return 0;
}

static int read_fact(struct reader *r, sqlite3_stmt *row)
{
	const char *key = column_text(r, row, 0), *value = column_text(r, row, 1);

	return key && value ? model__set_fact(r->model, key, value) : -EBADMSG;
}

static int read_finding(struct reader *r, sqlite3_stmt *row)
{
	const char *body = (const char *)sqlite3_column_text(row, 0);

	return body ? store_finding__decode(body, r->model, &r->maps, r->findings) : -EBADMSG;
}

/* --- the whole --------------------------------------------------------------------------- */

static int read_all(struct reader *r)
{
	int error = read_rows(r, "meta", "t*", "SELECT key, value FROM meta", read_meta_row);

	if (!error)
		error = read_rows(r, "fact", "tt", "SELECT key, value FROM fact", read_fact);
	if (!error)
		error = read_entities(r);
	if (!error)
		error = read_order(r);
	if (!error)
		error = read_happenings(r);
	if (!error && r->findings)
		error = read_rows(r, "finding", "t#", "SELECT body, id FROM finding ORDER BY id",
				  read_finding);
	if (error || r->closed)
		return error;
	if (!model__losses_unknown(r->model))
		model__set_losses_unknown(r->model,
					  "the recording was cut short or is still being written");
	return model__set_fact(r->model, "recording.truncated", "yes");
}

int store__read(const char *path, struct model *m, struct analysis *findings,
		const struct store_read_options *options, char *error, size_t error_size)
{
	static const struct store_read_options plain;
	const struct store_message message = {error, error_size};
	struct reader r = {.model = m, .findings = findings, .options = options ? options : &plain};
	int failed = store_file__open(path, &r.file, &message);

	if (failed)
		return failed;
	r.db = r.file.db;
	failed = read_all(&r);
	if (failed == -EIO)
		failed = store_fail_read(&message, path, r.db);
	else if (failed == -ENOMEM)
		store_fail(&message, failed, "%s: out of memory", path);
	else if (failed)
		store_fail(&message, failed,
			   "%s: the file is damaged: row %lld of table %s makes no sense", path,
			   (long long)r.row, r.table);
	sqlite3_finalize(r.held);
	store_file__close(&r.file);
	store_maps__clear(&r.maps);
	return failed;
}
