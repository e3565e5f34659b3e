// SPDX-License-Identifier: GPL-2.0-or-later
/* Per table of a recording: how many rows there are, what may change in one, how to send it. */
#include <stdlib.h>

#include "store/redact.h"
#include "store/tables_rows.h"
#include "util/idmap.h"

#define MAX_FRAMES 1000 /* of one stack; imported ones may have any number */

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

static bool put(struct queue *q, enum row_type type, const void *row, size_t size)
{
	return queue__put(q, type, row, size, NULL, 0, false);
}

static bool send_class(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	struct row_class row = {id, *model__lock_class(m, id)};

	(void)again;
	row.lock_class.name =
		redact_class(to->redactor, row.lock_class.name, &row.lock_class.flags);
	return put(to->queue, ROW_CLASS, &row, sizeof(row));
}

static bool send_object(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	struct row_object row = {id, *model__object(m, id)};

	(void)again;
	row.object.name = redact_object_name(to->redactor, row.object.kind, row.object.name);
	row.object.detail = redact_object_detail(to->redactor, row.object.kind, row.object.detail);
	row.object.address = redact_address(to->redactor, row.object.address);
	return put(to->queue, ROW_OBJECT, &row, sizeof(row));
}

static bool send_instance(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	struct row_instance row = {id, *model__instance(m, id)};

	(void)again;
	row.instance.address = redact_address(to->redactor, row.instance.address);
	row.instance.name = redact_instance_name(to->redactor, m, &row.instance);
	return put(to->queue, ROW_INSTANCE, &row, sizeof(row));
}

static bool send_task(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	struct row_task row = {id, *model__task(m, id)};

	(void)again;
	row.task.comm = redact_comm(to->redactor, row.task.comm);
	return put(to->queue, ROW_TASK, &row, sizeof(row));
}

static bool send_stack(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	struct stack stack = model__stack(m, id);
	uint32_t count = stack.frame_count < MAX_FRAMES ? stack.frame_count : MAX_FRAMES;
	struct row_stack row = {id, stack.kind, count, 0};
	struct frame *frames = NULL;
	bool done;

	(void)again;
	if (to->redactor) {
		frames = redact_frames(to->redactor, (uint8_t)stack.kind, stack.frames, count);
		if (!frames)
			return false;
	}
	done = queue__put(to->queue, ROW_STACK, &row, sizeof(row), frames ? frames : stack.frames,
			  count * sizeof(*stack.frames), false);
	free(frames);
	return done;
}

static bool send_variable(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	struct row_variable row = {id, redact_variable(to->redactor, model__variable(m, id))};

	(void)again;
	return put(to->queue, ROW_VARIABLE, &row, sizeof(row));
}

static bool send_chain(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	const struct chain *chain = model__chain(m, id);
	struct row_chain row = {id, *chain};

	if (again)
		return put(to->queue, ROW_CHAIN_COUNT, &row, sizeof(row));
	return queue__put(to->queue, ROW_CHAIN, &row, sizeof(row), chain->held,
			  chain->held_count * sizeof(*chain->held), false);
}

static bool send_task_chain(const struct sending *to, const struct model *m, uint32_t id,
			    bool again)
{
	struct row_task_chain row = {id, *model__task_chain(m, id)};

	(void)again;
	return put(to->queue, ROW_TASK_CHAIN, &row, sizeof(row));
}

static bool send_path_event(const struct sending *to, const struct model *m, uint32_t id,
			    bool again)
{
	struct row_path row = {id, *model__path_event(m, id)};

	(void)again;
	return put(to->queue, ROW_PATH, &row, sizeof(row));
}

static bool send_duration(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	struct row_duration row = {id, *model__duration(m, id)};

	(void)again;
	return put(to->queue, ROW_DURATION, &row, sizeof(row));
}

static bool send_bad_release(const struct sending *to, const struct model *m, uint32_t id,
			     bool again)
{
	struct row_bad_release row = {id, *model__bad_release(m, id)};

	(void)again;
	return put(to->queue, ROW_BAD_RELEASE, &row, sizeof(row));
}

static bool send_fact(const struct sending *to, const struct model *m, uint32_t id, bool again)
{
	struct row_fact row;

	(void)again;
	model__fact_at(m, id, &row.key, &row.value);
	row.value = redact_fact(to->redactor, row.key, row.value);
	if (!row.value)
		return true;
	return put(to->queue, ROW_FACT, &row, sizeof(row));
}

static uint32_t count_facts(const struct model *m)
{
	return (uint32_t)model__fact_count(m);
}

const struct table_row table_rows[TABLE_KINDS] = {
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
