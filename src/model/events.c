// SPDX-License-Identifier: GPL-2.0-or-later
/* The event stream: each task's held set, the chains that follow from it, bad releases. */
#include "model/model_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct task_holds *state_of(struct model *m, uint32_t task)
{
	if (task >= m->states.count) {
		if (!vector_reserve(&m->states, task + 1ULL))
			return NULL;
		memset(m->states.items + m->states.count, 0,
		       (task + 1 - m->states.count) * sizeof(*m->states.items));
		m->states.count = task + 1ULL;
	}
	return &m->states.items[task];
}

void events__release(struct model *m)
{
	for (uint64_t i = 0; i < m->states.count; i++) {
		free(m->states.items[i].held);
		free(m->states.items[i].prefix);
	}
	free(m->states.items);
}

static bool grow_held(struct task_holds *state)
{
	uint64_t capacity = state->capacity, same = state->capacity;

	if (state->count < capacity)
		return true;
	if (!array_reserve_bytes((void **)&state->held, &capacity, capacity + 1,
				 sizeof(*state->held)) ||
	    !array_reserve_bytes((void **)&state->prefix, &same, same + 1, sizeof(*state->prefix)))
		return false;
	state->capacity = (uint32_t)capacity;
	return true;
}

static uint64_t prefix_before(const struct task_holds *state, uint32_t i)
{
	return i ? state->prefix[i - 1] : 0;
}

static void push_held(struct model *m, struct task_holds *state, const struct held_lock *lock)
{
	if (state->count == MAX_HELD || !grow_held(state)) {
		m->losses[LOSS_HELD_OVERFLOW] += !m->restoring;
		state->dropped++;
		return;
	}
	state->prefix[state->count] = chain_hash_step(prefix_before(state, state->count), lock);
	state->held[state->count++] = *lock;
}

static void rehash_from(struct task_holds *state, uint32_t i)
{
	for (; i < state->count; i++)
		state->prefix[i] = chain_hash_step(prefix_before(state, i), &state->held[i]);
}

/* The entry a release ends: the newest of that instance, one of the same mode first. */
static uint32_t find_held(const struct task_holds *state, uint32_t instance, uint8_t mode)
{
	uint32_t other = NO_ID;

	for (uint32_t i = state->count; i-- > 0;) {
		if (state->held[i].instance != instance)
			continue;
		if ((state->held[i].mode == LOCK_EXCLUSIVE) == (mode == LOCK_EXCLUSIVE))
			return i;
		if (other == NO_ID)
			other = i;
	}
	return other;
}

static void note_bad_release(struct model *m, const struct trace_event *event)
{
	uint64_t key = idmap_pair(event->task, event->operand);
	uint32_t id = idmap__get(&m->bad_release_ids, key);
	struct bad_release fresh = {.task = event->task,
				    .instance = event->operand,
				    .stack = event->stack,
				    .mode = event->mode,
				    .first = event->time,
				    .last = event->time,
				    .count = 1};

	if (id != IDMAP_NONE) {
		m->bad_releases.items[id].count++;
		m->bad_releases.items[id].last = event->time;
	} else if (idmap__put(&m->bad_release_ids, key, (uint32_t)m->bad_releases.count) ||
		   !vector_push(&m->bad_releases, fresh)) {
		m->losses[LOSS_MEMORY]++;
	}
}

static void release(struct model *m, struct task_holds *state, const struct trace_event *event)
{
	uint32_t i = find_held(state, event->operand, event->mode);

	if (i == NO_ID) {
		if (state->dropped)
			state->dropped--;
		else if (!state->after_cut && !m->restoring && !m->chains_come_too)
			note_bad_release(m, event);
		return;
	}
	memmove(&state->held[i], &state->held[i + 1],
		(state->count - i - 1) * sizeof(*state->held));
	state->count--;
	rehash_from(state, i);
}

static void downgrade(struct task_holds *state, const struct trace_event *event)
{
	uint32_t i = find_held(state, event->operand, LOCK_EXCLUSIVE);

	if (i == NO_ID)
		return;
	state->held[i].mode = LOCK_SHARED;
	rehash_from(state, i);
}

static uint32_t want(struct model *m, const struct task_holds *state, const struct held_lock *lock,
		     const struct trace_event *event)
{
	const bool derive = !m->restoring && !m->chains_come_too;
	uint32_t known;
	uint64_t hash;

	if (derive)
		instance__note_mode(m, lock);
	if (!state->count)
		return NO_ID;
	hash = chain_hash_step(state->prefix[state->count - 1], lock);
	if (derive)
		return chain__add_hashed(m, hash, state->held, state->count, lock, event->task,
					 event->time, 1, NO_ID);
	known = idmap__get(&m->chain_ids, hash);
	return known == IDMAP_NONE ? NO_ID : known;
}

static void note_gap(struct model *m)
{
	for (uint64_t i = 0; i < m->states.count; i++) {
		m->states.items[i].count = 0;
		m->states.items[i].is_pending = false;
		m->states.items[i].after_cut = true;
	}
	m->losses[LOSS_EVENT_GAP] += !m->restoring;
}

/* Returns the chain the event belongs to, or NO_ID. */
static uint32_t apply(struct model *m, struct task_holds *state, const struct trace_event *event)
{
	struct held_lock lock = {.instance = event->operand,
				 .stack = event->stack,
				 .mode = event->mode,
				 .flags = event->flags,
				 .subclass = event->subclass};
	bool was_announced = state->is_pending && state->pending.instance == event->operand &&
			     event->op == EVENT_ACQUIRE;
	uint32_t chain = was_announced ? state->pending_chain : NO_ID;

	/* a task that goes on to anything else has given up waiting; traces end hung tasks too */
	if (event->op != EVENT_END)
		state->is_pending = false;
	switch (event->op) {
	case EVENT_ACQUIRE:
	case EVENT_TRY_ACQUIRE:
		if (!was_announced)
			chain = want(m, state, &lock, event);
		m->acquisitions += !m->chains_come_too && !m->restoring;
		push_held(m, state, &lock);
		break;
	case EVENT_REQUEST:
		chain = state->pending_chain = want(m, state, &lock, event);
		state->pending = lock;
		state->is_pending = true;
		break;
	case EVENT_RELEASE:
		release(m, state, event);
		break;
	case EVENT_DOWNGRADE:
		downgrade(state, event);
		break;
	case EVENT_GAP:
		note_gap(m);
		break;
	}
	return chain;
}

/* A live watch goes on for months: the older half gives way, and nothing is concluded across that.
 */
static void drop_old_events(struct model *m)
{
	uint64_t kept = m->most_events / 2, from = m->events.count - kept;

	memmove(m->events.items, m->events.items + from, kept * sizeof(*m->events.items));
	memmove(m->event_chains.items, m->event_chains.items + from,
		kept * sizeof(*m->event_chains.items));
	m->events.count = m->event_chains.count = kept;
	m->events.items[0] =
		(struct trace_event){.op = EVENT_GAP, .operand = NO_ID, .stack = NO_ID};
	m->event_chains.items[0] = NO_ID;
	m->events_forgotten = true;
}

bool model__events_are_cut(const struct model *m)
{
	return m->events_forgotten || m->losses[LOSS_EVENT_GAP];
}

int model__add_event(struct model *m, const struct trace_event *event)
{
	struct task_holds *state = state_of(m, event->op == EVENT_GAP ? 0 : event->task);
	struct trace_event copy = *event;
	uint32_t chain;

	if (copy.op == EVENT_TRY_ACQUIRE)
		copy.flags |= HELD_TRY;
	if (m->most_events && m->events.count >= m->most_events)
		drop_old_events(m);
	if (!state ||
	    (m->keep_events && (!vector_reserve(&m->event_chains, m->event_chains.count + 1) ||
				!vector_push(&m->events, copy)))) {
		m->losses[LOSS_MEMORY]++;
		return -ENOMEM;
	}
	chain = apply(m, state, &copy);
	if (m->keep_events)
		m->event_chains.items[m->event_chains.count++] = chain;
	for (uint32_t i = 0; i < m->observer_count; i++) {
		if (m->observers[i].event)
			m->observers[i].event(m->observers[i].context, m, &copy);
	}
	return 0;
}

/* Which chain each event belongs to is found again; what events led to was restored already. */
int model__restore_event(struct model *m, const struct trace_event *event)
{
	struct task_holds *state = state_of(m, event->op == EVENT_GAP ? 0 : event->task);

	if (!state || !vector_reserve(&m->event_chains, m->event_chains.count + 1) ||
	    !vector_push(&m->events, *event)) {
		m->losses[LOSS_MEMORY]++;
		return -ENOMEM;
	}
	m->restoring = true;
	m->event_chains.items[m->event_chains.count++] = apply(m, state, event);
	m->restoring = false;
	return 0;
}

void model__keep_events(struct model *m, bool keep)
{
	m->keep_events = keep;
}

void model__bound_events(struct model *m, uint64_t most)
{
	m->most_events = most;
}

void model__chains_come_too(struct model *m)
{
	m->chains_come_too = true;
}

/* --- reading --------------------------------------------------------------------------------- */

uint64_t model__event_count(const struct model *m)
{
	return m->events.count;
}

const struct trace_event *model__events(const struct model *m)
{
	return m->events.items;
}

uint32_t model__event_chain(const struct model *m, uint64_t event)
{
	return m->event_chains.items[event];
}

uint32_t model__held_count(const struct model *m, uint32_t task)
{
	return task < m->states.count ? m->states.items[task].count : 0;
}

const struct held_lock *model__held(const struct model *m, uint32_t task)
{
	return task < m->states.count ? m->states.items[task].held : NULL;
}

const struct held_lock *model__pending(const struct model *m, uint32_t task)
{
	if (task >= m->states.count || !m->states.items[task].is_pending)
		return NULL;
	return &m->states.items[task].pending;
}

uint32_t model__bad_release_count(const struct model *m)
{
	return (uint32_t)m->bad_releases.count;
}

const struct bad_release *model__bad_release(const struct model *m, uint32_t id)
{
	return &m->bad_releases.items[id];
}
