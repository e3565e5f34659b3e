// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that get their name last: see output_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "util/output_file.h"
#include "report.h"
#include "util/message.h"
#include "util/text.h"

static mode_t masked(mode_t mode)
{
	mode_t mask = umask(0);

	umask(mask);
	return mode & ~mask;
}

int output_file__open(struct output_file *file, const char *path, mode_t mode)
{
	struct stat about;
	bool exists = !stat(path, &about);

	*file = (struct output_file){.fd = -1};
	file->path = exists ? realpath(path, NULL) : strdup(path);
	if (!file->path)
		return -errno;
	if (exists && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
		file->fd = open(path, O_WRONLY | O_CLOEXEC);
		return file->fd < 0 ? -errno : 0;
	}
	if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
		file->temporary = NULL;
		return -ENOMEM;
	}
	file->fd = mkostemp(file->temporary, O_CLOEXEC);
	if (file->fd >= 0)
		return fchmod(file->fd, exists ? about.st_mode & 0777 : masked(mode)) ? -errno : 0;
	free(file->temporary);
	file->temporary = NULL;
	return -errno;
}

FILE *output_file__stream(struct output_file *file)
{
	int fd = file->stream ? -1 : fcntl(file->fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0 && !(file->stream = fdopen(fd, "w")))
		close(fd);
	return file->stream;
}

int output_file__close(struct output_file *file, bool keep)
{
	int error = 0;

	if (file->stream && (fflush(file->stream) || ferror(file->stream)))
		error = errno ? -errno : -EIO;
	if (file->stream && fclose(file->stream) && !error)
		error = -errno;
	if (file->fd >= 0 && close(file->fd) && !error)
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

bool output_file__is_input(const char *path, const char *const *inputs, uint32_t count)
{
	struct stat output, input;

	if (!path || !strcmp(path, "-") || stat(path, &output) || !S_ISREG(output.st_mode))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!inputs[i] || stat(inputs[i], &input) || input.st_dev != output.st_dev ||
		    input.st_ino != output.st_ino)
			continue;
		log_error("%s: is an input too; write to another file", text_safe(path));
		return true;
	}
	return false;
}
