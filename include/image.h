/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h - the memory of a kernel as a file: a dump of QEMU or virsh (ELF), a vmcore of kdump
 * (ELF, or compressed by makedumpfile, in one piece or split), /proc/kcore of the running kernel.
 *
 * An image is a hostile file: read it without rights. Reading is by page, at demand, and what is
 * kept is bounded. Reads are of virtual addresses; what an image leaves out because it is nothing
 * but zeros, cache, or free reads as zeros.
 *
 * Life cycle: image__open, any number of reads, image__close; kcore likewise. One thread.
 */
#ifndef VFIOTRACE_IMAGE_H
#define VFIOTRACE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel_memory.h"

#define IMAGE_FILES 64 /* pieces of one split image, at most */

struct image;

/* Built with libkdumpfile? Else image__open says -EOPNOTSUPP. */
bool image__is_supported(void);
/*
 * The pieces of one image, all open for reading, which stay the caller's until image__close. NULL:
 * *error is -ENOTSUP for an image that cannot be looked at here (no note of its kernel, another
 * architecture), -EBADMSG for a file that is none or is damaged; `why` says it in words, with the
 * remedy, without the file's name.
 */
struct image *image__open(const int *fds, uint32_t count, char *why, size_t why_size, int *error);
void image__close(struct image *image);

const struct memory *image__memory(const struct image *image);
/* VMCOREINFO: lines NAME=VALUE that the kernel left for its readers. */
const char *image__note(const struct image *image);
/* Bytes that should be in the file and are not (cut, a piece of a split one missing); 0: none seen.
 */
uint64_t image__missing(const struct image *image);

/* --- the running kernel's own memory, which changes while it is read
 * --------------------------------------- */
struct kcore;

/* Needs CAP_SYS_RAWIO, PROC_KCORE, and no lockdown: -EPERM, -ENOENT, -ENOTSUP, and why. */
struct kcore *kcore__open(char *why, size_t why_size, int *error);
void kcore__close(struct kcore *kcore);
const struct memory *kcore__memory(const struct kcore *kcore);
const char *kcore__note(const struct kcore *kcore);

#endif
