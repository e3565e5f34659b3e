/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * selection.h - which parts of a model go over into a smaller one (agent: memory stays flat while
 * locks come and go for months).
 *
 * Purpose: what may be forgotten is a pair of locks that nothing will ask for again: its chain was
 * not seen for so long that the kernel's own table dropped it, so that the next occurrence brings
 * it again. The order of classes, findings and what they rest on are never forgotten.
 *
 * Invariants: marks are bytes by id, 0 or 1. After selection__close everything that a marked thing
 * refers to is marked too, and model__replay can copy exactly what is marked.
 *
 * Life cycle: selection__new, any marks and selection__* calls, selection__close, use,
 * selection__free. Errors: -ENOMEM.
 */
#ifndef VFIOTRACE_SELECTION_H
#define VFIOTRACE_SELECTION_H

#include "finding.h"

struct selection {
	uint8_t *chains, *instances, *tasks, *stacks, *objects, *path_events;
};

struct selection *selection__new(const struct model *m); /* nothing marked; NULL: no memory */
void selection__free(struct selection *s);

/*
 * The first occurrence of each class edge in each of its modes, and those that show it without a
 * lock all others held too, or by another task: the order of classes stays whole, and what is said
 * against a cycle (guards, one task) stays as weak as it was.
 */
int selection__class_order(struct selection *s, const struct model *m);
void selection__findings(struct selection *s, const struct model *m,
			 const struct finding_list *findings);
/*
 * The same for each pair of locks that stays: after all chains are marked, before
 * selection__close.
 */
int selection__guards(struct selection *s, const struct model *m);
/*
 * The newest `most` runs of paths, and of the earlier ones each reference to a VM that was got and
 * is not put yet, or only in a run that is kept: what balanced still balances.
 */
int selection__paths(struct selection *s, const struct model *m, uint32_t most);
void selection__close(struct selection *s, const struct model *m);

/* Where each thing is afterwards, by its id before; NO_ID: left out. For holders of ids. */
struct moves {
	uint32_t *chains, *instances, *stacks, *objects;
};
struct moves *moves__new(const struct model *m);
void moves__free(struct moves *moves);

#endif
