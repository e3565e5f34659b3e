// SPDX-License-Identifier: GPL-2.0-or-later
/* Everything decided again over the whole model, in the order of vfiotrace-findings(7). */
#include "analysis/analysis_private.h"

#include <errno.h>
#include <stdlib.h>

#define INSTANTIATE_STEPS 100000000 /* dependencies and occurrences joined to decide all cycles */

static void put_bad_releases(struct analysis *a)
{
	for (uint32_t i = 0; i < model__bad_release_count(a->m); i++) {
		const struct bad_release *bad = model__bad_release(a->m, i);
		struct finding *f = finding__new(a, FINDING_UNLOCK, CODE_BAD_UNLOCK, 1);

		if (!f)
			return;
		f->classes[0] = model__instance(a->m, bad->instance)->lock_class;
		f->modes[0] = hold_mode(bad->mode);
		f->witnesses[0].task = bad->task;
		f->first = bad->first;
		f->last = bad->last;
		f->count = bad->count;
		f->note = "released by a task that did not hold it";
		if (finding__canonicalise(a, f) && touches_scope(a, f))
			analysis__put(a, f);
	}
}

/* One class, both orders of some two instances: an inversion; else one nesting finding per mode. */
static void put_same_class(struct analysis *a, uint32_t edge_id)
{
	uint32_t first[2] = {NO_ID, NO_ID};
	bool opposite = false;

	for (uint32_t i = 0; i < model__class_edge(a->m, edge_id)->dependency_count; i++) {
		uint32_t id = model__class_edge_dependency(a->m, edge_id, i);
		const struct dependency *d = model__dependency(a->m, id);

		if (d->from == d->to || link_of(d->to_mode, d->from_mode) == LINK_NONE)
			continue;
		opposite |= consider_opposite(a, id);
		if (link_of(d->to_mode, d->from_mode) != LINK_NONE &&
		    first[hold_mode(d->from_mode)] == NO_ID)
			first[hold_mode(d->from_mode)] = id;
	}
	for (int mode = 0; !opposite && mode < 2; mode++) {
		if (first[mode] != NO_ID)
			consider_nesting(a, first[mode]);
	}
}

static void put_single(struct analysis *a)
{
	for (uint32_t i = 0; i < model__dependency_count(a->m); i++) {
		const struct dependency *d = model__dependency(a->m, i);

		if (d->from == d->to)
			consider_recursion(a, i);
	}
	for (uint32_t i = 0; i < model__class_edge_count(a->m); i++) {
		const struct class_edge *edge = model__class_edge(a->m, i);

		if (edge->from == edge->to)
			put_same_class(a, i);
		else if (a->options.rules)
			consider_order(a, i);
	}
}

static int finish(struct analysis *a)
{
	struct found_cycles found = {0};
	int error = pending__finish(a);

	if (!error)
		error = hangs__finish(a);
	if (error)
		return error;
	if (!analysis__build_index(a))
		return -ENOMEM;
	patterns__collect(a, &found);
	candidates__reevaluate(a);
	classes__finish(a, &found);
	put_single(a);
	put_bad_releases(a);
	free(found.items.items);
	idmap__release(&found.ids);
	return 0;
}

int analysis__finish(struct analysis *a)
{
	int error;

	a->stats = (struct analysis_stats){0};
	a->steps_left = budget_of(a, INSTANTIATE_STEPS);
	class_rules__apply(a->m, a->options.rules, a->known_classes);
	a->known_classes = model__class_count(a->m);
	a->finishing = true;
	a->run++;
	error = finish(a);
	a->finishing = false;
	a->list.search_limited = a->stats.search_limited;
	a->list.undecided = a->stats.undecided;
	analysis__drop_index(a);
	return error;
}
