/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * klog_line.h - lines of a kernel log as people pass them on: dmesg, journal, serial console, a
 * mail that quotes and wraps it.
 *
 * klog_reader__next gives logical lines: quote marks, dates, host names, levels and time stamps
 * are taken off (time and the printing context are kept), and what a mail program or the kernel
 * itself broke in two is joined again.
 */
#ifndef VFIOTRACE_IMPORT_KLOG_LINE_H
#define VFIOTRACE_IMPORT_KLOG_LINE_H

#include "import/lines.h"

struct klog_line {
	char text[LINE_MAX_BYTES + 1]; /* without prefix and surrounding blanks */
	uint32_t number;	       /* of its first physical line */
	uint64_t time;		       /* ns since boot, 0 unknown */
	bool has_time;
	char context[16]; /* "T4711", "C2": who printed it (CONFIG_PRINTK_CALLER), or "" */
};

struct klog_reader {
	struct line_reader lines;
	struct klog_line *current, *ahead; /* of pair[] */
	struct klog_line pair[2];
	bool has_ahead;
};

/* Take the prefix off `raw` (a NUL-terminated line). */
void klog_line__parse(struct klog_line *line, const char *raw, uint32_t number);
struct klog_reader *klog_reader__new(struct model *m, FILE *in, const char *name,
				     const struct import_options *options);
void klog_reader__free(struct klog_reader *r);
/* The next logical line, NULL at the end. Valid until the next call. */
const struct klog_line *klog_reader__next(struct klog_reader *r);

#endif
