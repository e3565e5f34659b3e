// SPDX-License-Identifier: GPL-2.0-or-later
/* What one dependency says by itself: recursion, nesting of one class, a violated declared order.
 */
#include "analysis/analysis_private.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* The same two instances the other way round, in modes that block both ways. */
static uint32_t find_opposite(const struct model *m, const struct dependency *d, uint8_t modes)
{
	uint8_t swapped = (uint8_t)(d->subclasses << 4 | d->subclasses >> 4);
	uint8_t from_mode = modes / LOCK_MODES, to_mode = modes % LOCK_MODES;
	uint32_t id;

	if (link_of(d->to_mode, from_mode) == LINK_NONE ||
	    link_of(to_mode, d->from_mode) == LINK_NONE)
		return NO_ID;
	id = model__find_annotated(m, d->to, from_mode, d->from, to_mode, swapped);
	return id != NO_ID ? id
			   : model__find_annotated(m, d->to, from_mode, d->from, to_mode,
						   d->subclasses);
}

bool consider_opposite(struct analysis *a, uint32_t dependency)
{
	const struct dependency *d = model__dependency(a->m, dependency);
	bool any = false;

	for (uint8_t modes = 0; modes < LOCK_MODES * LOCK_MODES; modes++) {
		uint32_t id = find_opposite(a->m, d, modes);

		if (id == NO_ID)
			continue;
		any = true;
		candidate__consider(
			a,
			cycle__pair(a, d->class_edge, model__dependency(a->m, id)->class_edge,
				    hold_mode(d->from_mode), hold_mode(modes / LOCK_MODES)),
			GRADE_INFO);
	}
	return any;
}

void consider_nesting(struct analysis *a, uint32_t dependency)
{
	const struct dependency *d = model__dependency(a->m, dependency);
	struct finding *f;

	if (link_of(d->to_mode, d->from_mode) == LINK_NONE)
		return; /* recursive readers do not block each other */
	f = finding__of_dependency(a, FINDING_NESTING, CODE_SAME_CLASS_NESTING, dependency);
	if (f && touches_scope(a, f))
		analysis__put(a, f);
}

void consider_recursion(struct analysis *a, uint32_t dependency)
{
	const struct dependency *d = model__dependency(a->m, dependency);
	struct finding *f;

	/* a recursive read on a shared hold is what recursive readers are for */
	if (link_of(d->to_mode, d->from_mode) == LINK_NONE)
		return;
	f = finding__of_dependency(a, FINDING_RECURSION, CODE_RECURSION, dependency);
	if (f && touches_scope(a, f))
		analysis__put(a, f);
}

/* --- declared orders -------------------------------------------------------------------------- */

static void add_positions(struct analysis *a, uint32_t class_id, struct ids *positions)
{
	const struct rule_set *rules = a->options.rules;
	const char *release = model__fact(a->m, "kernel.release");
	uint32_t version = release ? kernel_version__parse(release) : 0;
	const char *name = model__lock_class(a->m, class_id)->name;

	for (uint32_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (rule->kind != RULE_ORDER || !rule__applies(rule, version, 0))
			continue;
		for (uint32_t j = 0; j < rule->class_count && j < 256; j++) {
			if (fnmatch(rule->classes[j], name, 0))
				continue;
			ids__push(positions, i << 8 | j);
			break;
		}
	}
}

/* Where a class stands in the declared orders; worked out once per class. */
static const struct ids *positions_of(struct analysis *a, uint32_t class_id)
{
	uint64_t classes = model__class_count(a->m);

	if (!vector_reserve(&a->positions, classes))
		return NULL;
	for (; a->positions.count < classes; a->positions.count++) {
		struct ids *fresh = &a->positions.items[a->positions.count];

		*fresh = (struct ids){0};
		add_positions(a, (uint32_t)a->positions.count, fresh);
	}
	return &a->positions.items[class_id];
}

static void report_order(struct analysis *a, uint32_t edge, const struct rule *rule, uint32_t inner,
			 uint32_t outer)
{
	uint32_t dependency = model__class_edge(a->m, edge)->first_dependency;
	struct finding *f =
		finding__of_dependency(a, FINDING_ORDER, CODE_ORDER_VIOLATION, dependency);
	char text[512];

	if (!f || !touches_scope(a, f))
		return;
	snprintf(text, sizeof(text), "%s before %s%s%s", rule->classes[outer], rule->classes[inner],
		 rule->reason ? ": " : "", rule->reason ? rule->reason : "");
	f->rule = model__intern(a->m, text);
	analysis__put(a, f);
}

void consider_order(struct analysis *a, uint32_t edge_id)
{
	const struct class_edge *edge = model__class_edge(a->m, edge_id);
	const struct ids *from, *to;

	if (!a->options.rules || edge->from == edge->to || !positions_of(a, edge->from))
		return;
	from = &a->positions.items[edge->from];
	to = &a->positions.items[edge->to];
	for (uint64_t i = 0; i < from->count; i++) {
		for (uint64_t j = 0; j < to->count; j++) {
			uint32_t held = from->items[i], wanted = to->items[j];

			if (held >> 8 == wanted >> 8 && (held & 255) > (wanted & 255))
				report_order(a, edge_id, &a->options.rules->items[held >> 8],
					     held & 255, wanted & 255);
		}
	}
}
