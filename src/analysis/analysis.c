// SPDX-License-Identifier: GPL-2.0-or-later
/* The analysis' life, findings from outside, exit status. */
#include "analysis/analysis_private.h"

#include "analysis/stats.h"
#include "exit_code.h"

#include <stdlib.h>
#include <string.h>

static void add_known(struct analysis *a)
{
	class_rules__apply(a->m, a->options.rules, 0);
	a->known_classes = model__class_count(a->m);
	if (!a->options.live_kernel)
		return;
	for (uint32_t i = 0; i < model__dependency_count(a->m); i++) {
		const struct dependency *d = model__dependency(a->m, i);

		live__dependency(a, a->m, i, d->class_edge >= a->edges_in_order);
	}
}

struct analysis *analysis__new(struct model *m, const struct analysis_options *options)
{
	struct analysis *a = calloc(1, sizeof(*a));
	struct model_observer observer = {.context = a, .dependency = live__dependency};

	if (!a)
		return NULL;
	a->m = m;
	a->options = *options;
	if (!a->options.max_pattern_length)
		a->options.max_pattern_length = 6;
	add_known(a);
	/* an imported trace is judged as a whole at its end, where every edge costs less */
	if (options->live_kernel && model__observe(m, &observer)) {
		analysis__free(a);
		return NULL;
	}
	return a;
}

void analysis__free(struct analysis *a)
{
	if (!a)
		return;
	model__unobserve(a->m, a);
	analysis__drop_index(a);
	for (uint64_t i = 0; i < a->by_edge.count; i++)
		ids__release(&a->by_edge.items[i]);
	free(a->by_edge.items);
	for (uint64_t i = 0; i < a->positions.count; i++)
		ids__release(&a->positions.items[i]);
	free(a->positions.items);
	ids__release(&a->runs);
	idmap__release(&a->covered);
	free(a->candidates.items);
	idmap__release(&a->candidate_ids);
	idmap__release(&a->by_key);
	order__release(&a->order);
	scratch__release(a);
	strong__release(a);
	free(a->list.items);
	arena__release(&a->arena);
	free(a);
}

static void *copy_array(struct analysis *a, const void *from, size_t bytes)
{
	void *copy = from ? arena__alloc(&a->arena, bytes + 1, 8) : NULL;

	return copy ? memcpy(copy, from, bytes) : NULL;
}

static const char *copy_text(struct analysis *a, const char *text)
{
	return text ? model__intern(a->m, text) : NULL;
}

static bool copy_schedule(struct analysis *a, struct finding *f)
{
	const char **steps = copy_array(a, f->schedule, f->schedule_count * sizeof(*steps));

	if (!steps)
		f->schedule_count = 0;
	for (uint32_t i = 0; i < f->schedule_count; i++)
		steps[i] = copy_text(a, steps[i]);
	f->schedule = steps;
	return true;
}

const struct finding *analysis__add_finding(struct analysis *a, const struct finding *finding)
{
	struct finding f = *finding;

	f.classes = copy_array(a, f.classes, f.length * sizeof(*f.classes));
	f.modes = copy_array(a, f.modes, f.length);
	f.witnesses = copy_array(a, f.witnesses, f.length * sizeof(*f.witnesses));
	f.guards = copy_array(a, f.guards, f.guard_count * sizeof(*f.guards));
	if (!f.classes || !hang__copy_tasks(a, &f))
		return NULL;
	if (!f.modes)
		f.modes = arena__alloc(&a->arena, f.length + 1, 1);
	if (!f.witnesses) {
		f.witnesses = finding__new(a, f.kind, f.code, f.length)->witnesses;
	}
	f.note = copy_text(a, f.note);
	f.rule = copy_text(a, f.rule);
	f.ordered_by = copy_text(a, f.ordered_by);
	f.prediction_note = copy_text(a, f.prediction_note);
	f.missing = copy_text(a, f.missing);
	f.suppressed = copy_text(a, f.suppressed);
	copy_schedule(a, &f);
	if (f.key)
		f.key = copy_text(a, f.key);
	else if (!finding__canonicalise(a, &f))
		return NULL;
	return analysis__put(a, &f);
}

void analysis__resolve(struct analysis *a, const char *key, uint64_t when)
{
	for (uint32_t i = 0; i < a->list.count; i++) {
		if (strcmp(a->list.items[i]->key, key))
			continue;
		a->list.items[i]->resolved = true;
		a->list.items[i]->resolved_at = when;
	}
}

void analysis__reevaluate(struct analysis *a)
{
	candidates__reevaluate(a);
}

const struct finding_list *analysis__findings(const struct analysis *a)
{
	return &a->list;
}

int analysis__exit_code(const struct analysis *a, bool inconclusive_counts)
{
	int code = finding_list__exit_code(&a->list);

	if (!code && inconclusive_counts && !finding_list__is_complete(&a->list, a->m))
		return EXIT_INCONCLUSIVE;
	return code;
}

const struct analysis_stats *analysis__stats(const struct analysis *a)
{
	return &a->stats;
}
