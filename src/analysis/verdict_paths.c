// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What has to run, and whether it did: paths, and for each driver its own part of them. A path that
 * this kernel does not have is never held against it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/verdict_internal.h"

/* Those that come to a driver's own functions, with the VM that it was given. */
#define DRIVER_PATHS (1u << PATH_DEVICE_OPEN | 1u << PATH_DEVICE_CLOSE | 1u << PATH_GET_KVM)
#define BROUGHT_GET_KVM "2b48f52f2bff"

static uint32_t paths_hit(const struct model *m)
{
	uint32_t bits = 0;

	for (int path = 0; path < PATH_COUNT; path++)
		if (model__coverage(m, (enum path_id)path)->hits)
			bits |= 1u << path;
	return bits;
}

static struct verdict_driver *driver_of(struct verdict *v, const char *driver)
{
	struct verdict_driver *grown;

	for (uint32_t i = 0; i < v->driver_count; i++)
		if (!strcmp(v->drivers[i].driver, driver))
			return &v->drivers[i];
	grown = realloc(v->drivers, (v->driver_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	v->drivers = grown;
	grown += v->driver_count++;
	*grown = (struct verdict_driver){.driver = driver};
	return grown;
}

static uint32_t paths_with(const struct driver_coverage *row)
{
	uint32_t bits = 0;

	for (int path = 0; path < PATH_COUNT; path++)
		if (row->hits[path] || row->maybe[path])
			bits |= 1u << path;
	return bits;
}

/* Whose devices are here, or had a part in anything, here or in the baseline. */
static int require_drivers(struct verdict *v, const struct driver_table *table, bool is_baseline)
{
	for (uint32_t i = 0; i < table->count; i++) {
		const struct driver_coverage *row = &table->rows[i];
		uint32_t ran = paths_with(row);
		struct verdict_driver *driver;

		if (!ran && (is_baseline || !row->is_bound))
			continue;
		driver = driver_of(v, row->driver);
		if (!driver)
			return -ENOMEM;
		driver->required |= is_baseline ? ran & DRIVER_PATHS : DRIVER_PATHS;
		driver->is_bound |= !is_baseline && row->is_bound;
		driver->in_baseline |= is_baseline;
	}
	return 0;
}

static bool had_drivers(const struct driver_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		if (paths_with(&table->rows[i]) & DRIVER_PATHS)
			return true;
	return false;
}

int verdict__require(struct verdict *v, const struct model *m,
		     const struct verdict_options *options)
{
	struct driver_table *before;
	int error = -ENOMEM;

	v->required = VERDICT_DEFAULT_PATHS | options->required;
	if (options->baseline)
		v->required |= paths_hit(options->baseline);
	v->table = driver_table__make(m);
	if (v->table)
		error = require_drivers(v, v->table, false);
	if (error || !options->baseline)
		return error;
	before = driver_table__make(options->baseline);
	error = before ? require_drivers(v, before, true) : -ENOMEM;
	if (!error && paths_hit(options->baseline) & DRIVER_PATHS && !had_drivers(before))
		verdict__worsen(
			v, VERDICT_INCONCLUSIVE,
			verdict__message("the baseline does not tell which drivers' devices "
					 "its paths ran with (redacted, or cut down): what "
					 "has to run again is not known"));
	driver_table__free(before);
	return error;
}

/* --- paths --------------------------------------------------------------------------------------
 */

static void judge_path(struct verdict *v, enum path_id path, const struct coverage *c)
{
	const char *name = path_names[path];

	if (c->state == COVERAGE_UNPROBED)
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("path %s could not be watched: %s", name,
						 c->reason ? c->reason : "no probe"));
	else if (!c->hits)
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				c->reason ? verdict__message("path %s was not exercised: %s", name,
							     c->reason)
					  : verdict__message("path %s was not exercised", name));
	else if (v->table->failed[path] && !v->table->succeeded[path])
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("path %s ran %" PRIu64
						 " times and failed each time",
						 name, v->table->failed[path]));
}

/* A function that came with a fix is not absent where the fix is in: it could not be found. */
static bool is_there_unseen(const struct verdict_options *options, enum path_id path)
{
	const char *evidence;

	return path == PATH_GET_KVM &&
	       verdict__fix_state(options, BROUGHT_GET_KVM, &evidence) == VERDICT_FIX_IN;
}

/* --- drivers ------------------------------------------------------------------------------------
 */

static char *why_required(const struct verdict_driver *driver, const struct driver_coverage *row)
{
	if (row && row->hits[PATH_DEVICE_CLOSE] && !row->hits[PATH_DEVICE_OPEN])
		return verdict__message("its device was opened before this looked");
	if (driver->is_bound)
		return verdict__message("a device of this host is bound to it");
	return verdict__message(driver->in_baseline ? "it has a part in the baseline"
						    : "a device of it was seen");
}

static void judge_driver(struct verdict *v, const struct model *m,
			 const struct verdict_driver *driver)
{
	const struct driver_coverage *row = driver_table__find(v->table, driver->driver);
	char *missing = NULL, *why;

	for (int path = 0; path < PATH_COUNT; path++) {
		if (!(v->required & driver->required & 1u << path) || (row && row->hits[path]) ||
		    model__coverage(m, (enum path_id)path)->state == COVERAGE_ABSENT)
			continue;
		missing = verdict__join(missing, ", ", path_names[path]);
	}
	if (!missing)
		return;
	why = why_required(driver, row);
	verdict__worsen(v, VERDICT_INCONCLUSIVE,
			verdict__message("driver %s: %s did not run with a device of it and a VM "
					 "(%s). To decide, open one that is not open, with its VM, "
					 "and close it while this looks",
					 driver->driver, missing, why ? why : "?"));
	free(missing);
	free(why);
}

/* Which driver it was must be known of each path that comes to one. */
static void judge_unknown_drivers(struct verdict *v, const struct model *m)
{
	for (int path = 0; path < PATH_COUNT; path++) {
		bool is_known = false;

		if (!(v->required & DRIVER_PATHS & 1u << path) ||
		    !model__coverage(m, (enum path_id)path)->hits)
			continue;
		for (uint32_t i = 0; i < v->table->count; i++)
			is_known = is_known || v->table->rows[i].hits[path];
		if (!is_known)
			verdict__worsen(v, VERDICT_INCONCLUSIVE,
					verdict__message("path %s ran, but with no driver's device "
							 "for sure (and a VM)",
							 path_names[path]));
	}
}

void verdict__judge_paths(struct verdict *v, const struct model *m,
			  const struct verdict_options *options)
{
	for (int path = 0; path < PATH_COUNT; path++) {
		const struct coverage *c = model__coverage(m, (enum path_id)path);

		if (!(v->required & 1u << path))
			continue;
		if (c->state != COVERAGE_ABSENT)
			judge_path(v, (enum path_id)path, c);
		else if (is_there_unseen(options, (enum path_id)path))
			verdict__worsen(
				v, VERDICT_INCONCLUSIVE,
				verdict__message("path %s could not be watched: its function "
						 "is not there though " BROUGHT_GET_KVM
						 " is (inlined?)",
						 path_names[path]));
	}
	for (uint32_t i = 0; i < v->driver_count; i++)
		judge_driver(v, m, &v->drivers[i]);
	judge_unknown_drivers(v, m);
}
