// SPDX-License-Identifier: GPL-2.0-or-later
/* Load and attach the contention programs, read their records, sweep; see contention.h. */
#include "contention/contention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "contention/contention_private.h"
#include "kernel/program_types.h"
#include "record.h"
#include "contention.skel.h"
#include "util/clock.h"

/* Waits from here on make the sweep look for missed deadlocks. */
#define OLD_WAIT_NS 1000000000ULL
/* Waits that began before we came have no notes: look anyway. */
#define SWEEPS_PER_LOOK 60

static char error_text[256];

const char *contention__error(void)
{
	return error_text;
}

/* --- notes and held sets
 * ------------------------------------------------------------------------------------ */

bool contention__note(const struct contention *c, uint64_t task, struct contention_note *out)
{
	return !bpf_map_lookup_elem(bpf_map__fd(c->bpf->maps.notes), &task, out) &&
	       out->task == task && out->lock;
}

struct contention_note *contention__notes(const struct contention *c, uint32_t *count)
{
	int fd = bpf_map__fd(c->bpf->maps.notes);
	struct contention_note *notes = NULL;
	uint32_t room = 0;
	uint64_t key, next;
	bool more;

	*count = 0;
	for (more = !bpf_map_get_next_key(fd, NULL, &key); more; key = next) {
		struct contention_note note;

		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!contention__note(c, key, &note))
			continue;
		if (*count == room) {
			struct contention_note *grown;

			room = room ? room * 2 : 64;
			if (room >
			    4 * CONTENTION_NOTES) /* keys come back when they change meanwhile */
				break;
			grown = realloc(notes, room * sizeof(*notes));
			if (!grown)
				break;
			notes = grown;
		}
		notes[(*count)++] = note;
	}
	return notes;
}

static void add_hold(struct contention *c, uint64_t task, const struct record_lock *lock)
{
	bool shared = lock->flags & RECORD_SHARED;
	struct census_hold *more;

	if (!shared && lock->kind != RECORD_RWSEM) /* its owner word says the same, and better */
		return;
	if (!(c->hold_count & (c->hold_count - 1))) {
		more = realloc(c->holds, (c->hold_count ? c->hold_count * 2 : 1) * sizeof(*more));
		if (!more)
			return;
		c->holds = more;
	}
	c->holds[c->hold_count++] = (struct census_hold){task, lock->lock, shared};
}

/* What the waiting tasks hold to read, and which rwsems they ask for: only their held sets know. */
static void read_held_sets(struct contention *c)
{
	struct bpf_link *link;
	struct contention_held header;
	FILE *in;
	int fd;

	c->hold_count = 0;
	if (c->hooks.held_map < 0)
		return;
	link = bpf_program__attach_iter(c->bpf->progs.held_sets, NULL);
	if (!link)
		return;
	fd = bpf_iter_create(bpf_link__fd(link));
	in = fd < 0 ? NULL : fdopen(fd, "r");
	while (in && fread(&header, sizeof(header), 1, in) == 1) {
		struct record_lock lock;

		for (uint32_t i = 0; i < header.count; i++) {
			if (fread(&lock, sizeof(lock), 1, in) != 1)
				break;
			add_hold(c, header.task, &lock);
		}
	}
	if (in)
		fclose(in);
	else if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

struct census *contention__census(struct contention *c)
{
	struct census_options options = {
		.kernel = c->options.kernel,
		.model = c->options.model,
		.user_stacks = true,
		.source = c->source,
		.known_instance = c->hooks.known_instance,
		.context = c->hooks.context,
	};
	struct census *census;
	int err;

	read_held_sets(c);
	options.holds = c->holds;
	options.hold_count = c->hold_count;
	census = census__run(&options, &err);
	if (census)
		contention__remember_names(c, census);
	return census;
}

/* --- life cycle
 * ------------------------------------------------------------------------------------------------
 */

int contention__on_record(void *context, void *data, size_t size)
{
	struct contention *c = context;
	struct pending_deadlock *p, **end = &c->pending;

	if (size < sizeof(p->record))
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p) {
		model__add_loss(c->options.model, LOSS_MEMORY, 1);
		return 0;
	}
	memcpy(&p->record, data, sizeof(p->record));
	if (p->record.link_count > CONTENTION_DEPTH)
		p->record.link_count = CONTENTION_DEPTH;
	while (*end)
		end = &(*end)->next;
	*end = p;
	return 0;
}

static int load_programs(struct contention *c)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	struct program_types types;
	int err;

	program_types__begin(&types, c->options.kernel);
	options.btf_custom_path = types.path;
	c->bpf = contention_bpf__open_opts(&options);
	err = c->bpf ? program_types__fill(&types, c->bpf->obj) : -errno;
	if (!err && c->hooks.held_map >= 0)
		bpf_map__reuse_fd(c->bpf->maps.tasks, c->hooks.held_map);
	if (!err)
		err = contention_bpf__load(c->bpf);
	program_types__end(&types);
	return err;
}

static int load(struct contention *c)
{
	int err = load_programs(c);

	if (err)
		return err;
	c->ring = ring_buffer__new(bpf_map__fd(c->bpf->maps.deadlocks), contention__on_record, c,
				   NULL);
	if (!c->ring)
		return -errno;
	c->source = census_source__open(c->options.kernel, &err);
	return err;
}

struct contention *contention__open(const struct capture_options *options,
				    const struct contention_hooks *hooks, int *error)
{
	struct contention *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (c) {
		c->options = *options;
		c->hooks = hooks ? *hooks : (struct contention_hooks){.held_map = -1};
		err = load(c);
	}
	*error = err;
	if (!err)
		return c;
	snprintf(error_text, sizeof(error_text),
		 "the contention programs cannot be loaded (%s): live deadlocks, stalls and wait "
		 "times "
		 "need lock:contention_begin (5.19), BTF, and root",
		 strerror(-err));
	contention__close(c);
	return NULL;
}

/* End first: a begin without its end would leave a note. */
int contention__attach(struct contention *c)
{
	c->bpf->links.contention_end = bpf_program__attach(c->bpf->progs.contention_end);
	if (c->bpf->links.contention_end)
		c->bpf->links.contention_begin =
			bpf_program__attach(c->bpf->progs.contention_begin);
	c->attached = c->bpf->links.contention_begin != NULL;
	if (c->attached)
		return 0;
	snprintf(error_text, sizeof(error_text),
		 "the contention tracepoints cannot be attached: %s", strerror(errno));
	return -errno;
}

int contention__ring_fd(const struct contention *c)
{
	return bpf_map__fd(c->bpf->maps.deadlocks);
}

static void count_losses(struct contention *c)
{
	static const struct {
		enum contention_counter counter;
		enum loss_reason reason;
	} rows[] = {
		{CONTENTION_COUNT_LOST_NOTE, LOSS_MAP_FULL},
		{CONTENTION_COUNT_LOST_RING, LOSS_RING_FULL},
	};
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values));

	for (size_t i = 0; values && i < sizeof(rows) / sizeof(*rows); i++) {
		uint32_t key = rows[i].counter;
		uint64_t sum = 0;

		if (bpf_map_lookup_elem(bpf_map__fd(c->bpf->maps.contention_counters), &key,
					values))
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			sum += values[cpu];
		if (sum > c->losses_seen[key])
			model__add_loss(c->options.model, rows[i].reason,
					sum - c->losses_seen[key]);
		c->losses_seen[key] = sum;
	}
	free(values);
}

int contention__poll(struct contention *c, int timeout_ms)
{
	int err = ring_buffer__poll(c->ring, timeout_ms);

	contention__look_at_pending(c);
	return err < 0 && err != -EINTR ? err : 0;
}

int contention__sweep(struct contention *c)
{
	uint32_t count;
	struct contention_note *notes = contention__notes(c, &count);
	uint64_t now = clock_mono_ns();
	bool old = false;

	for (uint32_t i = 0; i < count; i++)
		old |= now > notes[i].since && now - notes[i].since >= OLD_WAIT_NS;
	contention__look_at_pending(c);
	contention__check_resolved(c);
	if (old || c->sweeps++ % SWEEPS_PER_LOOK == 0)
		contention__find_missed(c);
	if (c->options.stall_ns)
		contention__find_stalls(c, notes, count);
	free(notes);
	contention__collect_waits(c);
	count_losses(c);
	return 0;
}

void contention__stop(struct contention *c)
{
	if (!c || c->stopped)
		return;
	c->stopped = true;
	bpf_link__destroy(c->bpf->links.contention_begin);
	c->bpf->links.contention_begin = NULL;
	ring_buffer__consume(c->ring);
	contention__look_at_pending(c);
	contention__collect_waits(c);
	count_losses(c);
	contention_bpf__detach(c->bpf);
}

void contention__close(struct contention *c)
{
	if (!c)
		return;
	ring_buffer__free(c->ring);
	contention__free_deadlocks(c);
	contention__free_stalls(c);
	contention__free_waits(c);
	census_source__close(c->source);
	contention_bpf__destroy(c->bpf);
	free(c->holds);
	free(c);
}

/* --- what it is made of
 * ------------------------------------------------------------------------------------------ */

uint32_t contention__probes(const struct contention *c, struct probe_info *out, uint32_t max)
{
	static const char *const names[] = {"contention_begin", "contention_end"};
	uint32_t used = 0;

	for (; used < 2 && used < max; used++)
		out[used] = (struct probe_info){
			.name = names[used],
			.function = names[used],
			.how = "tp_btf",
			.state = c->attached ? PROBE_ATTACHED : PROBE_PENDING,
		};
	return used;
}

uint64_t contention__map_bytes(const struct contention *c)
{
	uint64_t bytes = 0;
	struct bpf_map *map;

	bpf_object__for_each_map(map, c->bpf->obj) {
		uint64_t value = bpf_map__value_size(map) + bpf_map__key_size(map);
		enum bpf_map_type type = bpf_map__type(map);

		if (type == BPF_MAP_TYPE_TASK_STORAGE) /* counted where it belongs */
			continue;
		bytes += type == BPF_MAP_TYPE_RINGBUF ? bpf_map__max_entries(map)
						      : value * bpf_map__max_entries(map);
	}
	return bytes;
}
