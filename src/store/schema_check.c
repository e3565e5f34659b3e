// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is a recording made of what its version's writer makes, and of nothing else? A table may be
 * declared as an endless view, with columns that compute something or with triggers: names alone
 * say nothing. What is compared is the text of every declaration, spaces and comments left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/recording_file.h"
#include "util/memory.h"

#define NAME_SHOWN 60

struct schema_object {
	char *type, *name, *table, *sql; /* sql: normalised; "" for indexes that SQLite makes */
	bool seen;
};
typedef VECTOR(struct schema_object) schema_objects;

/* The text that made a recording of that version. An older one stays here for as long as such
 * recordings are read (migrate.c). */
static const char *schema_of(int version)
{
	return version == STORE_SCHEMA_VERSION ? store_schema : NULL;
}

/* One space for any number, and for comments; quoted text as it is. malloc'd. */
static char *normalise(const char *sql)
{
	char *text = malloc(strlen(sql) + 2), *out = text;
	char quote = 0;

	for (const char *at = sql; text && *at; at++) {
		if (quote) {
			quote = *at == quote ? 0 : quote;
		} else if (at[0] == '-' && at[1] == '-') {
			at += strcspn(at, "\n");
			if (!*at)
				break;
		} else if (*at == '\'' || *at == '"') {
			quote = *at;
		}
		if (quote || !strchr(" \t\r\n", *at))
			*out++ = *at;
		else if (out > text && out[-1] != ' ')
			*out++ = ' ';
	}
	if (text) {
		while (out > text && out[-1] == ' ')
			out--;
		*out = '\0';
	}
	return text;
}

static char *copy_column(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return strdup(text ? text : "");
}

static void free_object(struct schema_object *object)
{
	free(object->type);
	free(object->name);
	free(object->table);
	free(object->sql);
}

/* false: no memory, nothing is left. */
static bool read_object(sqlite3_stmt *row, struct schema_object *object)
{
	const char *sql = (const char *)sqlite3_column_text(row, 3);

	*object = (struct schema_object){
		.type = copy_column(row, 0),
		.name = copy_column(row, 1),
		.table = copy_column(row, 2),
		.sql = normalise(sql ? sql : ""),
	};
	if (object->type && object->name && object->table && object->sql)
		return true;
	free_object(object);
	return false;
}

static const char object_query[] = "SELECT type, name, tbl_name, sql FROM sqlite_schema";

/* What our own text makes of an empty database. */
static int read_expected(int version, schema_objects *objects)
{
	const char *schema = schema_of(version);
	struct schema_object object;
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;
	int error = -ENOMEM, step = SQLITE_ERROR;

	if (!schema || sqlite3_open(":memory:", &db) ||
	    sqlite3_exec(db, schema, NULL, NULL, NULL) ||
	    sqlite3_prepare_v2(db, object_query, -1, &row, NULL))
		goto cleanup;
	while ((step = sqlite3_step(row)) == SQLITE_ROW) {
		if (!read_object(row, &object))
			goto cleanup;
		if (!vector_push(objects, object)) {
			free_object(&object);
			goto cleanup;
		}
	}
	error = step == SQLITE_DONE ? 0 : -ENOMEM;
cleanup:
	sqlite3_finalize(row);
	sqlite3_close(db);
	return error;
}

static struct schema_object *find(const schema_objects *objects, const struct schema_object *like)
{
	for (uint64_t i = 0; i < objects->count; i++)
		if (!strcmp(objects->items[i].type, like->type) &&
		    !strcmp(objects->items[i].name, like->name))
			return &objects->items[i];
	return NULL;
}

static int refuse(const char *path, const struct store_message *message, const char *what,
		  const struct schema_object *object)
{
	char *type = store_text__encode(object->type), *name = store_text__encode(object->name);

	store_fail(message, -EBADMSG,
		   "%s: says it is a recording, but %s %.*s \"%.*s%s\"; it is not read", path, what,
		   NAME_SHOWN, type ? type : "?", NAME_SHOWN, name ? name : "?",
		   name && strlen(name) > NAME_SHOWN ? "…" : "");
	free(type);
	free(name);
	return -EBADMSG;
}

static int compare(const char *path, const schema_objects *expected,
		   const struct schema_object *object, const struct store_message *message)
{
	struct schema_object *like = find(expected, object);

	if (!like)
		return refuse(path, message, "vfiotrace writes no", object);
	if (like->seen)
		return refuse(path, message, "has twice the", object);
	like->seen = true;
	if (strcmp(like->table, object->table) || strcmp(like->sql, object->sql))
		return refuse(path, message, "is not made as vfiotrace makes the", object);
	return 0;
}

/* The database as it is opened has not run anything yet; what is read here is only text. */
static int compare_all(sqlite3 *db, const char *path, const schema_objects *expected,
		       const struct store_message *message)
{
	struct schema_object object;
	sqlite3_stmt *row = NULL;
	int error = 0, step = SQLITE_ERROR;

	if (sqlite3_prepare_v2(db, object_query, -1, &row, NULL))
		return store_fail_read(message, path, db);
	while (!error && (step = sqlite3_step(row)) == SQLITE_ROW) {
		if (!read_object(row, &object)) {
			error = store_fail(message, -ENOMEM, "%s: out of memory", path);
			break;
		}
		error = compare(path, expected, &object, message);
		free_object(&object);
	}
	if (!error && step != SQLITE_DONE)
		error = store_fail_read(message, path, db);
	sqlite3_finalize(row);
	for (uint64_t i = 0; i < expected->count && !error; i++)
		if (!expected->items[i].seen)
			error = refuse(path, message, "lacks the", &expected->items[i]);
	return error;
}

int recording_schema__check(sqlite3 *db, const char *path, int version,
			    const struct store_message *message)
{
	schema_objects expected = {0};
	int error = read_expected(version, &expected);

	if (error)
		store_fail(message, error, "%s: out of memory", path);
	else
		error = compare_all(db, path, &expected, message);
	for (uint64_t i = 0; i < expected.count; i++)
		free_object(&expected.items[i]);
	free(expected.items);
	return error;
}
