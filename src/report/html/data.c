// SPDX-License-Identifier: GPL-2.0-or-later
/* The page's data: what it is about, and the pieces the other two files share. */
#include <inttypes.h>
#include <stdlib.h>

#include "drivers.h"
#include "report/escape.h"
#include "report/html/html_private.h"

void html_id(FILE *out, uint32_t id)
{
	if (id == NO_ID)
		fputs("-1", out);
	else
		fprintf(out, "%u", id);
}

void html_time(FILE *out, const struct model *m, uint64_t mono)
{
	uint64_t start = model__clock(m)->start;

	if (!mono)
		fputs("-1", out);
	else
		fprintf(out, "%" PRIu64, mono > start ? mono - start : 0);
}

static void put_facts(FILE *out, const struct model *m)
{
	const char *key, *value;

	fputs("\"facts\":[", out);
	for (size_t i = 0; i < model__fact_count(m); i++) {
		model__fact_at(m, i, &key, &value);
		fputs(i ? ",[" : "[", out);
		write_json_string(out, key);
		fputc(',', out);
		write_json_string(out, value);
		fputc(']', out);
	}
	fputs("],\n", out);
}

static void put_span(FILE *out, const struct model *m)
{
	const struct model_clock *clock = model__clock(m);
	char when[RENDER_SIZE];

	fprintf(out, "\"clock\":{\"has\":%s,\"start\":", clock->has_time ? "true" : "false");
	write_json_string(out, render_time(when, sizeof(when), m, clock->start));
	fprintf(out, ",\"epoch_ms\":%" PRId64,
		clock->realtime_offset ? ((int64_t)clock->start + clock->realtime_offset) / 1000000
				       : (int64_t)-1);
	fputs(",\"end\":", out);
	html_time(out, m, clock->end);
	fputs("},\n", out);
	fprintf(out,
		"\"counts\":{\"acquisitions\":%" PRIu64 ",\"chains\":%u,\"dependencies\":%u,"
		"\"tasks\":%u,\"classes\":%u,\"instances\":%u,\"edges\":%u,\"events\":%" PRIu64
		"},\n",
		model__acquisitions(m), model__chain_count(m), model__dependency_count(m),
		model__task_count(m), model__class_count(m), model__instance_count(m),
		model__class_edge_count(m), model__event_count(m));
}

static void put_coverage(FILE *out, const struct model *m)
{
	struct driver_table *drivers = driver_table__make(m);
	char words[256];

	fputs("\"coverage\":[", out);
	for (int i = 0; i < PATH_COUNT && render_has_coverage(m); i++) {
		const struct coverage *c = model__coverage(m, i);

		fprintf(out, "%s[\"%s\",\"%s\",%" PRIu64 ",", i ? "," : "", path_names[i],
			coverage_state_names[c->state], c->hits);
		write_json_string(out, c->probe);
		fputc(',', out);
		write_json_string(out, c->reason);
		fputc(',', out);
		write_json_string(out,
				  drivers ? driver_table__describe(drivers, i, words, sizeof(words))
					  : NULL);
		fputc(']', out);
	}
	driver_table__free(drivers);
	fputs("],\n\"losses\":[", out);
	for (int i = 0; i < LOSS_REASONS; i++)
		fprintf(out, "%s[\"%s\",%" PRIu64 "]", i ? "," : "", loss_names[i],
			model__loss(m, i));
	fputs("],\n\"losses_unknown\":", out);
	write_json_string(out, model__losses_unknown(m));
	fputs(",\n", out);
}

static const char *verdict_level(const struct report_input *input)
{
	int worst = -1;

	for (uint32_t i = 0; input->findings && i < input->findings->count; i++) {
		const struct finding *f = input->findings->items[i];

		if (!f->suppressed && (int)f->grade > worst)
			worst = f->grade;
	}
	if (worst >= GRADE_WARNING)
		return finding_grade_names[worst];
	if (!finding_list__is_complete(input->findings, input->model))
		return "inconclusive";
	return model__dependency_count(input->model) || model__class_edge_count(input->model)
		       ? "clean"
		       : "empty";
}

void html_data_write(FILE *out, const struct report_input *input,
		     const struct report_options *options, const char *verdict)
{
	struct html_selection s;

	fputs("{\"title\":", out);
	write_json_string(out, options->title);
	fputs(",\"verdict\":", out);
	write_json_string(out, verdict);
	fprintf(out, ",\"level\":\"%s\",\"version\":\"%s\",\n", verdict_level(input), VERSION);
	put_facts(out, input->model);
	put_span(out, input->model);
	put_coverage(out, input->model);
	if (html_selection__init(&s, input)) {
		fputs("\"classes\":[],\"edges\":[],\"findings\":[]}", out);
		return;
	}
	html_data_graph(out, &s);
	html_data_tables(out, &s);
	html_data_findings(out, &s);
	fprintf(out, "\"cut\":%u}", s.dependencies_cut);
	html_selection__release(&s);
}
