/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output_file.h - a file that is opened first and gets its name last (-o of report, diff and now,
 * --junit).
 *
 * What is written takes its name only when it is complete: half a report is worse than none, and
 * what had the name before stays until then. A pipe or a device is written as it is; a link leads
 * to the file it names. Neither is used that somebody else may have put there: a message says so.
 *
 * Life cycle: output_file__open, write to `fd` or to output_file__stream, output_file__close, once.
 */
#ifndef VFIOTRACE_UTIL_OUTPUT_FILE_H
#define VFIOTRACE_UTIL_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct output_file {
	char *path, *temporary; /* temporary NULL: `path` itself is open */
	int fd;
	FILE *stream; /* NULL: nobody asked for it */
};

/*
 * The new file gets the mode of the caller's own one that it replaces, or `mode` less the umask. 0,
 * -errno; every field is set either way, and output_file__close is due.
 */
int output_file__open(struct output_file *file, const char *path, mode_t mode);
FILE *output_file__stream(struct output_file *file); /* the same file; NULL: errno says why */
/* keep: it gets its name; else it is gone. 0, -errno, also of what was written to the stream. */
int output_file__close(struct output_file *file, bool keep);
/*
 * Writing to one of its own inputs would destroy it, whatever the names: says so (exit status 64 is
 * the caller's) and returns true.
 */
bool output_file__is_input(const char *path, const char *const *inputs, uint32_t count);

#endif
