/* SPDX-License-Identifier: GPL-2.0-or-later */
/* now.h - what the files of the command `now` share: its options, and where it looks. */
#ifndef VFIOTRACE_CLI_NOW_H
#define VFIOTRACE_CLI_NOW_H

#include <stdio.h>

#include "census.h"
#include "image.h"

struct now_options {
	uint64_t watch_ns, wait_for_ns;
	int format;	       /* -1: not said */
	const char *output;    /* of the format */
	const char *recording; /* the incident file: what -o is when nothing says otherwise */
	const char *btf, *symbols;
	const char *cores[IMAGE_FILES]; /* pieces of an image */
	uint32_t core_count;
	bool kcore;
	bool overwrite; /* an older recording */
};

struct now_host {
	struct kernel *kernel;
	struct census_source *source; /* NULL: BPF in the running kernel */
};

/* now_look.c: exit status */
int now__run(const struct now_options *options, const struct now_host *host, FILE *out);
/* now_image.c: likewise; the image is read without rights, see unprivileged.h */
int now__run_core(const struct now_options *options, FILE *out);
int now__run_kcore(const struct now_options *options, FILE *out);

#endif
