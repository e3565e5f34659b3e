/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keep_set.h - which parts of a model go over into a smaller one (agent: memory stays flat while
 * locks come and go for months).
 *
 * Purpose: what may be evicted is a pair of locks that nothing will ask for again: its chain was
 * not seen for so long that the kernel's own table dropped it, so that the next occurrence brings
 * it again. The order of classes, findings and what they rest on are never evicted.
 *
 * Invariants: marks are bytes by id, 0 or 1. After keep_set__close everything that a marked thing
 * refers to is marked too, and model__replay can copy exactly what is marked.
 *
 * Life cycle: keep_set__new, any marks and keep_set__* calls, keep_set__close, use,
 * keep_set__free. Errors: -ENOMEM.
 */
#ifndef VFIOTRACE_KEEP_SET_H
#define VFIOTRACE_KEEP_SET_H

#include "finding.h"

struct keep_set {
	uint8_t *chains, *instances, *tasks, *stacks, *objects, *path_events;
};

struct keep_set *keep_set__new(const struct model *m); /* nothing marked; NULL: no memory */
void keep_set__free(struct keep_set *s);

/*
 * The first occurrence of each class edge in each of its modes, and those that show it without a
 * lock all others held too, or by another task: the order of classes stays whole, and what is said
 * against a cycle (guards, one task) stays as weak as it was.
 */
int keep_set__class_order(struct keep_set *s, const struct model *m);
void keep_set__findings(struct keep_set *s, const struct model *m,
			const struct finding_list *findings);
/*
 * The same for each pair of locks that stays: after all chains are marked, before
 * keep_set__close.
 */
int keep_set__guards(struct keep_set *s, const struct model *m);
/*
 * The newest `most` runs of paths, and of the earlier ones each reference to a VM that was got and
 * is not put yet, or only in a run that is kept: what balanced still balances.
 */
int keep_set__paths(struct keep_set *s, const struct model *m, uint32_t most);
void keep_set__close(struct keep_set *s, const struct model *m);

/* Where each thing is afterwards, by its id before; NO_ID: left out. For holders of ids. */
struct id_remap {
	uint32_t *chains, *instances, *stacks, *objects;
};
struct id_remap *id_remap__new(const struct model *m);
void id_remap__free(struct id_remap *remap);

#endif
