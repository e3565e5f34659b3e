// SPDX-License-Identifier: GPL-2.0-or-later
/* The summary at the end of a run, and the whole text report. */
#include <inttypes.h>
#include <stdlib.h>

#include "report/text/text_private.h"
#include "util/text.h"

static void put_host(FILE *out, const struct model *m)
{
	static const char *const keys[] = {"host.name",	  "kernel.release", "arch",
					   "scope",	  "probe.level",    "tool.version",
					   "source.file", "source.format"};
	static const char *const names[] = {"host",    "kernel",  "arch",   "scope",
					    "tracing", "version", "source", "format"};
	bool any = false;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = model__fact(m, keys[i]);

		if (value)
			fprintf(out, "%s%s %s", any ? "   " : "  ", names[i], text_safe(value));
		any = any || value;
	}
	if (any)
		fputc('\n', out);
}

static void put_span(FILE *out, const struct model *m)
{
	const struct model_clock *clock = model__clock(m);
	char start[RENDER_SIZE], duration[RENDER_SIZE], n[4][RENDER_SIZE];

	if (clock->has_time && clock->end > clock->start && clock->start)
		fprintf(out, "  from %s for %s\n",
			render_time(start, sizeof(start), m, clock->start),
			render_duration(duration, sizeof(duration), clock->end - clock->start));
	fprintf(out, "  acquisitions %s   chains %s   dependencies %s   tasks %s\n",
		render_count(n[0], RENDER_SIZE, model__acquisitions(m)),
		render_count(n[1], RENDER_SIZE, model__chain_count(m)),
		render_count(n[2], RENDER_SIZE, model__dependency_count(m)),
		render_count(n[3], RENDER_SIZE, model__task_count(m)));
}

static void put_finding_counts(FILE *out, const struct finding_list *list, bool color)
{
	uint32_t grades[FINDING_GRADES] = {0}, suppressed = 0;

	for (uint32_t i = 0; list && i < list->count; i++) {
		if (list->items[i]->suppressed)
			suppressed++;
		else
			grades[list->items[i]->grade]++;
	}
	fprintf(out, "  findings");
	for (int g = FINDING_GRADES - 1; g >= 0; g--)
		fprintf(out, "  %s%s %u%s",
			text_style(color, grades[g] ? text_grade_style(g) : STYLE_PLAIN),
			finding_grade_names[g], grades[g], text_end(color));
	if (suppressed)
		fprintf(out, "  suppressed %u", suppressed);
	fputc('\n', out);
}

/* A device that got a KVM reference and never gave it back, or the other way round. */
static void put_references(FILE *out, const struct model *m, bool color)
{
	uint32_t objects = model__object_count(m);
	int64_t *open = calloc(objects + 1, sizeof(*open));
	bool any = false;

	for (uint32_t i = 0; open && i < model__path_event_count(m); i++) {
		const struct path_event *e = model__path_event(m, i);
		int64_t count = (int64_t)(e->count ? e->count : 1);

		if (e->device >= objects)
			continue;
		if (e->path == PATH_GET_KVM && e->kvm_returned == 1)
			open[e->device] += count;
		else if (e->path == PATH_PUT_KVM)
			open[e->device] -= count;
	}
	for (uint32_t i = 0; open && i < objects; i++) {
		if (!open[i])
			continue;
		if (!any)
			text_heading(out, "KVM references that do not balance", color);
		any = true;
		fprintf(out, "  %s: %" PRId64 " %s\n", text_safe(model__object(m, i)->name),
			open[i] > 0 ? open[i] : -open[i],
			open[i] > 0 ? "got and not put (still open when we stopped?)"
				    : "put that we did not see got (open before we started?)");
	}
	free(open);
}

static void put_summary(FILE *out, const struct report_input *input, uint32_t top, bool only_cycles,
			bool color)
{
	char *verdict = render_verdict(input);

	text_heading(out, "Summary", color);
	fprintf(out, "  %s\n", text_safe(verdict));
	put_host(out, input->model);
	put_span(out, input->model);
	put_finding_counts(out, input->findings, color);
	fputc('\n', out);
	text_class_graph(out, input, only_cycles, color);
	fputc('\n', out);
	/* a trace or a log of somebody else never looked at our paths */
	if (!model__fact(input->model, "source.format")) {
		report_text_coverage(out, input->model, color);
		fputc('\n', out);
	}
	report_text_losses(out, input->model, color);
	fputc('\n', out);
	put_references(out, input->model, color);
	text_durations(out, input->model, top, color);
	free(verdict);
}

void report_text_summary(FILE *out, const struct report_input *input, bool color)
{
	put_summary(out, input, 20, false, color);
}

void text_findings(FILE *out, const struct report_input *input, bool color)
{
	const struct finding **sorted = input->findings ? render_sorted(input->findings) : NULL;

	for (uint32_t i = 0; sorted && i < input->findings->count; i++)
		report_text_finding(out, input->model, sorted[i], color);
	free(sorted);
}

void report_text(FILE *out, const struct report_input *input, const struct report_options *options)
{
	if (options->title)
		fprintf(out, "%s\n\n", text_safe(options->title));
	if (options->verdict)
		fprintf(out, "%s\n\n", text_safe(options->verdict));
	text_findings(out, input, options->color);
	if (options->per_task || options->tid) {
		report_text_tasks(out, input->model, options->tid, options->color);
		fputc('\n', out);
	}
	put_summary(out, input, options->top ? options->top : 20, options->only_cycles,
		    options->color);
}
