// SPDX-License-Identifier: GPL-2.0-or-later
/* Waits and holds in text: by class, by VM, by call path. */
#include <stdlib.h>

#include "report/durations.h"
#include "report/text/text_private.h"
#include "util/text.h"

enum { CALL_PATH_ROWS = 5, CALL_PATH_FRAMES = 6 };

static void put_row(FILE *out, const struct histogram *h, const char *name)
{
	char count[RENDER_SIZE], total[RENDER_SIZE], mean[RENDER_SIZE], p99[RENDER_SIZE],
		max[RENDER_SIZE];

	fprintf(out, "  %10s %10s %10s %10s %10s  %s\n",
		render_count(count, sizeof(count), h->count),
		render_duration(total, sizeof(total), h->total),
		render_duration(mean, sizeof(mean), h->count ? h->total / h->count : 0),
		render_duration(p99, sizeof(p99), histogram__quantile(h, 0.99)),
		render_duration(max, sizeof(max), h->max), text_safe(name));
}

static void put_title(FILE *out, const char *by)
{
	fprintf(out, "  %10s %10s %10s %10s %10s  %s\n", "count", "total", "mean", "p99 <=", "max",
		by);
}

static const char *vm_name(const struct model *m, uint32_t vm)
{
	const struct object *o = vm < model__object_count(m) ? model__object(m, vm) : NULL;

	return o ? o->name ? o->name : "VM without a name" : "no VM known";
}

static void put_table(FILE *out, const struct model *m, bool is_hold, enum durations_by by,
		      uint32_t top)
{
	struct duration_total *totals = NULL;
	uint32_t rows = durations__collect(m, is_hold, by, &totals);
	bool paths = by == DURATIONS_BY_CALL_PATH;

	/* One row for "no VM known" says nothing that the table by class does not. */
	if (by == DURATIONS_BY_VM && rows == 1 && totals[0].vm == NO_ID)
		rows = 0;
	if (rows)
		put_title(out, paths		       ? "by call path"
			       : by == DURATIONS_BY_VM ? "by VM"
						       : "by class");
	for (uint32_t i = 0; i < rows && i < (paths ? CALL_PATH_ROWS : top); i++) {
		struct stack s = model__stack(m, totals[i].stack);
		char frame[4 * RENDER_SIZE];

		put_row(out, &totals[i].time,
			by == DURATIONS_BY_VM ? vm_name(m, totals[i].vm)
					      : render_class_name(m, totals[i].lock_class));
		for (uint32_t k = 0; k < s.frame_count && k < CALL_PATH_FRAMES; k++)
			fprintf(out, "  %54s    %s\n", "",
				text_safe(render_frame(frame, sizeof(frame), &s.frames[k])));
	}
	free(totals);
}

void text_durations(FILE *out, const struct model *m, uint32_t top, bool color)
{
	static const char *const titles[] = {"Waits: time until a contended lock was got",
					     "Holds: time locks were held"};

	for (int is_hold = 0; is_hold < 2; is_hold++) {
		text_heading(out, titles[is_hold], color);
		if (!durations__any(m, is_hold)) {
			fprintf(out, "  %s\n", text_safe(durations__missing(m, is_hold)));
			continue;
		}
		put_table(out, m, is_hold, DURATIONS_BY_CLASS, top);
		put_table(out, m, is_hold, DURATIONS_BY_VM, top);
		put_table(out, m, is_hold, DURATIONS_BY_CALL_PATH, top);
	}
}
