// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The baseline's cycles, dependency by dependency: did its path and each of its sites run again (or
 * are they gone from this kernel), did the dependency come back, and what is taken in its place
 * now. Everything is compared by the names that diff aligns: addresses, ids and the compiler's own
 * numbering of two kernels have nothing in common.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/verdict_internal.h"
#include "diff.h"

static bool same_lock(const char *a, const char *b)
{
	char one[256], other[256];

	return !strcmp(a, b) || !strcmp(diff__aligned_name(a, one, sizeof(one)),
					diff__aligned_name(b, other, sizeof(other)));
}

char *verdict__cycle_name(const struct model *m, const struct finding *f)
{
	char *words = verdict__message("%s", model__lock_class(m, f->classes[0])->name), *longer;

	for (uint32_t i = 1; words && i <= f->length; i++) {
		longer = verdict__message("%s -> %s", words,
					  model__lock_class(m, f->classes[i % f->length])->name);
		free(words);
		words = longer;
	}
	return words;
}

static bool is_class(const struct model *m, uint32_t lock_class, const char *pattern)
{
	const char *name = model__lock_class(m, lock_class)->name;

	return !fnmatch(pattern, name, 0) || same_lock(pattern, name);
}

static bool class_in_chains(const struct model *m, uint32_t lock_class)
{
	for (uint32_t e = 0; e < model__class_edge_count(m); e++) {
		const struct class_edge *edge = model__class_edge(m, e);

		if (edge->from == lock_class || edge->to == lock_class)
			return true;
	}
	return model__lock_class(m, lock_class)->flags & CLASS_HAD_WRITER;
}

bool verdict__saw_class(const struct model *m, const char *pattern)
{
	for (uint32_t c = 0; c < model__class_count(m); c++) {
		if (is_class(m, c, pattern) && class_in_chains(m, c))
			return true;
	}
	return false;
}

bool verdict__saw_order(const struct model *m, const char *from, const char *to)
{
	for (uint32_t e = 0; e < model__class_edge_count(m); e++) {
		const struct class_edge *edge = model__class_edge(m, e);

		if (is_class(m, edge->from, from) && is_class(m, edge->to, to))
			return true;
	}
	return false;
}

static uint32_t edge_by_name(const struct model *m, const char *from, const char *to)
{
	for (uint32_t e = 0; e < model__class_edge_count(m); e++) {
		const struct class_edge *edge = model__class_edge(m, e);

		if (same_lock(model__lock_class(m, edge->from)->name, from) &&
		    same_lock(model__lock_class(m, edge->to)->name, to))
			return e;
	}
	return NO_ID;
}

static uint32_t chain_path(const struct model *m, uint32_t chain)
{
	uint32_t path = chain == NO_ID ? NO_ID : model__chain(m, chain)->path;

	return path < PATH_COUNT ? path : NO_ID;
}

/* The path of a witness; where its first occurrence was outside, that of any other kept occurrence.
 */
static uint32_t witness_path(const struct model *m, const struct witness *w)
{
	uint32_t path = chain_path(m, w->chain);

	for (uint32_t i = 0; path == NO_ID && w->dependency != NO_ID &&
			     i < model__dependency_chains_kept(m, w->dependency);
	     i++)
		path = chain_path(m, model__dependency_chain(m, w->dependency, i));
	return path;
}

static bool edge_on_path(const struct model *m, uint32_t edge, uint32_t path)
{
	if (path == NO_ID)
		return true;
	for (uint32_t d = 0; d < model__class_edge(m, edge)->dependency_count; d++) {
		uint32_t id = model__class_edge_dependency(m, edge, d);

		for (uint32_t i = 0; id != NO_ID && i < model__dependency_chains_kept(m, id); i++)
			if (chain_path(m, model__dependency_chain(m, id, i)) == path)
				return true;
	}
	return false;
}

/* What is taken under `from` on this path now and was not before. */
static char *taken_instead(const struct model *m, const struct model *baseline, const char *from,
			   uint32_t path)
{
	char *words = NULL, *longer;

	for (uint32_t e = 0; e < model__class_edge_count(m); e++) {
		const struct class_edge *edge = model__class_edge(m, e);
		const char *to = model__lock_class(m, edge->to)->name;

		if (!same_lock(model__lock_class(m, edge->from)->name, from) ||
		    edge_by_name(baseline, from, to) != NO_ID || !edge_on_path(m, e, path))
			continue;
		longer = words ? verdict__message("%s, %s", words, to)
			       : verdict__message("%s -> %s", from, to);
		free(words);
		words = longer;
	}
	return words;
}

struct comparison {
	const struct model *m;
	const struct verdict_options *options;
	struct ran *ran;
};

/* The fix of the cycle that this kernel has, with its evidence; NULL: none is known of or in. */
static char *fix_message(const struct verdict_options *options, const struct finding *f)
{
	for (uint32_t i = 0; i < f->known_count; i++) {
		const char *commit = f->known[i].commit, *evidence;

		if (verdict__fix_state(options, commit, &evidence) == VERDICT_FIX_IN)
			return verdict__message("%s is in: %s", commit, evidence ? evidence : "?");
	}
	return NULL;
}

static void note_path(struct verdict_dependency *d, const struct model *m,
		      const struct model *baseline, uint32_t path)
{
	if (path == NO_ID)
		return;
	d->path = path_names[path];
	d->runs_before = model__coverage(baseline, (enum path_id)path)->hits;
	d->runs_now = model__coverage(m, (enum path_id)path)->hits;
}

/* Was it looked for: did its path run, and each place where the baseline had it, or is that gone?
 */
static bool was_looked_for(const struct verdict_dependency *d, const struct model *m)
{
	bool ran = d->path ? d->runs_now > 0 : verdict__saw_class(m, d->from);

	for (uint32_t i = 0; i < d->site_count; i++)
		ran = ran && d->sites[i].state != SITE_NOT_RUN;
	return ran && d->site_count && !d->has_more_sites;
}

static bool is_redacted(const struct model *m, uint32_t lock_class)
{
	return model__lock_class(m, lock_class)->flags & CLASS_REDACTED;
}

static int compare_dependency(const struct comparison *c, struct verdict_dependency *d,
			      const struct finding *f, uint32_t i)
{
	const struct model *m = c->m, *baseline = c->options->baseline;
	uint32_t path = f->witnesses ? witness_path(baseline, &f->witnesses[i]) : NO_ID;
	uint32_t before, now;
	int error = 0;

	d->from = model__lock_class(baseline, f->classes[i])->name;
	d->to = model__lock_class(baseline, f->classes[(i + 1) % f->length])->name;
	before = edge_by_name(baseline, d->from, d->to);
	now = edge_by_name(m, d->from, d->to);
	d->count_before = before == NO_ID ? 0 : model__class_edge(baseline, before)->count;
	d->count_now = now == NO_ID ? 0 : model__class_edge(m, now)->count;
	note_path(d, m, baseline, path);
	if (before != NO_ID)
		error = verdict__sites(d, baseline, model__class_edge(baseline, before), before,
				       c->ran, c->options);
	if (now != NO_ID) {
		d->status = DEPENDENCY_PRESENT;
		return error;
	}
	d->instead = taken_instead(m, baseline, d->from, path);
	d->evidence = fix_message(c->options, f);
	d->redacted = is_redacted(baseline, f->classes[i]) ||
		      is_redacted(baseline, f->classes[(i + 1) % f->length]);
	d->status = d->evidence || (!d->redacted && was_looked_for(d, m))
			    ? DEPENDENCY_RESOLVED
			    : DEPENDENCY_NOT_EXERCISED;
	return error;
}

static int compare_cycle(const struct comparison *comparison, struct verdict_cycle *c,
			 const struct finding *f)
{
	bool all_back = true, unseen = false;
	int error = 0;

	c->finding = f;
	c->words = verdict__cycle_name(comparison->options->baseline, f);
	c->dependencies = calloc(f->length, sizeof(*c->dependencies));
	if (!c->words || !c->dependencies)
		return -ENOMEM;
	c->count = f->length;
	for (uint32_t i = 0; i < f->length && !error; i++) {
		error = compare_dependency(comparison, &c->dependencies[i], f, i);
		all_back = all_back && c->dependencies[i].status == DEPENDENCY_PRESENT;
		unseen = unseen || c->dependencies[i].status == DEPENDENCY_NOT_EXERCISED;
	}
	c->status = all_back ? DEPENDENCY_PRESENT
		    : unseen ? DEPENDENCY_NOT_EXERCISED
			     : DEPENDENCY_RESOLVED;
	return error;
}

int verdict__compare(struct verdict *v, const struct model *m,
		     const struct verdict_options *options)
{
	const struct finding_list *list = options->baseline_findings;
	struct comparison comparison = {.m = m, .options = options};
	int error = 0;

	if (!list || !list->count)
		return 0;
	v->cycles = calloc(list->count, sizeof(*v->cycles));
	comparison.ran = ran__make(m, v->table);
	if (!v->cycles || !comparison.ran)
		error = -ENOMEM;
	for (uint32_t i = 0; i < list->count && !error; i++) {
		const struct finding *f = list->items[i];

		/* one that was suppressed in the baseline is a cycle of it all the same */
		if (f->grade >= GRADE_WARNING && f->length)
			error = compare_cycle(&comparison, &v->cycles[v->cycle_count++], f);
	}
	ran__free(comparison.ran);
	return error;
}
