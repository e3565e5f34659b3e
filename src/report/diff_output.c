// SPDX-License-Identifier: GPL-2.0-or-later
/* What changed between two runs: text, JSON, markdown. */
#include <errno.h>
#include <string.h>

#include "report/diff_output.h"
#include "report/graph/diff_picture.h"
#include "report/escape.h"
#include "util/text.h"

static const char *const signs[] = {"+", "-", "~", " "};
static const char *const colors[] = {"\033[32m", "\033[31m", "\033[33m", ""};

static void put_text_row(FILE *out, enum diff_section section, const struct diff_row *row,
			 bool color)
{
	fprintf(out, "  %s%s %s", color ? colors[row->kind] : "", signs[row->kind],
		text_safe(row->name));
	/* that a class was seen is all there is to say of it */
	if (section != DIFF_CLASSES && row->kind == DIFF_CHANGED)
		fprintf(out, ": %s => %s", text_safe(row->before), text_safe(row->after));
	else if (section != DIFF_CLASSES)
		fprintf(out, ": %s", text_safe(row->after ? row->after : row->before));
	fprintf(out, "%s%s\n", row->bad ? "  NEW CYCLE" : "", color ? "\033[0m" : "");
}

/* What a side that was not seen whole takes from the words of the rows. Ends with NULL. */
static const char *const *doubts(const struct diff *d)
{
	static const char before[] = "- not everything was looked at here: what appeared may have "
				     "been there before";
	static const char after[] = "+ not everything was looked at here: what vanished may still "
				    "be there, and there may be a new cycle";
	static const char *const both[] = {before, after, NULL};
	static const char *const first[] = {before, NULL};

	if (d->before_complete)
		return d->after_complete ? both + 2 : both + 1;
	return d->after_complete ? first : both;
}

static void put_text(FILE *out, const struct diff *d, const struct diff_labels *labels, bool color)
{
	uint32_t total = 0;

	fprintf(out, "- %s\n+ %s\n", text_safe(labels->before), text_safe(labels->after));
	for (int section = 0; section < DIFF_SECTIONS; section++) {
		uint32_t changes = diff__changes(d, (enum diff_section)section);

		total += changes;
		if (!changes)
			continue;
		fprintf(out, "\n%s\n", diff_section_names[section]);
		for (uint32_t i = 0; i < d->count[section]; i++)
			if (d->rows[section][i].kind != DIFF_SAME)
				put_text_row(out, (enum diff_section)section, &d->rows[section][i],
					     color);
	}
	if (!total)
		fprintf(out, "\nno difference%s\n",
			d->before_complete && d->after_complete ? "" : " in what was seen");
	for (int i = 0; doubts(d)[i]; i++)
		fprintf(out, "\n%s\n", doubts(d)[i]);
}

static void put_markdown(FILE *out, const struct diff *d, const struct diff_labels *labels)
{
	fprintf(out, "# What changed\n\nfrom ");
	write_markdown(out, labels->before);
	fprintf(out, " to ");
	write_markdown(out, labels->after);
	fputc('\n', out);
	for (int i = 0; doubts(d)[i]; i++)
		fprintf(out, "\n%s %s.\n",
			i || d->before_complete ? "After:" : "Before:", doubts(d)[i] + 2);
	for (int section = 0; section < DIFF_SECTIONS; section++) {
		if (!diff__changes(d, (enum diff_section)section))
			continue;
		fprintf(out, "\n## %s\n\n| | name | before | after |\n|---|---|---|---|\n",
			diff_section_names[section]);
		for (uint32_t i = 0; i < d->count[section]; i++) {
			const struct diff_row *row = &d->rows[section][i];

			if (row->kind == DIFF_SAME)
				continue;
			fprintf(out, "| %s%s | ", diff_kind_names[row->kind],
				row->bad ? section == DIFF_HANGS ? " (new hang)" : " (new cycle)"
					 : "");
			write_markdown(out, row->name);
			fprintf(out, " | ");
			write_markdown(out, row->before ? row->before : "");
			fprintf(out, " | ");
			write_markdown(out, row->after ? row->after : "");
			fprintf(out, " |\n");
		}
	}
}

static json_t *row_json(const struct diff_row *row)
{
	json_t *object = json_object();

	json_object_set_new(object, "change", json_string(diff_kind_names[row->kind]));
	json_object_set_new(object, "name", json_text(row->name));
	if (row->from) {
		json_object_set_new(object, "from", json_text(row->from));
		json_object_set_new(object, "to", json_text(row->to));
	}
	json_object_set_new(object, "before", json_text(row->before));
	json_object_set_new(object, "after", json_text(row->after));
	json_object_set_new(object, "new_cycle", json_boolean(row->bad));
	return object;
}

static void put_json(FILE *out, const struct diff *d, const struct diff_labels *labels)
{
	json_t *record = json_record("diff", 0, 0);

	json_object_set_new(record, "before", json_text(labels->before));
	json_object_set_new(record, "after", json_text(labels->after));
	for (int section = 0; section < DIFF_SECTIONS; section++) {
		json_t *rows = json_array();

		for (uint32_t i = 0; i < d->count[section]; i++)
			if (d->rows[section][i].kind != DIFF_SAME)
				json_array_append_new(rows, row_json(&d->rows[section][i]));
		json_object_set_new(record, diff_section_names[section], rows);
	}
	json_object_set_new(record, "new_cycle", json_boolean(d->new_cycle));
	json_object_set_new(record, "before_complete", json_boolean(d->before_complete));
	json_object_set_new(record, "after_complete", json_boolean(d->after_complete));
	json_print(out, record);
}

bool report_diff_has(enum report_format format)
{
	return format == REPORT_TEXT || format == REPORT_JSON || format == REPORT_DOT ||
	       format == REPORT_SVG || format == REPORT_MERMAID || format == REPORT_MARKDOWN;
}

int report_diff(FILE *out, enum report_format format, const struct diff *d,
		const struct diff_labels *labels, bool color)
{
	switch (format) {
	case REPORT_TEXT:
		put_text(out, d, labels, color);
		return 0;
	case REPORT_JSON:
		put_json(out, d, labels);
		return 0;
	case REPORT_MARKDOWN:
		put_markdown(out, d, labels);
		return 0;
	case REPORT_DOT:
		diff_picture__dot(out, d, labels);
		return 0;
	case REPORT_MERMAID:
		diff_picture__mermaid(out, d);
		return 0;
	case REPORT_SVG:
		return diff_picture__svg(out, d, labels);
	default:
		return -EINVAL;
	}
}
