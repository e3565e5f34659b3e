/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_private.h - the inside of struct model, shared by the files of this room only.
 */
#ifndef VFIOTRACE_MODEL_PRIVATE_H
#define VFIOTRACE_MODEL_PRIVATE_H

#include "model.h"
#include "util/idmap.h"
#include "util/memory.h"

/* Witnesses kept per dependency besides the latest one. */
#define MAX_WITNESSES 64
#define MAX_OBSERVERS 8

struct fact {
	const char *key, *value;
};

struct id_list {
	uint32_t *items;
	uint32_t count, capacity;
};

/* What a task of an event stream holds and waits for now. */
struct task_holds {
	struct held_lock *held;
	uint64_t *prefix; /* hash of held[0..i] */
	uint32_t count, capacity;
	struct held_lock pending;
	uint32_t pending_chain;
	bool is_pending;
	bool after_cut;	  /* releases of locks taken before the gap are no bad unlocks */
	uint32_t dropped; /* acquisitions beyond MAX_HELD */
};

struct model {
	struct arena arena;
	struct idmap strings;
	VECTOR(const char *) string_list;
	VECTOR(struct fact) facts;
	struct idmap fact_ids; /* interned key -> index in facts */
	struct model_clock clock;
	struct model_observer observers[MAX_OBSERVERS];
	uint32_t observer_count;

	VECTOR(struct lock_class) classes;
	struct idmap class_ids, subclass_ids;
	VECTOR(struct lock_instance) instances;
	struct idmap instance_ids;
	VECTOR(uint8_t) writer_noted; /* by instance: note_mode has nothing left to do */
	VECTOR(struct task) tasks;
	struct idmap task_ids;
	VECTOR(struct stack) stacks;
	struct idmap stack_ids;
	VECTOR(struct object) objects;
	struct idmap object_ids;
	VECTOR(const char *) variables;
	struct idmap variable_ids;

	uint64_t most_dependencies, most_held; /* held: in all chains together */
	uint64_t held_total;
	VECTOR(struct chain) chains;
	struct idmap chain_ids;
	VECTOR(uint64_t) chain_hashes; /* parallel to chains */
	VECTOR(uint32_t) chain_inner;  /* by chain: dependency from the innermost held lock */
	VECTOR(struct task_chain) task_chains;
	struct idmap task_chain_ids; /* by hash of the chain and task: found without the chain */
	VECTOR(struct dependency) dependencies;
	VECTOR(struct id_list) witnesses; /* parallel to dependencies, beyond first_chain */
	struct idmap dependency_ids;
	VECTOR(struct class_edge) edges;
	VECTOR(struct id_list) edge_dependencies; /* parallel to edges, beyond first_dependency */
	struct idmap edge_ids;

	VECTOR(struct trace_event) events;
	VECTOR(uint32_t) event_chains; /* parallel to events */
	bool keep_events, chains_come_too, restoring, events_forgotten;
	uint64_t most_events;		  /* 0: any number */
	VECTOR(struct task_holds) states; /* by task id */
	VECTOR(struct bad_release) bad_releases;
	struct idmap bad_release_ids;

	VECTOR(struct path_event) path_events;
	struct coverage coverage[PATH_COUNT];
	uint64_t losses[LOSS_REASONS];
	const char *losses_unknown;
	VECTOR(struct duration_row) durations;
	struct idmap duration_ids;
	uint64_t acquisitions;
};

static inline bool id_list__push(struct id_list *list, uint32_t id)
{
	uint64_t capacity = list->capacity;

	if (list->count == capacity) {
		if (!array_reserve_bytes((void **)&list->items, &capacity, capacity + 1,
					 sizeof(*list->items)))
			return false;
		list->capacity = (uint32_t)capacity;
	}
	list->items[list->count++] = id;
	return true;
}

/* Hash step of one lock of a chain; the order of steps matters. */
static inline uint64_t chain_hash_step(uint64_t hash, const struct held_lock *lock)
{
	uint64_t what = (uint64_t)lock->instance << 32 | lock->stack;
	uint64_t how = (uint64_t)lock->mode << 16 | (uint64_t)lock->flags << 8 | lock->subclass;

	return hash_mix(hash_mix(hash, what), how + 1);
}

/* model__add_chain for callers that already know the chain's hash. */
uint32_t chain__add_hashed(struct model *m, uint64_t hash, const struct held_lock *held,
			   uint32_t held_count, const struct held_lock *wanted, uint32_t task,
			   uint64_t time, uint64_t count, uint32_t path);
/* The one copy of a string, or NULL where it was never interned. */
const char *model__find_string(const struct model *m, const char *string);
/* Remember that a writer of this lock exists: readers can then queue behind one. */
void instance__note_mode(struct model *m, const struct held_lock *lock);
void events__release(struct model *m);

#endif
