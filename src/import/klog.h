/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * klog.h - kernel logs: one pass, two readers of what is in it (splat.c, hung.c).
 *
 * Each reader is fed every logical line and decides by itself where its reports begin and end.
 * Life cycle: X__new, X__line for every line, X__end (the log is over), X__free.
 */
#ifndef VFIOTRACE_IMPORT_KLOG_H
#define VFIOTRACE_IMPORT_KLOG_H

#include "import/klog_line.h"
#include "import/report_start.h"

enum klog_want { KLOG_SPLATS = 1, KLOG_HUNG_TASKS = 2 };

/* `want` 0: both, and not a word when there is nothing. -EINVAL when no report was found. */
int klog__import(struct model *m, FILE *in, const char *name, const struct import_options *options,
		 unsigned int want);

struct splat_reader;
struct splat_reader *splat_reader__new(struct klog_reader *log);
void splat_reader__free(struct splat_reader *r);
/* `starts`: what the line begins */
int splat_reader__line(struct splat_reader *r, const struct klog_line *line,
		       enum report_kind starts);
int splat_reader__end(struct splat_reader *r);
uint32_t splat_reader__reports(const struct splat_reader *r);

struct hung_reader;
struct hung_reader *hung_reader__new(struct klog_reader *log);
void hung_reader__free(struct hung_reader *r);
int hung_reader__line(struct hung_reader *r, const struct klog_line *line, enum report_kind starts);
int hung_reader__end(struct hung_reader *r);
uint32_t hung_reader__reports(const struct hung_reader *r);

/* The kernel a report came from: a fact of the model, and a warning when one log mixes several. */
void klog__note_release(struct klog_reader *log, const char *release, uint32_t line);

#endif
