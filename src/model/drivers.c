// SPDX-License-Identifier: GPL-2.0-or-later
/* Coverage per path and driver; see drivers.h. */
#include "drivers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACT "vfio.driver."
#define FACT_OPEN ".open"

/* Runs by object, before drivers are told apart: a path event costs one addition. */
typedef uint64_t path_counts[PATH_COUNT];

static int compare(const void *a, const void *b)
{
	const struct driver_coverage *x = a, *y = b;

	return strcmp(x->driver, y->driver);
}

static const char *driver_of(const struct object *object)
{
	return object->kind == OBJECT_DEVICE ? object->detail : NULL;
}

/* "vfio.driver.NAME" and "vfio.driver.NAME.open"; the driver's name may have dots. */
static bool read_fact(struct driver_coverage *row, struct model *m, size_t i)
{
	const char *key, *value, *name;
	size_t length, suffix = strlen(FACT_OPEN);

	model__fact_at(m, i, &key, &value);
	if (strncmp(key, FACT, strlen(FACT)))
		return false;
	name = key + strlen(FACT);
	length = strlen(name);
	if (length > suffix && !strcmp(name + length - suffix, FACT_OPEN)) {
		*row = (struct driver_coverage){.open = value};
		row->driver = model__intern_n(m, name, length - suffix);
	} else {
		*row = (struct driver_coverage){.driver = name, .is_bound = true};
		row->module = *value ? value : NULL;
	}
	return row->driver;
}

static bool has_result(uint32_t path)
{
	return path == PATH_DEVICE_OPEN || path == PATH_GROUP_ADD || path == PATH_GROUP_DEL ||
	       path == PATH_VM_CREATE;
}

static void count_run(struct driver_table *table, path_counts *runs, uint32_t objects,
		      const struct path_event *event)
{
	if (event->path >= PATH_COUNT)
		return;
	if (has_result(event->path) && event->result < 0) {
		table->failed[event->path] += event->count;
		return;
	}
	table->succeeded[event->path] += event->count;
	if (event->path == PATH_GET_KVM && event->kvm_returned != 1)
		return;
	if (event->device < objects)
		runs[event->device][event->path] += event->count;
	else if (event->group < objects) /* any device of the group may have been the one */
		runs[event->group][event->path] += event->count;
}

/* One row for each device and fact. */
static void fill(struct driver_table *table, struct model *m, path_counts *runs)
{
	uint32_t objects = model__object_count(m);

	for (uint32_t i = 0; i < objects; i++) {
		const struct object *object = model__object(m, i);
		struct driver_coverage *row = &table->rows[table->count];

		if (!driver_of(object))
			continue;
		*row = (struct driver_coverage){.driver = driver_of(object)};
		memcpy(row->hits, runs[i], sizeof(row->hits));
		if (object->parent < objects)
			memcpy(row->maybe, runs[object->parent], sizeof(row->maybe));
		table->count++;
	}
	for (size_t i = 0; i < model__fact_count(m); i++)
		table->count += read_fact(&table->rows[table->count], m, i);
}

static void merge(struct driver_table *table)
{
	uint32_t used = 0;

	qsort(table->rows, table->count, sizeof(*table->rows), compare);
	for (uint32_t i = 0; i < table->count; i++) {
		const struct driver_coverage *row = &table->rows[i];
		struct driver_coverage *into = used ? &table->rows[used - 1] : NULL;

		if (!into || compare(into, row)) {
			table->rows[used++] = *row;
			continue;
		}
		into->is_bound |= row->is_bound;
		into->module = row->module ? row->module : into->module;
		into->open = row->open ? row->open : into->open;
		for (int path = 0; path < PATH_COUNT; path++) {
			into->hits[path] += row->hits[path];
			into->maybe[path] += row->maybe[path];
		}
	}
	table->count = used;
}

struct driver_table *driver_table__make(const struct model *m)
{
	struct model *strings = (struct model *)m; /* names are interned, nothing else is changed */
	struct driver_table *table = calloc(1, sizeof(*table));
	uint32_t objects = model__object_count(m);
	path_counts *runs = calloc(objects + 1ULL, sizeof(*runs));

	if (table)
		table->rows = calloc(objects + model__fact_count(m) + 1, sizeof(*table->rows));
	if (!table || !table->rows || !runs) {
		driver_table__free(table);
		free(runs);
		return NULL;
	}
	for (uint32_t i = 0; i < model__path_event_count(m); i++)
		count_run(table, runs, objects, model__path_event(m, i));
	fill(table, strings, runs);
	merge(table);
	free(runs);
	return table;
}

void driver_table__free(struct driver_table *table)
{
	if (!table)
		return;
	free(table->rows);
	free(table);
}

const struct driver_coverage *driver_table__find(const struct driver_table *table,
						 const char *driver)
{
	for (uint32_t i = 0; i < table->count; i++)
		if (!strcmp(table->rows[i].driver, driver))
			return &table->rows[i];
	return NULL;
}

const char *driver_table__describe(const struct driver_table *table, enum path_id path, char *out,
				   size_t size)
{
	size_t used = 0;

	*out = 0;
	for (uint32_t i = 0; i < table->count && used < size; i++)
		if (table->rows[i].hits[path])
			used += (size_t)snprintf(out + used, size - used, "%s%s %" PRIu64,
						 used ? ", " : "", table->rows[i].driver,
						 table->rows[i].hits[path]);
	return used ? out : NULL;
}
