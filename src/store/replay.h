/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of adding one model to another. */
#ifndef VFIOTRACE_STORE_REPLAY_H
#define VFIOTRACE_STORE_REPLAY_H

#include "store/redact.h"

struct replay {
	struct model *to;
	const struct model *from;
	const struct replay_options *options;
	struct redactor *redactor; /* NULL: nothing is hidden */
	struct store_maps maps;
	uint32_t steps;
};

static inline void yield(struct replay *r)
{
	if (r->options->yield && !(++r->steps & 255))
		r->options->yield(r->options->context);
}

static inline uint32_t mapped(const struct id_table *map, uint32_t id)
{
	return id == NO_ID ? NO_ID : id_table__get(map, id);
}

static inline uint64_t shifted(const struct replay *r, uint64_t time)
{
	return time ? time + (uint64_t)r->options->shift : 0;
}

/* Is this thing to go over? `marks` of options->only, whose name is the thing's. */
#define replay_wants(r, thing, id) (!(r)->options->only || (r)->options->only->thing[id])
/* Notes where the thing went, in the map of its kind and in the remap of that name. */
#define replay_moved(r, thing, from, to)                                                           \
	((r)->options->remap ? (void)((r)->options->remap->thing[from] = (to)) : (void)0,          \
	 id_table__set(&(r)->maps.thing, from, to))

void replay_paths(struct replay *r);
void replay_durations(struct replay *r);
int replay_events(struct replay *r);
int replay_facts(struct replay *r);
void replay_clock(struct replay *r);
void replay_losses(struct replay *r);

#endif
