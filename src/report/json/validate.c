// SPDX-License-Identifier: GPL-2.0-or-later
/* The verdict as a record. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/validate.h"
#include "report.h"

static json_t *sites_json(const struct verdict_dependency *d)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < d->site_count; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "function", json_text(d->sites[i].function));
		json_object_set_new(row, "module", json_text(d->sites[i].module));
		json_object_set_new(row, "state", json_string(site_state_names[d->sites[i].state]));
		json_array_append_new(rows, row);
	}
	return rows;
}

static void put_status(json_t *row, enum dependency_status status)
{
	/* the former name and words, for one version */
	static const char *const states[] = {"gone", "back", "not exercised"};

	json_object_set_new(row, "status", json_string(dependency_status_names[status]));
	json_object_set_new(row, "state", json_string(states[status]));
}

static json_t *dependency_json(const struct verdict_dependency *d)
{
	json_t *row = json_object();

	json_object_set_new(row, "from", json_text(d->from));
	json_object_set_new(row, "to", json_text(d->to));
	put_status(row, d->status);
	json_object_set_new(row, "path", json_text(d->path));
	json_object_set_new(row, "runs_before", json_integer((json_int_t)d->runs_before));
	json_object_set_new(row, "runs_now", json_integer((json_int_t)d->runs_now));
	json_object_set_new(row, "count_before", json_integer((json_int_t)d->count_before));
	json_object_set_new(row, "count_now", json_integer((json_int_t)d->count_now));
	json_object_set_new(row, "instead", json_text(d->instead));
	json_object_set_new(row, "sites", sites_json(d));
	json_object_set_new(row, "evidence", json_text(d->evidence));
	return row;
}

static json_t *baseline_json(const struct validation *v)
{
	json_t *baseline, *cycles;

	if (!v->baseline)
		return NULL;
	baseline = json_object();
	cycles = json_array();
	for (uint32_t i = 0; i < v->verdict->cycle_count; i++) {
		const struct verdict_cycle *c = &v->verdict->cycles[i];
		json_t *row = json_object(), *dependencies = json_array();

		for (uint32_t d = 0; d < c->count; d++)
			json_array_append_new(dependencies, dependency_json(&c->dependencies[d]));
		json_object_set_new(row, "cycle", json_text(c->words));
		put_status(row, c->status);
		json_object_set_new(row, "dependencies", dependencies);
		json_array_append_new(cycles, row);
	}
	json_object_set_new(baseline, "file", json_text(v->baseline_file));
	json_object_set_new(baseline, "kernel",
			    json_text(model__fact(v->baseline, "kernel.release")));
	json_object_set_new(baseline, "cycles", cycles);
	return baseline;
}

static json_t *module_json(const struct model *m, const char *name)
{
	json_t *row = json_object();
	char key[64];

	snprintf(key, sizeof(key), "module.%s.origin", name);
	json_object_set_new(row, "origin", json_text(model__fact(m, key)));
	snprintf(key, sizeof(key), "module.%s.build_id", name);
	json_object_set_new(row, "build_id", json_text(model__fact(m, key)));
	return row;
}

/* Which kernel the verdict is about: a livepatch or a module of one's own changes what it means. */
static void add_origin(json_t *record, const struct model *m)
{
	json_t *kernel = json_object(), *modules = json_object();

	json_object_set_new(kernel, "release", json_text(model__fact(m, "kernel.release")));
	json_object_set_new(kernel, "arch", json_text(model__fact(m, "arch")));
	json_object_set_new(kernel, "version", json_text(model__fact(m, "kernel.version")));
	json_object_set_new(kernel, "build_id", json_text(model__fact(m, "kernel.build_id")));
	json_object_set_new(kernel, "livepatches", json_text(model__fact(m, "kernel.livepatches")));
	json_object_set_new(modules, "vfio", module_json(m, "vfio"));
	json_object_set_new(modules, "kvm", module_json(m, "kvm"));
	json_object_set_new(record, "kernel", kernel);
	json_object_set_new(record, "modules", modules);
	json_object_set_new(record, "scope", json_text(model__fact(m, "scope")));
	json_object_set_new(record, "probe_level", json_text(model__fact(m, "probe.level")));
}

static json_t *required_json(uint32_t required)
{
	json_t *names = json_array();

	for (int path = 0; path < PATH_COUNT; path++)
		if (required & 1u << path)
			json_array_append_new(names, json_string(path_names[path]));
	return names;
}

static json_t *drivers_json(const struct verdict *verdict)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < verdict->driver_count; i++) {
		const struct verdict_driver *driver = &verdict->drivers[i];
		json_t *row = json_object();

		json_object_set_new(row, "driver", json_text(driver->driver));
		json_object_set_new(row, "paths",
				    required_json(driver->required & verdict->required));
		json_object_set_new(row, "bound", json_boolean(driver->is_bound));
		json_object_set_new(row, "in_baseline", json_boolean(driver->in_baseline));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *limits_json(const struct verdict *verdict)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < verdict->limit_count; i++)
		json_array_append_new(rows, json_text(verdict->limits[i]));
	return rows;
}

void validation__json(FILE *out, const struct validation *v)
{
	struct report_input input = {.model = v->m, .findings = v->findings};
	json_t *record =
		json_verdict(&input, verdict_names[v->verdict->kind], v->verdict->reasons,
			     v->verdict->reason_count, v->fixes, v->fix_count, baseline_json(v));

	add_origin(record, v->m);
	json_object_set_new(record, "required", required_json(v->verdict->required));
	json_object_set_new(record, "required_drivers", drivers_json(v->verdict));
	json_object_set_new(record, "not_covered", limits_json(v->verdict));
	json_object_set_new(record, "losses", json_losses(v->m));
	json_object_set_new(record, "exercised", json_text(v->exercised));
	json_object_set_new(record, "exit", json_integer(v->exit_status));
	json_print(out, record);
}
