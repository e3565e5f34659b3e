// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What somebody put beside a recording, or in its place: reading changes nothing, anywhere, and it
 * waits for nobody.
 */
#include "store_hostile.h"

static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

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
	assert_unchanged(before);
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
	same_entities(f->m, o.m);
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
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
