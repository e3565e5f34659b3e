/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodes.h - abstract acquires: (task, wanted lock, mode, held set), with the events that are one.
 *
 * Only nodes with a dependency inside a strongly connected component of the instance graph are
 * kept: no other can be part of a cycle. In a live capture tasks stand for each other and nodes
 * have none, unless an event stream tells them apart.
 */
#ifndef VFIOTRACE_ANALYSIS_NODES_H
#define VFIOTRACE_ANALYSIS_NODES_H

#include "analysis/analysis_private.h"

/* One acquisition (or request never granted) of a node. */
struct entry {
	uint64_t event;
	uint32_t segment;
	uint32_t next; /* entry id, NO_ID: last */
};

struct node {
	uint32_t wanted; /* of the chain, kept here because the search reads little else */
	uint8_t wanted_mode;
	uint32_t task;	    /* NO_ID: any */
	uint32_t only_task; /* the one task it was seen from, NO_ID: several */
	uint32_t chain;	    /* the first with this held set; sites may differ */
	uint32_t component;
	uint32_t first_entry, last_entry; /* NO_ID: no event stream */
	uint32_t entry_count;
};

/* A node that holds some lock, and how. */
struct holder {
	uint32_t node;
	uint8_t mode;
};

struct nodes {
	VECTOR(struct node) items;
	VECTOR(struct entry) entries;
	struct idmap ids;
	uint32_t *canonical;	/* by chain: the first with its held set; NO_ID: not relevant */
	uint32_t *component;	/* by instance */
	struct holder *by_held; /* grouped by a held lock of the node's component */
	uint32_t *held_start;	/* by instance, one more than there are */
	uint32_t held_total;
	struct idmap pairs;	    /* (held, wanted) inside components */
	uint64_t abstract_acquires; /* of the whole trace, relevant or not */
};

/* NULL: no memory, or no cycle of instances at all (*empty says which). */
struct nodes *nodes__new(struct analysis *a, bool *empty);
void nodes__free(struct nodes *n);

#endif
