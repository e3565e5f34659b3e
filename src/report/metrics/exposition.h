/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exposition.h - the exposition format itself: families, labels, samples, escaping.
 *
 * Use: metrics_text__family once, then for each series any number of __label calls and one of
 * __value, __suffixed or __bucket, which prints the sample and clears the labels.
 */
#ifndef VFIOTRACE_REPORT_METRICS_EXPOSITION_H
#define VFIOTRACE_REPORT_METRICS_EXPOSITION_H

#include "metrics.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

struct metrics_text {
	FILE *out;
	bool open; /* OpenMetrics */
	const char *name;
	enum metric_type type;
	uint32_t series;  /* of this family */
	uint64_t dropped; /* series beyond METRICS_SERIES_MAX */
	char labels[2048];
	size_t labels_used;
};

void metrics_text__family(struct metrics_text *t, const char *name, enum metric_type type,
			  const char *unit, const char *help);
bool metrics_text__room(struct metrics_text *t); /* counts a series that has none */
void metrics_text__label(struct metrics_text *t, const char *key, const char *value);
void metrics_text__value(struct metrics_text *t, double value);
void metrics_text__suffixed(struct metrics_text *t, const char *suffix, double value);
void metrics_text__bucket(struct metrics_text *t, double le, uint64_t count); /* le < 0: +Inf */
void metrics_text__service(struct metrics_text *t, const struct metrics_service *service);
void metrics_text__end(struct metrics_text *t);

#endif
