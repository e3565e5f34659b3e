/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dependencies.h - what chains.c needs of dependencies: find or create, count, keep a witness.
 */
#ifndef VFIOTRACE_MODEL_DEPENDENCIES_H
#define VFIOTRACE_MODEL_DEPENDENCIES_H

#include "model/model_private.h"

/* Time 0 is "not known" and changes nothing. */
static inline void see_time(uint64_t *first, uint64_t *last, uint64_t time)
{
	if (time && (!*first || time < *first))
		*first = time;
	if (time > *last)
		*last = time;
}

/* `chain` becomes the first witness of a new dependency. NO_ID: no memory. */
uint32_t dependency__add(struct model *m, const struct held_lock *from, const struct held_lock *to,
			 uint32_t chain, bool *is_new_edge);
void dependency__count(struct model *m, uint32_t id, uint32_t chain, uint64_t count, uint64_t time);
/* First occurrence of `chain` for this dependency. */
void dependency__witness(struct model *m, uint32_t id, uint32_t chain, const struct held_lock *from,
			 const struct held_lock *to);

#endif
