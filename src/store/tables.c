// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which rows of the model were sent, and in which state. One row of `kinds` per table: how many
 * there are, a fingerprint of what may change in one, and how to send it.
 */
#include <stdlib.h>
#include <string.h>

#include "store/tables.h"
#include "util/idmap.h"
#include "util/memory.h"

#define MAX_FRAMES 1000 /* of one stack; imported ones may have any number */

enum table_kind {
	TABLE_CLASSES,
	TABLE_OBJECTS,
	TABLE_INSTANCES,
	TABLE_TASKS,
	TABLE_STACKS,
	TABLE_VARIABLES,
	TABLE_CHAINS,
	TABLE_TASK_CHAINS,
	TABLE_PATH_EVENTS,
	TABLE_DURATIONS,
	TABLE_BAD_RELEASES,
	TABLE_FACTS,
	TABLE_KINDS,
};

typedef VECTOR(uint64_t) fingerprints;

struct tables {
	fingerprints sent[TABLE_KINDS];
	uint64_t marks[TABLE_KINDS]; /* of tables whose rows never change */
	uint64_t coverage[PATH_COUNT], losses[LOSS_REASONS];
	uint64_t clock, acquisitions;
	bool fresh; /* nothing was sent yet */
};

static uint64_t mix_pointer(uint64_t hash, const void *pointer)
{
	return hash_mix(hash, (uintptr_t)pointer);
}

/* --- fingerprints: interned strings are equal when their addresses are ------------------- */

static uint64_t print_class(const struct model *m, uint32_t id)
{
	const struct lock_class *c = model__lock_class(m, id);

	return hash_mix(c->kind, c->flags);
}

static uint64_t print_object(const struct model *m, uint32_t id)
{
	const struct object *o = model__object(m, id);
	uint64_t hash = hash_mix(hash_mix(o->parent, o->pid), hash_mix(o->number, o->address));

	return mix_pointer(mix_pointer(hash, o->name), o->detail);
}

static uint64_t print_instance(const struct model *m, uint32_t id)
{
	const struct lock_instance *i = model__instance(m, id);

	return mix_pointer(hash_mix(i->object, i->flags), i->name);
}

static uint64_t print_task(const struct model *m, uint32_t id)
{
	const struct task *t = model__task(m, id);

	return mix_pointer(hash_mix(t->flags, t->vm), t->comm);
}

static uint64_t print_chain(const struct model *m, uint32_t id)
{
	const struct chain *c = model__chain(m, id);

	return hash_mix(hash_mix(c->count, c->last), hash_mix(c->task_count, c->last_task));
}

static uint64_t print_task_chain(const struct model *m, uint32_t id)
{
	const struct task_chain *s = model__task_chain(m, id);

	return hash_mix(s->count, s->last);
}

static uint64_t print_duration(const struct model *m, uint32_t id)
{
	const struct histogram *h = &model__duration(m, id)->time;

	return hash_mix(h->count, h->total);
}

static uint64_t print_bad_release(const struct model *m, uint32_t id)
{
	const struct bad_release *r = model__bad_release(m, id);

	return hash_mix(r->count, r->last);
}

static uint64_t print_fact(const struct model *m, uint32_t id)
{
	const char *key, *value;

	model__fact_at(m, id, &key, &value);
	return mix_pointer(1, value);
}

/* --- sending ----------------------------------------------------------------------------- */

static bool put(struct queue *q, enum record_type type, const void *row, size_t size)
{
	return queue__put(q, type, row, size, NULL, 0, false);
}

static bool send_class(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_class row = {id, *model__lock_class(m, id)};

	(void)again;
	return put(q, RECORD_CLASS, &row, sizeof(row));
}

static bool send_object(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_object row = {id, *model__object(m, id)};

	(void)again;
	return put(q, RECORD_OBJECT, &row, sizeof(row));
}

static bool send_instance(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_instance row = {id, *model__instance(m, id)};

	(void)again;
	return put(q, RECORD_INSTANCE, &row, sizeof(row));
}

static bool send_task(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_task row = {id, *model__task(m, id)};

	(void)again;
	return put(q, RECORD_TASK, &row, sizeof(row));
}

static bool send_stack(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct stack stack = model__stack(m, id);
	uint32_t count = stack.frame_count < MAX_FRAMES ? stack.frame_count : MAX_FRAMES;
	struct row_stack row = {id, stack.kind, count, 0};

	(void)again;
	return queue__put(q, RECORD_STACK, &row, sizeof(row), stack.frames,
			  count * sizeof(*stack.frames), false);
}

static bool send_variable(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_variable row = {id, model__variable(m, id)};

	(void)again;
	return put(q, RECORD_VARIABLE, &row, sizeof(row));
}

static bool send_chain(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	const struct chain *chain = model__chain(m, id);
	struct row_chain row = {id, *chain};

	if (again)
		return put(q, RECORD_CHAIN_COUNT, &row, sizeof(row));
	return queue__put(q, RECORD_CHAIN, &row, sizeof(row), chain->held,
			  chain->held_count * sizeof(*chain->held), false);
}

static bool send_task_chain(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_task_chain row = {id, *model__task_chain(m, id)};

	(void)again;
	return put(q, RECORD_TASK_CHAIN, &row, sizeof(row));
}

static bool send_path_event(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_path row = {id, *model__path_event(m, id)};

	(void)again;
	return put(q, RECORD_PATH, &row, sizeof(row));
}

static bool send_duration(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_duration row = {id, *model__duration(m, id)};

	(void)again;
	return put(q, RECORD_DURATION, &row, sizeof(row));
}

static bool send_bad_release(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_bad_release row = {id, *model__bad_release(m, id)};

	(void)again;
	return put(q, RECORD_BAD_RELEASE, &row, sizeof(row));
}

static bool send_fact(struct queue *q, const struct model *m, uint32_t id, bool again)
{
	struct row_fact row;

	(void)again;
	model__fact_at(m, id, &row.key, &row.value);
	return put(q, RECORD_FACT, &row, sizeof(row));
}

static uint32_t count_facts(const struct model *m)
{
	return (uint32_t)model__fact_count(m);
}

static const struct {
	uint32_t (*count)(const struct model *m);
	uint64_t (*print)(const struct model *m, uint32_t id); /* NULL: rows never change */
	bool (*send)(struct queue *q, const struct model *m, uint32_t id, bool again);
} kinds[TABLE_KINDS] = {
	[TABLE_CLASSES] = {model__class_count, print_class, send_class},
	[TABLE_OBJECTS] = {model__object_count, print_object, send_object},
	[TABLE_INSTANCES] = {model__instance_count, print_instance, send_instance},
	[TABLE_TASKS] = {model__task_count, print_task, send_task},
	[TABLE_STACKS] = {model__stack_count, NULL, send_stack},
	[TABLE_VARIABLES] = {model__variable_count, NULL, send_variable},
	[TABLE_CHAINS] = {model__chain_count, print_chain, send_chain},
	[TABLE_TASK_CHAINS] = {model__task_chain_count, print_task_chain, send_task_chain},
	[TABLE_PATH_EVENTS] = {model__path_event_count, NULL, send_path_event},
	[TABLE_DURATIONS] = {model__duration_count, print_duration, send_duration},
	[TABLE_BAD_RELEASES] = {model__bad_release_count, print_bad_release, send_bad_release},
	[TABLE_FACTS] = {count_facts, print_fact, send_fact},
};

static bool send_new_rows(struct tables *t, enum table_kind kind, const struct model *m,
			  struct queue *q)
{
	uint64_t *sent = kinds[kind].print ? &t->sent[kind].count : &t->marks[kind];
	const uint32_t count = kinds[kind].count(m);

	while (*sent < count) {
		uint32_t id = (uint32_t)*sent;

		if (kinds[kind].print && !vector_reserve(&t->sent[kind], id + 1ULL))
			return false;
		if (!kinds[kind].send(q, m, id, false))
			return false;
		if (kinds[kind].print)
			t->sent[kind].items[id] = kinds[kind].print(m, id);
		++*sent;
	}
	return true;
}

bool tables__send_new(struct tables *t, const struct model *m, struct queue *q)
{
	/* In this order, so that a file that ends early holds what its chains refer to. */
	for (int kind = 0; kind < TABLE_KINDS; kind++)
		if (!send_new_rows(t, kind, m, q))
			return false;
	return true;
}

static bool send_changed_rows(struct tables *t, enum table_kind kind, const struct model *m,
			      struct queue *q)
{
	uint64_t *prints = t->sent[kind].items;

	for (uint32_t id = 0; kinds[kind].print && id < t->sent[kind].count; id++) {
		uint64_t print = kinds[kind].print(m, id);

		if (print == prints[id])
			continue;
		if (!kinds[kind].send(q, m, id, true))
			return false;
		prints[id] = print;
	}
	return true;
}

static bool put_meta(struct queue *q, const char *key, const char *text, uint64_t number)
{
	struct row_meta row = {key, text, (int64_t)number};

	return put(q, RECORD_META, &row, sizeof(row));
}

static bool send_meta(struct tables *t, const struct model *m, struct queue *q)
{
	const struct model_clock *clock = model__clock((struct model *)m);
	uint64_t print = hash_mix(hash_mix(clock->start, clock->end),
				  hash_mix((uint64_t)clock->realtime_offset, clock->has_time));
	const char *unknown = model__losses_unknown(m);

	print = mix_pointer(hash_mix(print, model__acquisitions(m)), unknown);
	if (!t->fresh && print == t->clock)
		return true;
	if (!put_meta(q, "tool_version", VERSION, 0) ||
	    !put_meta(q, "realtime_offset", NULL, (uint64_t)clock->realtime_offset) ||
	    !put_meta(q, "start", NULL, clock->start) || !put_meta(q, "end", NULL, clock->end) ||
	    !put_meta(q, "has_time", NULL, clock->has_time) ||
	    !put_meta(q, "acquisitions", NULL, model__acquisitions(m)) ||
	    (unknown && !put_meta(q, "losses_unknown", unknown, 0)))
		return false;
	t->clock = print;
	return true;
}

static bool send_coverage(struct tables *t, const struct model *m, struct queue *q)
{
	for (int path = 0; path < PATH_COUNT; path++) {
		struct row_coverage row = {(uint32_t)path, *model__coverage(m, path)};
		uint64_t print = mix_pointer(hash_mix(row.coverage.state, row.coverage.hits),
					     row.coverage.reason);

		if (!t->fresh && print == t->coverage[path])
			continue;
		if (!put(q, RECORD_COVERAGE, &row, sizeof(row)))
			return false;
		t->coverage[path] = print;
	}
	return true;
}

static bool send_losses(struct tables *t, const struct model *m, struct queue *q)
{
	for (int reason = 0; reason < LOSS_REASONS; reason++) {
		struct row_loss row = {(uint32_t)reason, model__loss(m, reason)};

		if (!t->fresh && row.count == t->losses[reason])
			continue;
		if (!put(q, RECORD_LOSS, &row, sizeof(row)))
			return false;
		t->losses[reason] = row.count;
	}
	return true;
}

bool tables__send_changed(struct tables *t, const struct model *m, struct queue *q)
{
	for (int kind = 0; kind < TABLE_KINDS; kind++)
		if (!send_changed_rows(t, kind, m, q))
			return false;
	if (!send_meta(t, m, q) || !send_coverage(t, m, q) || !send_losses(t, m, q))
		return false;
	t->fresh = false;
	return true;
}

struct tables *tables__new(void)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (t)
		t->fresh = true;
	return t;
}

void tables__free(struct tables *t)
{
	if (!t)
		return;
	for (int kind = 0; kind < TABLE_KINDS; kind++)
		free(t->sent[kind].items);
	free(t);
}

void tables__forget(struct tables *t)
{
	for (int kind = 0; kind < TABLE_KINDS; kind++) {
		t->sent[kind].count = 0;
		t->marks[kind] = 0;
	}
	t->fresh = true;
}
