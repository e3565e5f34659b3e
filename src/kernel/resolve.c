// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An address to its symbol, while modules come and go.
 *
 * Reading kallsyms takes a tenth of a second, so it is not done for every module: only when an
 * address among the modules is asked for after one came or went, and not again before some time has
 * passed. What is in between has no name rather than a wrong one: a row of a module that is not
 * where it was counts as long as no other module is there. Names of modules that went stay, for
 * records that are on their way (waits are read once a second). A module that comes back to the
 * same place with the same size is taken for the same one.
 */
#include <string.h>

#include "kernel/kernel_private.h"
#include "util/clock.h"

#define PAUSES 4		  /* times what reading took, until it is read again */
#define MODULE_SPACE (1ULL << 31) /* modules are that close to each other on every architecture */
#define LARGEST_SYMBOL (1U << 16) /* of a module that went, whose size is not known any more */
#define DEPARTED_ROWS 20000	  /* then only the last ones stay */

/* --- what changed ------------------------------------------------------------------------------
 */

void kernel__modules_changed(struct kernel *k)
{
	k->changes.is_suspected = k->symbols.loaded;
	k->changes.is_compared = false;
}

static const struct module_place *place_of(const struct symbol_changes *changes, const char *name)
{
	for (uint32_t i = 0; i < changes->place_count; i++)
		if (changes->places[i].name == name)
			return &changes->places[i];
	return NULL;
}

/* Is the module of the index still where it was? */
static bool is_there(const struct kernel *k, uint32_t module)
{
	const struct symbol_table *t = &k->symbols;
	const struct module_place *now = place_of(&k->changes, t->modules[module]);

	if (!t->places[module].name) /* BPF programs and trampolines look like modules */
		return !now;
	return now && now->address == t->places[module].address &&
	       now->size == t->places[module].size;
}

static bool is_known(const struct symbol_table *t, const char *name)
{
	for (uint32_t i = 1; i < t->module_count; i++)
		if (t->modules[i] == name)
			return true;
	return false;
}

/* False: the same modules at the same places. */
static bool compare(struct kernel *k)
{
	struct symbol_changes *changes = &k->changes;
	bool changed = false;

	free(changes->places);
	changes->places = modules__places(k, &changes->place_count);
	for (uint32_t i = 1; i < k->symbols.module_count; i++)
		changed |= !is_there(k, i);
	for (uint32_t i = 0; i < changes->place_count; i++)
		changed |= !is_known(&k->symbols, changes->places[i].name);
	changes->is_compared = true;
	return changed;
}

/* --- reading again -----------------------------------------------------------------------------
 */

static void keep_departed(struct kernel *k)
{
	const struct symbol_table *t = &k->symbols;
	struct symbol_table *departed = &k->changes.departed;

	if (departed->count > DEPARTED_ROWS)
		symbols__free(departed);
	for (uint32_t i = 0; i < t->count; i++) {
		const struct symbol *row = &t->rows[i];

		if (row->module && !is_there(k, row->module) &&
		    symbols__add(k, departed, row, t->strings + row->name, t->modules[row->module]))
			break;
	}
	symbols__sort(departed);
}

int symbols__renew(struct kernel *k)
{
	struct symbol_table fresh = {.loaded = true};
	int error;

	if (!k->symbols.loaded)
		return symbols__load(k);
	error = symbols__read(k, &fresh);
	if (error || !fresh.count || fresh.hidden) { /* a right that was dropped meanwhile */
		symbols__free(&fresh);
		k->symbols.read_at = clock_mono_ns();
		return error;
	}
	compare(k);
	keep_departed(k);
	free(k->changes.old_strings);
	k->changes.old_strings = k->symbols.strings;
	k->symbols.strings = NULL;
	symbols__free(&k->symbols);
	fresh.loaded = true;
	k->symbols = fresh;
	k->changes.is_suspected = false;
	return 0;
}

void symbol_changes__shrink(struct symbol_changes *changes)
{
	free(changes->old_strings);
	changes->old_strings = NULL;
}

void symbol_changes__free(struct symbol_changes *changes)
{
	symbol_changes__shrink(changes);
	symbols__free(&changes->departed);
	free(changes->places);
}

/* --- an address --------------------------------------------------------------------------------
 */

/* A heap address lies above some symbol too; what is that far away does not belong to it. */
static bool is_near(const struct kernel *k, const struct symbol *row, uint64_t address)
{
	const struct module_place *place = &k->symbols.places[row->module];

	if (address - row->address > 1 << 20)
		return false;
	if (!row->module || !place->name)
		return true;
	/* A module may lie in several parts (6.4): the size is then only a bound. */
	if (row->address - place->address < place->size)
		return address - place->address < place->size;
	return address - row->address < place->size;
}

static bool is_among_modules(const struct kernel *k, uint64_t address)
{
	for (uint32_t i = 0; i < k->changes.place_count; i++) {
		uint64_t base = k->changes.places[i].address;

		if (address - base < MODULE_SPACE || base - address < MODULE_SPACE)
			return true;
	}
	return false;
}

/* The module of the row went, or moved, and another one has the address. */
static bool is_taken_over(const struct kernel *k, const struct symbol *row, uint64_t address)
{
	if (!row->module || is_there(k, row->module))
		return false;
	for (uint32_t i = 0; i < k->changes.place_count; i++) {
		const struct module_place *place = &k->changes.places[i];

		if (address - place->address < place->size &&
		    place->name != k->symbols.modules[row->module])
			return true;
	}
	return false;
}

static const struct symbol *find(const struct kernel *k, uint64_t address)
{
	const struct symbol *row = symbols__below(&k->symbols, address);

	return row && is_near(k, row, address) ? row : NULL;
}

/* The row while modules may have changed. */
static const struct symbol *find_among_changes(struct kernel *k, uint64_t address)
{
	const struct symbol_table *t = &k->symbols;
	const struct symbol *row = find(k, address);

	if (row && !row->module)
		return row;
	if (!k->changes.is_compared && !compare(k)) {
		k->changes.is_suspected = false;
		return row;
	}
	if (is_among_modules(k, address) && clock_mono_ns() > t->read_at + PAUSES * t->read_ns &&
	    !symbols__renew(k) && !k->changes.is_suspected)
		return find(k, address);
	return row && !is_taken_over(k, row, address) ? row : NULL;
}

bool kernel__resolve(const struct kernel *k, uint64_t address, struct kernel_symbol *out,
		     uint32_t *offset)
{
	const struct symbol_table *t = &k->symbols;
	const struct symbol *row;

	if (symbols__hidden(k) || !address)
		return false;
	row = k->changes.is_suspected ? find_among_changes((struct kernel *)k, address)
				      : find(k, address);
	if (!row) {
		t = &k->changes.departed;
		row = symbols__below(t, address);
		if (!row || address - row->address > LARGEST_SYMBOL)
			return false;
	}
	out->address = row->address;
	out->name = t->strings + row->name;
	out->module = row->module ? t->modules[row->module] : NULL;
	out->type = row->type;
	if (offset)
		*offset = (uint32_t)(address - row->address);
	return true;
}
