// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening files that a person named: see input.h. A file is looked at before it is opened: opening
 * alone does things to some devices (a watchdog starts, a tape winds back).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/input.h"
#include "util/memory.h"

struct handed {
	char *name;
	int fd; /* or -errno, and */
	char why[160];
};

static VECTOR(struct handed) handed_files;
static bool handed_by_root;

static int say(char *why, size_t size, int error, const char *text)
{
	if (size)
		snprintf(why, size, "%s", text);
	return error;
}

static int put_errno(char *why, size_t size)
{
	int error = errno;

	return say(why, size, -error, strerror(error));
}

/* --- what may be read -------------------------------------------------------------------- */

/* <(command) and /dev/stdin lead to pipes without a name: there is no place to plant one in. */
static bool is_nameless_pipe(int fd, const struct stat *about)
{
	struct statfs where;

	return S_ISFIFO(about->st_mode) && !fstatfs(fd, &where) && where.f_type == PIPEFS_MAGIC;
}

static int check_trust(const struct stat *about, char *why, size_t why_size)
{
	if (geteuid() && !handed_by_root)
		return 0; /* who has no rights can lose none */
	if (about->st_uid)
		return say(why, why_size, -EPERM,
			   "belongs to another user, and root does what it says; chown root it, or "
			   "run this as its owner");
	if (about->st_mode & (S_IWGRP | S_IWOTH))
		return say(why, why_size, -EPERM,
			   "others may write it, and root does what it says; chmod go-w it");
	return 0;
}

int input_check(int fd, enum input_kind kind, char *why, size_t why_size)
{
	struct stat about;

	if (fstat(fd, &about))
		return put_errno(why, why_size);
	if (kind == INPUT_STREAM && is_nameless_pipe(fd, &about))
		return 0;
	if (S_ISFIFO(about.st_mode) && kind == INPUT_STREAM)
		return say(why, why_size, -EINVAL,
			   "is a named pipe; to read from one name \"-\" and redirect: - < PIPE");
	if (!S_ISREG(about.st_mode))
		return say(why, why_size, -EINVAL, "is not a regular file");
	return kind == INPUT_TRUSTED ? check_trust(&about, why, why_size) : 0;
}

/* --- opening ----------------------------------------------------------------------------- */

/* The file that was looked at, and no other. */
static int reopen(int seen, const char *path, int flags)
{
	char self[32];
	struct stat before, after;
	int fd;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", seen);
	fd = open(self, flags & ~O_NOFOLLOW);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(path, flags); /* no /proc here */
	if (fd < 0 || (!fstat(seen, &before) && !fstat(fd, &after) &&
		       before.st_dev == after.st_dev && before.st_ino == after.st_ino))
		return fd;
	close(fd);
	errno = ESTALE;
	return -1;
}

static int open_checked(const char *path, enum input_kind kind, int more_flags, char *why,
			size_t why_size)
{
	/* O_NONBLOCK: some files that say they are regular wait (trace_pipe, kmsg) */
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | more_flags;
	int seen = open(path, O_PATH | O_CLOEXEC | more_flags), fd = -1, error;
	struct stat about;

	if (seen < 0)
		return put_errno(why, why_size);
	error = input_check(seen, kind, why, why_size);
	if (!error) {
		fd = reopen(seen, path, flags);
		if (fd < 0)
			error = put_errno(why, why_size);
	}
	close(seen);
	/* the reader of a pipe waits for what comes */
	if (fd >= 0 && !fstat(fd, &about) && S_ISFIFO(about.st_mode))
		fcntl(fd, F_SETFL, O_RDONLY);
	return error ? error : fd;
}

static int open_beside(const char *path, const char *suffix, char *why, size_t why_size)
{
	char *real = realpath(path, NULL), *name = NULL;
	int fd;

	if (!real)
		return put_errno(why, why_size);
	if (asprintf(&name, "%s%s", real, suffix) < 0)
		name = NULL;
	free(real);
	fd = name ? open_checked(name, INPUT_FILE, O_NOFOLLOW, why, why_size)
		  : say(why, why_size, -ENOMEM, "out of memory");
	free(name);
	return fd;
}

/* --- handed over ------------------------------------------------------------------------- */

static const struct handed *find_handed(const char *path, const char *suffix)
{
	const size_t length = strlen(path);

	for (uint64_t i = 0; i < handed_files.count; i++) {
		const char *name = handed_files.items[i].name;

		if (!strncmp(name, path, length) && !strcmp(name + length, suffix))
			return &handed_files.items[i];
	}
	return NULL;
}

/* From its start again; a pipe has none. */
static int open_again(const struct handed *file, char *why, size_t why_size)
{
	int fd;

	if (file->fd < 0)
		return say(why, why_size, file->fd, file->why);
	fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return put_errno(why, why_size);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int hand_over(const char *path, const char *suffix, enum input_kind kind)
{
	struct handed file = {0};

	if (find_handed(path, suffix))
		return 0;
	if (asprintf(&file.name, "%s%s", path, suffix) < 0)
		return -ENOMEM;
	handed_by_root = handed_by_root || geteuid() == 0;
	file.fd = *suffix ? open_beside(path, suffix, file.why, sizeof(file.why))
			  : open_checked(path, kind, 0, file.why, sizeof(file.why));
	if (vector_push(&handed_files, file))
		return 0;
	if (file.fd >= 0)
		close(file.fd);
	free(file.name);
	return -ENOMEM;
}

int input_hand_over(const char *path, enum input_kind kind)
{
	return hand_over(path, "", kind);
}

int input_hand_over_beside(const char *path, const char *suffix)
{
	return hand_over(path, suffix, INPUT_FILE);
}

int input_open(const char *path, enum input_kind kind, char *why, size_t why_size)
{
	const struct handed *file = find_handed(path, "");
	int fd, error;

	if (!file)
		return open_checked(path, kind, 0, why, why_size);
	fd = open_again(file, why, why_size);
	error = fd < 0 ? fd
		       : input_check(fd, kind, why,
				     why_size); /* now it may be opened as another kind */
	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

int input_open_beside(const char *path, const char *suffix, char *why, size_t why_size)
{
	const struct handed *file = find_handed(path, suffix);

	return file ? open_again(file, why, why_size) : open_beside(path, suffix, why, why_size);
}
