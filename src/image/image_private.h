/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_private.h - what the files of this room share. */
#ifndef VFIOTRACE_IMAGE_PRIVATE_H
#define VFIOTRACE_IMAGE_PRIVATE_H

#include "image.h"

/* What a file says about itself before any library is asked (file_kind.c). */
struct image_file {
	uint64_t size;
	uint64_t missing;    /* bytes after the file's end that it says it has */
	bool is_split;	     /* a piece of several */
	uint64_t start, end; /* split: the pages that are in it */
	char machine[65];    /* compressed: utsname's, "" where it is not said */
};

/* 0, or -errno as of image__open and why. */
int image_file__look(int fd, struct image_file *file, char *why, size_t why_size);

#endif
