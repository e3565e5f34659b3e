// SPDX-License-Identifier: GPL-2.0-or-later
/* Sums over the duration rows of a model. */
#include "report/durations.h"

#include <stdlib.h>

static int compare_keys(const void *left, const void *right)
{
	const struct duration_total *a = left, *b = right;

	if (a->lock_class != b->lock_class)
		return a->lock_class < b->lock_class ? -1 : 1;
	if (a->stack != b->stack)
		return a->stack < b->stack ? -1 : 1;
	return a->vm < b->vm ? -1 : a->vm > b->vm;
}

static int compare_totals(const void *left, const void *right)
{
	const struct duration_total *a = left, *b = right;

	if (a->time.total != b->time.total)
		return a->time.total > b->time.total ? -1 : 1;
	return compare_keys(left, right);
}

static void add_histogram(struct histogram *to, const struct histogram *from)
{
	to->count += from->count;
	to->total += from->total;
	to->max = from->max > to->max ? from->max : to->max;
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

uint32_t durations__collect(const struct model *m, bool is_hold, enum durations_by by,
			    struct duration_total **out)
{
	uint32_t rows = model__duration_count(m), used = 0, kept = 0;
	struct duration_total *totals = calloc(rows + 1, sizeof(*totals));

	*out = totals;
	for (uint32_t i = 0; totals && i < rows; i++) {
		const struct duration_row *row = model__duration(m, i);
		struct duration_total *t = &totals[used];

		if (row->is_hold != is_hold)
			continue;
		t->lock_class = t->stack = t->vm = NO_ID;
		if (by == DURATIONS_BY_VM)
			t->vm = row->vm;
		else if (row->instance < model__instance_count(m))
			t->lock_class = model__instance(m, row->instance)->lock_class;
		if (by == DURATIONS_BY_CALL_PATH)
			t->stack = row->stack;
		t->time = row->time;
		used++;
	}
	if (used)
		qsort(totals, used, sizeof(*totals), compare_keys);
	for (uint32_t i = 0; i < used; i++) {
		if (kept && !compare_keys(&totals[kept - 1], &totals[i]))
			add_histogram(&totals[kept - 1].time, &totals[i].time);
		else
			totals[kept++] = totals[i];
	}
	if (kept)
		qsort(totals, kept, sizeof(*totals), compare_totals);
	return kept;
}

uint64_t histogram__quantile(const struct histogram *h, double quantile)
{
	double wanted = quantile * (double)h->count, seen = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (h->bucket[i] && seen >= wanted) {
			uint64_t bound = 2ULL << i;

			return bound < h->max ? bound : h->max;
		}
	}
	return h->max;
}

bool durations__any(const struct model *m, bool is_hold)
{
	for (uint32_t i = 0; i < model__duration_count(m); i++)
		if (model__duration(m, i)->is_hold == is_hold)
			return true;
	return false;
}

const char *durations__missing(const struct model *m, bool is_hold)
{
	if (is_hold)
		return "not recorded (--holds records them)";
	if (model__fact(m, "probe.waits"))
		return model__fact(m, "probe.waits");
	if (!model__fact(m, "probe.level"))
		return "not known: this source does not record waits";
	return "no contended wait was seen";
}
