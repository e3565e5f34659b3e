// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The baseline's cycles, dependency by dependency: did its path run again, did the dependency come
 * back, and what is taken in its place now. Everything is compared by the names that diff aligns:
 * addresses, ids and the compiler's own numbering of two kernels have nothing in common.
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

char *verdict__cycle_words(const struct model *m, const struct finding *f)
{
	char *words = verdict__words("%s", model__lock_class(m, f->classes[0])->name), *longer;

	for (uint32_t i = 1; words && i <= f->length; i++) {
		longer = verdict__words("%s -> %s", words,
					model__lock_class(m, f->classes[i % f->length])->name);
		free(words);
		words = longer;
	}
	return words;
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
		const char *name = model__lock_class(m, c)->name;

		if ((!fnmatch(pattern, name, 0) || same_lock(pattern, name)) &&
		    class_in_chains(m, c))
			return true;
	}
	return false;
}

static const struct class_edge *edge_by_name(const struct model *m, const char *from,
					     const char *to)
{
	for (uint32_t e = 0; e < model__class_edge_count(m); e++) {
		const struct class_edge *edge = model__class_edge(m, e);

		if (same_lock(model__lock_class(m, edge->from)->name, from) &&
		    same_lock(model__lock_class(m, edge->to)->name, to))
			return edge;
	}
	return NULL;
}

static uint32_t chain_path(const struct model *m, uint32_t chain)
{
	uint32_t path = chain == NO_ID ? NO_ID : model__chain(m, chain)->path;

	return path < PATH_COUNT ? path : NO_ID;
}

/* The path of a witness; where its first sight was outside, that of any other kept sight. */
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
		    edge_by_name(baseline, from, to) || !edge_on_path(m, e, path))
			continue;
		longer = words ? verdict__words("%s, %s", words, to)
			       : verdict__words("%s -> %s", from, to);
		free(words);
		words = longer;
	}
	return words;
}

static void compare_dependency(struct verdict_dependency *d, const struct model *m,
			       const struct model *baseline, const struct finding *f, uint32_t i)
{
	uint32_t path = f->witnesses ? witness_path(baseline, &f->witnesses[i]) : NO_ID;
	const struct class_edge *before, *now;
	bool ran;

	d->from = model__lock_class(baseline, f->classes[i])->name;
	d->to = model__lock_class(baseline, f->classes[(i + 1) % f->length])->name;
	before = edge_by_name(baseline, d->from, d->to);
	now = edge_by_name(m, d->from, d->to);
	d->count_before = before ? before->count : 0;
	d->count_now = now ? now->count : 0;
	if (path != NO_ID) {
		d->path = path_names[path];
		d->runs_before = model__coverage(baseline, (enum path_id)path)->hits;
		d->runs_now = model__coverage(m, (enum path_id)path)->hits;
	}
	ran = path != NO_ID ? d->runs_now > 0 : verdict__saw_class(m, d->from);
	d->fate = now ? FATE_BACK : ran ? FATE_GONE : FATE_NOT_EXERCISED;
	if (!now)
		d->instead = taken_instead(m, baseline, d->from, path);
}

static int compare_cycle(struct verdict_cycle *c, const struct model *m,
			 const struct model *baseline, const struct finding *f)
{
	bool all_back = true, unseen = false;

	c->finding = f;
	c->words = verdict__cycle_words(baseline, f);
	c->dependencies = calloc(f->length, sizeof(*c->dependencies));
	if (!c->words || !c->dependencies)
		return -ENOMEM;
	c->count = f->length;
	for (uint32_t i = 0; i < f->length; i++) {
		compare_dependency(&c->dependencies[i], m, baseline, f, i);
		all_back = all_back && c->dependencies[i].fate == FATE_BACK;
		unseen = unseen || c->dependencies[i].fate == FATE_NOT_EXERCISED;
	}
	c->fate = all_back ? FATE_BACK : unseen ? FATE_NOT_EXERCISED : FATE_GONE;
	return 0;
}

int verdict__compare(struct verdict *v, const struct model *m,
		     const struct verdict_options *options)
{
	const struct finding_list *list = options->baseline_findings;
	int error = 0;

	if (!list || !list->count)
		return 0;
	v->cycles = calloc(list->count, sizeof(*v->cycles));
	if (!v->cycles)
		return -ENOMEM;
	for (uint32_t i = 0; i < list->count && !error; i++) {
		const struct finding *f = list->items[i];

		if (f->grade < GRADE_WARNING || !f->length || f->suppressed)
			continue;
		error = compare_cycle(&v->cycles[v->cycle_count++], m, options->baseline, f);
	}
	return error;
}

const char *verdict__refuse(const struct model *m, const struct model *baseline, char *out,
			    size_t size)
{
	static const char *const facts[][2] = {
		{"scope", "scope"}, {"probe.level", "probe level"}, {"schema", "schema"}};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		const char *now = model__fact(m, facts[i][0]);
		const char *before = model__fact(baseline, facts[i][0]);

		if (!now || !before || !strcmp(now, before))
			continue;
		snprintf(out, size,
			 "the baseline was made with %s %s, this run has %s: not comparable",
			 facts[i][1], before, now);
		return out;
	}
	return NULL;
}
