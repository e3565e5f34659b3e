// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OpenMetrics 1.0 and Prometheus text 0.0.4. They differ in what a family is called (a counter is
 * named without _total and an info without _info in OpenMetrics), in # UNIT and in # EOF.
 */
#include <stdio.h>
#include <string.h>

#include "report/metrics/exposition.h"
#include "util/text.h"

static const char *suffix_of(enum metric_type type)
{
	return type == METRIC_COUNTER ? "_total" : type == METRIC_INFO ? "_info" : "";
}

void metrics_text__family(struct metrics_text *t, const char *name, enum metric_type type,
			  const char *unit, const char *help)
{
	static const char *const open_types[] = {"counter", "gauge", "histogram", "info"};
	static const char *const text_types[] = {"counter", "gauge", "histogram", "gauge"};
	const char *suffix = t->open ? "" : suffix_of(type);

	t->name = name;
	t->type = type;
	t->series = 0;
	t->labels_used = 0;
	fprintf(t->out, "# TYPE %s%s %s\n", name, suffix,
		t->open ? open_types[type] : text_types[type]);
	if (unit && t->open)
		fprintf(t->out, "# UNIT %s %s\n", name, unit);
	fprintf(t->out, "# HELP %s%s %s\n", name, suffix, help);
}

bool metrics_text__room(struct metrics_text *t)
{
	if (t->series < METRICS_SERIES_MAX)
		return true;
	t->dropped++;
	return false;
}

/* Label values are UTF-8 with \ " and newline escaped; what is not harmless becomes \\xNN. */
static size_t escape(char *out, size_t size, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t used = 0;

	while (*s && used + 8 < size) {
		size_t length = safe_sequence((const char *)s);

		if (*s == '\\' || *s == '"' || *s == '\n') {
			out[used++] = '\\';
			out[used++] = *s == '\n' ? 'n' : (char)*s;
			s++;
		} else if (!length) {
			used += (size_t)snprintf(out + used, size - used, "\\\\x%02x", *s);
			s++;
		} else {
			memcpy(out + used, s, length);
			used += length;
			s += length;
		}
	}
	out[used] = 0;
	return used;
}

void metrics_text__label(struct metrics_text *t, const char *key, const char *value)
{
	size_t room = sizeof(t->labels) - t->labels_used;
	char text[768];

	escape(text, sizeof(text), value ? value : "");
	if (strlen(key) + strlen(text) + 8 > room)
		return;
	t->labels_used += (size_t)snprintf(t->labels + t->labels_used, room, "%s%s=\"%s\"",
					   t->labels_used ? "," : "", key, text);
}

static void sample(struct metrics_text *t, const char *suffix, double value)
{
	fprintf(t->out, "%s%s", t->name, suffix);
	if (t->labels_used)
		fprintf(t->out, "{%s}", t->labels);
	fprintf(t->out, " %.15g\n", value);
	t->labels_used = 0;
}

void metrics_text__value(struct metrics_text *t, double value)
{
	t->series++;
	sample(t, suffix_of(t->type), value);
}

void metrics_text__suffixed(struct metrics_text *t, const char *suffix, double value)
{
	/* a histogram is one series to the cap, whatever its buckets */
	t->series += !strcmp(suffix, "_count");
	sample(t, suffix, value);
}

void metrics_text__bucket(struct metrics_text *t, double le, uint64_t count)
{
	char bound[32] = "+Inf";

	if (le >= 0)
		snprintf(bound, sizeof(bound), "%.10g", le);
	metrics_text__label(t, "le", bound);
	sample(t, "_bucket", (double)count);
}

void metrics_text__end(struct metrics_text *t)
{
	metrics_text__family(t, "vfiotrace_series_dropped", METRIC_GAUGE, NULL,
			     "Families cut short because they have too many series.");
	metrics_text__value(t, (double)t->dropped);
	if (t->open)
		fputs("# EOF\n", t->out);
}
