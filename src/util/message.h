/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.h - what every part of the program says on stderr: messages and the progress line.
 *
 * A message erases the progress line first, so that the two never share a line.
 */
#ifndef VFIOTRACE_UTIL_MESSAGE_H
#define VFIOTRACE_UTIL_MESSAGE_H

#include <stdbool.h>

/* -q: no log_info, no progress. */
void message__set_quiet(bool on);

/* Messages on stderr: "vfiotrace: …". */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2))); /* not with -q */
/* Progress line on a terminal's stderr, redrawn; nothing elsewhere. done NULL text clears it. */
void log_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void clear_progress(void);

#endif
