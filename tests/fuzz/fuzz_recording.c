// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening a recording that somebody changed. The input is a list of changes to a good one: of its
 * bytes, or (so that SQLite does not find them first) of single values in its tables.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "fuzz.h"
#include "store.h"

#define MAX_CHANGES 200
#define MAX_COLUMNS 256

struct change {
	uint8_t kind, column, row, type;
	uint32_t number;
};

static char path[64];
static uint8_t *good;
static size_t good_size;
static char tables[MAX_COLUMNS][64], columns[MAX_COLUMNS][64];
static size_t column_count;

int LLVMFuzzerInitialize(int *argc, char ***argv);

static void clean_up(void)
{
	unlink(path);
	free(good);
}

static void list_columns(void)
{
	sqlite3_stmt *row;
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL))
		abort();
	if (sqlite3_prepare_v2(
		    db,
		    "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c "
		    "WHERE m.type = 'table'",
		    -1, &row, NULL))
		abort();
	while (sqlite3_step(row) == SQLITE_ROW && column_count < MAX_COLUMNS) {
		snprintf(tables[column_count], 64, "%s", sqlite3_column_text(row, 0));
		snprintf(columns[column_count++], 64, "%s", sqlite3_column_text(row, 1));
	}
	sqlite3_finalize(row);
	sqlite3_close(db);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fixture *f = fixture_events();
	struct stat info;
	char error[512];
	FILE *in;

	(void)argc;
	(void)argv;
	snprintf(path, sizeof(path), "/tmp/vfiotrace-fuzz-%d.vfiotrace", (int)getpid());
	if (store__save(path, f->m, &f->findings, NULL, error, sizeof(error)) || stat(path, &info))
		abort();
	fixture_free(f);
	good_size = (size_t)info.st_size;
	good = malloc(good_size);
	in = fopen(path, "rb");
	if (!good || !in || fread(good, 1, good_size, in) != good_size)
		abort();
	fclose(in);
	list_columns();
	atexit(clean_up);
	return 0;
}

static void write_file(const uint8_t *bytes)
{
	FILE *out = fopen(path, "wb");

	if (!out || fwrite(bytes, 1, good_size, out) != good_size || fclose(out))
		abort();
}

static void change_bytes(const struct change *changes, size_t count)
{
	uint8_t *bad = malloc(good_size);

	if (!bad)
		abort();
	memcpy(bad, good, good_size);
	for (size_t i = 0; i < count; i++)
		bad[changes[i].number % good_size] = changes[i].type;
	write_file(bad);
	free(bad);
}

/* The n-th row gets a small number, a large one, text, nothing, or another row's value. */
static void change_value(sqlite3 *db, const struct change *change)
{
	static const char *const values[] = {"%u",
					     "-%u",
					     "9223372036854775807 - %u",
					     "'%u'",
					     "NULL",
					     "(SELECT \"%s\" FROM \"%s\" LIMIT 1 OFFSET %u)",
					     "zeroblob(%u %% 1000)",
					     "x'ff00fe'"};
	const char *table = tables[change->column % column_count];
	const char *column = columns[change->column % column_count];
	char value[256], query[700];

	if (change->type % 8 == 5)
		snprintf(value, sizeof(value), values[5], column, table, change->number % 50);
	else
		snprintf(value, sizeof(value), values[change->type % 8], change->number);
	snprintf(query, sizeof(query),
		 "UPDATE OR IGNORE \"%s\" SET \"%s\" = %s WHERE \"%s\" IN (SELECT \"%s\" FROM "
		 "\"%s\" "
		 "LIMIT 1 OFFSET %u)",
		 table, column, value, column, column, table, change->row);
	sqlite3_exec(db, query, NULL, NULL, NULL);
}

static void change_values(const struct change *changes, size_t count)
{
	sqlite3 *db;

	write_file(good);
	if (sqlite3_open(path, &db))
		abort();
	sqlite3_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN", NULL, NULL,
		     NULL);
	for (size_t i = 0; i < count; i++)
		change_value(db, &changes[i]);
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct analysis_options options = {
		.live_kernel = true, .predict = true, .catalogue = catalogue__builtin()};
	const struct store_read_options read = {.events = true};
	struct change changes[MAX_CHANGES] = {0};
	size_t count = size / sizeof(changes[0]);
	struct model *m = model__new();
	char error[512] = "";

	if (count > MAX_CHANGES)
		count = MAX_CHANGES;
	if (count)
		memcpy(changes, data, count * sizeof(changes[0]));
	if (count && changes[0].kind % 4 == 0)
		change_bytes(changes, count);
	else
		change_values(changes, count);
	if (m) {
		struct analysis *a = analysis__new(m, &options);
		int failed = a ? store__read(path, m, a, &read, error, sizeof(error)) : 0;

		/* what cannot be used must be said */
		if (failed && !*error)
			abort();
		if (a && !failed)
			analysis__finish(a);
		analysis__free(a);
	}
	model__free(m);
	return 0;
}
