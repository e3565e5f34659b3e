// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Did the places where a baseline took its locks run here? By function and module: a device_open of
 * one driver says nothing about another's. What ran is every function of every stack that was
 * recorded, those that stand for the paths, and the open functions of drivers that were opened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/verdict_internal.h"
#include "diff.h"
#include "util/idmap.h"

#define MOST_SITES 64	  /* of one dependency */
#define MOST_CHAINS 65536 /* likewise: those of a host, not of a file made to take for ever */

struct ran {
	struct idmap functions; /* by aligned name and module */
	struct idmap seen;	/* by the strings' addresses: they are interned, most are known */
};

static uint64_t key_of(const char *function, const char *module)
{
	char aligned[192];

	diff__aligned_function(function, aligned, sizeof(aligned));
	if (!module)
		module = "";
	return hash_mix(hash_bytes(aligned, strlen(aligned)), hash_bytes(module, strlen(module)));
}

static int note(struct ran *ran, const char *function, const char *module)
{
	uint64_t address = hash_mix((uintptr_t)function, (uintptr_t)module), key;

	if (idmap__get(&ran->seen, address) != IDMAP_NONE)
		return 0;
	key = key_of(function, module);
	if (idmap__put(&ran->seen, address, 1))
		return -ENOMEM;
	return idmap__get(&ran->functions, key) != IDMAP_NONE ? 0
							      : idmap__put(&ran->functions, key, 1);
}

static int note_stacks(struct ran *ran, const struct model *m)
{
	int error = 0;

	for (uint32_t s = 0; s < model__stack_count(m) && !error; s++) {
		const struct stack stack = model__stack(m, s);

		for (uint32_t i = 0; i < stack.frame_count && !error; i++)
			if (stack.frames[i].symbol)
				error = note(ran, stack.frames[i].symbol, stack.frames[i].module);
	}
	return error;
}

/* Module of the function that stands for a path: the table of probes has no other. */
static const char *module_of(int path)
{
	return path == PATH_DEVICE_OPEN || path == PATH_DEVICE_CLOSE || path == PATH_GET_KVM ||
			       path == PATH_SET_KVM
		       ? "vfio"
		       : "kvm";
}

static int note_paths(struct ran *ran, const struct model *m)
{
	int error = 0;

	for (int path = 0; path < PATH_COUNT && !error; path++) {
		const struct coverage *c = model__coverage(m, (enum path_id)path);

		if (c->hits && c->probe)
			error = note(ran, c->probe, module_of(path));
	}
	return error;
}

/* "lab_open_device vfio_lab" */
static int note_open(struct ran *ran, const char *open)
{
	char function[160];
	char *space;
	uint64_t key;

	if (strlen(open) >= sizeof(function))
		return 0;
	strcpy(function, open);
	space = strchr(function, ' ');
	if (space)
		*space = 0;
	key = key_of(function, space ? space + 1 : NULL);
	return idmap__get(&ran->functions, key) != IDMAP_NONE ? 0
							      : idmap__put(&ran->functions, key, 1);
}

static int note_drivers(struct ran *ran, const struct driver_table *table)
{
	int error = 0;

	for (uint32_t i = 0; i < table->count && !error; i++)
		if (table->rows[i].hits[PATH_DEVICE_OPEN] && table->rows[i].open)
			error = note_open(ran, table->rows[i].open);
	return error;
}

struct ran *ran__make(const struct model *m, const struct driver_table *table)
{
	struct ran *ran = calloc(1, sizeof(*ran));

	if (ran && (note_stacks(ran, m) || note_paths(ran, m) || note_drivers(ran, table))) {
		ran__free(ran);
		return NULL;
	}
	return ran;
}

void ran__free(struct ran *ran)
{
	if (!ran)
		return;
	idmap__release(&ran->functions);
	idmap__release(&ran->seen);
	free(ran);
}

/* --- the baseline's sites -----------------------------------------------------------------------
 */

static void add_site(struct verdict_dependency *d, const struct frame *frame)
{
	if (!frame->symbol)
		return;
	for (uint32_t i = 0; i < d->site_count; i++)
		if (d->sites[i].function == frame->symbol && d->sites[i].module == frame->module)
			return;
	d->has_more_sites |= d->site_count == MOST_SITES;
	if (d->has_more_sites)
		return;
	d->sites[d->site_count++] =
		(struct verdict_site){.function = frame->symbol, .module = frame->module};
}

/* The innermost function, and that of each module further out: a driver that called the core. */
static void add_stack(struct verdict_dependency *d, struct stack stack)
{
	for (uint32_t i = 0; i < stack.frame_count; i++) {
		const char *module = stack.frames[i].module;
		bool known = i && !module;

		for (uint32_t k = 0; k < i && !known; k++)
			known = stack.frames[k].module && !strcmp(stack.frames[k].module, module);
		if (!known)
			add_site(d, &stack.frames[i]);
	}
}

static void add_chain(struct verdict_dependency *d, const struct model *baseline,
		      const struct chain *chain, uint32_t from_class)
{
	for (uint32_t i = 0; i < chain->held_count; i++) {
		struct stack held = model__stack(baseline, chain->held[i].stack);

		if (model__held_class(baseline, &chain->held[i]) == from_class && held.frame_count)
			add_site(d, &held.frames[0]);
	}
	add_stack(d, model__stack(baseline, chain->wanted.stack));
}

static enum site_state state_of(const struct verdict_site *site, const struct ran *ran,
				const struct verdict_options *options)
{
	char aligned[192];

	if (idmap__get(&ran->functions, key_of(site->function, site->module)) != IDMAP_NONE)
		return SITE_RAN;
	if (!options->has_function)
		return SITE_NOT_RUN;
	diff__aligned_function(site->function, aligned, sizeof(aligned));
	return options->has_function(options->context, site->function, site->module) ==
				       FUNCTION_GONE &&
			       options->has_function(options->context, aligned, site->module) ==
				       FUNCTION_GONE
		       ? SITE_GONE
		       : SITE_NOT_RUN;
}

int verdict__sites(struct verdict_dependency *d, const struct model *baseline,
		   const struct class_edge *edge, uint32_t edge_id, const struct ran *ran,
		   const struct verdict_options *options)
{
	uint32_t chains = 0;

	d->sites = calloc(MOST_SITES, sizeof(*d->sites));
	if (!d->sites)
		return -ENOMEM;
	for (uint32_t i = 0; i < edge->dependency_count && chains <= MOST_CHAINS; i++) {
		uint32_t id = model__class_edge_dependency(baseline, edge_id, i);

		for (uint32_t k = 0; id != NO_ID && k < model__dependency_chains_kept(baseline, id);
		     k++, chains++)
			add_chain(d, baseline,
				  model__chain(baseline, model__dependency_chain(baseline, id, k)),
				  edge->from);
	}
	d->has_more_sites |= chains > MOST_CHAINS;
	for (uint32_t i = 0; i < d->site_count; i++)
		d->sites[i].state = state_of(&d->sites[i], ran, options);
	return 0;
}
