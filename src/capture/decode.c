// SPDX-License-Identifier: GPL-2.0-or-later
/* Ring buffer records become calls on the model. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture_private.h"
#include "util/clock.h"

static uint32_t task_of(struct capture *c, const struct record_header *header, bool aggregated)
{
	char comm[RECORD_COMM + 1];

	memcpy(comm, header->comm, RECORD_COMM);
	comm[RECORD_COMM] = 0;
	return model__add_task(c->options.model, header->pid, aggregated ? 0 : header->tid, comm,
			       aggregated ? 0 : header->start_time,
			       aggregated ? TASK_AGGREGATED : 0);
}

/* --- sites: full stacks that later chains refer to ----------------------------------------------
 */

static struct known_site *find_site(struct capture *c, uint64_t lock, uint64_t site)
{
	struct known_site_key key = {.lock = lock, .site = site};
	struct known_site *known;

	HASH_FIND(hh, c->known_sites, &key, sizeof(key), known);
	return known;
}

static void keep_site(struct capture *c, uint64_t lock, uint64_t site, uint32_t stack)
{
	struct known_site *known = find_site(c, lock, site);

	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return;
		known->key.lock = lock;
		known->key.site = site;
		HASH_ADD(hh, c->known_sites, key, sizeof(known->key), known);
	}
	known->stack = stack;
}

static void decode_site(struct capture *c, const struct record_site *record)
{
	keep_site(c, record->lock, record->site,
		  frames__full(c, record->frames, record->frame_count, record->site));
}

/* --- chains
 * ---------------------------------------------------------------------------------------- */

static struct held_lock held_of(struct capture *c, const struct record_lock *lock,
				const struct record_slab *slab, uint64_t mm)
{
	const struct known_site *site = find_site(c, lock->lock, lock->site);
	struct held_lock held = {
		.instance = lock_names__instance(c->names, lock, slab, mm),
		.stack = site ? site->stack : frames__site(c, lock->site),
		.mode = lock->flags & RECORD_SHARED ? LOCK_SHARED : LOCK_EXCLUSIVE,
	};

	if (lock->flags & RECORD_TRY)
		held.flags |= HELD_TRY;
	if (lock->flags & RECORD_INFERRED)
		held.flags |= HELD_INFERRED;
	if (lock->flags & RECORD_BREAKABLE)
		held.flags |= HELD_BREAKABLE;
	if (lock->kind == RECORD_FAULT)
		held.flags |= HELD_FAULT;
	return held;
}

static uint32_t path_of_scope(uint32_t scope)
{
	switch (scope) {
	case SCOPE_GROUP_IOCTL:
		return PATH_DEVICE_OPEN;
	case SCOPE_DEVICE_RELEASE:
		return PATH_DEVICE_CLOSE;
	case SCOPE_KVM_DEVICE_RELEASE:
		return PATH_KVM_DEVICE_RELEASE;
	case SCOPE_KVM_DEV_IOCTL:
		return PATH_VM_CREATE;
	case SCOPE_VM_DESTROY:
		return PATH_VM_DESTROY;
	default:
		return NO_ID;
	}
}

static void remember_chain(struct capture *c, uint64_t key, uint32_t chain)
{
	struct known_chain *known;

	HASH_FIND(hh, c->known_chains, &key, sizeof(key), known);
	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return;
		known->key = key;
		HASH_ADD(hh, c->known_chains, key, sizeof(known->key), known);
	}
	known->chain = chain;
	known->counted = 1; /* the kernel dropped it meanwhile and counts from zero */
}

static void decode_chain(struct capture *c, const struct record_chain *record)
{
	struct held_lock held[RECORD_MAX_HELD], wanted;
	uint32_t count = record->held_count, chain;

	if (count > RECORD_MAX_HELD)
		count = RECORD_MAX_HELD;
	for (uint32_t i = 0; i < count; i++)
		held[i] = held_of(c, &record->held[i], &record->slab[i], record->mm);
	wanted = held_of(c, &record->wanted, &record->slab[RECORD_MAX_HELD], record->mm);
	wanted.stack = frames__full(c, record->frames, record->frame_count, record->wanted.site);
	keep_site(c, record->wanted.lock, record->wanted.site, wanted.stack);
	chain = model__add_chain(c->options.model, held, count, &wanted,
				 task_of(c, &record->header, false), record->header.mono, 1,
				 path_of_scope(record->scope));
	if (chain == NO_ID)
		model__add_loss(c->options.model, LOSS_MEMORY, 1);
	else
		remember_chain(c, record->key, chain);
}

static void decode_task_chain(struct capture *c, const struct record_task_chain *record)
{
	struct known_chain *known;

	HASH_FIND(hh, c->known_chains, &record->key, sizeof(record->key), known);
	if (!known) {
		/* its chain record was lost, and that loss is counted where it happened */
		return;
	}
	model__add_task_chain(c->options.model, task_of(c, &record->header, record->aggregated),
			      known->chain, record->header.mono, 0);
}

/* A recursion is a chain whose wanted lock is among the held ones. */
static void decode_recursion(struct capture *c, const struct record_recursion *record)
{
	struct record_lock was = record->held;
	struct held_lock held, wanted;

	if (!was.lock) { /* taken before we looked: its site is not known */
		was = record->wanted;
		was.site = 0;
	}
	was.generation = record->wanted.generation;
	held = held_of(c, &was, &record->slab, record->mm);
	wanted = held_of(c, &record->wanted, &record->slab, record->mm);
	wanted.stack = frames__full(c, record->frames, record->frame_count, record->wanted.site);
	model__add_chain(c->options.model, &held, 1, &wanted, task_of(c, &record->header, false),
			 record->header.mono, 1, path_of_scope(record->scope));
}

/* --- paths, objects, events
 * ------------------------------------------------------------------------- */

static void decode_path(struct capture *c, const struct record_path *record)
{
	struct path_event event = {
		.path = record->path,
		.task = task_of(c, &record->header, false),
		.time = record->header.mono,
		.count = 1,
		.device = lock_names__find_object(c->names, record->device),
		.group = lock_names__find_object(c->names, record->group),
		.vm = lock_names__find_object(c->names, record->kvm),
		.result = record->result,
		.how = record->how,
		.kvm_returned = record->kvm_returned,
		.kvm_ref_lock = NO_ID,
	};

	if (record->path >= PATH_COUNT)
		return;
	if (record->get_put == 2 && !record->kvm)
		event.device = NO_ID; /* there was no reference to give back */
	if (record->is_inner)
		event.device =
			NO_ID; /* it was open before or still is: its driver was not called */
	if (record->kvm_ref_lock) {
		struct record_lock leaf = {.lock = record->kvm_ref_lock,
					   .kind = RECORD_SPIN,
					   .flags = RECORD_INFERRED};

		event.kvm_ref_lock = lock_names__instance(c->names, &leaf, NULL, 0);
	}
	model__add_path_event(c->options.model, &event);
}

static void decode_event(struct capture *c, const struct record_event *record)
{
	struct trace_event event = {
		.time = record->header.mono,
		.task = task_of(c, &record->header, false),
		.operand = NO_ID,
		.stack = NO_ID,
		.op = (uint8_t)record->op,
	};

	if (record->op == EVENT_FORK) {
		event.operand = model__add_task(c->options.model, record->header.pid,
						(uint32_t)record->peer, record->header.comm, 0, 0);
	} else if (record->op != EVENT_END) {
		const struct known_site *site = find_site(c, record->lock.lock, record->lock.site);

		/* the same stack as in the chains, or they would be other chains */
		event.operand = lock_names__instance(c->names, &record->lock, NULL, 0);
		event.stack = site ? site->stack : frames__site(c, record->lock.site);
		event.mode = record->lock.flags & RECORD_SHARED ? LOCK_SHARED : LOCK_EXCLUSIVE;
	}
	model__add_event(c->options.model, &event);
}

/* A lock that has a name gets it now: its object may be gone when the others have theirs. */
static bool is_named(struct capture *c, const struct record_lock *lock,
		     const struct record_slab *slab, uint64_t mm)
{
	if (!lock_names__is_known(c->names, lock, slab, mm))
		return false;
	lock_names__instance(c->names, lock, slab, mm);
	return true;
}

/* Does a lock of this chain lack a name that may still come? */
static bool lacks_name(struct capture *c, const struct record_chain *record)
{
	uint32_t count = record->held_count;
	bool lacks = !is_named(c, &record->wanted, &record->slab[RECORD_MAX_HELD], record->mm);

	for (uint32_t i = 0; i < count && i < RECORD_MAX_HELD; i++)
		lacks |= !is_named(c, &record->held[i], &record->slab[i], record->mm);
	return lacks;
}

static bool is_chain_known(const struct capture *c, uint64_t key)
{
	struct known_chain *known;

	HASH_FIND(hh, c->known_chains, &key, sizeof(key), known);
	return known;
}

/* The event stream keeps its order, and follows the chains that name its locks. */
static bool must_event_wait(struct capture *c, const struct record_event *record)
{
	if (c->deferred.first)
		return true;
	return record->op != EVENT_FORK && record->op != EVENT_END &&
	       !lock_names__is_known(c->names, &record->lock, NULL, 0);
}

static bool must_wait(struct capture *c, const struct record_header *header)
{
	if (c->stopped) /* what waits is decoded right after; events stay behind those that wait */
		return header->type == RECORD_EVENT && c->deferred.first;
	if (header->type == RECORD_CHAIN)
		return lacks_name(c, (const void *)header);
	if (header->type == RECORD_EVENT)
		return must_event_wait(c, (const void *)header);
	if (header->type == RECORD_TASK_CHAIN)
		return c->deferred.first &&
		       !is_chain_known(c, ((const struct record_task_chain *)header)->key);
	return false;
}

void decode__now(struct capture *c, const void *data)
{
	const struct record_header *header = data;

	switch (header->type) {
	case RECORD_CHAIN:
		decode_chain(c, data);
		break;
	case RECORD_TASK_CHAIN:
		decode_task_chain(c, data);
		break;
	case RECORD_SITE:
		decode_site(c, data);
		break;
	case RECORD_OBJECT:
		lock_names__object(c->names, data);
		break;
	case RECORD_PATH:
		decode_path(c, data);
		break;
	case RECORD_RECURSION:
		decode_recursion(c, data);
		break;
	case RECORD_EVENT:
		decode_event(c, data);
		break;
	}
}

int decode__record(void *context, void *data, size_t size)
{
	struct capture *c = context;
	const struct record_header *header = data;

	if (c->module_changes != c->shared->module_changes) {
		c->module_changes = c->shared->module_changes;
		kernel__modules_changed(c->options.kernel);
	}
	if (c->is_moving) {
		prefetch__add(c, data, size);
	} else {
		c->records++;
		c->record_bytes += size;
		if (!must_wait(c, header) || !deferred__add(c, data, size, clock_mono_ns()))
			decode__now(c, data);
	}
	/* it is asked for the next one for as long as there is one, and that may be for ever */
	return c->read_until && clock_mono_ns() > c->read_until ? -EAGAIN : 0;
}
