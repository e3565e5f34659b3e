// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Deadlocks, live: what the kernel program reported is looked at again before it is passed on, what
 * it could not see (readers, long chains, pairs that missed each other) is found by the sweep, and
 * what was reported is watched until it dissolves.
 */
#include <stdlib.h>
#include <string.h>

#include "contention/contention_private.h"
#include "census/user_stack.h"
#include "util/clock.h"

#define MAX_TRIES 3

static enum lock_kind kind_of(const struct lock_layout *layout, uint32_t flags)
{
	if (flags & CONTENTION_PERCPU)
		return LOCK_KIND_PERCPU_RWSEM;
	if (flags & CONTENTION_MUTEX)
		return LOCK_KIND_MUTEX;
	if (flags & (CONTENTION_READ | CONTENTION_WRITE))
		return LOCK_KIND_RWSEM;
	return layout->rt ? LOCK_KIND_MUTEX : LOCK_KIND_RTMUTEX;
}

/* --- is it still there?
 * ------------------------------------------------------------------------------------- */

/* In reverse, as in the kernel: note of each waiter, then the owner word of what it waits for. */
static bool still_there(struct contention *c, const struct census_run *r,
			const struct contention_link *links, uint32_t count)
{
	for (uint32_t n = 0; n < count; n++) {
		const struct contention_link *link = &links[count - 1 - n];
		struct contention_note note;
		struct lock_state state;

		if (!contention__note(c, link->task, &note))
			return false;
		if (!(note.lock == link->lock && note.since == link->since) &&
		    !(note.outer_lock == link->lock && note.outer_since == link->since))
			return false;
		if (lock_state__read_owner(&state, r->memory, &r->layout,
					   kind_of(&r->layout, link->flags), link->lock) ||
		    !state.certain || state.owner != link->owner)
			return false;
	}
	return true;
}

/* --- the finding
 * ---------------------------------------------------------------------------------------------- */

static struct census_known_lock *lock_of(struct census_run *r, const struct contention_link *link,
					 const struct census_task *waiter)
{
	struct census_known_lock *lock;

	HASH_FIND(hh, r->locks, &link->lock, sizeof(link->lock), lock);
	return lock ? lock
		    : census__name_lock(r, link->lock, kind_of(&r->layout, link->flags), waiter);
}

static uint8_t breakable(uint32_t state)
{
	if (state & STATE_INTERRUPTIBLE)
		return WAIT_INTERRUPTIBLE;
	return state & STATE_WAKEKILL ? WAIT_KILLABLE : WAIT_UNINTERRUPTIBLE;
}

/* Stacks of a task that is not asleep yet, as the kernel program took them at the closing event. */
_Static_assert(sizeof(uint64_t) == sizeof(__u64), "stack words");

static void stacks_of_record(struct census_run *r, const struct contention_deadlock *record,
			     struct waitfor_wait *wait)
{
	if (wait->kernel_stack == NO_ID)
		wait->kernel_stack = census__add_stack(
			r->kernel, r->model, (const uint64_t *)record->frames, record->frame_count);
	if (wait->user_stack == NO_ID && record->user_frame_count)
		wait->user_stack = user_stack__add(r->model, record->links[0].pid,
						   (const uint64_t *)record->user_frames,
						   record->user_frame_count);
}

static int add_link(struct census_run *r, struct waitfor *w,
		    const struct contention_deadlock *record, uint32_t i)
{
	const struct contention_link *link = &record->links[i];
	struct census_task *t = census__task(r, link->task), *o = census__task(r, link->owner);
	struct census_known_lock *lock = t ? lock_of(r, link, t) : NULL;
	struct waitfor_wait wait = {
		.mode = link->flags & CONTENTION_READ ? LOCK_SHARED : LOCK_EXCLUSIVE,
		.since = link->since,
	};
	struct waitfor_owner owner = {.mode = LOCK_EXCLUSIVE, .certain = true};
	uint32_t state;

	if (!t || !o || !lock)
		return -ENOENT;
	state = t->record.state ? t->record.state : link->state;
	wait.task = census__task_id(r, t);
	wait.instance = owner.instance = lock->instance;
	wait.breakable = breakable(state);
	wait.state = census__state_letter(state);
	if (t->kernel_stack == NO_ID && t->frame_count)
		t->kernel_stack = census__add_stack(r->kernel, r->model, t->frames, t->frame_count);
	wait.kernel_stack = t->kernel_stack;
	wait.user_stack = t->user_stack;
	if (i == 0)
		stacks_of_record(r, record, &wait);
	owner.task = census__task_id(r, o);
	return waitfor__add_wait(w, &wait) || waitfor__add_owner(w, &owner) ? -ENOMEM : 0;
}

/* What else the tasks hold, as far as the census read it. */
static int add_other_owners(struct waitfor *w, const struct census *census)
{
	for (uint32_t i = 0; i < waitfor__owner_count(census->waitfor); i++) {
		const struct waitfor_owner *owner = waitfor__owner(census->waitfor, i);

		if (owner->certain && waitfor__add_owner(w, owner))
			return -ENOMEM;
	}
	return 0;
}

static bool is_active(const struct contention *c, const char *key)
{
	for (const struct active_deadlock *a = c->active; a; a = a->next)
		if (!strcmp(a->key, key))
			return true;
	return false;
}

static void pass_on(struct contention *c, struct finding *f, const struct contention_link *links,
		    uint32_t count)
{
	struct active_deadlock *a = calloc(1, sizeof(*a));

	if (c->options.on_finding)
		c->options.on_finding(c->options.context, f);
	if (!a)
		return;
	a->key = strdup(f->key);
	a->links = calloc(count, sizeof(*links));
	if (!a->key || !a->links) {
		free(a->key);
		free(a->links);
		free(a);
		return;
	}
	memcpy(a->links, links, count * sizeof(*links));
	a->link_count = count;
	a->next = c->active;
	c->active = a;
}

static int report_record(struct contention *c, struct census *census,
			 const struct contention_deadlock *record)
{
	struct waitfor *w = waitfor__new(c->options.model);
	struct finding_list found = {0};
	int err = w ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < record->link_count && !err; i++)
		err = add_link(census->run, w, record, i);
	if (!err)
		err = add_other_owners(w, census);
	if (!err && waitfor__find_deadlocks(w, &found, record->mono) > 0 &&
	    !is_active(c, found.items[0]->key))
		pass_on(c, found.items[0], record->links, record->link_count);
	free(found.items);
	waitfor__free(w);
	return err;
}

/* True: done with it, reported or refuted. */
static bool look_at(struct contention *c, struct pending_deadlock *p)
{
	struct census *census = contention__census(c);
	bool done = true;

	p->tries++;
	if (!census)
		return p->tries >= MAX_TRIES;
	if (still_there(c, census->run, p->record.links, p->record.link_count))
		done = !report_record(c, census, &p->record) || p->tries >= MAX_TRIES;
	census__free(census);
	return done;
}

void contention__look_at_pending(struct contention *c)
{
	struct pending_deadlock **at = &c->pending;

	while (*at) {
		struct pending_deadlock *p = *at;

		if (!look_at(c, p)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
}

/* --- what the kernel program missed
 * ---------------------------------------------------------------------------- */

static uint64_t task_address(const struct census_run *r, uint32_t id)
{
	for (const struct census_task *t = r->tasks; t; t = t->hh.next)
		if (t->id == id)
			return t->address;
	return 0;
}

/* Exact times from the notes, and links to watch it by. */
static bool links_of_finding(struct contention *c, struct census *census, struct finding *f,
			     struct contention_link *links)
{
	for (uint32_t i = 0; i < f->task_count; i++) {
		struct contention_note note;

		links[i] = (struct contention_link){
			.task = task_address(census->run, f->tasks[i].task),
			.lock = model__instance(c->options.model, f->tasks[i].wants)->address};
		if (!contention__note(c, links[i].task, &note) || note.lock != links[i].lock)
			continue; /* it waited before we came: no note, its scheduler time stays */
		f->tasks[i].since = links[i].since = note.since;
		links[i].flags = note.flags;
	}
	return true;
}

void contention__find_missed(struct contention *c)
{
	struct census *census = contention__census(c);
	struct finding_list found = {0};

	if (!census)
		return;
	census__find_deadlocks(census, &found, clock_mono_ns());
	for (uint32_t i = 0; i < found.count; i++) {
		struct finding *f = found.items[i];
		struct contention_link *links = calloc(f->task_count, sizeof(*links));

		if (links && !is_active(c, f->key) && links_of_finding(c, census, f, links))
			pass_on(c, f, links, f->task_count);
		free(links);
	}
	free(found.items);
	census__free(census);
}

/* --- until it dissolves
 * ------------------------------------------------------------------------------------------ */

/* One of its tasks no longer waits there. Without a note (older than us) the blocked lock decides.
 */
static bool is_resolved(struct contention *c, const struct active_deadlock *a)
{
	for (uint32_t i = 0; i < a->link_count; i++) {
		const struct contention_link *link = &a->links[i];
		struct contention_note note;

		if (!link->since)
			continue;
		if (!contention__note(c, link->task, &note))
			return true;
		if (!(note.lock == link->lock && note.since == link->since) &&
		    !(note.outer_lock == link->lock && note.outer_since == link->since))
			return true;
	}
	return false;
}

static void free_active(struct active_deadlock *a)
{
	free(a->key);
	free(a->links);
	free(a);
}

void contention__check_resolved(struct contention *c)
{
	struct active_deadlock **at = &c->active;

	while (*at) {
		struct active_deadlock *a = *at;

		if (!is_resolved(c, a)) {
			at = &a->next;
			continue;
		}
		if (c->options.on_resolved)
			c->options.on_resolved(c->options.context, a->key, clock_mono_ns());
		*at = a->next;
		free_active(a);
	}
}

void contention__free_deadlocks(struct contention *c)
{
	while (c->active) {
		struct active_deadlock *a = c->active;

		c->active = a->next;
		free_active(a);
	}
	while (c->pending) {
		struct pending_deadlock *p = c->pending;

		c->pending = p->next;
		free(p);
	}
}
