// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SQLite's view of the world where it must not have another: one file that we opened, and nothing
 * else. No other file exists, none can be made, opened or deleted. A recording that is read cannot
 * change; one that is written through a descriptor is known to nobody yet, so there is nothing to
 * lock, and a crash leaves nothing that must be mended.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/recording_file.h"

struct vfs_file {
	sqlite3_file base;
	struct recording_file *file; /* NULL: `fd` is written */
	int fd;
};

/* For xOpen, which is called by the thread that opens a file, and gets no argument of ours. */
static _Thread_local struct vfs_file *being_opened;

/* --- what both have ---------------------------------------------------------------------- */

/* What of the file is missing reads as zeros. */
static int filled(void *buffer, int size, ssize_t got)
{
	if (got < 0)
		return SQLITE_IOERR_READ;
	if (got == size)
		return SQLITE_OK;
	memset((char *)buffer + got, 0, (size_t)size - (size_t)got);
	return SQLITE_IOERR_SHORT_READ;
}

static int vfs_nothing(sqlite3_file *base, int what)
{
	(void)base;
	(void)what;
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

/* --- a recording that is read ------------------------------------------------------------ */

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

	return filled(buffer, size,
		      recording_file__read(f->file, buffer, (size_t)size, (uint64_t)offset));
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

static int vfs_size(sqlite3_file *base, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)((struct vfs_file *)base)->file->size;
	return SQLITE_OK;
}

static int vfs_traits(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_IMMUTABLE; /* no locks, no journal, no log */
}

/* Version 1 has no shared memory, so that a write-ahead log is impossible, and no mapped pages. */
static const sqlite3_io_methods read_methods = {
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

/* --- a file that is written -------------------------------------------------------------- */

static int fd_of(sqlite3_file *base)
{
	return ((struct vfs_file *)base)->fd;
}

static int out_close(sqlite3_file *base)
{
	(void)base; /* the descriptor is the caller's */
	return SQLITE_OK;
}

static int out_read(sqlite3_file *base, void *buffer, int size, sqlite3_int64 offset)
{
	return filled(buffer, size, pread(fd_of(base), buffer, (size_t)size, offset));
}

static int out_write(sqlite3_file *base, const void *buffer, int size, sqlite3_int64 offset)
{
	const char *from = buffer;

	while (size > 0) {
		ssize_t wrote = pwrite(fd_of(base), from, (size_t)size, offset);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return errno == ENOSPC || errno == EDQUOT || errno == EFBIG
				       ? SQLITE_FULL
				       : SQLITE_IOERR_WRITE;
		from += wrote;
		offset += wrote;
		size -= (int)wrote;
	}
	return SQLITE_OK;
}

static int out_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	return ftruncate(fd_of(base), size) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int out_sync(sqlite3_file *base, int how)
{
	(void)how;
	return fsync(fd_of(base)) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int out_size(sqlite3_file *base, sqlite3_int64 *size)
{
	struct stat about;

	if (fstat(fd_of(base), &about))
		return SQLITE_IOERR_FSTAT;
	*size = about.st_size;
	return SQLITE_OK;
}

static int out_traits(sqlite3_file *base)
{
	(void)base;
	return 0; /* none to rely on */
}

static const sqlite3_io_methods write_methods = {
	.iVersion = 1,
	.xClose = out_close,
	.xRead = out_read,
	.xWrite = out_write,
	.xTruncate = out_truncate,
	.xSync = out_sync,
	.xFileSize = out_size,
	.xLock = vfs_nothing,
	.xUnlock = vfs_nothing,
	.xCheckReservedLock = vfs_is_reserved,
	.xFileControl = vfs_control,
	.xSectorSize = vfs_sector,
	.xDeviceCharacteristics = out_traits,
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
	*f = *being_opened;
	being_opened = NULL;
	base->pMethods = f->file ? &read_methods : &write_methods;
	if (out_flags)
		*out_flags = f->file ? SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB : flags;
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

static sqlite3_vfs one_file_vfs = {
	.iVersion = 1,
	.szOsFile = sizeof(struct vfs_file),
	.mxPathname = 64,
	.zName = "vfiotrace-file",
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
	sqlite3_vfs_register(&one_file_vfs, 0);
}

/* True: SQLite came as far as to take the file. */
static bool open_only(struct vfs_file file, const char *name, int flags, sqlite3 **db, int *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	bool taken;

	pthread_once(&once, register_vfs);
	being_opened = &file;
	*error = sqlite3_open_v2(name, db, flags | SQLITE_OPEN_NOMUTEX, one_file_vfs.zName);
	taken = !being_opened;
	being_opened = NULL;
	return taken;
}

int recording_vfs__open(struct recording_file *file, sqlite3 **db)
{
	const struct vfs_file opened = {.file = file, .fd = -1};
	int error;

	if (!open_only(opened, "recording", SQLITE_OPEN_READONLY, db, &error))
		recording_file__close(file);
	return error;
}

int output_vfs__open(int fd, sqlite3 **db)
{
	int error;

	open_only((struct vfs_file){.fd = fd}, "output", SQLITE_OPEN_READWRITE, db, &error);
	return error;
}
