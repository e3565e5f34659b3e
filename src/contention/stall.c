// SPDX-License-Identifier: GPL-2.0-or-later
/* --stall: waits that are long but no deadlock, once each, with what the owner does meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contention/contention_private.h"
#include "util/clock.h"

static bool is_new(struct contention *c, const struct contention_note *note)
{
	struct stall_key key = {note->task, note->since};
	struct reported_stall *s;

	HASH_FIND(hh, c->stalls, &key, sizeof(key), s);
	if (s) {
		s->seen = true;
		return false;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return false;
	s->key = key;
	s->seen = true;
	HASH_ADD(hh, c->stalls, key, sizeof(s->key), s);
	return true;
}

/* Waits that ended need not be remembered. */
static void drop_unseen(struct contention *c)
{
	struct reported_stall *s, *next;

	HASH_ITER(hh, c->stalls, s, next) {
		if (!s->seen) {
			HASH_DEL(c->stalls, s);
			free(s);
			continue;
		}
		s->seen = false;
	}
}

/* "running", "sleeping in FUNCTION", "waiting for I/O", "waiting for CLASS itself" */
static const char *doing(struct census_run *r, const struct census_task *owner, char *out,
			 size_t size)
{
	struct kernel_symbol symbol;

	if (!owner->record.state)
		return owner->record.on_cpu ? "running" : "ready to run";
	for (uint32_t i = 0; i < owner->frame_count; i++) {
		if (!kernel__resolve(r->kernel, owner->frames[i], &symbol, NULL))
			continue;
		if (!strncmp(symbol.name, "io_schedule", 11) || strstr(symbol.name, "_wait_io"))
			return "waiting for I/O";
	}
	for (uint32_t i = 0; i < owner->frame_count; i++) {
		if (!kernel__resolve(r->kernel, owner->frames[i], &symbol, NULL))
			continue;
		snprintf(out, size, "%s in %s",
			 owner->is_waiter ? "waiting for another lock" : "sleeping", symbol.name);
		return model__intern(r->model, out);
	}
	return "sleeping";
}

static void report(struct contention *c, struct census *census, const struct contention_note *note)
{
	struct census_run *r = census->run;
	struct census_task *t = census__task(r, note->task), *o;
	struct census_known_lock *lock;
	struct stall stall = {.owner = NO_ID,
			      .stack = NO_ID,
			      .user_stack = NO_ID,
			      .owner_stack = NO_ID,
			      .since = note->since,
			      .mono = clock_mono_ns()};
	char text[128];

	HASH_FIND(hh, r->locks, &note->lock, sizeof(note->lock), lock);
	if (!lock && t)
		lock = census__name_lock(
			r, note->lock,
			note->flags & CONTENTION_MUTEX ? LOCK_KIND_MUTEX : LOCK_KIND_RWSEM, t);
	if (!t || !lock)
		return;
	stall.task = census__task_id(r, t);
	stall.instance = lock->instance;
	stall.stack = t->kernel_stack != NO_ID
			      ? t->kernel_stack
			      : census__add_stack(r->kernel, r->model, t->frames, t->frame_count);
	stall.user_stack = t->user_stack;
	o = lock->state.owner ? census__task(r, lock->state.owner) : NULL;
	if (o) {
		stall.owner = census__task_id(r, o);
		stall.owner_state = census__state_letter(o->record.state);
		stall.owner_doing = doing(r, o, text, sizeof(text));
		stall.owner_stack =
			census__add_stack(r->kernel, r->model, o->frames, o->frame_count);
	} else {
		stall.owner_doing = lock->state.readers ? "held by readers" : "nobody owns it";
	}
	c->options.on_stall(c->options.context, &stall);
}

/* A task that waits for ever on a deadlock is reported as that, not as a stall. */
static bool on_active_deadlock(const struct contention *c, uint64_t task)
{
	for (const struct active_deadlock *a = c->active; a; a = a->next)
		for (uint32_t i = 0; i < a->link_count; i++)
			if (a->links[i].task == task)
				return true;
	return false;
}

void contention__find_stalls(struct contention *c, const struct contention_note *notes,
			     uint32_t count)
{
	struct census *census = NULL;
	uint64_t now = clock_mono_ns();

	for (uint32_t i = 0; i < count; i++) {
		const struct contention_note *note = &notes[i];

		if (now < note->since || now - note->since < c->options.stall_ns ||
		    !c->options.on_stall || on_active_deadlock(c, note->task) || !is_new(c, note))
			continue;
		if (!census && !(census = contention__census(c)))
			break;
		report(c, census, note);
	}
	census__free(census);
	drop_unseen(c);
}

void contention__free_stalls(struct contention *c)
{
	struct reported_stall *s, *next;

	HASH_ITER(hh, c->stalls, s, next) {
		HASH_DEL(c->stalls, s);
		free(s);
	}
}
