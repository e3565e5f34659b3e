/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text_private.h - what the pieces of the text report share: styles and a line of a table.
 *
 * Every name goes through text_safe(); colour only where the caller asked for it.
 */
#ifndef VFIOTRACE_REPORT_TEXT_PRIVATE_H
#define VFIOTRACE_REPORT_TEXT_PRIVATE_H

#include "report/graph/render.h"

enum style {
	STYLE_PLAIN,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_INFO,
	STYLE_WARNING,
	STYLE_ERROR,
	STYLE_GOOD
};

/* Start of a style, "" without colour; every start is ended by text_end(). */
const char *text_style(bool color, enum style style);
const char *text_end(bool color);
enum style text_grade_style(enum finding_grade grade);
/* `kvm.lock (VM of qemu/4711 0xffff…)`; the instance is left out where it has neither name nor
 * address. `lock_class` may be finer than the instance's. */
void text_lock(FILE *out, const struct model *m, uint32_t lock_class, uint32_t instance, bool bold);
void text_heading(FILE *out, const char *title, bool color);
/* `prefix` starts every frame's line. */
void text_stack(FILE *out, const struct model *m, uint32_t stack, const char *prefix, bool color);
void text_findings(FILE *out, const struct report_input *input, bool color);
void text_class_graph(FILE *out, const struct report_input *input, bool only_cycles, bool color);
void text_durations(FILE *out, const struct model *m, uint32_t top, bool color);
void report_text(FILE *out, const struct report_input *input, const struct report_options *options);

#endif
