// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that get their name last: see output_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output_file.h"

static mode_t masked(mode_t mode)
{
	mode_t mask = umask(0);

	umask(mask);
	return mode & ~mask;
}

int output_file__open(struct output_file *file, const char *path, mode_t mode)
{
	struct stat about;

	*file = (struct output_file){.path = strdup(path), .fd = -1};
	if (!file->path)
		return -ENOMEM;
	if (!stat(path, &about) && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
		file->fd = open(path, O_WRONLY | O_CLOEXEC);
		return file->fd < 0 ? -errno : 0;
	}
	if (asprintf(&file->temporary, "%s.XXXXXX", path) < 0) {
		file->temporary = NULL;
		return -ENOMEM;
	}
	file->fd = mkostemp(file->temporary, O_CLOEXEC);
	if (file->fd >= 0)
		return fchmod(file->fd, masked(mode)) ? -errno : 0;
	free(file->temporary);
	file->temporary = NULL;
	return -errno;
}

int output_file__close(struct output_file *file, bool keep)
{
	int error = 0;

	if (file->fd >= 0 && close(file->fd))
		error = -errno;
	if (file->temporary && keep && !error && rename(file->temporary, file->path))
		error = -errno;
	if (file->temporary && (!keep || error))
		unlink(file->temporary);
	free(file->temporary);
	free(file->path);
	*file = (struct output_file){.fd = -1};
	return error;
}
