/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode.h - lines as the kernel printed them, out of what carries them: a mail (quoted-printable,
 * base64, several parts), JSON lines of a journal or a container, the journal's export format,
 * "#012" for a line end, HTML escapes.
 *
 * One line of the file may give several, or none. Prefixes and quotes are left: klog_line.h.
 *
 * Life cycle: decoder__new over a line reader that the caller keeps, decoder__next until NULL,
 * decoder__free. Memory is bounded.
 */
#ifndef VFIOTRACE_IMPORT_DECODE_H
#define VFIOTRACE_IMPORT_DECODE_H

#include "import/lines.h"

struct decoder;

struct decoder *decoder__new(struct line_reader *lines);
void decoder__free(struct decoder *d);
/* The next line, NUL-terminated, at most LINE_MAX_BYTES; valid until the next call. NULL: the end.
 * *number is the line of the file it came from. */
char *decoder__next(struct decoder *d, uint32_t *number);

#endif
