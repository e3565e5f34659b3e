// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening recordings: what SQLite may do with a file that may come from anyone. Its bytes come
 * through recording_file.h; here is what it may take in memory and time, and that it runs our own
 * queries on our own tables and nothing else.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/recording_file.h"
#include "util/input.h"

#define STEPS_A_CALL 1000
#define SCHEMA_CALLS 20 /* of the handler: the schema has some fifty rows of ten steps */
#define SPARE_CALLS 1000
/* The smallest row takes 9 bytes and four steps, the largest ones less than a step a byte. */
#define STEPS_A_BYTE 4
#define LARGEST_VALUE (256 << 20)

bool store__is_recording(const char *path)
{
	char why[200];
	int fd = input_open(path, INPUT_FILE, why, sizeof(why));
	unsigned char head[STORE_HEADER_BYTES];
	bool is = false;

	if (fd < 0)
		return false;
	if (pread(fd, head, sizeof(head), 0) >= 72 && !memcmp(head, "SQLite format 3", 16))
		is = !memcmp(head + 68, "vftr", 4);
	close(fd);
	return is;
}

int store_fail_read(const struct store_message *message, const char *path, sqlite3 *db)
{
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_INTERRUPT:
		return store_fail(message, -EBADMSG,
				  "%s: the file is damaged: it goes on longer than a file of its "
				  "size can",
				  path);
	case SQLITE_TOOBIG:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN: /* SQLite wanted a second file */
		return store_fail(message, -EBADMSG, "%s: corrupt recording: %s", path,
				  sqlite3_errmsg(db));
	case SQLITE_IOERR:
		return store_fail(message, -EIO, "%s: cannot be read (%s)", path,
				  sqlite3_errmsg(db));
	default:
		return store_fail_sql(message, path, db);
	}
}

static int count_steps(void *context)
{
	struct store_file *file = context;

	return --file->steps_left < 0;
}

/* Our own queries read tables by name and ask for a few functions; SQL in the file does not run. */
static int authorize(void *context, int action, const char *first, const char *second,
		     const char *database, const char *trigger)
{
	(void)context;
	(void)first;
	(void)database;
	if (trigger) /* or a view: we ask none */
		return SQLITE_DENY;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return !strcmp(second, "min") || !strcmp(second, "max") ? SQLITE_OK : SQLITE_DENY;
	}
	return SQLITE_DENY;
}

static void limit(sqlite3 *db, uint64_t file_size)
{
	static const struct {
		int what, most;
	} limits[] = {
		{SQLITE_LIMIT_SQL_LENGTH, 16384},   {SQLITE_LIMIT_COLUMN, 64},
		{SQLITE_LIMIT_EXPR_DEPTH, 100},	    {SQLITE_LIMIT_COMPOUND_SELECT, 4},
		{SQLITE_LIMIT_VDBE_OP, 10000},	    {SQLITE_LIMIT_FUNCTION_ARG, 16},
		{SQLITE_LIMIT_ATTACHED, 0},	    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
		{SQLITE_LIMIT_VARIABLE_NUMBER, 16}, {SQLITE_LIMIT_TRIGGER_DEPTH, 0},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(db, limits[i].what, limits[i].most);
	/* no value is longer than the file that it is in */
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH,
		      file_size < LARGEST_VALUE ? (int)file_size : LARGEST_VALUE);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
}

/* A database in memory with the same content, so that the file itself is never written. */
static int copy_into_memory(sqlite3 **db)
{
	sqlite3 *memory = NULL;
	sqlite3_backup *backup;
	int error;

	if (sqlite3_open(":memory:", &memory))
		goto fail;
	backup = sqlite3_backup_init(memory, "main", *db, "main");
	if (!backup)
		goto fail;
	error = sqlite3_backup_step(backup, -1);
	sqlite3_backup_finish(backup);
	if (error != SQLITE_DONE)
		goto fail;
	sqlite3_close(*db);
	*db = memory;
	return 0;
fail:
	sqlite3_close(memory);
	return -EBADMSG;
}

static int migrate(struct store_file *file, int version, const char *path,
		   const struct store_message *message)
{
	int error = 0;

	if (version < STORE_SCHEMA_VERSION) {
		error = copy_into_memory(&file->db);
		if (!error)
			error = store_migrate(file->db, version, STORE_SCHEMA_VERSION,
					      store_migrations);
	}
	return error ? store_fail(message, error, "%s: could not be brought to schema %d: %s", path,
				  STORE_SCHEMA_VERSION, sqlite3_errmsg(file->db))
		     : 0;
}

static int version_of(const struct recording_file *file)
{
	unsigned char version[4] = {0};

	recording_file__read(file, version, sizeof(version), 60);
	return version[2] << 8 | version[3]; /* checked: it is small */
}

static int open_database(const char *path, struct recording_file *bytes, struct store_file *file,
			 const struct store_message *message)
{
	const int version = version_of(bytes);
	int error;

	file->size = bytes->size;
	file->steps_left = SCHEMA_CALLS;
	if (recording_vfs__open(bytes, &file->db))
		return store_fail_read(message, path, file->db);
	limit(file->db, file->size);
	sqlite3_exec(file->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	sqlite3_progress_handler(file->db, STEPS_A_CALL, count_steps, file);
	sqlite3_set_authorizer(file->db, authorize, NULL);
	error = recording_schema__check(file->db, path, version, message);
	if (!error)
		error = migrate(file, version, path, message);
	if (error)
		return error;
	file->steps_left = (int64_t)(file->size / STEPS_A_CALL * STEPS_A_BYTE + SPARE_CALLS);
	sqlite3_progress_handler(file->db, STEPS_A_CALL, count_steps, file);
	sqlite3_set_authorizer(file->db, authorize, NULL);
	return 0;
}

int store_file__open(const char *path, struct store_file *file, const struct store_message *message)
{
	struct recording_file *bytes;
	int error = recording_file__open(path, &bytes, message);

	*file = (struct store_file){0};
	if (!error)
		error = open_database(path, bytes, file, message);
	if (error)
		store_file__close(file);
	return error;
}

void store_file__close(struct store_file *file)
{
	sqlite3_close(file->db);
	file->db = NULL;
}
