/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * known_objects.h - the VMs, groups, devices … whose memory is known, by kernel address: a lock
 * inside one of them is named after its member. They come from the path probes (record_object).
 *
 * Invariant: sorted by address, not overlapping; what overlaps a new one was freed and reused.
 */
#ifndef VFIOTRACE_CAPTURE_KNOWN_OBJECTS_H
#define VFIOTRACE_CAPTURE_KNOWN_OBJECTS_H

#include "kernel.h"
#include "record.h"
#include "keep_set.h"

struct known_object {
	uint64_t address;
	uint32_t size, object; /* object: of the model */
	char type[48];
};

struct known_objects {
	struct known_object *items;
	uint32_t count, capacity;
};

void known_objects__note(struct known_objects *known, struct kernel *kernel, struct model *m,
			 const struct record_object *record);
/* The object this address lies in, or NULL; its id in the model, or NO_ID. */
const struct known_object *known_objects__around(const struct known_objects *known,
						 uint64_t address);
uint32_t known_objects__find(const struct known_objects *known, uint64_t address);
void known_objects__select(const struct known_objects *known, struct keep_set *s);
void known_objects__switch_model(struct known_objects *known, const struct id_remap *remap);
void known_objects__release(struct known_objects *known);

#endif
