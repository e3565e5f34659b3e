// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that get their name last: see output_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/output_file.h"
#include "util/message.h"
#include "util/text.h"

static mode_t masked(mode_t mode)
{
	mode_t mask = umask(0);

	umask(mask);
	return mode & ~mask;
}

/*
 * A link or a pipe that somebody else put where others can make files leads where he wants it to:
 * what root writes would replace a file of root's, or wait without end. The kernel may be set to
 * refuse that (fs.protected_symlinks, fs.protected_fifos), and need not be.
 */
static bool is_planted(const char *path, const struct stat *entry)
{
	char *copy = strdup(path);
	struct stat directory;
	bool unknown = !copy || stat(dirname(copy), &directory);

	free(copy);
	if (unknown)
		return true;
	return (directory.st_mode & (S_IWOTH | S_IWGRP)) && entry->st_uid != geteuid() &&
	       entry->st_uid != 0 && entry->st_uid != directory.st_uid;
}

/* Where others can take away what is ours it may be another one by the time it is followed. */
static char *follow(const char *path, const struct stat *link)
{
	char *target = realpath(path, NULL);
	struct stat now;

	if (target &&
	    (lstat(path, &now) || now.st_ino != link->st_ino || now.st_uid != link->st_uid)) {
		free(target);
		errno = ESTALE;
		return NULL;
	}
	return target;
}

/* A pipe or a device, which is what it was found to be. */
static int open_as_it_is(struct output_file *file, const struct stat *found)
{
	struct stat opened;

	file->fd = open(file->path, O_WRONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &opened))
		return -errno;
	return opened.st_dev == found->st_dev && opened.st_ino == found->st_ino ? 0 : -ESTALE;
}

int output_file__open(struct output_file *file, const char *path, mode_t mode)
{
	struct stat entry, about;
	bool exists = !lstat(path, &entry), link = exists && S_ISLNK(entry.st_mode), special;

	*file = (struct output_file){.fd = -1};
	if (exists && !S_ISREG(entry.st_mode) && !S_ISDIR(entry.st_mode) &&
	    is_planted(path, &entry)) {
		log_error("%s: is a %s in a directory that others can write to; remove it, or name "
			  "another file",
			  text_safe(path), link ? "link" : "pipe or socket");
		return -EPERM;
	}
	about = entry;
	if (link)
		exists = !stat(path, &about);
	special = exists && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
	file->path = link && exists && !special ? follow(path, &entry) : strdup(path);
	if (!file->path)
		return -errno;
	if (special)
		return open_as_it_is(file, &about);
	if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
		file->temporary = NULL;
		return -ENOMEM;
	}
	file->fd = mkostemp(file->temporary, O_CLOEXEC);
	/* of a file of somebody else's the mode is his choice too */
	mode = exists && about.st_uid == geteuid() ? about.st_mode & 0777 : masked(mode);
	if (file->fd >= 0)
		return fchmod(file->fd, mode) ? -errno : 0;
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
	/* a crash of the host must not leave the name to an empty file */
	if (file->temporary && keep && !error && fsync(file->fd))
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
