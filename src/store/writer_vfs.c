// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A recording may be written where others can make files, and lies there without a lock between two
 * transactions. A journal that somebody plants meanwhile would be taken for one of ours: what it
 * saved would overwrite the recording, what it names be deleted, a pipe in its place be waited for.
 * So the journal must be a file of ours, of this one name, and there is no other file to open.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_private.h"

static sqlite3_vfs *usual;
static sqlite3_vfs writer_vfs;

static bool is_ours(const char *name)
{
	struct stat about;

	if (lstat(name, &about))
		return errno == ENOENT;
	return S_ISREG(about.st_mode) && about.st_uid == geteuid() && about.st_nlink == 1;
}

/*
 * Before SQLite opens it, which gives a journal to the owner of the recording where root does it.
 * One that is made here, and nowhere else, is ours; in a sticky directory nobody takes it away
 * again.
 */
static bool may_be_opened(const char *name, bool create)
{
	int fd = create ? open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
			: -1;

	if (fd >= 0)
		return !close(fd);
	return is_ours(name);
}

static int writer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		       int *out_flags)
{
	(void)vfs;
	file->pMethods = NULL;
	if (flags & (SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL))
		return SQLITE_CANTOPEN;
	if (flags & SQLITE_OPEN_MAIN_JOURNAL) {
		if (!may_be_opened(name, flags & SQLITE_OPEN_CREATE))
			return SQLITE_CANTOPEN;
		flags |= SQLITE_OPEN_NOFOLLOW;
	}
	return usual->xOpen(usual, name, file, flags, out_flags);
}

static int writer_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	static const char journal[] = "-journal";
	const size_t length = strlen(name), suffix = sizeof(journal) - 1;

	(void)vfs;
	if (length < suffix || strcmp(name + length - suffix, journal))
		return SQLITE_IOERR_DELETE;
	return usual->xDelete(usual, name, sync);
}

static void register_vfs(void)
{
	usual = sqlite3_vfs_find(NULL);
	writer_vfs = *usual;
	writer_vfs.pNext = NULL;
	writer_vfs.zName = "vfiotrace-writer";
	writer_vfs.xOpen = writer_open;
	writer_vfs.xDelete = writer_delete;
	sqlite3_vfs_register(&writer_vfs, 0);
}

const char *writer_vfs__name(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_vfs);
	return writer_vfs.zName;
}
