/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * klog_line.h - lines of a kernel log as people pass them on: dmesg, journal, serial console, a
 * mail that quotes and wraps it, a web page, a container's JSON.
 *
 * klog_reader__next gives logical lines: what carries them is undone (decode.h), prefixes are taken
 * off (prefix.h; time and printing context are kept), and what a mail program or the kernel itself
 * broke in two is joined again.
 */
#ifndef VFIOTRACE_IMPORT_KLOG_LINE_H
#define VFIOTRACE_IMPORT_KLOG_LINE_H

#include "import/decode.h"
#include "import/prefix.h"

/* Lines that are looked at in advance, to tell a prefix from a sentence. */
#define KLOG_AHEAD 16

struct klog_line {
	char text[LINE_MAX_BYTES + 1]; /* without prefix and surrounding blanks */
	uint32_t number;	       /* of its first physical line */
	uint32_t width;		       /* of its last physical line, prefix included */
	uint64_t time;		       /* ns since boot, 0 unknown */
	bool has_time;
	bool has_prefix;  /* some stamp or host name, quote marks do not count */
	char context[16]; /* "T4711", "C2": who printed it (CONFIG_PRINTK_CALLER), or "" */
};

struct klog_raw {
	char *text; /* LINE_MAX_BYTES + 1 */
	uint32_t number;
};

struct klog_reader {
	struct line_reader lines;
	struct decoder *decoder;
	struct prefix_shapes shapes;
	struct klog_raw ahead[KLOG_AHEAD]; /* a ring */
	uint32_t ahead_at, ahead_count;
	bool over;
	struct klog_line *current, *next; /* of pair[] */
	struct klog_line *pair;
	bool has_next;
};

/* Take the prefix off `raw` (a NUL-terminated line). */
void klog_line__parse(struct klog_line *line, const char *raw, uint32_t number);
struct klog_reader *klog_reader__new(struct model *m, FILE *in, const char *name,
				     const struct import_options *options);
void klog_reader__free(struct klog_reader *r);
/* The next logical line, NULL at the end. Valid until the next call. */
const struct klog_line *klog_reader__next(struct klog_reader *r);

#endif
