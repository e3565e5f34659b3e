/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input.h - opening a file that a person named.
 *
 * Whoever can put something in its place must not be able to hold us up or to make us read without
 * end: a named pipe, a device, a socket and a directory are refused, and opening waits for nobody.
 * A link is followed, as everywhere: reading what it leads to changes nothing, and what is read
 * must be what it should be.
 *
 * A process that is going to lose its rights opens what it will need before: input_hand_over. From
 * then on the same name gives that file, however often it is opened.
 *
 * Errors: -errno, and `why` says it in words, with the remedy but without the file's name.
 */
#ifndef VFIOTRACE_UTIL_INPUT_H
#define VFIOTRACE_UTIL_INPUT_H

#include <stddef.h>

enum input_kind {
	INPUT_FILE,    /* a regular file */
	INPUT_STREAM,  /* or a pipe that the caller made: <(command), /dev/stdin. No named pipe */
	INPUT_TRUSTED, /* what it says is done: root reads it only where none but root can write */
};

/* A descriptor that is closed on exec and stands at the start. Only a pipe's reads wait. */
int input_open(const char *path, enum input_kind kind, char *why, size_t why_size);
/*
 * The regular file that lies beside the one `path` leads to and is called as that one plus
 * `suffix`. Never a link: what a program of ours leaves behind is none. -ENOENT: there is nothing.
 */
int input_open_beside(const char *path, const char *suffix, char *why, size_t why_size);

/* May fd be read as `kind`? 0, or -errno and why not. */
int input_check(int fd, enum input_kind kind, char *why, size_t why_size);

/* What cannot be opened now cannot be opened later either: 0, or -ENOMEM. */
int input_hand_over(const char *path, enum input_kind kind);
int input_hand_over_beside(const char *path, const char *suffix);

#endif
