// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two runs side by side: each section of either run becomes a sorted list of named entries, and
 * two sorted lists merge into rows.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

const char *const diff_kind_names[] = {"appeared", "vanished", "changed", "same"};
const char *const diff_section_names[DIFF_SECTIONS] = {
	"cycles", "hangs", "dependencies", "classes", "coverage", "waits", "holds"};

static int by_name(const void *a, const void *b)
{
	const struct diff_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Entries that align to one name become one: the union of what was seen. */
static void sort_and_join(struct diff_list *list)
{
	uint32_t kept = 0;

	if (!list->count)
		return;
	qsort(list->items, list->count, sizeof(*list->items), by_name);
	for (uint32_t i = 1; i < list->count; i++) {
		struct diff_entry *into = &list->items[kept], *from = &list->items[i];

		if (strcmp(into->name, from->name)) {
			list->items[++kept] = *from;
			continue;
		}
		into->value |= from->value;
		into->count += from->count;
		into->total += from->total;
		into->is_bad = into->is_bad || from->is_bad;
	}
	list->count = kept + 1;
}

static struct diff_row *add_row(struct diff *d, enum diff_section section)
{
	struct diff_row **rows = &d->rows[section], *grown;
	uint32_t count = d->count[section];

	if (!(count & (count + 1)) || !*rows) { /* grow at powers of two */
		grown = realloc(*rows, (count ? 2 * (count + 1) : 4) * sizeof(*grown));
		if (!grown)
			return NULL;
		*rows = grown;
	}
	memset(&(*rows)[count], 0, sizeof(**rows));
	d->count[section]++;
	return &(*rows)[count];
}

static bool differs(enum diff_section section, const struct diff_entry *a,
		    const struct diff_entry *b)
{
	if (section == DIFF_WAITS || section == DIFF_HOLDS) {
		uint64_t before = a->count ? a->total / a->count : 0;
		uint64_t after = b->count ? b->total / b->count : 0;

		/* few samples say nothing, and neither does less than a factor of two */
		return a->count >= 8 && b->count >= 8 && (after > 2 * before || before > 2 * after);
	}
	return section != DIFF_CLASSES && a->value != b->value;
}

static int merge_entry(struct diff *d, enum diff_section section, const struct diff_entry *a,
		       const struct diff_entry *b)
{
	enum diff_kind kind = !a ? DIFF_APPEARED : !b ? DIFF_VANISHED : DIFF_SAME;
	const struct diff_entry *any = b ? b : a;
	struct diff_row *row;

	if (kind == DIFF_SAME && differs(section, a, b))
		kind = DIFF_CHANGED;
	if (kind == DIFF_SAME && section != DIFF_DEPENDENCIES)
		return 0;
	row = add_row(d, section);
	if (!row)
		return -1;
	row->kind = kind;
	row->name = any->name;
	row->from = any->from;
	row->to = any->to;
	row->before = a ? diff__describe(section, a) : NULL;
	row->after = b ? diff__describe(section, b) : NULL;
	row->bad = b && b->is_bad && (!a || !a->is_bad);
	d->new_cycle = d->new_cycle || row->bad;
	return (a && !row->before) || (b && !row->after) ? -1 : 0;
}

static int merge(struct diff *d, enum diff_section section, struct diff_list *a,
		 struct diff_list *b)
{
	uint32_t i = 0, j = 0;
	int error = 0;

	sort_and_join(a);
	sort_and_join(b);
	while (!error && (i < a->count || j < b->count)) {
		int order = i == a->count   ? 1
			    : j == b->count ? -1
					    : strcmp(a->items[i].name, b->items[j].name);

		error = merge_entry(d, section, order <= 0 ? &a->items[i] : NULL,
				    order >= 0 ? &b->items[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
	return error;
}

static int by_kind_then_name(const void *a, const void *b)
{
	const struct diff_row *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int compare_section(struct diff *d, enum diff_section section, const struct diff_side *a,
			   const struct diff_side *b)
{
	struct diff_list before = {.owner = d}, after = {.owner = d};
	int error = diff__collect(section, a, &before) || diff__collect(section, b, &after);

	/* a run that recorded no durations at all has none to compare */
	if (!error && section >= DIFF_WAITS && (!before.count || !after.count))
		before.count = after.count = 0;
	if (!error)
		error = merge(d, section, &before, &after);
	if (!error && d->count[section])
		qsort(d->rows[section], d->count[section], sizeof(**d->rows), by_kind_then_name);
	free(before.items);
	free(after.items);
	return error;
}

/* Pseudonyms have no meaning in the other recording: what is compared by them is not known. */
static bool has_names(const struct model *m)
{
	for (uint32_t i = 0; i < model__class_count(m); i++)
		if (model__lock_class(m, i)->flags & CLASS_REDACTED)
			return false;
	return true;
}

struct diff *diff__make(const struct model *a, const struct finding_list *a_findings,
			const struct model *b, const struct finding_list *b_findings)
{
	const struct diff_side before = {a, a_findings}, after = {b, b_findings};
	struct diff *d = calloc(1, sizeof(*d));

	for (int section = 0; d && section < DIFF_SECTIONS; section++) {
		if (!compare_section(d, (enum diff_section)section, &before, &after))
			continue;
		diff__free(d);
		d = NULL;
	}
	if (d) {
		d->before_complete = finding_list__is_complete(a_findings, a) && has_names(a);
		d->after_complete = finding_list__is_complete(b_findings, b) && has_names(b);
	}
	return d;
}

uint32_t diff__changes(const struct diff *d, enum diff_section section)
{
	uint32_t changes = 0;

	for (uint32_t i = 0; i < d->count[section]; i++)
		changes += d->rows[section][i].kind != DIFF_SAME;
	return changes;
}

void diff__free(struct diff *d)
{
	if (!d)
		return;
	for (int section = 0; section < DIFF_SECTIONS; section++) {
		for (uint32_t i = 0; i < d->count[section]; i++) {
			free(d->rows[section][i].before);
			free(d->rows[section][i].after);
		}
		free(d->rows[section]);
	}
	for (uint32_t i = 0; i < d->name_count; i++)
		free(d->names[i]);
	free(d->names);
	free(d);
}
