// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recordings that somebody made for us, and what he put beside them: reading changes nothing,
 * anywhere, it waits for nobody, and nothing that the file declares is run.
 */
#include "store_files.h"

#include <dirent.h>

#define SOON 20 /* seconds; what hangs is ended by SIGALRM */

static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

static void save_good(const char *path)
{
	struct fixture *f = fixture_events();
	char error[512] = "";

	unlink(path);
	if (store__save(path, f->m, &f->findings, NULL, error, sizeof(error)))
		fail_msg("%s", error);
	fixture_free(f);
}

static void change(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void poke(const char *path, off_t offset, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, bytes, size, offset), size);
	close(fd);
}

static void assert_reads(const char *path)
{
	struct opened o;
	char error[512] = "";

	alarm(SOON);
	if (open_recording(path, &o, true, error))
		fail_msg("%s", error);
	alarm(0);
	assert_true(model__event_count(o.m) > 0);
	close_recording(&o);
}

static void assert_refused(const char *path, const char *words)
{
	struct opened o;
	char error[512] = "";

	alarm(SOON);
	if (!open_recording(path, &o, true, error))
		fail_msg("it was read; expected: %s", words);
	alarm(0);
	if (!strstr(error, words) || !strstr(error, path))
		fail_msg("\"%s\" lacks \"%s\" or the name", error, words);
	close_recording(&o);
}

/* Every file of the directory with what it is and when it was written, as one text. */
static char *look_around(void)
{
	char *text = NULL;
	size_t size;
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort);
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < count; i++) {
		char path[320];
		struct stat s;

		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		assert_int_equal(lstat(path, &s), 0);
		if (!strcmp(entries[i]->d_name, ".."))
			s = (struct stat){0};
		fprintf(out, "%s %o %u %lld %lld.%09ld %llu\n", entries[i]->d_name, s.st_mode,
			s.st_uid, (long long)s.st_size, (long long)s.st_mtim.tv_sec,
			s.st_mtim.tv_nsec, (unsigned long long)s.st_ino);
		free(entries[i]);
	}
	free(entries);
	fclose(out);
	return text;
}

static void assert_unchanged(char *before)
{
	char *after = look_around();

	assert_string_equal(before, after);
	free(before);
	free(after);
}

static int empty_directory(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "chmod 700 %s && rm -rf %s/*", directory, directory);
	return system(command);
}

/* --- journals ---------------------------------------------------------------------------- */

static void put_number(unsigned char *at, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(number >> (24 - 8 * i));
}

/* A journal of no pages that names `victim` as its super-journal: SQLite deletes that. */
static void plant_journal(const char *recording, const char *victim, uint32_t pages,
			  uint32_t page_size)
{
	unsigned char bytes[2048] = {0};
	size_t length = victim ? strlen(victim) : 0, size = 512;
	uint32_t sum = 0;
	char name[160];

	memcpy(bytes, magic, 8);
	put_number(bytes + 12, 0x1234);
	put_number(bytes + 16, pages);
	put_number(bytes + 20, 512);
	put_number(bytes + 24, page_size);
	if (victim) {
		for (size_t i = 0; i < length; i++)
			sum += (uint32_t)victim[i];
		put_number(bytes + 512, 0x40000000 / page_size + 1);
		memcpy(bytes + 516, victim, length);
		put_number(bytes + 516 + length, (uint32_t)length);
		put_number(bytes + 520 + length, sum);
		memcpy(bytes + 524 + length, magic, 8);
		size = 532 + length;
	}
	snprintf(name, sizeof(name), "%s-journal", recording);
	write_text(name, bytes, size);
}

static uint32_t pages_of(const char *path)
{
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return (uint32_t)(info.st_size / 4096);
}

static void a_planted_journal_deletes_no_file(void **state)
{
	const char *path = file("a.vft"), *victim = file("victim");
	char *before;

	(void)state;
	save_good(path);
	write_text(victim, "precious", 8);
	plant_journal(path, victim, pages_of(path), 4096);
	before = look_around();
	assert_refused(path, "names another file");
	assert_unchanged(before);
	assert_int_equal(chmod(path, 0400), 0);
	before = look_around();
	assert_refused(path, "names another file");
	assert_unchanged(before);
}

static void a_journal_planted_beside_what_a_link_leads_to_deletes_no_file(void **state)
{
	const char *path = file("a.vft"), *victim = file("victim"), *link = file("link.vft");
	char *before;

	(void)state;
	save_good(path);
	write_text(victim, "precious", 8);
	assert_int_equal(symlink("a.vft", link), 0);
	plant_journal(path, victim, pages_of(path), 4096);
	plant_journal(link, victim, pages_of(path), 4096);
	before = look_around();
	assert_refused(link, "names another file");
	assert_unchanged(before);
}

/* /tmp: anybody puts a file beside ours, nobody takes ours away. */
static void a_journal_of_another_user_in_a_sticky_directory_is_not_believed(void **state)
{
	const char *path = file("a.vft");
	char *before;

	(void)state;
	if (geteuid())
		skip();
	save_good(path);
	assert_int_equal(chmod(directory, 01777), 0);
	plant_journal(path, NULL, 0, 4096);
	assert_int_equal(chown(file("a.vft-journal"), 4242, 4242), 0);
	before = look_around();
	assert_refused(path, "belongs to another user");
	assert_unchanged(before);
}

static void a_pipe_a_link_or_a_directory_as_journal_holds_nobody_up(void **state)
{
	const char *path = file("a.vft"), *journal = file("a.vft-journal");
	char *before;

	(void)state;
	save_good(path);
	assert_int_equal(mkfifo(journal, 0600), 0);
	before = look_around();
	assert_refused(path, "not a regular file");
	assert_unchanged(before);
	unlink(journal);
	assert_int_equal(symlink("a.vft", journal), 0);
	assert_refused(path, "not a regular file");
	unlink(journal);
	assert_int_equal(mkdir(journal, 0700), 0);
	assert_refused(path, "not a regular file");
}

static void a_journal_that_does_not_fit_the_recording_is_refused(void **state)
{
	const char *path = file("a.vft"), *journal = file("a.vft-journal");
	uint32_t pages;

	(void)state;
	save_good(path);
	pages = pages_of(path);
	plant_journal(path, NULL, pages + 1, 4096);
	assert_refused(path, "of another recording");
	plant_journal(path, NULL, pages, 8192);
	assert_refused(path, "of another recording");
	plant_journal(path, NULL, pages, 4096);
	poke(journal, 20, "\xff\xff\xff\xff", 4);
	assert_refused(path, "of another recording");
	plant_journal(path, NULL, pages, 4096);
	assert_int_equal(truncate(journal, 1LL << 40), 0);
	assert_refused(path, "larger than one of this recording");
	/* it would make the recording empty, as one that was cut short at its very start */
	plant_journal(path, NULL, 0, 4096);
	assert_refused(path, "is empty");
}

static void what_is_no_journal_is_none(void **state)
{
	const char *path = file("a.vft"), *journal = file("a.vft-journal");
	unsigned char zero[512] = {0};

	(void)state;
	save_good(path);
	write_text(journal, "", 0);
	assert_reads(path);
	write_text(journal, "a letter to somebody", 20);
	assert_reads(path);
	write_text(journal, zero, sizeof(zero)); /* ended in order, kept for the next time */
	assert_reads(path);
}

static void logs_and_shared_memory_beside_a_recording_are_not_looked_at(void **state)
{
	const char *path = file("a.vft");
	char *before;

	(void)state;
	save_good(path);
	assert_int_equal(mkfifo(file("a.vft-wal"), 0600), 0);
	assert_int_equal(symlink("created", file("a.vft-shm")), 0);
	before = look_around();
	assert_reads(path);
	assert_unchanged(before);
	poke(path, 18, "\2\2", 2);
	before = look_around();
	assert_refused(path, "write-ahead-log");
	unlink(file("a.vft-wal"));
	write_text(file("a.vft-wal"), "", 0);
	assert_refused(path, "write-ahead-log");
}

/* As a crash leaves it: half of a transaction in the file, what was there before in the journal. */
static void crash_while_writing(const char *path, const char *crashed)
{
	static const char transaction[] =
		"PRAGMA cache_size = 5; BEGIN IMMEDIATE;"
		"UPDATE class SET name = 'broken' || id; UPDATE frame SET symbol = 'broken';"
		"DELETE FROM chain_held; DELETE FROM event WHERE id % 2;"
		"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000)"
		"INSERT INTO variable SELECT x + 1000, 'variable ' || x FROM n";
	char command[700];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, transaction, NULL, NULL, NULL))
		fail_msg("%s", sqlite3_errmsg(db));
	snprintf(command, sizeof(command), "cp %s %s && cp %s-journal %s-journal", path, crashed,
		 path, crashed);
	assert_int_equal(system(command), 0);
	sqlite3_close(db);
}

static void a_recording_cut_by_a_crash_is_read_as_it_was_before_and_left_as_it_is(void **state)
{
	const char *path = file("a.vft"), *crashed = file("crashed.vft");
	struct fixture *f = fixture_events();
	struct opened o;
	char error[512] = "", *before;

	(void)state;
	save_good(path);
	crash_while_writing(path, crashed);
	assert_int_equal(chmod(crashed, 0400), 0);
	before = look_around();
	if (open_recording(crashed, &o, true, error))
		fail_msg("%s", error);
	same_things(f->m, o.m);
	same_order(f->m, o.m);
	assert_int_equal(model__event_count(f->m), model__event_count(o.m));
	close_recording(&o);
	assert_unchanged(before);
	fixture_free(f);
}

/* What a torn journal saved last was not overwritten yet; nothing may be taken from behind it. */
static void a_torn_journal_is_used_as_far_as_it_is_whole(void **state)
{
	const char *path = file("a.vft"), *crashed = file("crashed.vft");
	const char *journal = file("crashed.vft-journal");
	struct stat info;

	(void)state;
	save_good(path);
	crash_while_writing(path, crashed);
	assert_int_equal(stat(journal, &info), 0);
	for (off_t cut = info.st_size; cut > 0; cut -= info.st_size / 23) {
		struct opened o;
		char error[512] = "";

		assert_int_equal(truncate(journal, cut), 0);
		if (open_recording(crashed, &o, true, error) < 0)
			assert_non_null(strstr(error, crashed));
		close_recording(&o);
	}
}

static void a_recording_that_somebody_keeps_locked_is_given_up(void **state)
{
	const char *path = file("a.vft");
	sqlite3 *db;

	(void)state;
	save_good(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
	assert_refused(path, "another process is writing it");
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	assert_reads(path);
	sqlite3_close(db);
}

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

#define hostile(test) cmocka_unit_test_teardown(test, empty_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		hostile(a_planted_journal_deletes_no_file),
		hostile(a_journal_planted_beside_what_a_link_leads_to_deletes_no_file),
		hostile(a_journal_of_another_user_in_a_sticky_directory_is_not_believed),
		hostile(a_pipe_a_link_or_a_directory_as_journal_holds_nobody_up),
		hostile(a_journal_that_does_not_fit_the_recording_is_refused),
		hostile(what_is_no_journal_is_none),
		hostile(logs_and_shared_memory_beside_a_recording_are_not_looked_at),
		hostile(a_recording_cut_by_a_crash_is_read_as_it_was_before_and_left_as_it_is),
		hostile(a_torn_journal_is_used_as_far_as_it_is_whole),
		hostile(a_recording_that_somebody_keeps_locked_is_given_up),
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
