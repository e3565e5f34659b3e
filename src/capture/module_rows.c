// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows of modules that come and go. A direct call into a module pins it, so that it cannot be
 * unloaded. Nothing can run in a module that nobody uses: its rows are given up then, and taken
 * up again when somebody does.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture_private.h"

#define IDLE_SWEEPS 2	 /* so long in a row, so that a module just loaded finds its users */
#define LINGER_SWEEPS 30 /* so long the kernel may take to free an unloaded program */
#define UNKNOWN_REFERENCES UINT32_MAX

static bool has_entries(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool any = false;

	while (directory && !any && (entry = readdir(directory)))
		any = entry->d_name[0] != '.';
	if (directory)
		closedir(directory);
	return any;
}

static uint32_t references_of(const char *module)
{
	char path[128];
	unsigned int references;
	FILE *file;
	bool known;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	file = fopen(path, "re");
	if (!file) {
		snprintf(path, sizeof(path), "/sys/module/%s", module);
		return access(path, F_OK) ? 0 : UNKNOWN_REFERENCES; /* built in */
	}
	known = fscanf(file, "%u", &references) == 1;
	fclose(file);
	return known ? references : UNKNOWN_REFERENCES;
}

/* By other modules, by more than `pins` references, or by the device that it offers itself. */
static bool is_in_use(const char *module, uint32_t pins)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/holders", module);
	if (has_entries(path))
		return true;
	/* without a module of the processor's maker there is none; s390x offers it by kvm itself */
	if (!strcmp(module, "kvm") && !access("/sys/class/misc/kvm", F_OK))
		return true;
	return references_of(module) > pins;
}

/* A program holds its module once (since 31bf1dbccfb0, 6.4), before that a traced function does. */
static uint32_t pins_of(const struct capture *c, const char *module)
{
	uint32_t pins = 0;

	for (uint32_t i = 0; i < c->probe_count; i++) {
		const struct probe *probe = &c->probes[i];

		if (!probe->row->module || strcmp(probe->row->module, module))
			continue;
		for (int j = 0; j < PROBE_PROGRAMS; j++)
			pins += probe->programs[j] && bpf_program__fd(probe->programs[j]) >= 0;
	}
	return pins;
}

static void detach_and_unload(struct probe *probe)
{
	for (int j = 0; j < PROBE_PROGRAMS; j++) {
		bpf_link__destroy(probe->links[j]);
		probe->links[j] = NULL;
		if (probe->programs[j])
			bpf_program__unload(probe->programs[j]);
		probe->programs[j] = NULL;
		probe->misses_seen[j] = 0;
	}
	probe->state = PROBE_PENDING;
	probe->is_released = true;
	probe->idle_sweeps = probe->released_sweeps = 0;
	probe->lingering = UNKNOWN_REFERENCES;
}

static bool has_programs(const struct capture *c, const struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		for (uint32_t i = 0; i < c->probe_count; i++)
			for (int j = 0; j < PROBE_PROGRAMS; j++)
				if (program == c->probes[i].programs[j])
					return true;
	}
	return false;
}

static void close_unused_objects(struct capture *c)
{
	uint32_t kept = 1; /* all objects share the first one's maps */

	for (uint32_t i = 1; i < c->object_count; i++) {
		if (has_programs(c, c->objects[i].object))
			c->objects[kept++] = c->objects[i];
		else
			bpf_object__close(c->objects[i].object);
	}
	c->object_count = kept;
}

static void release(struct capture *c, const char *module)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (!probe->row->module || strcmp(probe->row->module, module) ||
		    probe->state != PROBE_ATTACHED)
			continue;
		detach_and_unload(probe);
		snprintf(probe->reason, sizeof(probe->reason),
			 "module %s is not in use; attached when it is", module);
	}
	close_unused_objects(c);
}

static bool release_idle(struct capture *c)
{
	bool any = false;

	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (!probe->row->module || probe->state != PROBE_ATTACHED)
			continue;
		if (is_in_use(probe->row->module, pins_of(c, probe->row->module))) {
			probe->idle_sweeps = 0;
		} else if (++probe->idle_sweeps >= IDLE_SWEEPS) {
			release(c, probe->row->module);
			any = true;
		}
	}
	return any;
}

static bool a_row_waits(const struct capture *c, bool module_is_there)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		const struct probe *probe = &c->probes[i];

		if (probe->state == PROBE_PENDING && probe->row->module && !probe->is_released &&
		    kernel__module_loaded(c->options.kernel, probe->row->module) == module_is_there)
			return true;
	}
	return false;
}

/*
 * Is the module of a released row used again? An unloaded program drops its reference when the
 * kernel gets to it (bpf_prog_free_deferred), so that references only count when they grow.
 */
static bool is_used_again(struct probe *probe)
{
	uint32_t references = references_of(probe->row->module);

	if (++probe->released_sweeps > LINGER_SWEEPS)
		probe->lingering = 0;
	else if (references < probe->lingering)
		probe->lingering = references;
	return is_in_use(probe->row->module, probe->lingering);
}

/* Released rows whose module is used again wait like those of a module that just came. */
static bool take_up_released(struct capture *c)
{
	bool any = false;

	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (!probe->is_released || !is_used_again(probe))
			continue;
		probe->is_released = false;
		any = true;
	}
	return any;
}

/* The list is read once more in a sweep, however many functions it lacked in the last one. */
static void reevaluate(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++)
		if (c->probes[i].looks && c->probes[i].state == PROBE_PENDING) {
			kernel__drop_traceable(c->options.kernel);
			return;
		}
}

bool module_rows__follow(struct capture *c)
{
	bool changed = is_direct(c) && release_idle(c), again = take_up_released(c);

	if (!again && !a_row_waits(c, false))
		return changed;
	if (kernel__refresh(c->options.kernel) || !a_row_waits(c, true))
		return changed;
	reevaluate(c);
	if (programs__load_paths(c) || !programs__attach_pending(c))
		return changed;
	c->shared->group_fops = kernel__symbol(c->options.kernel, "vfio_group_fops");
	return true;
}
