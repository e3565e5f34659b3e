// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening a recording that somebody changed. The input is a list of changes to a good one: of its
 * bytes, of single values in its tables (so that SQLite does not find them first), of what it
 * declares and where it says that its tables begin, or of the journal that lies beside it, whose
 * pages are mostly whole and mostly fit, so that they are read.
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

enum subject { BYTES, VALUES, DECLARATIONS, ROOTS, SAVED_PAGES, JOURNAL_BYTES, SUBJECTS };

#define PAGE 4096
#define SECTOR 512

static char path[64], journal_path[80];
static uint8_t *good;
static size_t good_size;
static char tables[MAX_COLUMNS][64], columns[MAX_COLUMNS][64];
static size_t column_count;

int LLVMFuzzerInitialize(int *argc, char ***argv);

static void clean_up(void)
{
	unlink(path);
	unlink(journal_path);
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

/* So that each table has a row to change. */
static void fill_tables(struct fixture *f)
{
	const struct histogram time = {.count = 2, .total = 9000, .max = 8000};
	const struct path_event path_run = {.path = PATH_GET_KVM,
					    .task = f->opener,
					    .time = FIXTURE_START,
					    .count = 1,
					    .device = f->device,
					    .group = f->group,
					    .vm = NO_ID,
					    .kvm_ref_lock = NO_ID};

	model__add_path_event(f->m, &path_run);
	model__add_duration(f->m, f->kvm_lock, f->open_stack, NO_ID, false, &time);
	model__add_variable(f->m, "a variable");
	model__add_loss(f->m, LOSS_STORE, 3);
	model__set_fact(f->m, "host.boot_id", "1");
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
	snprintf(journal_path, sizeof(journal_path), "%s-journal", path);
	fill_tables(f);
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

static void write_bytes(const char *name, const uint8_t *bytes, size_t size)
{
	FILE *out = fopen(name, "wb");

	if (!out || fwrite(bytes, 1, size, out) != size || fclose(out))
		abort();
}

static void write_file(const uint8_t *bytes)
{
	write_bytes(path, bytes, good_size);
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

/* A piece of a declaration becomes another one, or a row of the schema is another thing. */
static void change_declaration(sqlite3 *db, const struct change *change)
{
	static const char *const values[] = {
		"sql = replace(sql, 'INTEGER', 'TEXT')",
		"sql = replace(sql, 'NOT NULL', 'AS (abs(id))')",
		"sql = replace(sql, 'NOT NULL', 'DEFAULT (randomblob(99))')",
		"sql = replace(sql, 'TABLE', 'VIEW')",
		"sql = substr(sql, 1, length(sql) - %u %% 20)",
		"sql = sql || ' '",
		"sql = NULL",
		"type = 'trigger'",
		"name = 'class'",
		"tbl_name = 'chain'",
		"sql = 'CREATE TRIGGER t AFTER INSERT ON class BEGIN SELECT 1; END', type = "
		"'trigger'",
		"sql = zeroblob(%u %% 1000)",
	};
	char query[300];
	size_t used = (size_t)snprintf(query, sizeof(query), "UPDATE sqlite_schema SET ");

	used += (size_t)snprintf(query + used, sizeof(query) - used,
				 values[change->type % (sizeof(values) / sizeof(values[0]))],
				 change->number);
	snprintf(query + used, sizeof(query) - used, " WHERE rowid = %u", change->row % 60);
	sqlite3_exec(db, query, NULL, NULL, NULL);
}

/* The declarations stay right, and the pages behind them are others. */
static void change_root(sqlite3 *db, const struct change *change)
{
	char query[200];

	snprintf(query, sizeof(query), "UPDATE sqlite_schema SET rootpage = %u WHERE rowid = %u",
		 change->number % (unsigned)(good_size / PAGE + 2), change->row % 60);
	sqlite3_exec(db, query, NULL, NULL, NULL);
}

static void change_tables(const struct change *changes, size_t count, enum subject subject)
{
	sqlite3 *db;

	write_file(good);
	if (sqlite3_open(path, &db))
		abort();
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	sqlite3_exec(
		db,
		"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA writable_schema = 1; "
		"BEGIN",
		NULL, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		if (subject == DECLARATIONS)
			change_declaration(db, &changes[i]);
		else if (subject == ROOTS)
			change_root(db, &changes[i]);
		else
			change_value(db, &changes[i]);
	}
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
}

/* --- journals ---------------------------------------------------------------------------- */

static void put_number(uint8_t *at, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(number >> (24 - 8 * i));
}

static void put_header(uint8_t *at, uint32_t records, uint32_t pages)
{
	static const uint8_t magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

	memcpy(at, magic, sizeof(magic));
	put_number(at + 8, records);
	put_number(at + 12, 0x1234);
	put_number(at + 16, pages);
	put_number(at + 20, SECTOR);
	put_number(at + 24, PAGE);
}

/* As SQLite adds them up. */
static void put_record(uint8_t *at, uint32_t page, const uint8_t *bytes)
{
	uint32_t sum = 0x1234;

	put_number(at, page);
	memcpy(at + 4, bytes, PAGE);
	for (uint32_t i = PAGE - 200; i > 0 && i < PAGE; i -= 200)
		sum += bytes[i];
	put_number(at + 4 + PAGE, sum);
}

/* Each change saves one page with some bytes changed, every eighth begins a segment. */
static size_t make_journal(uint8_t *journal, const struct change *changes, size_t count)
{
	const uint32_t pages = (uint32_t)(good_size / PAGE);
	size_t size = 0, head = 0;
	uint32_t records = 0;

	for (size_t i = 0; i < count; i++) {
		const uint32_t page = changes[i].number % (pages + 1);
		uint8_t bytes[PAGE];

		if (i % 8 == 0) {
			size = (size + SECTOR - 1) / SECTOR * SECTOR;
			head = size;
			memset(journal + head, 0, SECTOR);
			size += SECTOR;
			records = 0;
		}
		memcpy(bytes, good + (page ? (page - 1) * (size_t)PAGE : 0), PAGE);
		if (changes[i].column % 4)
			bytes[changes[i].column * 16 + changes[i].row % 16] = changes[i].type;
		put_record(journal + size, page, bytes);
		size += PAGE + 8;
		put_header(journal + head, ++records, pages - (changes[0].row % 8 == 0));
	}
	return size;
}

static void change_journal(const struct change *changes, size_t count, enum subject subject)
{
	uint8_t *journal = calloc(count + 2, PAGE + 8 + SECTOR);
	size_t size;

	if (!journal)
		abort();
	size = make_journal(journal, changes, count);
	for (size_t i = 0; subject == JOURNAL_BYTES && size && i < count; i++)
		journal[changes[i].number % (i % 2 ? 28 : size)] = changes[i].type;
	write_file(good);
	write_bytes(journal_path, journal, size);
	free(journal);
}

static void change_recording(const struct change *changes, size_t count)
{
	const enum subject subject = count ? changes[0].kind % SUBJECTS : BYTES;

	unlink(journal_path);
	if (subject == BYTES)
		change_bytes(changes, count);
	else if (subject == SAVED_PAGES || subject == JOURNAL_BYTES)
		change_journal(changes, count, subject);
	else
		change_tables(changes, count, subject);
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
	change_recording(changes, count);
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
