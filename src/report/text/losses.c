// SPDX-License-Identifier: GPL-2.0-or-later
/* Tones, stacks, coverage and losses in text. */
#include <inttypes.h>
#include <string.h>

#include "drivers.h"
#include "report/text/text_private.h"
#include "util/text.h"

const char *text_style(bool color, enum style style)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "",
		[STYLE_DIM] = "\033[2m",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_INFO] = "\033[1;36m",
		[STYLE_WARNING] = "\033[1;33m",
		[STYLE_ERROR] = "\033[1;31m",
		[STYLE_GOOD] = "\033[1;32m",
	};

	return color ? codes[style] : "";
}

const char *text_end(bool color)
{
	return color ? "\033[0m" : "";
}

enum style text_grade_style(enum finding_grade grade)
{
	static const enum style styles[FINDING_GRADES] = {STYLE_INFO, STYLE_WARNING, STYLE_ERROR,
							  STYLE_ERROR};

	return styles[grade];
}

void text_heading(FILE *out, const char *title, bool color)
{
	fprintf(out, "%s%s%s\n", text_style(color, STYLE_BOLD), title, text_end(color));
}

void text_lock(FILE *out, const struct model *m, uint32_t lock_class, uint32_t instance, bool bold)
{
	char name[RENDER_SIZE];

	fprintf(out, "%s%s%s", text_style(bold, STYLE_BOLD),
		text_safe(render_class_name(m, lock_class)), text_end(bold));
	if (*render_instance(name, sizeof(name), m, instance))
		fprintf(out, " (%s)", text_safe(name));
}

void text_stack(FILE *out, const struct model *m, uint32_t stack, const char *prefix, bool color)
{
	struct stack s = model__stack(m, stack);
	char frame[4 * RENDER_SIZE];

	for (uint32_t i = 0; i < s.frame_count; i++)
		fprintf(out, "%s%s%s%s\n", prefix, text_style(color, i ? STYLE_DIM : STYLE_PLAIN),
			text_safe(render_frame(frame, sizeof(frame), &s.frames[i])),
			text_end(color));
}

void report_text_coverage(FILE *out, const struct model *m, bool color)
{
	static const enum style styles[] = {STYLE_WARNING, STYLE_DIM, STYLE_PLAIN, STYLE_GOOD};
	struct driver_table *drivers;
	char hits[RENDER_SIZE], words[256];

	text_heading(out, "Coverage: how often each path ran while we looked", color);
	if (!render_has_coverage(m)) {
		fprintf(out, "  not known: this source does not say which paths ran\n");
		return;
	}
	drivers = driver_table__make(m);
	for (int i = 0; i < PATH_COUNT; i++) {
		const struct coverage *c = model__coverage(m, i);

		fprintf(out, "  %-20s %s%-9s%s", path_names[i], text_style(color, styles[c->state]),
			coverage_state_names[c->state], text_end(color));
		fprintf(out, "%10s",
			c->state == COVERAGE_HIT || c->state == COVERAGE_ZERO
				? render_count(hits, sizeof(hits), c->hits)
				: "-");
		if (c->probe)
			fprintf(out, "  %s", text_safe(c->probe));
		if (c->reason)
			fprintf(out, "  %s", text_safe(c->reason));
		if (drivers && driver_table__describe(drivers, i, words, sizeof(words)))
			fprintf(out, "  with %s", text_safe(words));
		fputc('\n', out);
	}
	driver_table__free(drivers);
}

void report_text_losses(FILE *out, const struct model *m, bool color)
{
	const char *unknown = model__losses_unknown(m);
	char count[RENDER_SIZE];

	text_heading(out, "Losses: what could not be recorded", color);
	for (int i = 0; i < LOSS_REASONS; i++)
		if (model__loss(m, i))
			fprintf(out, "  %s%-15s %10s%s\n", text_style(color, STYLE_ERROR),
				loss_names[i],
				render_count(count, sizeof(count), model__loss(m, i)),
				text_end(color));
	if (!model__has_losses(m))
		fputs("  no losses\n", out);
	if (unknown)
		fprintf(out, "  %snot all losses can be counted: %s%s\n",
			text_style(color, STYLE_ERROR), text_safe(unknown), text_end(color));
	else if (model__has_losses(m))
		fprintf(out, "  %smore may have happened than was seen%s\n",
			text_style(color, STYLE_ERROR), text_end(color));
}
