// SPDX-License-Identifier: GPL-2.0-or-later
/* The wait-for graph and the deadlocks in it, see waitfor.h. */
#include "analysis/waitfor_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct waitfor *waitfor__new(const struct model *m)
{
	struct waitfor *w = calloc(1, sizeof(*w));

	if (w)
		w->model = m;
	return w;
}

void waitfor__free(struct waitfor *w)
{
	if (!w)
		return;
	free(w->waits.items);
	free(w->owners.items);
	free(w->next_owner.items);
	idmap__release(&w->wait_of_task);
	idmap__release(&w->owner_ids);
	idmap__release(&w->first_of_lock);
	idmap__release(&w->queued_writer);
	arena__release(&w->arena);
	free(w);
}

int waitfor__add_wait(struct waitfor *w, const struct waitfor_wait *wait)
{
	uint32_t at = idmap__get(&w->wait_of_task, wait->task);

	if (wait->mode == LOCK_EXCLUSIVE &&
	    idmap__get(&w->queued_writer, wait->instance) == IDMAP_NONE &&
	    idmap__put(&w->queued_writer, wait->instance, 1))
		return -ENOMEM;
	if (at != IDMAP_NONE) { /* a task waits for one lock: the later word counts */
		w->waits.items[at] = *wait;
		return 0;
	}
	at = (uint32_t)w->waits.count;
	if (!vector_push(&w->waits, *wait) || idmap__put(&w->wait_of_task, wait->task, at))
		return -ENOMEM;
	return 0;
}

int waitfor__add_owner(struct waitfor *w, const struct waitfor_owner *owner)
{
	uint32_t first = idmap__get(&w->first_of_lock, owner->instance);
	uint64_t key = idmap_pair(owner->task, owner->instance);
	uint32_t at = idmap__get(&w->owner_ids, key);

	if (at != IDMAP_NONE) {
		w->owners.items[at].certain |= owner->certain;
		return 0;
	}
	at = (uint32_t)w->owners.count;
	if (!vector_push(&w->owners, *owner) || !vector_push(&w->next_owner, first) ||
	    idmap__put(&w->owner_ids, key, at))
		return -ENOMEM;
	if (first == IDMAP_NONE)
		return idmap__put(&w->first_of_lock, owner->instance, at) ? -ENOMEM : 0;
	idmap__set(&w->first_of_lock, owner->instance, at);
	return 0;
}

uint32_t waitfor__wait_count(const struct waitfor *w)
{
	return (uint32_t)w->waits.count;
}

const struct waitfor_wait *waitfor__wait(const struct waitfor *w, uint32_t i)
{
	return &w->waits.items[i];
}

uint32_t waitfor__owner_count(const struct waitfor *w)
{
	return (uint32_t)w->owners.count;
}

const struct waitfor_owner *waitfor__owner(const struct waitfor *w, uint32_t i)
{
	return &w->owners.items[i];
}

/* --- cycles
 * ---------------------------------------------------------------------------------------------- */

/*
 * Does the wait depend on this owner? A writer needs all readers gone; a reader that finds readers
 * waits only behind a queued writer, and then for what that writer waits for.
 */
bool waitfor__blocks(const struct waitfor *w, const struct waitfor_wait *wait,
		     const struct waitfor_owner *owner)
{
	if (wait->mode == LOCK_EXCLUSIVE || owner->mode == LOCK_EXCLUSIVE)
		return true;
	return wait->mode == LOCK_SHARED &&
	       idmap__get(&w->queued_writer, wait->instance) != IDMAP_NONE;
}

/* --- findings
 * -------------------------------------------------------------------------------------------- */

static const struct object *object_of(const struct model *m, uint32_t id)
{
	return id < model__object_count(m) ? model__object(m, id) : NULL;
}

/* VM and device that hang with a task: from its own process, else from the locks it is stuck with.
 */
static void find_victims(const struct waitfor *w, struct blocked_task *t)
{
	const struct model *m = w->model;
	uint32_t locks[1 + sizeof(t->holds) / sizeof(*t->holds)] = {t->wants};
	uint32_t vm = model__task(m, t->task)->vm;

	t->vm = vm < model__object_count(m) ? vm : NO_ID;
	t->device = NO_ID;
	memcpy(locks + 1, t->holds, t->hold_count * sizeof(*locks));
	for (uint32_t i = 0; i <= t->hold_count; i++) {
		uint32_t id = model__instance(m, locks[i])->object;
		const struct object *o = object_of(m, id);

		if (o && o->kind == OBJECT_KVM_VFIO_DEVICE)
			o = object_of(m, id = o->parent);
		if (o && o->kind == OBJECT_VM && t->vm == NO_ID)
			t->vm = id;
		else if (o && (o->kind == OBJECT_DEVICE || o->kind == OBJECT_GROUP) &&
			 t->device == NO_ID)
			t->device = id;
	}
}

/* Findings being made. */
struct maker {
	struct waitfor *w;
	bool hints; /* these cycles run over the last reader's name, which proves nothing */
	struct finding_list *out;
	uint64_t now;
	struct idmap first_of_task;    /* task -> its first owner */
	VECTOR(uint32_t) next_of_task; /* per owner: next one of the same task */
	int added;
};

static bool index_tasks(struct maker *k)
{
	const struct waitfor *w = k->w;

	if (!vector_reserve(&k->next_of_task, w->owners.count))
		return false;
	for (uint32_t i = (uint32_t)w->owners.count; i-- > 0;) {
		uint32_t task = w->owners.items[i].task, next;

		next = idmap__get(&k->first_of_task, task);
		k->next_of_task.items[i] = next;
		if (next != IDMAP_NONE)
			idmap__set(&k->first_of_task, task, i);
		else if (idmap__put(&k->first_of_task, task, i))
			return false;
	}
	return true;
}

/* `held`: the owner that keeps the task before it waiting. */
static void fill_task(const struct maker *k, struct blocked_task *t, uint32_t wait_id,
		      uint32_t held)
{
	const struct waitfor *w = k->w;
	const struct waitfor_wait *wait = &w->waits.items[wait_id];

	*t = (struct blocked_task){
		.task = wait->task,
		.wants = wait->instance,
		.wants_mode = wait->mode,
		.breakable = wait->breakable,
		.state = wait->state,
		.since = wait->since,
		.kernel_stack = wait->kernel_stack,
		.user_stack = wait->user_stack,
	};
	t->holds[t->hold_count++] = w->owners.items[held].instance;
	for (uint32_t i = idmap__get(&k->first_of_task, t->task); i != IDMAP_NONE;
	     i = k->next_of_task.items[i]) {
		const struct waitfor_owner *o = &w->owners.items[i];

		if (t->hold_count == sizeof(t->holds) / sizeof(*t->holds))
			break;
		if (o->certain && o->instance != t->holds[0])
			t->holds[t->hold_count++] = o->instance;
	}
	find_victims(w, t);
}

static char *make_key(struct waitfor *w, const struct finding *f)
{
	size_t size = 16, used;
	char *key;

	for (uint32_t i = 0; i < f->length; i++)
		size += strlen(model__lock_class(w->model, f->classes[i])->name) + 48;
	key = arena__alloc(&w->arena, size, 1);
	if (!key)
		return NULL;
	used = (size_t)snprintf(key, size, "deadlock");
	for (uint32_t i = 0; i < f->length; i++) {
		const struct task *t = model__task(w->model, f->tasks[i].task);

		used += (size_t)snprintf(key + used, size - used, "|%u:%s:%u", t->tid,
					 model__lock_class(w->model, f->classes[i])->name,
					 f->modes[i]);
	}
	return key;
}

static struct finding *make_finding(const struct maker *k, const struct waitfor_step *cycle,
				    uint32_t count)
{
	struct waitfor *w = k->w;
	struct finding *f = arena__alloc(&w->arena, sizeof(*f), _Alignof(struct finding));
	struct blocked_task *tasks =
		arena__alloc(&w->arena, count * sizeof(*tasks), _Alignof(struct blocked_task));
	uint32_t *classes = arena__alloc(&w->arena, count * sizeof(*classes), _Alignof(uint32_t));
	uint8_t *modes = arena__alloc(&w->arena, count, 1);

	if (!f || !tasks || !classes || !modes)
		return NULL;
	*f = (struct finding){
		.kind = FINDING_DEADLOCK,
		.code = k->hints ? CODE_POSSIBLE_DEADLOCK : CODE_DEADLOCK,
		.grade = k->hints ? GRADE_WARNING : GRADE_CRITICAL,
		.length = count,
		.classes = classes,
		.modes = modes,
		.tasks = tasks,
		.task_count = count,
		.first = k->now,
		.last = k->now,
		.count = 1,
	};
	for (uint32_t i = 0; i < count; i++) {
		uint32_t held = cycle[(i + count - 1) % count].owner;

		fill_task(k, &tasks[i], cycle[i].wait, held);
		classes[i] = model__instance(w->model, tasks[i].holds[0])->lock_class;
		modes[i] = w->owners.items[held].mode;
		f->breakable |= tasks[i].breakable != WAIT_UNINTERRUPTIBLE;
	}
	f->key = make_key(w, f);
	return f->key ? f : NULL;
}

static int add_finding(struct finding_list *out, struct finding *f)
{
	if (out->count == out->capacity) {
		uint32_t capacity = out->capacity ? out->capacity * 2 : 4;
		struct finding **more = realloc(out->items, capacity * sizeof(*more));

		if (!more)
			return -ENOMEM;
		out->items = more;
		out->capacity = capacity;
	}
	out->items[out->count++] = f;
	return 0;
}

static int on_cycle(void *context, const struct waitfor_step *cycle, uint32_t count)
{
	struct maker *k = context;
	struct finding *f = make_finding(k, cycle, count);

	if (!f || add_finding(k->out, f))
		return -ENOMEM;
	k->added++;
	return 0;
}

static int find_cycles(struct waitfor *w, bool hints, struct finding_list *out, uint64_t now)
{
	/* findings live in its arena */
	struct maker k = {.w = w, .hints = hints, .out = out, .now = now};
	bool limited = false;
	int error = -ENOMEM;

	if (index_tasks(&k))
		error = waitfor__each_cycle(w, hints, on_cycle, &k, &limited);
	out->search_limited |= limited;
	idmap__release(&k.first_of_task);
	free(k.next_of_task.items);
	return error ? error : k.added;
}

int waitfor__find_deadlocks(const struct waitfor *w, struct finding_list *out, uint64_t now)
{
	return find_cycles((struct waitfor *)w, false, out, now);
}

int waitfor__find_possible(const struct waitfor *w, struct finding_list *out, uint64_t now)
{
	return find_cycles((struct waitfor *)w, true, out, now);
}
