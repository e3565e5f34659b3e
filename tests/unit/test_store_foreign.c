// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recordings that somebody made for us: nothing that they declare is run, and no value of theirs is
 * believed to be what its column says.
 */
#include "store_hostile.h"

/* --- declarations ------------------------------------------------------------------------ */

#define ENDLESS                                                                                    \
	"WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c) SELECT x AS id, "         \
	"printf('%.*c', 1000, 'x') AS name, 'mutex' AS kind, 0 AS flags FROM c"

static void what_a_recording_declares_must_be_what_we_declare(void **state)
{
	static const struct {
		const char *sql, *named;
	} attacks[] = {
		{"DROP TABLE class; CREATE VIEW class AS " ENDLESS, "\"class\""},
		{"DROP TABLE meta; CREATE VIEW meta AS WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL "
		 "SELECT x + 1 FROM c) SELECT 'a' AS key, x AS value FROM c WHERE x < 0",
		 "\"meta\""},
		{"DROP VIEW clock; CREATE VIEW clock AS " ENDLESS, "\"clock\""},
		{"CREATE TABLE more (x)", "\"more\""},
		{"CREATE VIEW more AS " ENDLESS, "\"more\""},
		{"CREATE INDEX more ON class (name)", "\"more\""},
		{"CREATE UNIQUE INDEX more ON class (abs(id))", "\"more\""},
		{"CREATE TRIGGER more AFTER INSERT ON class BEGIN DELETE FROM class; END",
		 "\"more\""},
		{"CREATE VIRTUAL TABLE more USING fts4(x)", "more"},
		{"ALTER TABLE class ADD COLUMN more AS (hex(zeroblob(100000000)))", "\"class\""},
		{"ALTER TABLE class ADD COLUMN more DEFAULT 7", "\"class\""},
		{"DROP TABLE variable; CREATE TABLE variable (id INTEGER PRIMARY KEY, name BLOB "
		 "NOT "
		 "NULL)",
		 "\"variable\""},
		{"DROP TABLE variable; CREATE TABLE variable (id INTEGER PRIMARY KEY, name TEXT "
		 "NOT "
		 "NULL, CHECK (name GLOB '*'))",
		 "\"variable\""},
		{"DROP TABLE loss", "\"loss\""},
		{"DROP VIEW timeline", "\"timeline\""},
		{"ALTER TABLE variable RENAME TO \"a\x1b]0;b\"", "a\\x1b]0;b"},
		{"ANALYZE", "sqlite_stat"},
		{"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE TABLE "
		 "variable (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT (randomblob(9)))' "
		 "WHERE name = 'variable'",
		 "variable"},
		{"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET type = 'view' WHERE name = "
		 "'variable'",
		 "variable"},
		{"PRAGMA writable_schema = 1; INSERT INTO sqlite_schema VALUES ('table', 'class', "
		 "'class', 2, 'CREATE TABLE class (id INTEGER PRIMARY KEY)')",
		 "class"},
	};
	const char *path = file("a.vft");

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		char *before;

		save_good(path);
		change(path, attacks[i].sql);
		before = look_around();
		assert_refused(path, attacks[i].named);
		assert_unchanged(before);
	}
}

static void spaces_and_comments_in_a_declaration_mean_nothing(void **state)
{
	const char *path = file("a.vft");

	(void)state;
	save_good(path);
	change(path,
	       "DROP TABLE variable; CREATE TABLE variable (id  INTEGER\n PRIMARY KEY, -- yes\n"
	       "\tname TEXT NOT NULL); INSERT INTO variable VALUES (0, 'x')");
	assert_reads(path);
}

/* A row of the schema takes time even where nothing of it is believed. */
static void a_schema_without_end_is_given_up(void **state)
{
	const char *path = file("a.vft");

	(void)state;
	save_good(path);
	change(path,
	       "PRAGMA writable_schema = 1; WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + "
	       "1 "
	       "FROM c WHERE x < 300000) INSERT INTO sqlite_schema SELECT 'view', 'v' || x, 'v' || "
	       "x, 0, 'CREATE VIEW v' || x || ' AS SELECT 1' FROM c");
	assert_refused(path, path);
}

/* --- values ------------------------------------------------------------------------------ */

static void values_of_another_type_are_refused(void **state)
{
	static const char *const attacks[] = {
		"UPDATE class SET flags = 1.5",
		"UPDATE class SET flags = 9e999",
		"UPDATE class SET flags = 'many'",
		"UPDATE class SET flags = zeroblob(8)",
		"UPDATE class SET name = x'00ff'",
		"UPDATE object SET address = 'here'",
		"UPDATE instance SET address = 0.5",
		"UPDATE instance SET name = x'41'",
		"UPDATE task SET start_time = zeroblob(100000)",
		"UPDATE frame SET line = -0.5",
		"UPDATE frame SET symbol = x'00'",
		"UPDATE stack_frame SET frame = 'first'",
		"UPDATE chain SET count = 1e300",
		"UPDATE chain SET path = x'07'",
		"UPDATE chain_held SET stack = 'none'",
		"UPDATE task_chain SET count = x''",
		"UPDATE duration SET total = 'long'",
		"UPDATE duration SET buckets = zeroblob(1000)",
		"UPDATE path_event SET result = 0.1",
		"UPDATE coverage SET hits = 'often'",
		"UPDATE loss SET count = 'none'",
		"UPDATE finding SET body = zeroblob(1000)",
		"UPDATE event SET time = 0.25",
		"UPDATE event SET stack = 'deep'",
		"UPDATE event SET id = id - 1000000",
		"UPDATE class SET id = id - 1000000",
		"UPDATE fact SET value = zeroblob(10)",
	};
	const char *path = file("a.vft");

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		struct fixture *f = fixture_events();
		char error[512] = "";
		struct histogram time = {.count = 1, .total = 4096, .max = 4096};
		struct path_event event = {.path = PATH_GET_KVM,
					   .device = NO_ID,
					   .group = NO_ID,
					   .vm = NO_ID,
					   .kvm_ref_lock = NO_ID};

		model__add_duration(f->m, f->kvm_lock, NO_ID, NO_ID, false, &time);
		model__add_path_event(f->m, &event);
		model__set_fact(f->m, "host.name", "alpha");
		unlink(path);
		if (store__save(path, f->m, &f->findings, NULL, error, sizeof(error)))
			fail_msg("%s", error);
		fixture_free(f);
		change(path, attacks[i]);
		assert_refused(path, "makes no sense");
	}
}

static void huge_counts_and_times_end_in_an_answer(void **state)
{
	static const char *const attacks[] = {
		"UPDATE chain SET count = 9223372036854775807, first = -1, last = -2",
		"UPDATE task_chain SET count = -9223372036854775808",
		"UPDATE loss SET count = 9223372036854775807",
		"UPDATE coverage SET hits = -1",
		"UPDATE event SET time = 9223372036854775807 - id",
		"UPDATE meta SET value = -9223372036854775808 WHERE key IN "
		"('start', 'end', 'realtime_offset', 'acquisitions')",
		"UPDATE finding SET body = json_set(body, '$.count', 9223372036854775807, "
		"'$.first', -9223372036854775808, '$.classes[0]', 0)",
	};
	const char *path = file("a.vft");

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		save_good(path);
		change(path, attacks[i]);
		assert_reads(path);
	}
}

static void ids_far_away_take_no_memory(void **state)
{
	static const char *const attacks[] = {
		"UPDATE class SET id = id + 9223372036854770000",
		"UPDATE stack SET id = id + 4000000000",
		"UPDATE frame SET id = id + 9000000000",
		"UPDATE variable SET id = 4294967295",
	};
	const struct rlimit little = {512 << 20, RLIM_INFINITY},
			    usual = {RLIM_INFINITY, RLIM_INFINITY};
	const char *path = file("a.vft");

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		save_good(path);
		change(path, "INSERT OR IGNORE INTO variable VALUES (1, 'x')");
		change(path, attacks[i]);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
		setrlimit(RLIMIT_AS, &little);
#endif
		assert_refused(path, "makes no sense");
		setrlimit(RLIMIT_AS, &usual);
	}
}

/* --- the file itself --------------------------------------------------------------------- */

static void a_page_size_that_lies_is_refused(void **state)
{
	static const unsigned char sizes[][2] = {{0, 0}, {1, 1},    {0, 16},
						 {2, 0}, {0x80, 0}, {0, 1}};
	const char *path = file("a.vft");

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		save_good(path);
		poke(path, 16, sizes[i], 2);
		assert_refused(path, "damaged");
	}
}

static void a_page_count_that_lies_is_refused(void **state)
{
	const char *path = file("a.vft");

	(void)state;
	save_good(path);
	poke(path, 28, "\x7f\xff\xff\xff", 4);
	assert_refused(path, "damaged");
}

static uint32_t root_of(const char *path, const char *table)
{
	sqlite3_stmt *row;
	uint32_t root;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?",
					    -1, &row, NULL),
			 SQLITE_OK);
	sqlite3_bind_text(row, 1, table, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	root = (uint32_t)sqlite3_column_int(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return root;
}

/* All children of the table's root become one: a small file with any number of rows. */
static void a_table_that_goes_in_circles_is_refused(void **state)
{
	const char *path = file("a.vft");
	char *bytes, *page;
	size_t length;
	unsigned cells;

	(void)state;
	save_good(path);
	change(path, "WITH RECURSIVE c(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM c WHERE x < "
		     "20000) INSERT INTO variable SELECT x, 'variable ' || x FROM c");
	bytes = read_bytes(path, &length);
	page = bytes + (root_of(path, "variable") - 1) * 4096UL;
	assert_int_equal(page[0], 5); /* an inner page */
	cells = (unsigned char)page[3] << 8 | (unsigned char)page[4];
	assert_true(cells > 10);
	for (unsigned i = 1; i < cells; i++) {
		const unsigned char *first = (unsigned char *)page + 12;
		const unsigned char *this = first + i * 2UL;

		memcpy(page + (this[0] << 8 | this[1]), page + (first[0] << 8 | first[1]), 4);
	}
	write_text(path, bytes, length);
	free(bytes);
	assert_refused(path, "table variable makes no sense");
}

/* A name that leads to no file: it is said, and nothing is opened that does something when it is.
 */
static void what_is_no_file_is_refused_without_waiting(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(file("pipe"), 0600), 0);
	assert_refused(file("pipe"), "not a regular file");
	assert_refused(directory, "not a regular file");
	assert_refused("/dev/zero", "not a regular file");
	assert_false(store__is_recording(file("pipe")));
	assert_false(store__is_recording("/dev/zero"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hostile(what_a_recording_declares_must_be_what_we_declare),
		hostile(spaces_and_comments_in_a_declaration_mean_nothing),
		hostile(a_schema_without_end_is_given_up),
		hostile(values_of_another_type_are_refused),
		hostile(huge_counts_and_times_end_in_an_answer),
		hostile(ids_far_away_take_no_memory),
		hostile(a_page_size_that_lies_is_refused),
		hostile(a_page_count_that_lies_is_refused),
		hostile(a_table_that_goes_in_circles_is_refused),
		hostile(what_is_no_file_is_refused_without_waiting),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
