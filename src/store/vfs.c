// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SQLite's view of the world when a recording is read: one file that cannot change, and nothing
 * else. No other file exists, none can be made, opened or deleted.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "store/recording_file.h"

struct vfs_file {
	sqlite3_file base;
	struct recording_file *file;
};

/* For xOpen, which is called by the thread that opens a recording, and gets no argument of ours. */
static _Thread_local struct recording_file *being_opened;

/* --- the file ---------------------------------------------------------------------------- */

static int vfs_close(sqlite3_file *base)
{
	struct vfs_file *f = (struct vfs_file *)base;

	recording_file__close(f->file);
	f->file = NULL;
	return SQLITE_OK;
}

static int vfs_read(sqlite3_file *base, void *buffer, int size, sqlite3_int64 offset)
{
	struct vfs_file *f = (struct vfs_file *)base;
	ssize_t got = recording_file__read(f->file, buffer, (size_t)size, (uint64_t)offset);

	if (got < 0)
		return SQLITE_IOERR_READ;
	if (got == size)
		return SQLITE_OK;
	memset((char *)buffer + got, 0, (size_t)size - (size_t)got);
	return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *base, const void *buffer, int size, sqlite3_int64 offset)
{
	(void)base;
	(void)buffer;
	(void)size;
	(void)offset;
	return SQLITE_READONLY;
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	(void)base;
	(void)size;
	return SQLITE_READONLY;
}

static int vfs_nothing(sqlite3_file *base, int what)
{
	(void)base;
	(void)what;
	return SQLITE_OK;
}

static int vfs_size(sqlite3_file *base, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)((struct vfs_file *)base)->file->size;
	return SQLITE_OK;
}

static int vfs_is_reserved(sqlite3_file *base, int *answer)
{
	(void)base;
	*answer = 0;
	return SQLITE_OK;
}

static int vfs_control(sqlite3_file *base, int operation, void *argument)
{
	(void)base;
	(void)operation;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *base)
{
	(void)base;
	return 4096;
}

static int vfs_traits(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_IMMUTABLE; /* no locks, no journal, no log */
}

/* Version 1 has no shared memory, so that a write-ahead log is impossible, and no mapped pages. */
static const sqlite3_io_methods file_methods = {
	.iVersion = 1,
	.xClose = vfs_close,
	.xRead = vfs_read,
	.xWrite = vfs_write,
	.xTruncate = vfs_truncate,
	.xSync = vfs_nothing,
	.xFileSize = vfs_size,
	.xLock = vfs_nothing,
	.xUnlock = vfs_nothing,
	.xCheckReservedLock = vfs_is_reserved,
	.xFileControl = vfs_control,
	.xSectorSize = vfs_sector,
	.xDeviceCharacteristics = vfs_traits,
};

/* --- everything else --------------------------------------------------------------------- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
		    int *out_flags)
{
	struct vfs_file *f = (struct vfs_file *)base;

	(void)vfs;
	(void)name;
	base->pMethods = NULL;
	if (!(flags & SQLITE_OPEN_MAIN_DB) || !being_opened)
		return SQLITE_CANTOPEN;
	f->file = being_opened;
	being_opened = NULL;
	base->pMethods = &file_methods;
	if (out_flags)
		*out_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	(void)name;
	(void)sync;
	return SQLITE_READONLY;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer)
{
	(void)vfs;
	(void)name;
	(void)flags;
	*answer = 0;
	return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	sqlite3_snprintf(size, out, "%s", name);
	return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	return (int)getrandom(out, (size_t)size, GRND_NONBLOCK);
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *now)
{
	(void)vfs;
	*now = 2440587.5; /* no query of ours asks */
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	(void)size;
	(void)out;
	return errno;
}

static sqlite3_vfs recording_vfs = {
	.iVersion = 1,
	.szOsFile = sizeof(struct vfs_file),
	.mxPathname = 64,
	.zName = "vfiotrace-recording",
	.xOpen = vfs_open,
	.xDelete = vfs_delete,
	.xAccess = vfs_access,
	.xFullPathname = vfs_full_name,
	.xRandomness = vfs_random,
	.xSleep = vfs_sleep,
	.xCurrentTime = vfs_time,
	.xGetLastError = vfs_last_error,
};

static void register_vfs(void)
{
	sqlite3_vfs_register(&recording_vfs, 0);
}

int recording_vfs__open(struct recording_file *file, sqlite3 **db)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int error;

	pthread_once(&once, register_vfs);
	being_opened = file;
	error = sqlite3_open_v2("recording", db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
				recording_vfs.zName);
	recording_file__close(being_opened); /* SQLite did not come that far */
	being_opened = NULL;
	return error;
}
