/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unpack.h - the bytes of a file as they were before somebody compressed it.
 *
 * gzip, xz, zstd and bzip2 are recognised by content, never by the file's name; anything else is
 * passed on as it is. Several compressed streams one behind the other are one.
 *
 * Invariants: memory is bounded (a decoder that wants more than UNPACK_MEMORY is refused). What was
 * unpacked before some damage has been given out; the damage is then said by unpack__trouble. A
 * file that unpacks to an absurd multiple of its size is given up, and that is said as well.
 *
 * Life cycle: unpack__open takes the descriptor over, unpack__read until 0, unpack__close.
 */
#ifndef VFIOTRACE_IMPORT_UNPACK_H
#define VFIOTRACE_IMPORT_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UNPACK_MEMORY (256U << 20)

struct unpack;

struct unpack *unpack__open(int fd); /* NULL: no memory; fd is closed */
void unpack__close(struct unpack *u);
/* Bytes, 0 at the end (or where no more can be had, see unpack__trouble), -errno of the file. */
ssize_t unpack__read(struct unpack *u, char *buffer, size_t size);
bool unpack__is_plain(struct unpack *u); /* nothing was compressed */
/* Why the end is not the end of the text, with the remedy; NULL: it is. */
const char *unpack__trouble(const struct unpack *u);

#endif
