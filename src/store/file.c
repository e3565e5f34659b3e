// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Creating incident files: 0600, no symlink followed, nothing overwritten that is not ours, and for
 * everything that goes wrong a sentence that says what to do.
 *
 * Rollback journal instead of WAL: between two commits the one file is complete by itself, so a
 * copy taken from a crashed host needs no companion files.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_private.h"

static const char sqlite_magic[16] = "SQLite format 3";

int store_fail(const struct store_message *message, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (message && message->text && message->size)
		vsnprintf(message->text, message->size, format, arguments);
	va_end(arguments);
	return error;
}

int store_fail_sql(const struct store_message *message, const char *path, sqlite3 *db)
{
	int code = sqlite3_errcode(db) & 0xff;

	switch (code) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return store_fail(
			message, -EBADMSG,
			"%s: the file is damaged (%s); \"sqlite3 FILE .recover\" may save "
			"what is left",
			path, sqlite3_errmsg(db));
	case SQLITE_ERROR:
	case SQLITE_MISMATCH:
		return store_fail(message, -EBADMSG, "%s: corrupt recording: %s", path,
				  sqlite3_errmsg(db));
	case SQLITE_FULL:
		return store_fail(message, -ENOSPC, "%s: no space left", path);
	case SQLITE_READONLY:
		return store_fail(message, -EROFS, "%s: the file system is read-only", path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return store_fail(message, -EBUSY, "%s: another process is writing it", path);
	case SQLITE_NOMEM:
		return store_fail(message, -ENOMEM, "%s: out of memory", path);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_IOERR: /* it became read-only in the middle of a write */
		if (access(path, W_OK) && errno == EROFS) /* its journal cannot be made */
			return store_fail(message, -EROFS, "%s: the file system is read-only",
					  path);
		if (code == SQLITE_IOERR)
			return store_fail(message, -EIO, "%s: %s", path, sqlite3_errmsg(db));
		return store_fail(message, -EACCES,
				  "%s: cannot be opened, or the %s-journal beside it is not ours "
				  "(%s)",
				  path, path, sqlite3_errmsg(db));
	default:
		return store_fail(message, -EIO, "%s: %s", path, sqlite3_errmsg(db));
	}
}

int store_header__check(const unsigned char *head, size_t length, const char *path,
			const struct store_message *message)
{
	uint32_t id, version;

	if (length == 0)
		return store_fail(message, -EINVAL, "%s: the file is empty", path);
	if (length < 16 || memcmp(head, sqlite_magic, 16))
		return store_fail(
			message, -EINVAL,
			"%s: is not a vfiotrace recording; \"vfiotrace analyze\" reads traces "
			"and kernel logs",
			path);
	if (length < STORE_HEADER_BYTES)
		return store_fail(message, -EBADMSG, "%s: truncated file", path);
	id = (uint32_t)head[68] << 24 | head[69] << 16 | head[70] << 8 | head[71];
	version = (uint32_t)head[60] << 24 | head[61] << 16 | head[62] << 8 | head[63];
	if (id != STORE_APPLICATION_ID)
		return store_fail(message, -EINVAL,
				  "%s: is an SQLite database of another program, no vfiotrace "
				  "recording",
				  path);
	if (version > STORE_SCHEMA_VERSION)
		return store_fail(
			message, -EPROTONOSUPPORT,
			"%s: was made by a newer vfiotrace (schema %u, this one reads up to "
			"%d); open it with that version",
			path, version, STORE_SCHEMA_VERSION);
	if (!version)
		return store_fail(message, -EBADMSG, "%s: no schema version", path);
	return 0;
}

static int check_header(int fd, const char *path, const struct store_message *message)
{
	unsigned char head[STORE_HEADER_BYTES];
	ssize_t length = pread(fd, head, sizeof(head), 0);

	if (length < 0)
		return store_fail(message, -errno, "%s: %s", path, strerror(errno));
	return store_header__check(head, (size_t)length, path, message);
}

/* Only what is ours, or empty, is replaced, and ours only on request. 1: nothing is there. */
static int check_place(const char *path, bool overwrite, const struct store_message *message)
{
	struct stat info;
	int fd, error = 0;

	if (lstat(path, &info))
		return errno == ENOENT
			       ? 1
			       : store_fail(message, -errno, "%s: %s", path, strerror(errno));
	if (S_ISLNK(info.st_mode))
		return store_fail(message, -ELOOP,
				  "%s: is a symbolic link; name the file it points to", path);
	if (!S_ISREG(info.st_mode))
		return store_fail(message, -EINVAL, "%s: is not a regular file", path);
	if (!info.st_size)
		return 0;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return store_fail(message, -errno, "%s: %s", path, strerror(errno));
	error = check_header(fd, path, NULL);
	close(fd);
	if (error == -EINVAL)
		return store_fail(message, -EEXIST,
				  "%s: exists and is not a vfiotrace recording; not overwritten",
				  path);
	if (!overwrite)
		return store_fail(message, -EEXIST,
				  "%s: is an older recording; --overwrite replaces it, or "
				  "name another file with -o",
				  path);
	return 0;
}

int store__check_place(const char *path, bool overwrite, char *error, size_t error_size)
{
	const struct store_message message = {error, error_size};
	int found = check_place(path, overwrite, &message);

	return found < 0 ? found : 0;
}

/* What a crash left beside a file of that name must not be taken for a part of the next one. */
static void remove_companions(const char *path)
{
	static const char *const companions[] = {"-journal", "-wal", "-shm"};
	char companion[PATH_MAX];

	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		snprintf(companion, sizeof(companion), "%s%s", path, companions[i]);
		unlink(companion);
	}
}

static int clear_place(const char *path, bool overwrite, const struct store_message *message)
{
	int found = check_place(path, overwrite, message);

	if (found)
		return found < 0 ? found : 0;
	remove_companions(path);
	return unlink(path) ? store_fail(message, -errno, "%s: %s", path, strerror(errno)) : 0;
}

/* SQLITE_OPEN_NOFOLLOW refuses links anywhere in the path; only the last part matters here. */
static char *real_path(const char *path)
{
	char *copy = strdup(path), *copy2 = strdup(path), *directory, *full = NULL;

	directory = copy && copy2 ? realpath(dirname(copy), NULL) : NULL;
	if (directory && asprintf(&full, "%s/%s", directory, basename(copy2)) < 0)
		full = NULL;
	free(directory);
	free(copy);
	free(copy2);
	return full;
}

static int make_schema(sqlite3 *db)
{
	return sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) ||
	       sqlite3_exec(db, store_schema, NULL, NULL, NULL) ||
	       sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
}

/* --- into a file that is open ------------------------------------------------------------ */

static const char *given_path;
static int given_fd = -1;

void store__write_into(const char *path, int fd)
{
	given_path = path;
	given_fd = fd;
}

bool store_file__is_given(const char *path)
{
	return given_path && !strcmp(given_path, path);
}

int store_file__replace(const char *path, const char *with, const struct store_message *message)
{
	int found = check_place(path, true, message);

	if (found < 0)
		return found;
	remove_companions(path);
	return rename(with, path) ? store_fail(message, -errno, "%s: %s", path, strerror(errno))
				  : 0;
}

int store__publish(const char *temporary, const char *path, char *error, size_t error_size)
{
	const struct store_message message = {error, error_size};

	return store_file__replace(path, temporary, &message);
}

static int create_given(const char *path, sqlite3 **db, const struct store_message *message)
{
	if (!output_vfs__open(given_fd, db) &&
	    !sqlite3_exec(*db,
			  "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE; PRAGMA journal_mode "
			  "= MEMORY; PRAGMA temp_store = MEMORY",
			  NULL, NULL, NULL) &&
	    !make_schema(*db))
		return 0;
	store_fail_sql(message, path, *db);
	sqlite3_close(*db);
	*db = NULL;
	return -EIO;
}

/* --- creating ---------------------------------------------------------------------------- */

int store_file__create(const char *path, bool overwrite, sqlite3 **db,
		       const struct store_message *message)
{
	char *full = NULL;
	int fd, error;

	*db = NULL;
	if (store_file__is_given(path))
		return create_given(path, db, message);
	error = clear_place(path, overwrite, message);
	if (error)
		return error;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return store_fail(message, -errno, "%s: cannot be created: %s", path,
				  strerror(errno));
	close(fd);
	full = real_path(path);
	if (!full)
		return store_fail(message, -ENOMEM, "%s: out of memory", path);
	if (sqlite3_open_v2(full, db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX,
			    writer_vfs__name()) ||
	    sqlite3_exec(*db, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE", NULL, NULL,
			 NULL) ||
	    make_schema(*db)) {
		error = store_fail_sql(message, path, *db);
		sqlite3_close(*db);
		*db = NULL;
		unlink(path);
	}
	free(full);
	return error;
}
