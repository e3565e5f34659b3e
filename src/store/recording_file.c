// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening, locking and reading the file itself: see recording_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/recording_file.h"
#include "util/input.h"

/* SQLite's protocol ("os.h"): these bytes are locked, never read or written. */
#define PENDING_BYTE 0x40000000
#define RESERVED_BYTE (PENDING_BYTE + 1)
#define SHARED_FIRST (PENDING_BYTE + 2)
#define SHARED_SIZE 510
#define WAIT_STEPS 250 /* of 20 ms */

static int lock(int fd, short type, off_t start, off_t length)
{
	struct flock range = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

	/* of the open file, not of the process: a writer in this process counts as well */
	return fcntl(fd, F_OFD_SETLK, &range) ? -errno : 0;
}

static bool is_taken(int error)
{
	return error == -EAGAIN || error == -EACCES;
}

/* As a reader does it: PENDING says that a writer waits, and is only passed through. */
static int lock_shared(int fd)
{
	int error = lock(fd, F_RDLCK, PENDING_BYTE, 1);

	if (!error) {
		error = lock(fd, F_RDLCK, SHARED_FIRST, SHARED_SIZE);
		lock(fd, F_UNLCK, PENDING_BYTE, 1);
	}
	return error;
}

static int wait_for_writer(int fd)
{
	int error = lock_shared(fd);

	for (int step = 0; is_taken(error) && step < WAIT_STEPS; step++) {
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		error = lock_shared(fd);
	}
	/* where a file system has no locks, SQLite writes nothing either */
	return is_taken(error) ? -EBUSY : 0;
}

bool recording_file__has_writer(const struct recording_file *file)
{
	struct flock range = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = RESERVED_BYTE, .l_len = 1};

	return !fcntl(file->fd, F_OFD_GETLK, &range) && range.l_type != F_UNLCK;
}

static ssize_t read_fully(int fd, char *buffer, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, buffer + done, size - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

ssize_t recording_file__read(const struct recording_file *file, void *buffer, size_t size,
			     uint64_t offset)
{
	char *to = buffer;
	size_t done = 0;

	if (offset >= file->size)
		return 0;
	if (size > file->size - offset)
		size = file->size - offset;
	if (!file->saved)
		return read_fully(file->fd, to, size, offset);
	while (done < size) {
		uint64_t at = offset + done, within = at % file->page_size;
		uint64_t saved = file->saved[at / file->page_size];
		size_t part = file->page_size - within;
		ssize_t got;

		part = part < size - done ? part : size - done;
		got = saved ? read_fully(file->journal, to + done, part, saved + within)
			    : read_fully(file->fd, to + done, part, at);
		if (got < 0)
			return -1;
		done += (size_t)got;
		if ((size_t)got < part)
			break;
	}
	return (ssize_t)done;
}

void recording_file__close(struct recording_file *file)
{
	if (!file)
		return;
	if (file->journal >= 0)
		close(file->journal);
	if (file->fd >= 0) {
		/* it may be open elsewhere too, so that closing alone would not end it */
		lock(file->fd, F_UNLCK, SHARED_FIRST, SHARED_SIZE);
		close(file->fd);
	}
	free(file->saved);
	free(file);
}

/* What the file says of itself, before SQLite sees any of it. */
static int check_format(struct recording_file *file, const char *path,
			const struct store_message *message)
{
	unsigned char head[100];
	ssize_t length = recording_file__read(file, head, sizeof(head), 0);
	int error;

	if (length < 0)
		return store_fail(message, -errno, "%s: %s", path, strerror(errno));
	error = store_header__check(head, (size_t)length, path, message);
	if (error)
		return error;
	if (head[18] != 1 || head[19] != 1)
		return store_fail(
			message, -EBADMSG,
			"%s: is in write-ahead-log mode, which vfiotrace never uses, so its "
			"newest part may lie in another file; its owner can end that: "
			"sqlite3 FILE 'PRAGMA journal_mode = DELETE'",
			path);
	return 0;
}

static int find_page_size(struct recording_file *file, const char *path,
			  const struct store_message *message)
{
	unsigned char size[2];

	if (read_fully(file->fd, (char *)size, sizeof(size), 16) != sizeof(size))
		return store_fail(message, -EBADMSG, "%s: truncated file", path);
	file->page_size = (uint32_t)size[0] << 8 | size[1];
	if (file->page_size == 1)
		file->page_size = 65536;
	if (file->page_size < 512 || (file->page_size & (file->page_size - 1)))
		return store_fail(message, -EBADMSG,
				  "%s: the file is damaged: no database has pages of %u bytes",
				  path, file->page_size);
	file->page_count = (uint32_t)(file->size / file->page_size);
	return 0;
}

static int open_file(const char *path, struct recording_file *file,
		     const struct store_message *message)
{
	unsigned char head[100];
	char why[200];
	struct stat info;
	ssize_t length;
	int error;

	file->fd = input_open(path, INPUT_FILE, why, sizeof(why));
	if (file->fd < 0)
		return store_fail(message, file->fd, "%s: %s", path, why);
	/* what is none is called so whatever lies beside it and whoever holds it */
	length = read_fully(file->fd, (char *)head, sizeof(head), 0);
	if (length < 0)
		return store_fail(message, -errno, "%s: %s", path, strerror(errno));
	error = store_header__check(head, (size_t)length, path, message);
	if (!error && wait_for_writer(file->fd))
		error = store_fail(message, -EBUSY, "%s: another process is writing it", path);
	if (!error && fstat(file->fd, &info))
		error = store_fail(message, -errno, "%s: %s", path, strerror(errno));
	if (error)
		return error;
	file->size = (uint64_t)info.st_size;
	error = file->size / 512 > UINT32_MAX
			? store_fail(message, -EFBIG, "%s: is too large to be a recording", path)
			: find_page_size(file, path, message);
	if (!error)
		error = recording_journal__open(path, file, message);
	return error ? error : check_format(file, path, message);
}

int recording_file__open(const char *path, struct recording_file **file,
			 const struct store_message *message)
{
	struct recording_file *opened = calloc(1, sizeof(*opened));
	int error;

	*file = NULL;
	if (!opened)
		return store_fail(message, -ENOMEM, "%s: out of memory", path);
	opened->fd = opened->journal = -1;
	error = open_file(path, opened, message);
	if (error)
		recording_file__close(opened);
	else
		*file = opened;
	return error;
}
