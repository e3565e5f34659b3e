// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Load and attach: which program stands for which row, objects that share maps, and a load that
 * goes on without the one program a kernel's verifier refuses.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "capture/capture_private.h"
#include "kernel/program_types.h"
#include "lockdep.skel.h"
#include "locks.skel.h"
#include "paths.skel.h"

#define RING_BYTES_ALL (16 << 20)
#define LOOKS 10

void probes__init(struct capture *c)
{
	for (uint32_t i = 0; i < probe_table_count && c->probe_count < MAX_PROBES; i++) {
		struct probe *probe = &c->probes[c->probe_count++];

		probe->row = &probe_table[i];
		probe->state = PROBE_OFF;
	}
}

struct probe *probes__find(struct capture *c, const char *name)
{
	for (uint32_t i = 0; i < c->probe_count; i++)
		if (!strcmp(c->probes[i].row->name, name))
			return &c->probes[i];
	return NULL;
}

static bool is_asked_for(const struct capture *c, const struct probe_row *row)
{
	if (row->flags & PROBE_EVENTS)
		return c->options.record_events;
	if (row->flags & PROBE_HOLDS)
		return c->options.holds || c->options.record_events;
	return true;
}

/*
 * The kernel's list of functions that can be traced is long to read, and what is not on it does not
 * attach: then it is read (programs__attach_pending). At once only where the answer decides
 * something now: which of two functions, and whether a module that just came is in the list yet.
 */
static bool seems_traceable(const struct capture *c, const struct probe_row *row, int i)
{
	bool is_late = row->module && c->next_collect;

	for (int j = 0; j < PROBE_ALTERNATIVES && row->functions[j]; j++)
		is_late |= j != i && kernel__has_symbol(c->options.kernel, row->functions[j]);
	return is_late ? kernel__is_traceable(c->options.kernel, row->functions[i])
		       : kernel__may_be_traceable(c->options.kernel, row->functions[i]);
}

void probe__is_untraceable(struct probe *probe)
{
	probe->state = PROBE_MISSING;
	snprintf(probe->reason, sizeof(probe->reason), "%s cannot be traced on this kernel",
		 probe->row->functions[0]);
}

/* Its program, or NULL where this kernel lacks the tracepoint. */
static const char *choose_tracepoint(struct capture *c, struct probe *probe)
{
	const struct probe_row *row = probe->row;
	const char *needed = row->functions[1];

	if (needed && !kernel__has_tracepoint(c->options.kernel, needed)) {
		probe->state = row->flags & PROBE_QUIET ? PROBE_OFF : PROBE_MISSING;
		snprintf(probe->reason, sizeof(probe->reason), "%s: %s", needed, row->absent);
		return NULL;
	}
	return row->functions[0];
}

/* Where the row's function is, or NULL with the reason why there is none. */
static const char *choose_function(struct capture *c, struct probe *probe)
{
	const struct probe_row *row = probe->row;
	bool is_there = false;

	if (row->flags & PROBE_TRACEPOINT)
		return choose_tracepoint(c, probe);
	if (row->flags & PROBE_NO_OWNER_WORD && c->is_preemptible && !is_direct(c)) {
		probe->state = PROBE_MISSING;
		snprintf(probe->reason, sizeof(probe->reason),
			 "%s: this kernel is preemptible and skips runs of kprobes; a release that "
			 "was skipped would leave the lock held for good",
			 row->functions[0]);
		return NULL;
	}
	for (int i = 0; i < PROBE_ALTERNATIVES && row->functions[i]; i++) {
		const char *function = row->functions[i], *module = NULL;

		if (!kernel__has_btf_function(c->options.kernel, function, &module) &&
		    !(c->level == ATTACH_KPROBE && kernel__symbol(c->options.kernel, function)))
			continue;
		is_there = true;
		if (!seems_traceable(c, row, i))
			continue;
		probe->looks = 0;
		return function;
	}
	probe->state = !is_there && (row->flags & PROBE_QUIET) ? PROBE_OFF : PROBE_MISSING;
	if (is_there && row->module && c->next_collect && probe->looks++ < LOOKS) {
		/* its module was loaded a moment ago: the kernel's list may lag behind */
		probe->state = PROBE_PENDING;
		snprintf(probe->reason, sizeof(probe->reason), "%s cannot be traced yet",
			 row->functions[0]);
	} else if (is_there)
		probe__is_untraceable(probe);
	else
		snprintf(probe->reason, sizeof(probe->reason), "%s: %s", row->functions[0],
			 row->absent ? row->absent : "not a function of this kernel (inlined?)");
	return NULL;
}

/* Path rows of the lockdep level use direct calls as well. */
bool is_direct(const struct capture *c)
{
	return c->level == ATTACH_FENTRY || c->level == ATTACH_LOCKDEP;
}

static void program_names(const struct capture *c, const struct probe *probe,
			  char names[PROBE_PROGRAMS][96])
{
	const struct probe_row *row = probe->row;
	bool direct = is_direct(c);

	for (int i = 0; i < PROBE_PROGRAMS; i++)
		names[i][0] = 0;
	if (row->flags & PROBE_TRACEPOINT) {
		snprintf(names[AT_ENTRY], 96, "%s", probe->function);
		return;
	}
	if (row->flags & PROBE_ACQUIRED) {
		if (direct)
			snprintf(names[AT_EXIT], 96, "acquired_%s", probe->function);
		return;
	}
	if (direct && c->is_preemptible && (row->flags & PROBE_BACKUP))
		snprintf(names[BACKUP_PROGRAM], 96, "backup_%s", probe->function);
	if (row->flags & PROBE_ENTRY)
		snprintf(names[AT_ENTRY], 96, "%s_%s", direct ? "fentry" : "kprobe",
			 probe->function);
	if (!(row->flags & PROBE_EXIT))
		return;
	if (direct)
		snprintf(names[AT_EXIT], 96, "fexit_%s", probe->function);
	else if (row->object == PROBE_IN_PATHS)
		snprintf(names[AT_EXIT], 96, "kretprobe_%s", probe->function);
	else if (!(row->flags & PROBE_ENTRY)) /* down_read_trylock: no exit, the attempt counts */
		snprintf(names[AT_ENTRY], 96, "kprobe_%s", probe->function);
}

/* Pick programs for the row in this object; true if there is something to load. */
static bool select_row(struct capture *c, struct probe *probe, struct bpf_object *object)
{
	char names[PROBE_PROGRAMS][96];
	bool any = false;

	probe->function = choose_function(c, probe);
	if (!probe->function)
		return false;
	if (c->options.fail_probe && !strcmp(c->options.fail_probe, probe->row->name)) {
		probe->state = PROBE_FAILED;
		snprintf(probe->reason, sizeof(probe->reason), "made to fail on request");
		return false;
	}
	program_names(c, probe, names);
	for (int i = 0; i < PROBE_PROGRAMS; i++) {
		probe->programs[i] =
			*names[i] ? bpf_object__find_program_by_name(object, names[i]) : NULL;
		if (!probe->programs[i])
			continue;
		bpf_program__set_autoload(probe->programs[i], true);
		any = true;
	}
	snprintf(probe->how, sizeof(probe->how), "%s",
		 probe->row->flags & PROBE_TRACEPOINT ? "tp_btf"
		 : is_direct(c)			      ? "fentry"
						      : "kprobe");
	if (!any) {
		probe->state = PROBE_MISSING;
		snprintf(probe->reason, sizeof(probe->reason), "needs direct calls (fentry)");
	}
	return any;
}

/* The rows of `kind` that wait for their module, or have not been looked at yet. */
static uint32_t select_rows(struct capture *c, enum probe_object kind, struct bpf_object *object)
{
	struct bpf_program *program;
	uint32_t selected = 0;

	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, false);
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (probe->row->object != kind ||
		    (probe->state != PROBE_OFF && probe->state != PROBE_PENDING))
			continue;
		if (!is_asked_for(c, probe->row) || probe->is_released)
			continue;
		if (probe->row->module &&
		    !kernel__module_loaded(c->options.kernel, probe->row->module)) {
			probe->state = PROBE_PENDING;
			snprintf(probe->reason, sizeof(probe->reason),
				 "module %s is not loaded; attached when it is",
				 probe->row->module);
			continue;
		}
		if (select_row(c, probe, object)) {
			probe->state = PROBE_PENDING;
			probe->reason[0] = 0;
			selected++;
		}
	}
	return selected;
}

static struct bpf_object *first_object(const struct capture *c)
{
	return c->object_count ? c->objects[0].object : NULL;
}

int programs__map_fd(const struct capture *c, const char *name)
{
	struct bpf_object *object = first_object(c);

	return object ? bpf_object__find_map_fd_by_name(object, name) : -ENOENT;
}

/* Every lock order of a host comes in bursts that those of VFIO alone do not have. 0: as defined.
 */
static uint32_t ring_bytes(const struct capture *c)
{
	if (c->options.ring_bytes)
		return c->options.ring_bytes;
	return c->options.scope_all ? RING_BYTES_ALL : 0;
}

/* Maps are made once; later objects use the first one's. */
static int share_maps(struct capture *c, struct bpf_object *object)
{
	struct bpf_object *first = first_object(c);
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map);
		struct bpf_map *known;
		int error;

		if (bpf_map__is_internal(map))
			continue;
		if (!first) {
			if (!strcmp(name, "records") && ring_bytes(c))
				bpf_map__set_max_entries(map, ring_bytes(c));
			if (!strcmp(name, "chains") && c->options.kernel_chains)
				bpf_map__set_max_entries(map, c->options.kernel_chains);
			if (!strcmp(name, "hold_times") && !c->options.holds)
				bpf_map__set_max_entries(map, 1);
			continue;
		}
		known = bpf_object__find_map_by_name(first, name);
		if (!known)
			continue;
		error = bpf_map__reuse_fd(map, bpf_map__fd(known));
		if (error)
			return error;
	}
	return 0;
}

static struct bpf_object *open_object(enum probe_object kind, const char *types)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = types);
	size_t size;
	const void *bytes;

	if (kind == PROBE_IN_LOCKS) {
		options.object_name = "vfiotrace_locks";
		bytes = locks_bpf__elf_bytes(&size);
	} else if (kind == PROBE_IN_LOCKDEP) {
		options.object_name = "vfiotrace_lockd";
		bytes = lockdep_bpf__elf_bytes(&size);
	} else {
		options.object_name = "vfiotrace_paths";
		bytes = paths_bpf__elf_bytes(&size);
	}
	return bpf_object__open_mem(bytes, size, &options);
}

/* The verifier (or the kernel) refused one program: take its row out, so the rest can load. */
static bool take_out_refused(struct capture *c, enum probe_object kind)
{
	const char *complaint = capture__libbpf_error();

	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (probe->row->object != kind || probe->state != PROBE_PENDING)
			continue;
		for (int j = 0; j < PROBE_PROGRAMS; j++) {
			const char *name;

			if (!probe->programs[j])
				continue;
			name = bpf_program__name(probe->programs[j]);
			if (!strstr(complaint, name))
				continue;
			probe->state = PROBE_FAILED;
			snprintf(probe->reason, sizeof(probe->reason),
				 "refused by the kernel: %.120s", complaint);
			return true;
		}
	}
	return false;
}

static void reset_selection(struct capture *c, enum probe_object kind)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (probe->row->object != kind || probe->state == PROBE_ATTACHED)
			continue;
		memset(probe->programs, 0, sizeof(probe->programs));
	}
}

static int load_selected(struct capture *c, enum probe_object kind, struct program_types *types)
{
	for (int attempt = 0; attempt < 8; attempt++) {
		struct bpf_object *object = open_object(kind, types->path);
		int error;

		if (!object)
			return -errno;
		if (!select_rows(c, kind, object)) {
			bpf_object__close(object);
			return 0;
		}
		programs__set_constants(c, object);
		error = share_maps(c, object);
		capture__clear_error();
		if (!error)
			error = program_types__fill(types, object);
		if (!error)
			error = bpf_object__load(object);
		if (!error) {
			c->objects[c->object_count].kind = kind;
			c->objects[c->object_count++].object = object;
			return 0;
		}
		if (!take_out_refused(c, kind)) {
			bpf_object__close(object);
			reset_selection(c, kind);
			return error;
		}
		bpf_object__close(object);
		reset_selection(c, kind);
	}
	return -E2BIG;
}

static int load(struct capture *c, enum probe_object kind)
{
	struct program_types types;
	int error;

	program_types__begin(&types, c->options.kernel);
	error = load_selected(c, kind, &types);
	program_types__end(&types);
	return error;
}

int programs__load_locks(struct capture *c)
{
	return load(c, PROBE_IN_LOCKS);
}

int programs__load_lockdep(struct capture *c)
{
	return load(c, PROBE_IN_LOCKDEP);
}

int programs__load_paths(struct capture *c)
{
	if (c->object_count >= MAX_OBJECTS)
		return 0;
	return load(c, PROBE_IN_PATHS);
}

uint64_t programs__map_bytes(const struct capture *c)
{
	struct bpf_object *object = first_object(c);
	uint64_t bytes = 0;
	struct bpf_map *map;

	if (!object)
		return 0;
	bpf_object__for_each_map(map, object) {
		char path[64], line[128];
		unsigned long long value;
		FILE *info;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
		info = fopen(path, "re");
		while (info && fgets(line, sizeof(line), info))
			if (sscanf(line, "memlock: %llu", &value) == 1)
				bytes += value;
		if (info)
			fclose(info);
	}
	return bytes;
}

void programs__close(struct capture *c)
{
	programs__detach(c);
	while (c->object_count)
		bpf_object__close(c->objects[--c->object_count].object);
}
