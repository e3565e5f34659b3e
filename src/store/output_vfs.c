// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A recording written through one open descriptor, for a process that can make no file: nobody
 * knows this one yet, so there is nothing to lock, and a crash leaves nothing that must be mended.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_private.h"

struct output_file {
	sqlite3_file base;
	int fd;
};

static _Thread_local int being_opened = -1; /* for xOpen, which gets no argument of ours */

static int file_of(sqlite3_file *base)
{
	return ((struct output_file *)base)->fd;
}

static int out_nothing(sqlite3_file *base)
{
	(void)base;
	return SQLITE_OK;
}

static int out_lock(sqlite3_file *base, int level)
{
	(void)base;
	(void)level;
	return SQLITE_OK;
}

static int out_is_reserved(sqlite3_file *base, int *answer)
{
	(void)base;
	*answer = 0;
	return SQLITE_OK;
}

static int out_read(sqlite3_file *base, void *buffer, int size, sqlite3_int64 offset)
{
	ssize_t got = pread(file_of(base), buffer, (size_t)size, offset);

	if (got < 0)
		return SQLITE_IOERR_READ;
	if (got == size)
		return SQLITE_OK;
	memset((char *)buffer + got, 0, (size_t)size - (size_t)got);
	return SQLITE_IOERR_SHORT_READ;
}

static int out_write(sqlite3_file *base, const void *buffer, int size, sqlite3_int64 offset)
{
	const char *from = buffer;

	while (size > 0) {
		ssize_t wrote = pwrite(file_of(base), from, (size_t)size, offset);

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
	return ftruncate(file_of(base), size) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int out_sync(sqlite3_file *base, int how)
{
	(void)how;
	return fsync(file_of(base)) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int out_size(sqlite3_file *base, sqlite3_int64 *size)
{
	struct stat about;

	if (fstat(file_of(base), &about))
		return SQLITE_IOERR_FSTAT;
	*size = about.st_size;
	return SQLITE_OK;
}

static int out_control(sqlite3_file *base, int operation, void *argument)
{
	(void)base;
	(void)operation;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static const sqlite3_io_methods file_methods = {
	.iVersion = 1,
	.xClose = out_nothing,
	.xRead = out_read,
	.xWrite = out_write,
	.xTruncate = out_truncate,
	.xSync = out_sync,
	.xFileSize = out_size,
	.xLock = out_lock,
	.xUnlock = out_lock,
	.xCheckReservedLock = out_is_reserved,
	.xFileControl = out_control,
	.xSectorSize = out_nothing,	       /* 0: the usual */
	.xDeviceCharacteristics = out_nothing, /* none to rely on */
};

static int out_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
		    int *out_flags)
{
	(void)vfs;
	(void)name;
	base->pMethods = NULL;
	if (!(flags & SQLITE_OPEN_MAIN_DB) || being_opened < 0)
		return SQLITE_CANTOPEN;
	((struct output_file *)base)->fd = being_opened;
	being_opened = -1;
	base->pMethods = &file_methods;
	if (out_flags)
		*out_flags = flags;
	return SQLITE_OK;
}

static int out_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	(void)name;
	(void)sync;
	return SQLITE_OK; /* there is nothing but the one file */
}

static int out_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer)
{
	(void)vfs;
	(void)name;
	(void)flags;
	*answer = 0;
	return SQLITE_OK;
}

static int out_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	sqlite3_snprintf(size, out, "%s", name);
	return SQLITE_OK;
}

static sqlite3_vfs output_vfs = {
	.iVersion = 1,
	.szOsFile = sizeof(struct output_file),
	.mxPathname = 64,
	.zName = "vfiotrace-output",
	.xOpen = out_open,
	.xDelete = out_delete,
	.xAccess = out_access,
	.xFullPathname = out_full_name,
};

static void register_vfs(void)
{
	const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

	output_vfs.xRandomness = usual->xRandomness;
	output_vfs.xSleep = usual->xSleep;
	output_vfs.xCurrentTime = usual->xCurrentTime;
	output_vfs.xGetLastError = usual->xGetLastError;
	sqlite3_vfs_register(&output_vfs, 0);
}

int output_vfs__open(int fd, sqlite3 **db)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int error;

	pthread_once(&once, register_vfs);
	being_opened = fd;
	error = sqlite3_open_v2("output", db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				output_vfs.zName);
	being_opened = -1;
	return error;
}
