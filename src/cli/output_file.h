/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output_file.h - a file that is opened first and gets its name last.
 *
 * What is written takes its name only when it is complete: half a report is worse than none, and
 * what had the name before stays until then. A pipe or a device is written as it is.
 */
#ifndef VFIOTRACE_CLI_OUTPUT_FILE_H
#define VFIOTRACE_CLI_OUTPUT_FILE_H

#include <stdbool.h>
#include <sys/types.h>

struct output_file {
	char *path, *temporary; /* temporary NULL: `path` itself is open */
	int fd;
};

/* The new file gets `mode` less the umask. 0, -errno; every field is set either way. */
int output_file__open(struct output_file *file, const char *path, mode_t mode);
/* keep: it gets its name; else it is gone. 0, -errno. */
int output_file__close(struct output_file *file, bool keep);

#endif
