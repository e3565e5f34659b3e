/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text_private.h - what the pieces of the text report share: tones of colour and a line of a table.
 *
 * Every name goes through text_safe(); colour only where the caller asked for it.
 */
#ifndef VFIOTRACE_REPORT_TEXT_PRIVATE_H
#define VFIOTRACE_REPORT_TEXT_PRIVATE_H

#include "report/graph/render.h"

enum tone { TONE_PLAIN, TONE_DIM, TONE_BOLD, TONE_INFO, TONE_WARNING, TONE_ERROR, TONE_GOOD };

/* Start of a tone, "" without colour; every start is ended by text_end(). */
const char *text_tone(bool color, enum tone tone);
const char *text_end(bool color);
enum tone text_grade_tone(enum finding_grade grade);
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
