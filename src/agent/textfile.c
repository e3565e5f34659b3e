// SPDX-License-Identifier: GPL-2.0-or-later
/* node-exporter's textfile: a reader sees the old text or the new one, never half of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t wrote = write(fd, text, length);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		text += wrote;
		length -= (size_t)wrote;
	}
	return 0;
}

/* The new text takes the place of a text: a device or a pipe would be gone. */
bool textfile_may_be(const char *path)
{
	struct stat about;

	return lstat(path, &about) || S_ISREG(about.st_mode) || S_ISLNK(about.st_mode);
}

int textfile_write(const char *path, const char *text, size_t length)
{
	char temporary[PATH_MAX];
	int fd, status;

	if (!textfile_may_be(path))
		return -EEXIST;
	/* the collector reads *.prom: the temporary name must not end so */
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid()) >=
	    sizeof(temporary))
		return -ENAMETOOLONG;
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	status = write_all(fd, text, length);
	if (!status && fchmod(fd, 0644))
		status = -errno;
	if (close(fd) && !status)
		status = -errno;
	if (!status && rename(temporary, path))
		status = -errno;
	if (status)
		unlink(temporary);
	return status;
}
