/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two models compared table by table: whether a file gives back what was written. */
#ifndef VFIOTRACE_TEST_STORE_COMPARE_H
#define VFIOTRACE_TEST_STORE_COMPARE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "finding.h"
#include "model.h"

static inline void same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static inline void same_entities(const struct model *a, const struct model *b)
{
	assert_int_equal(model__class_count(a), model__class_count(b));
	for (uint32_t i = 0; i < model__class_count(a); i++) {
		same_text(model__lock_class(a, i)->name, model__lock_class(b, i)->name);
		assert_int_equal(model__lock_class(a, i)->kind, model__lock_class(b, i)->kind);
		assert_int_equal(model__lock_class(a, i)->flags, model__lock_class(b, i)->flags);
	}
	assert_int_equal(model__object_count(a), model__object_count(b));
	for (uint32_t i = 0; i < model__object_count(a); i++) {
		const struct object *x = model__object(a, i), *y = model__object(b, i);

		assert_int_equal(x->kind, y->kind);
		assert_int_equal(x->parent, y->parent);
		assert_int_equal(x->pid, y->pid);
		assert_int_equal(x->number, y->number);
		assert_int_equal(x->address, y->address);
		same_text(x->name, y->name);
		same_text(x->detail, y->detail);
	}
	assert_int_equal(model__instance_count(a), model__instance_count(b));
	for (uint32_t i = 0; i < model__instance_count(a); i++) {
		const struct lock_instance *x = model__instance(a, i), *y = model__instance(b, i);

		assert_int_equal(x->lock_class, y->lock_class);
		assert_int_equal(x->generation, y->generation);
		assert_int_equal(x->address, y->address);
		assert_int_equal(x->object, y->object);
		assert_int_equal(x->flags, y->flags);
		same_text(x->name, y->name);
	}
	assert_int_equal(model__task_count(a), model__task_count(b));
	for (uint32_t i = 0; i < model__task_count(a); i++) {
		const struct task *x = model__task(a, i), *y = model__task(b, i);

		assert_int_equal(x->pid, y->pid);
		assert_int_equal(x->tid, y->tid);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->vm, y->vm);
		assert_int_equal(x->start_time, y->start_time);
		same_text(x->comm, y->comm);
	}
	assert_int_equal(model__stack_count(a), model__stack_count(b));
	for (uint32_t i = 0; i < model__stack_count(a); i++) {
		struct stack x = model__stack(a, i), y = model__stack(b, i);

		assert_int_equal(x.kind, y.kind);
		assert_int_equal(x.frame_count, y.frame_count);
		for (uint32_t k = 0; k < x.frame_count; k++) {
			assert_int_equal(x.frames[k].ip, y.frames[k].ip);
			assert_int_equal(x.frames[k].offset, y.frames[k].offset);
			assert_int_equal(x.frames[k].line, y.frames[k].line);
			same_text(x.frames[k].symbol, y.frames[k].symbol);
			same_text(x.frames[k].module, y.frames[k].module);
			same_text(x.frames[k].file, y.frames[k].file);
		}
	}
	assert_int_equal(model__variable_count(a), model__variable_count(b));
	for (uint32_t i = 0; i < model__variable_count(a); i++)
		same_text(model__variable(a, i), model__variable(b, i));
}

static inline void same_held(const struct held_lock *x, const struct held_lock *y)
{
	assert_int_equal(x->instance, y->instance);
	assert_int_equal(x->stack, y->stack);
	assert_int_equal(x->mode, y->mode);
	assert_int_equal(x->flags, y->flags);
	assert_int_equal(x->subclass, y->subclass);
}

static inline void same_order(const struct model *a, const struct model *b)
{
	assert_int_equal(model__chain_count(a), model__chain_count(b));
	for (uint32_t i = 0; i < model__chain_count(a); i++) {
		const struct chain *x = model__chain(a, i), *y = model__chain(b, i);

		assert_int_equal(x->held_count, y->held_count);
		for (uint32_t k = 0; k < x->held_count; k++)
			same_held(&x->held[k], &y->held[k]);
		same_held(&x->wanted, &y->wanted);
		assert_int_equal(x->path, y->path);
		assert_int_equal(x->first_task, y->first_task);
		assert_int_equal(x->last_task, y->last_task);
		assert_int_equal(x->task_count, y->task_count);
		assert_int_equal(x->count, y->count);
		assert_int_equal(x->first, y->first);
		assert_int_equal(x->last, y->last);
	}
	assert_int_equal(model__task_chain_count(a), model__task_chain_count(b));
	for (uint32_t i = 0; i < model__task_chain_count(a); i++)
		assert_memory_equal(model__task_chain(a, i), model__task_chain(b, i),
				    sizeof(struct task_chain));
	assert_int_equal(model__dependency_count(a), model__dependency_count(b));
	for (uint32_t i = 0; i < model__dependency_count(a); i++) {
		const struct dependency *x = model__dependency(a, i), *y = model__dependency(b, i);

		assert_int_equal(x->from, y->from);
		assert_int_equal(x->to, y->to);
		assert_int_equal(x->from_mode, y->from_mode);
		assert_int_equal(x->to_mode, y->to_mode);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->subclasses, y->subclasses);
		assert_int_equal(x->class_edge, y->class_edge);
		assert_int_equal(x->first_chain, y->first_chain);
		assert_int_equal(x->last_chain, y->last_chain);
		assert_int_equal(x->chain_count, y->chain_count);
		assert_int_equal(x->count, y->count);
		assert_int_equal(x->first, y->first);
		assert_int_equal(x->last, y->last);
	}
	assert_int_equal(model__class_edge_count(a), model__class_edge_count(b));
	for (uint32_t i = 0; i < model__class_edge_count(a); i++) {
		const struct class_edge *x = model__class_edge(a, i), *y = model__class_edge(b, i);

		assert_int_equal(x->from, y->from);
		assert_int_equal(x->to, y->to);
		assert_int_equal(x->modes, y->modes);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->dependency_count, y->dependency_count);
		assert_int_equal(x->first_dependency, y->first_dependency);
		assert_int_equal(x->count, y->count);
		assert_int_equal(x->first, y->first);
		assert_int_equal(x->last, y->last);
	}
}

static inline void same_happenings(const struct model *a, const struct model *b)
{
	assert_int_equal(model__duration_count(a), model__duration_count(b));
	for (uint32_t i = 0; i < model__duration_count(a); i++) {
		const struct duration_row *x = model__duration(a, i), *y = model__duration(b, i);

		assert_int_equal(x->instance, y->instance);
		assert_int_equal(x->stack, y->stack);
		assert_int_equal(x->vm, y->vm);
		assert_int_equal(x->is_hold, y->is_hold);
		assert_memory_equal(&x->time, &y->time, sizeof(x->time));
	}
	assert_int_equal(model__path_event_count(a), model__path_event_count(b));
	for (uint32_t i = 0; i < model__path_event_count(a); i++) {
		const struct path_event *x = model__path_event(a, i), *y = model__path_event(b, i);

		assert_int_equal(x->path, y->path);
		assert_int_equal(x->task, y->task);
		assert_int_equal(x->time, y->time);
		assert_int_equal(x->count, y->count);
		assert_int_equal(x->device, y->device);
		assert_int_equal(x->group, y->group);
		assert_int_equal(x->vm, y->vm);
		assert_int_equal(x->result, y->result);
		assert_int_equal(x->how, y->how);
		assert_int_equal(x->kvm_returned, y->kvm_returned);
		assert_int_equal(x->kvm_ref_lock, y->kvm_ref_lock);
	}
	for (int i = 0; i < PATH_COUNT; i++) {
		const struct coverage *x = model__coverage(a, i), *y = model__coverage(b, i);

		assert_int_equal(x->state, y->state);
		assert_int_equal(x->hits, y->hits);
		same_text(x->probe, y->probe);
		same_text(x->reason, y->reason);
	}
	for (int i = 0; i < LOSS_REASONS; i++)
		assert_int_equal(model__loss(a, i), model__loss(b, i));
	same_text(model__losses_unknown(a), model__losses_unknown(b));
	assert_int_equal(model__acquisitions(a), model__acquisitions(b));
	assert_int_equal(model__bad_release_count(a), model__bad_release_count(b));
	for (uint32_t i = 0; i < model__bad_release_count(a); i++) {
		const struct bad_release *x = model__bad_release(a, i),
					 *y = model__bad_release(b, i);

		assert_int_equal(x->task, y->task);
		assert_int_equal(x->instance, y->instance);
		assert_int_equal(x->count, y->count);
		assert_int_equal(x->first, y->first);
		assert_int_equal(x->last, y->last);
	}
	assert_int_equal(model__event_count(a), model__event_count(b));
	for (uint64_t i = 0; i < model__event_count(a); i++) {
		assert_memory_equal(&model__events(a)[i], &model__events(b)[i],
				    sizeof(struct trace_event));
		assert_int_equal(model__event_chain(a, i), model__event_chain(b, i));
	}
}

static inline void same_facts(const struct model *a, const struct model *b)
{
	struct model_clock *x = model__clock((struct model *)a),
			   *y = model__clock((struct model *)b);
	const char *key, *value;

	for (size_t i = 0; i < model__fact_count(a); i++) {
		model__fact_at(a, i, &key, &value);
		same_text(value, model__fact(b, key));
	}
	assert_int_equal(x->realtime_offset, y->realtime_offset);
	assert_int_equal(x->start, y->start);
	assert_int_equal(x->end, y->end);
	assert_int_equal(x->has_time, y->has_time);
}

static inline void same_model(const struct model *a, const struct model *b)
{
	same_entities(a, b);
	same_order(a, b);
	same_happenings(a, b);
	same_facts(a, b);
}

static inline void same_finding(const struct finding *x, const struct finding *y)
{
	assert_int_equal(x->kind, y->kind);
	assert_int_equal(x->code, y->code);
	assert_int_equal(x->grade, y->grade);
	same_text(x->key, y->key);
	assert_int_equal(x->length, y->length);
	for (uint32_t i = 0; i < x->length; i++) {
		assert_int_equal(x->classes[i], y->classes[i]);
		assert_int_equal(x->modes[i], y->modes[i]);
		assert_memory_equal(&x->witnesses[i], &y->witnesses[i], sizeof(struct witness));
	}
	assert_int_equal(x->guard_count, y->guard_count);
	for (uint32_t i = 0; i < x->guard_count; i++)
		assert_int_equal(x->guards[i], y->guards[i]);
	assert_int_equal(x->task_count, y->task_count);
	for (uint32_t i = 0; i < x->task_count; i++) {
		const struct blocked_task *s = &x->tasks[i], *t = &y->tasks[i];

		assert_int_equal(s->task, t->task);
		assert_int_equal(s->wants, t->wants);
		assert_int_equal(s->wants_mode, t->wants_mode);
		assert_int_equal(s->breakable, t->breakable);
		assert_int_equal(s->state, t->state);
		assert_int_equal(s->since, t->since);
		assert_int_equal(s->kernel_stack, t->kernel_stack);
		assert_int_equal(s->user_stack, t->user_stack);
		assert_int_equal(s->vm, t->vm);
		assert_int_equal(s->device, t->device);
		assert_int_equal(s->hold_count, t->hold_count);
		for (uint32_t k = 0; k < s->hold_count; k++)
			assert_int_equal(s->holds[k], t->holds[k]);
	}
	assert_int_equal(x->schedule_count, y->schedule_count);
	for (uint32_t i = 0; i < x->schedule_count; i++)
		same_text(x->schedule[i], y->schedule[i]);
	assert_int_equal(x->known_count, y->known_count);
	for (uint32_t i = 0; i < x->known_count; i++) {
		same_text(x->known[i].commit, y->known[i].commit);
		same_text(x->known[i].state, y->known[i].state);
	}
	same_text(x->note, y->note);
	same_text(x->prediction_note, y->prediction_note);
	same_text(x->ordered_by, y->ordered_by);
	same_text(x->rule, y->rule);
	same_text(x->suppressed, y->suppressed);
	assert_int_equal(x->same_thread, y->same_thread);
	assert_int_equal(x->breakable, y->breakable);
	assert_int_equal(x->resolved, y->resolved);
	assert_int_equal(x->prediction, y->prediction);
	assert_int_equal(x->first, y->first);
	assert_int_equal(x->last, y->last);
	assert_int_equal(x->count, y->count);
}

#endif
