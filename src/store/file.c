// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Creating and opening incident files: 0600, no symlink followed, nothing overwritten that is not
 * ours, and for everything that goes wrong a sentence that says what to do.
 *
 * Rollback journal instead of WAL: between two commits the one file is complete by itself, so a
 * copy taken from a crashed host needs no companion files. A journal left by a crash is rolled back
 * when the file is opened; where the place is read-only, in a private copy.
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
		return store_fail(message, -EBADMSG,
				  "%s: says it is a recording, but is not made like one (%s)", path,
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
		return store_fail(message, -EACCES, "%s: cannot be opened: %s", path,
				  sqlite3_errmsg(db));
	default:
		return store_fail(message, -EIO, "%s: %s", path, sqlite3_errmsg(db));
	}
}

int store_file__check_header(int fd, const char *path, const struct store_message *message)
{
	unsigned char head[100];
	ssize_t length = pread(fd, head, sizeof(head), 0);
	uint32_t id, version;

	if (length == 0)
		return store_fail(message, -EINVAL, "%s: the file is empty", path);
	if (length < 16 || memcmp(head, sqlite_magic, 16))
		return store_fail(
			message, -EINVAL,
			"%s: is no vfiotrace recording; \"vfiotrace analyze\" reads traces "
			"and kernel logs",
			path);
	if (length < (ssize_t)sizeof(head))
		return store_fail(message, -EBADMSG, "%s: the file is cut off", path);
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
		return store_fail(message, -EBADMSG, "%s: carries no schema version", path);
	return 0;
}

bool store__is_recording(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char head[72];
	bool is = false;

	if (fd < 0)
		return false;
	if (pread(fd, head, sizeof(head), 0) == sizeof(head) && !memcmp(head, sqlite_magic, 16))
		is = head[68] == 'v' && head[69] == 'f' && head[70] == 't' && head[71] == 'r';
	close(fd);
	return is;
}

/* Only what is ours, or empty, is replaced. */
static int clear_place(const char *path, const struct store_message *message)
{
	static const char *const companions[] = {"-journal", "-wal", "-shm"};
	char companion[PATH_MAX];
	struct stat info;
	int fd, error = 0;

	if (lstat(path, &info))
		return errno == ENOENT
			       ? 0
			       : store_fail(message, -errno, "%s: %s", path, strerror(errno));
	if (S_ISLNK(info.st_mode))
		return store_fail(message, -ELOOP,
				  "%s: is a symbolic link; name the file it points to", path);
	if (!S_ISREG(info.st_mode))
		return store_fail(message, -EINVAL, "%s: is not a regular file", path);
	if (info.st_size) {
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			return store_fail(message, -errno, "%s: %s", path, strerror(errno));
		error = store_file__check_header(fd, path, NULL);
		close(fd);
		if (error == -EINVAL)
			return store_fail(
				message, -EEXIST,
				"%s: exists and is no vfiotrace recording; not overwritten", path);
	}
	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		snprintf(companion, sizeof(companion), "%s%s", path, companions[i]);
		unlink(companion);
	}
	if (unlink(path))
		return store_fail(message, -errno, "%s: %s", path, strerror(errno));
	return 0;
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

int store_file__create(const char *path, sqlite3 **db, const struct store_message *message)
{
	char *full = NULL;
	int fd, error = clear_place(path, message);

	*db = NULL;
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
			    NULL) ||
	    sqlite3_exec(*db, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE", NULL, NULL,
			 NULL) ||
	    sqlite3_exec(*db, "BEGIN", NULL, NULL, NULL) ||
	    sqlite3_exec(*db, store_schema, NULL, NULL, NULL) ||
	    sqlite3_exec(*db, "COMMIT", NULL, NULL, NULL)) {
		error = store_fail_sql(message, path, *db);
		sqlite3_close(*db);
		*db = NULL;
		unlink(path);
	}
	free(full);
	return error;
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

static int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out, error = 0;
	ssize_t length;

	if (in < 0)
		return -errno;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		error = -errno;
	while (!error && (length = copy_file_range(in, NULL, out, NULL, 1 << 30, 0)) != 0)
		if (length < 0)
			error = -errno;
	if (error == -EXDEV || error == -EINVAL || error == -EOPNOTSUPP) {
		char buffer[65536];

		error = 0;
		lseek(in, 0, SEEK_SET);
		while ((length = read(in, buffer, sizeof(buffer))) > 0)
			if (write(out, buffer, (size_t)length) != length)
				error = -EIO;
	}
	close(in);
	if (out >= 0)
		close(out);
	return error;
}

/* The file has a hot journal and cannot be written: roll back in a copy that is gone right away. */
static int open_private_copy(const char *path, sqlite3 **db)
{
	char directory[] = "/tmp/vfiotrace-XXXXXX", copy[64], journal[PATH_MAX], copy_journal[80];
	int error;

	if (!mkdtemp(directory))
		return -errno;
	snprintf(copy, sizeof(copy), "%s/copy", directory);
	snprintf(journal, sizeof(journal), "%s-journal", path);
	snprintf(copy_journal, sizeof(copy_journal), "%s-journal", copy);
	error = copy_file(path, copy);
	if (!error)
		error = copy_file(journal, copy_journal);
	if (!error) {
		if (sqlite3_open_v2(copy, db, SQLITE_OPEN_READWRITE, NULL) ||
		    sqlite3_exec(*db, "SELECT count(*) FROM meta", NULL, NULL, NULL))
			error = -EBADMSG;
	}
	unlink(copy); /* stays readable through the open descriptor */
	unlink(copy_journal);
	rmdir(directory);
	return error;
}

static int open_database(const char *path, sqlite3 **db, const struct store_message *message)
{
	char journal[PATH_MAX];
	struct stat info;
	int flags = SQLITE_OPEN_READONLY, error;

	snprintf(journal, sizeof(journal), "%s-journal", path);
	/* Only with a journal left behind is there something to roll back. */
	if (!stat(journal, &info) && info.st_size && !access(path, W_OK))
		flags = SQLITE_OPEN_READWRITE;
	error = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (error)
		return store_fail_sql(message, path, *db);
	sqlite3_busy_timeout(*db, 5000);
	error = sqlite3_exec(*db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	if ((error & 0xff) == SQLITE_READONLY || (error & 0xff) == SQLITE_CANTOPEN) {
		sqlite3_close(*db);
		*db = NULL;
		error = open_private_copy(path, db);
	}
	if (error < 0)
		return store_fail(
			message, error,
			"%s: was cut short while being written, and no private copy could "
			"be made to mend it: %s",
			path, strerror(-error));
	return error ? store_fail_sql(message, path, *db) : 0;
}

static int file_version(sqlite3 *db)
{
	sqlite3_stmt *query;
	int version = 0;

	if (!sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &query, NULL) &&
	    sqlite3_step(query) == SQLITE_ROW)
		version = sqlite3_column_int(query, 0);
	sqlite3_finalize(query);
	return version;
}

int store_file__open(const char *path, sqlite3 **db, const struct store_message *message)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error, version;
	struct stat info;

	*db = NULL;
	if (fd < 0)
		return store_fail(message, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &info) || !S_ISREG(info.st_mode))
		error = store_fail(message, -EINVAL, "%s: is not a regular file", path);
	else
		error = store_file__check_header(fd, path, message);
	close(fd);
	if (!error)
		error = open_database(path, db, message);
	if (error)
		goto fail;
	/* The file may come from anyone: no functions with side effects from its schema. */
	sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	version = file_version(*db);
	if (version < STORE_SCHEMA_VERSION) {
		error = copy_into_memory(db);
		if (!error)
			error = store_migrate(*db, version, STORE_SCHEMA_VERSION, store_migrations);
		if (error)
			store_fail(message, error, "%s: could not be brought to schema %d: %s",
				   path, STORE_SCHEMA_VERSION, sqlite3_errmsg(*db));
	}
	if (!error)
		return 0;
fail:
	sqlite3_close(*db);
	*db = NULL;
	return error;
}
