/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings that somebody made for us: how to make them, and that reading them changes nothing. */
#ifndef VFIOTRACE_TEST_STORE_HOSTILE_H
#define VFIOTRACE_TEST_STORE_HOSTILE_H

#include "store_files.h"

#include <dirent.h>

#define SOON 20 /* seconds; what hangs is ended by SIGALRM */

static inline void save_good(const char *path)
{
	struct fixture *f = fixture_events();
	char error[512] = "";

	unlink(path);
	if (store__save(path, f->m, &f->findings, NULL, error, sizeof(error)))
		fail_msg("%s", error);
	fixture_free(f);
}

static inline void change(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static inline void poke(const char *path, off_t offset, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, bytes, size, offset), size);
	close(fd);
}

static inline void assert_reads(const char *path)
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

static inline void assert_refused(const char *path, const char *words)
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
static inline char *look_around(void)
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

static inline void assert_unchanged(char *before)
{
	char *after = look_around();

	assert_string_equal(before, after);
	free(before);
	free(after);
}

static inline int empty_directory(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "chmod 700 %s && rm -rf %s/*", directory, directory);
	return system(command);
}

#define hostile(test) cmocka_unit_test_teardown(test, empty_directory)

#endif
