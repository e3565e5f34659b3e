// SPDX-License-Identifier: GPL-2.0-or-later
/* The model's life, strings, facts, observers, coverage and losses. */
#include "model/model_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const path_names[PATH_COUNT] = {
	[PATH_DEVICE_OPEN] = "device_open", [PATH_DEVICE_CLOSE] = "device_close",
	[PATH_GET_KVM] = "get_kvm",	    [PATH_PUT_KVM] = "put_kvm",
	[PATH_SET_KVM] = "set_kvm",	    [PATH_GROUP_ADD] = "group_add",
	[PATH_GROUP_DEL] = "group_del",	    [PATH_KVM_DEVICE_RELEASE] = "kvm_device_release",
	[PATH_VM_CREATE] = "vm_create",	    [PATH_VM_DESTROY] = "vm_destroy",
};

const char *const loss_names[LOSS_REASONS] = {
	[LOSS_RING_FULL] = "ring_full",
	[LOSS_RECURSION] = "recursion",
	[LOSS_TASK_STORAGE] = "task_storage",
	[LOSS_HELD_OVERFLOW] = "held_overflow",
	[LOSS_STACK] = "stack",
	[LOSS_MAP_FULL] = "map_full",
	[LOSS_CHAIN_EVICTED] = "chain_evicted",
	[LOSS_READ_FAILED] = "read_failed",
	[LOSS_PROBE_MISSING] = "probe_missing",
	[LOSS_SCOPE_FULL] = "scope_full",
	[LOSS_DROPPED_ENTRY] = "dropped_entry",
	[LOSS_MEMORY] = "memory",
	[LOSS_STORE] = "store",
	[LOSS_EVENT_GAP] = "event_cut",
	[LOSS_PARSE] = "parse",
};

struct model *model__new(void)
{
	struct model *m = calloc(1, sizeof(*m));

	if (m)
		model__bound_size(m, 4000000, 16000000);
	return m;
}

void model__bound_size(struct model *m, uint64_t dependencies, uint64_t held)
{
	m->most_dependencies = dependencies;
	m->most_held = held;
}

static void id_lists__release(struct id_list *lists, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		free(lists[i].items);
	free(lists);
}

void model__free(struct model *m)
{
	if (!m)
		return;
	struct idmap *maps[] = {&m->strings,	    &m->class_ids,	 &m->subclass_ids,
				&m->instance_ids,   &m->task_ids,	 &m->stack_ids,
				&m->object_ids,	    &m->variable_ids,	 &m->chain_ids,
				&m->task_chain_ids, &m->dependency_ids,	 &m->edge_ids,
				&m->duration_ids,   &m->bad_release_ids, &m->fact_ids};
	void *arrays[] = {m->string_list.items,	 m->facts.items,	m->classes.items,
			  m->instances.items,	 m->tasks.items,	m->stacks.items,
			  m->objects.items,	 m->variables.items,	m->chains.items,
			  m->task_chains.items,	 m->dependencies.items, m->edges.items,
			  m->events.items,	 m->bad_releases.items, m->path_events.items,
			  m->durations.items,	 m->event_chains.items, m->writer_noted.items,
			  m->chain_hashes.items, m->chain_inner.items};

	events__release(m);
	id_lists__release(m->witnesses.items, m->witnesses.count);
	id_lists__release(m->edge_dependencies.items, m->edge_dependencies.count);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		idmap__release(maps[i]);
	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		free(arrays[i]);
	arena__release(&m->arena);
	free(m);
}

int model__observe(struct model *m, const struct model_observer *observer)
{
	if (m->observer_count == MAX_OBSERVERS)
		return -ENOSPC;
	m->observers[m->observer_count++] = *observer;
	return 0;
}

void model__unobserve(struct model *m, const void *context)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < m->observer_count; i++) {
		if (m->observers[i].context != context)
			m->observers[kept++] = m->observers[i];
	}
	m->observer_count = kept;
}

const char *model__intern_n(struct model *m, const char *bytes, size_t length)
{
	uint64_t key = hash_bytes(bytes, length);
	char *copy;
	uint32_t id;

	/* two strings of one hash sit under successive keys */
	for (; (id = idmap__get(&m->strings, key)) != IDMAP_NONE; key++) {
		const char *known = m->string_list.items[id];

		if (!strncmp(known, bytes, length) && !known[length])
			return known;
	}
	copy = arena__alloc(&m->arena, length + 1, 1);
	if (!copy || !vector_reserve(&m->string_list, m->string_list.count + 1))
		return NULL;
	memcpy(copy, bytes, length);
	if (idmap__put(&m->strings, key, (uint32_t)m->string_list.count))
		return NULL;
	m->string_list.items[m->string_list.count++] = copy;
	return copy;
}

const char *model__intern(struct model *m, const char *string)
{
	return string ? model__intern_n(m, string, strlen(string)) : NULL;
}

int model__set_fact(struct model *m, const char *key, const char *value)
{
	const char *copy = model__intern(m, value ? value : ""), *own = model__intern(m, key);
	uint32_t id;

	if (!copy || !own)
		return -ENOMEM;
	/* interned strings are unique, so the address is an exact key */
	id = idmap__get(&m->fact_ids, (uintptr_t)own);
	if (id != IDMAP_NONE) {
		m->facts.items[id].value = copy;
		return 0;
	}
	if (!vector_reserve(&m->facts, m->facts.count + 1) ||
	    idmap__put(&m->fact_ids, (uintptr_t)own, (uint32_t)m->facts.count))
		return -ENOMEM;
	m->facts.items[m->facts.count++] = (struct fact){own, copy};
	return 0;
}

const char *model__find_string(const struct model *m, const char *string)
{
	uint64_t key = hash_bytes(string, strlen(string));
	uint32_t id;

	for (; (id = idmap__get(&m->strings, key)) != IDMAP_NONE; key++) {
		if (!strcmp(m->string_list.items[id], string))
			return m->string_list.items[id];
	}
	return NULL;
}

const char *model__fact(const struct model *m, const char *key)
{
	const char *own = model__find_string(m, key);
	uint32_t id = own ? idmap__get(&m->fact_ids, (uintptr_t)own) : IDMAP_NONE;

	return id == IDMAP_NONE ? NULL : m->facts.items[id].value;
}

size_t model__fact_count(const struct model *m)
{
	return m->facts.count;
}

void model__fact_at(const struct model *m, size_t i, const char **key, const char **value)
{
	*key = m->facts.items[i].key;
	*value = m->facts.items[i].value;
}

struct model_clock *model__clock(const struct model *m)
{
	return &((struct model *)m)->clock;
}

/* --- paths, coverage, losses ----------------------------------------------------------------- */

void model__add_path_event(struct model *m, const struct path_event *event)
{
	struct coverage *coverage;

	if (event->path >= PATH_COUNT)
		return;
	coverage = &m->coverage[event->path];
	coverage->state = COVERAGE_HIT;
	coverage->hits += event->count ? event->count : 1;
	if (!vector_push(&m->path_events, *event)) {
		m->losses[LOSS_MEMORY]++;
		return;
	}
	for (uint32_t i = 0; i < m->observer_count; i++) {
		if (m->observers[i].path)
			m->observers[i].path(m->observers[i].context, m, event);
	}
}

void model__set_coverage(struct model *m, enum path_id path, const struct coverage *coverage)
{
	m->coverage[path] = *coverage;
	m->coverage[path].probe = model__intern(m, coverage->probe);
	m->coverage[path].reason = model__intern(m, coverage->reason);
}

const struct coverage *model__coverage(const struct model *m, enum path_id path)
{
	return &m->coverage[path];
}

uint32_t model__path_event_count(const struct model *m)
{
	return (uint32_t)m->path_events.count;
}

const struct path_event *model__path_event(const struct model *m, uint32_t id)
{
	return &m->path_events.items[id];
}

void model__add_loss(struct model *m, enum loss_reason reason, uint64_t count)
{
	m->losses[reason] += count;
}

uint64_t model__loss(const struct model *m, enum loss_reason reason)
{
	return m->losses[reason];
}

void model__set_losses_unknown(struct model *m, const char *why)
{
	m->losses_unknown = model__intern(m, why);
}

const char *model__losses_unknown(const struct model *m)
{
	return m->losses_unknown;
}

bool model__has_losses(const struct model *m)
{
	for (int i = 0; i < LOSS_REASONS; i++) {
		if (m->losses[i])
			return true;
	}
	return m->losses_unknown;
}

uint64_t model__acquisitions(const struct model *m)
{
	return m->acquisitions;
}

void model__add_acquisitions(struct model *m, uint64_t count)
{
	m->acquisitions += count;
}
