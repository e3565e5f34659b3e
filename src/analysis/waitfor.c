// SPDX-License-Identifier: GPL-2.0-or-later
/* The wait-for graph and the deadlocks in it, see waitfor.h. */
#include "waitfor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/idmap.h"
#include "util/memory.h"

#define MAX_CYCLE 256 /* tasks on one deadlock; longer ones exist on paper only */

/* Task waits for something that `to` has to give up. Edges of one task lie together. */
struct edge {
	uint32_t from, to;
	uint32_t wait, owner; /* indexes: why */
};

struct waitfor {
	const struct model *model;
	VECTOR(struct waitfor_wait) waits;
	VECTOR(struct waitfor_owner) owners;
	struct idmap wait_of_task;   /* task -> index into waits */
	struct idmap first_of_lock;  /* instance -> first owner */
	VECTOR(uint32_t) next_owner; /* per owner: next one of the same lock */
	struct idmap queued_writer;  /* instance: some exclusive wait */
	struct arena arena;	     /* findings */
};

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
	uint32_t at = (uint32_t)w->owners.count;

	for (uint32_t i = first; i != IDMAP_NONE; i = w->next_owner.items[i])
		if (w->owners.items[i].task == owner->task) {
			w->owners.items[i].certain |= owner->certain;
			return 0;
		}
	if (!vector_push(&w->owners, *owner) || !vector_push(&w->next_owner, first))
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
 * waits only behind a queued writer, and then for what that writer waits for. An owner that is only
 * the last reader's name proves nothing.
 */
static bool blocks(const struct waitfor *w, const struct waitfor_wait *wait,
		   const struct waitfor_owner *owner)
{
	if (!owner->certain)
		return false;
	if (wait->mode == LOCK_EXCLUSIVE || owner->mode == LOCK_EXCLUSIVE)
		return true;
	return wait->mode == LOCK_SHARED &&
	       idmap__get(&w->queued_writer, wait->instance) != IDMAP_NONE;
}

struct search {
	VECTOR(struct edge) edges;
	uint32_t *first_edge; /* per wait; [waits] is the end */
	uint32_t *from_edge;  /* breadth first: how a wait's task was reached */
	uint32_t *queue;
	struct idmap seen; /* keys of cycles already reported */
};

static bool make_edges(struct waitfor *w, struct search *s)
{
	for (uint32_t i = 0; i < w->waits.count; i++) {
		const struct waitfor_wait *wait = &w->waits.items[i];
		uint32_t o = idmap__get(&w->first_of_lock, wait->instance);

		s->first_edge[i] = (uint32_t)s->edges.count;
		for (; o != IDMAP_NONE; o = w->next_owner.items[o]) {
			const struct waitfor_owner *owner = &w->owners.items[o];
			uint32_t to = idmap__get(&w->wait_of_task, owner->task);

			if (to == IDMAP_NONE || !blocks(w, wait, owner))
				continue;
			if (!vector_push(&s->edges, (struct edge){i, to, i, o}))
				return false;
		}
	}
	s->first_edge[w->waits.count] = (uint32_t)s->edges.count;
	return true;
}

/* Shortest way from the task behind `start` back over it: edges in order, `start` first. */
static uint32_t shortest_cycle(struct waitfor *w, struct search *s, uint32_t start, uint32_t *out)
{
	uint32_t goal = s->edges.items[start].from, head = 0, tail = 0, count = 0;
	uint32_t reached = s->edges.items[start].to;

	memset(s->from_edge, 0xff, w->waits.count * sizeof(*s->from_edge));
	s->queue[tail++] = reached;
	s->from_edge[reached] = start;
	while (head < tail && reached != goal) {
		uint32_t at = s->queue[head++];

		for (uint32_t e = s->first_edge[at]; e < s->first_edge[at + 1]; e++) {
			uint32_t to = s->edges.items[e].to;

			if (s->from_edge[to] != UINT32_MAX)
				continue;
			s->from_edge[to] = e;
			s->queue[tail++] = to;
			if (to == goal)
				reached = goal;
		}
	}
	if (reached != goal)
		return 0;
	for (uint32_t at = goal;; at = s->edges.items[s->from_edge[at]].from) {
		if (count == MAX_CYCLE)
			return 0;
		out[count++] = s->from_edge[at];
		if (s->from_edge[at] == start)
			break;
	}
	for (uint32_t i = 0; i < count / 2; i++) {
		uint32_t swap = out[i];

		out[i] = out[count - 1 - i];
		out[count - 1 - i] = swap;
	}
	return count;
}

/* Canonical by task: the smallest task id comes first. */
static void rotate(const struct waitfor *w, const struct search *s, uint32_t *cycle, uint32_t count)
{
	uint32_t copy[MAX_CYCLE], best = 0;

	memcpy(copy, cycle, count * sizeof(*cycle));
	for (uint32_t i = 1; i < count; i++)
		if (w->waits.items[s->edges.items[copy[i]].wait].task <
		    w->waits.items[s->edges.items[copy[best]].wait].task)
			best = i;
	for (uint32_t i = 0; i < count; i++)
		cycle[i] = copy[(best + i) % count];
}

/* --- findings
 * -------------------------------------------------------------------------------------------- */

static const struct object *object_of(const struct model *m, uint32_t id)
{
	return id < model__object_count(m) ? model__object(m, id) : NULL;
}

/* VM and device that hang with a task: from its own process, else from the locks it is stuck with.
 */
static void find_victims(const struct waitfor *w, struct deadlock_task *t)
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

static void fill_task(const struct waitfor *w, const struct search *s, struct deadlock_task *t,
		      uint32_t edge, uint32_t previous)
{
	const struct waitfor_wait *wait = &w->waits.items[s->edges.items[edge].wait];

	*t = (struct deadlock_task){
		.task = wait->task,
		.wants = wait->instance,
		.wants_mode = wait->mode,
		.breakable = wait->breakable,
		.state = wait->state,
		.since = wait->since,
		.kernel_stack = wait->kernel_stack,
		.user_stack = wait->user_stack,
	};
	t->holds[t->hold_count++] = w->owners.items[s->edges.items[previous].owner].instance;
	for (uint32_t i = 0; i < w->owners.count; i++) {
		const struct waitfor_owner *o = &w->owners.items[i];

		if (o->task == t->task && o->certain && o->instance != t->holds[0] &&
		    t->hold_count < sizeof(t->holds) / sizeof(*t->holds))
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

static struct finding *make_finding(struct waitfor *w, const struct search *s,
				    const uint32_t *cycle, uint32_t count, uint64_t now)
{
	struct finding *f = arena__alloc(&w->arena, sizeof(*f), _Alignof(struct finding));
	struct deadlock_task *tasks =
		arena__alloc(&w->arena, count * sizeof(*tasks), _Alignof(struct deadlock_task));
	uint32_t *classes = arena__alloc(&w->arena, count * sizeof(*classes), _Alignof(uint32_t));
	uint8_t *modes = arena__alloc(&w->arena, count, 1);

	if (!f || !tasks || !classes || !modes)
		return NULL;
	*f = (struct finding){
		.kind = FINDING_DEADLOCK,
		.code = CODE_DEADLOCK,
		.grade = GRADE_CRITICAL,
		.length = count,
		.classes = classes,
		.modes = modes,
		.tasks = tasks,
		.task_count = count,
		.first = now,
		.last = now,
		.count = 1,
	};
	for (uint32_t i = 0; i < count; i++) {
		uint32_t previous = cycle[(i + count - 1) % count];

		fill_task(w, s, &tasks[i], cycle[i], previous);
		classes[i] = model__instance(w->model, tasks[i].holds[0])->lock_class;
		modes[i] = w->owners.items[s->edges.items[previous].owner].mode;
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

static int report_cycle(struct waitfor *w, struct search *s, uint32_t edge,
			struct finding_list *out, uint64_t now)
{
	uint32_t cycle[MAX_CYCLE], count = shortest_cycle(w, s, edge, cycle);
	struct finding *f;
	uint64_t hash;

	if (!count)
		return 0;
	rotate(w, s, cycle, count);
	hash = hash_bytes(cycle, count * sizeof(*cycle));
	if (idmap__get(&s->seen, hash) != IDMAP_NONE)
		return 0;
	if (idmap__put(&s->seen, hash, 1))
		return -ENOMEM;
	f = make_finding(w, s, cycle, count, now);
	return f && !add_finding(out, f) ? 1 : -ENOMEM;
}

int waitfor__find_deadlocks(const struct waitfor *waitfor, struct finding_list *out, uint64_t now)
{
	struct waitfor *w = (struct waitfor *)waitfor; /* findings live in its arena */
	size_t n = w->waits.count + 1;
	struct search s = {
		.first_edge = calloc(n, sizeof(uint32_t)),
		.from_edge = calloc(n, sizeof(uint32_t)),
		.queue = calloc(n, sizeof(uint32_t)),
	};
	int added = 0;

	if (!s.first_edge || !s.from_edge || !s.queue || !make_edges(w, &s))
		added = -ENOMEM;
	for (uint32_t e = 0; e < s.edges.count && added >= 0; e++) {
		int one = report_cycle(w, &s, e, out, now);

		added = one < 0 ? one : added + one;
	}
	free(s.edges.items);
	free(s.first_edge);
	free(s.from_edge);
	free(s.queue);
	idmap__release(&s.seen);
	return added;
}
