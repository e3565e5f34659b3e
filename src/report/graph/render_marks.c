// SPDX-License-Identifier: GPL-2.0-or-later
/* Which edges and classes belong to a cycle, and which objects a witness is about. */
#include <stdlib.h>

#include "report/graph/render.h"

static void raise(uint8_t *mark, enum finding_grade grade)
{
	if (*mark < 1 + grade)
		*mark = (uint8_t)(1 + grade);
}

static void mark_finding(struct marks *marks, const struct model *m, const struct finding *f)
{
	for (uint32_t i = 0; i < f->length; i++) {
		uint32_t edge = f->witnesses ? f->witnesses[i].class_edge : NO_ID;

		if (edge >= marks->edge_count)
			edge = model__find_edge(m, f->classes[i], f->classes[(i + 1) % f->length]);
		if (edge < marks->edge_count)
			raise(&marks->edges[edge], f->grade);
		if (f->classes[i] < model__class_count(m))
			raise(&marks->classes[f->classes[i]], f->grade);
	}
}

int marks__init(struct marks *marks, const struct report_input *input)
{
	marks->edge_count = model__class_edge_count(input->model);
	marks->edges = calloc(marks->edge_count + 1, 1);
	marks->classes = calloc(model__class_count(input->model) + 1, 1);
	if (!marks->edges || !marks->classes) {
		marks__release(marks);
		return -1;
	}
	for (uint32_t i = 0; input->findings && i < input->findings->count; i++) {
		const struct finding *f = input->findings->items[i];

		if (!f->suppressed && f->classes)
			mark_finding(marks, input->model, f);
	}
	return 0;
}

void marks__release(struct marks *marks)
{
	free(marks->edges);
	free(marks->classes);
	marks->edges = NULL;
	marks->classes = NULL;
}

static void note_object(const struct model *m, struct witness_objects *objects, uint32_t object)
{
	for (int depth = 0; object < model__object_count(m) && depth < 4; depth++) {
		const struct object *o = model__object(m, object);

		if (o->kind == OBJECT_VM)
			objects->vm = object;
		else if (o->kind == OBJECT_GROUP)
			objects->group = object;
		else if (o->kind == OBJECT_DEVICE)
			objects->device = object;
		object = o->parent;
	}
}

/* The device of a group, when it has exactly one. */
static uint32_t only_device(const struct model *m, uint32_t group)
{
	uint32_t found = NO_ID;

	for (uint32_t i = 0; group != NO_ID && i < model__object_count(m); i++) {
		const struct object *o = model__object(m, i);

		if (o->kind != OBJECT_DEVICE || o->parent != group)
			continue;
		if (found != NO_ID)
			return NO_ID;
		found = i;
	}
	return found;
}

static void note_chain(const struct model *m, struct witness_objects *objects,
		       const struct chain *c)
{
	for (uint32_t i = 0; i <= c->held_count; i++) {
		const struct held_lock *lock = i < c->held_count ? &c->held[i] : &c->wanted;

		if (lock->instance < model__instance_count(m))
			note_object(m, objects, model__instance(m, lock->instance)->object);
	}
}

struct witness_objects render_witness_objects(const struct model *m, const struct witness *witness)
{
	struct witness_objects objects = {NO_ID, NO_ID, NO_ID};

	if (witness->chain < model__chain_count(m))
		note_chain(m, &objects, model__chain(m, witness->chain));
	if (witness->task < model__task_count(m)) {
		uint32_t vm = model__task(m, witness->task)->vm;

		if (objects.vm == NO_ID && vm < model__object_count(m))
			objects.vm = vm;
		for (uint32_t i = 0; i < model__path_event_count(m) && objects.device == NO_ID;
		     i++) {
			const struct path_event *e = model__path_event(m, i);

			if (e->task == witness->task && e->device != NO_ID)
				note_object(m, &objects, e->device);
		}
	}
	if (objects.device == NO_ID)
		objects.device = only_device(m, objects.group);
	return objects;
}
