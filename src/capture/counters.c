// SPDX-License-Identifier: GPL-2.0-or-later
/* Once a second and at the end: counters, losses, chain counts, coverage, hold times. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "capture/capture_private.h"
#include "util/clock.h"

static uint64_t sum_over_cpus(int fd, uint32_t key)
{
	static uint64_t values[4096]; /* more CPUs than the kernel supports */
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0;

	if (cpus < 0 || cpus > 4096 || bpf_map_lookup_elem(fd, &key, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

/* What a counter says since the last time. */
static uint64_t grown(struct capture *c, int fd, enum counter counter)
{
	uint64_t now = sum_over_cpus(fd, counter);
	uint64_t more = now - c->counters_seen[counter];

	c->counters_seen[counter] = now;
	return more;
}

/* An event may be missing here: nothing is concluded across this point. */
static void cut_events(struct capture *c)
{
	const struct trace_event gap = {.op = EVENT_GAP, .operand = NO_ID, .stack = NO_ID};

	if (c->options.record_events)
		model__add_event(c->options.model, &gap);
}

static void lose_runs(struct capture *c, uint64_t count)
{
	model__add_loss(c->options.model, LOSS_RECURSION, count);
	cut_events(c);
}

static void collect_losses(struct capture *c, int fd)
{
	static const struct {
		enum counter counter;
		enum loss_reason reason;
	} table[] = {
		{COUNT_LOST_STORAGE, LOSS_TASK_STORAGE},
		{COUNT_LOST_RING, LOSS_RING_FULL},
		{COUNT_LOST_OVERFLOW, LOSS_HELD_OVERFLOW},
		{COUNT_LOST_STACK, LOSS_STACK},
		{COUNT_LOST_MAP, LOSS_MAP_FULL},
		{COUNT_LOST_INTEREST, LOSS_SCOPE_FULL},
		{COUNT_LOST_READ, LOSS_READ_FAILED},
		{COUNT_DROPPED_ENTRY, LOSS_DROPPED_ENTRY},
	};
	struct model *model = c->options.model;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t more = grown(c, fd, table[i].counter);

		if (!more)
			continue;
		model__add_loss(model, table[i].reason, more);
		if (table[i].counter == COUNT_LOST_RING)
			cut_events(c);
	}
}

/* Which program of the row has a backup; PROBE_PROGRAMS: none. */
static int backed_up_program(const struct probe *probe)
{
	if (!probe->programs[BACKUP_PROGRAM])
		return PROBE_PROGRAMS;
	return probe->programs[AT_ENTRY] ? AT_ENTRY : AT_EXIT;
}

/*
 * Runs the kernel skipped since the last look: since 5.12 for direct calls (9ed9e9ba2337). Those of
 * programs that have a backup are counted apart: their skips need not be losses. The backup is not
 * counted.
 */
static void look_at_skips(struct capture *c, uint64_t *first, uint64_t *others)
{
	*first = *others = 0;
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		for (int j = 0; j < PROBE_PROGRAMS; j++) {
			struct bpf_prog_info info = {};
			uint32_t size = sizeof(info);
			uint64_t more;

			if (probe->state != PROBE_ATTACHED || !probe->programs[j] ||
			    bpf_obj_get_info_by_fd(bpf_program__fd(probe->programs[j]), &info,
						   &size))
				continue;
			if (info.recursion_misses <= probe->misses_seen[j])
				continue;
			more = info.recursion_misses - probe->misses_seen[j];
			probe->misses_seen[j] = info.recursion_misses;
			if (j == backed_up_program(probe))
				*first += more;
			else if (j != BACKUP_PROGRAM)
				*others += more;
		}
	}
}

void counters__start_skips(struct capture *c)
{
	uint64_t others;

	if (c->level == ATTACH_FENTRY)
		look_at_skips(c, &c->first_skipped, &others);
	c->first_skipped = 0;
}

void counters__note_skips(struct capture *c)
{
	uint64_t first, others;

	if (c->level != ATTACH_FENTRY)
		return;
	look_at_skips(c, &first, &others);
	c->first_skipped += first;
	if (others)
		lose_runs(c, others);
}

/*
 * Calls that neither program did. What was skipped since the look before may still be on its way
 * through the backup program, so that one counts.
 */
static void collect_skipped(struct capture *c, int fd)
{
	uint64_t skipped = c->first_skipped, did, lost;

	if (!c->stopped)
		counters__note_skips(c);
	did = sum_over_cpus(fd, COUNT_BACKUP_DID);
	skipped += sum_over_cpus(fd, COUNT_MAIN_LEFT);
	lost = skipped > did ? skipped - did : 0;
	if (lost <= c->lost_in_both)
		return;
	lose_runs(c, lost - c->lost_in_both);
	c->lost_in_both = lost;
}

#define CHAIN_BATCH 1024
#define CHAIN_STABLE_NS 10000000000ULL /* its record was read by then, and what it counted */

static void collect_chain(struct capture *c, uint64_t key, const struct chain_value *value)
{
	struct known_chain *known;

	HASH_FIND(hh, c->known_chains, &key, sizeof(key), known);
	if (!known)
		return;
	if (value->count > known->counted)
		model__count_chain(c->options.model, known->chain, value->count - known->counted,
				   value->last);
	known->counted = value->count;
}

/*
 * By the kernel's table, which is bounded, a thousand chains a call; not by what is known, which
 * grows for months. What was evicted counted in vain since the last look; its dependencies are
 * known.
 */
static void collect_chains(struct capture *c)
{
	static uint64_t keys[CHAIN_BATCH];
	static struct chain_value values[CHAIN_BATCH];
	int fd = programs__map_fd(c, "chains"), error = 0;
	uint64_t now = clock_mono_ns(),
		 stable_before = now > CHAIN_STABLE_NS ? now - CHAIN_STABLE_NS : 0;
	uint32_t at = 0, *previous = NULL;

	while (!error) {
		uint32_t count = CHAIN_BATCH;

		error = bpf_map_lookup_batch(fd, previous, &at, keys, values, &count, NULL);
		if (error && error != -ENOENT) /* -ENOENT: these are the last */
			break;
		for (uint32_t i = 0; i < count; i++)
			if (c->stopped || values[i].last >= stable_before)
				collect_chain(c, keys[i], &values[i]);
		previous = &at;
	}
}

static uint32_t site_stack_of(struct capture *c, uint64_t lock, uint64_t site)
{
	struct known_site_key key = {.lock = lock, .site = site};
	struct known_site *known;

	HASH_FIND(hh, c->known_sites, &key, sizeof(key), known);
	return known ? known->stack : frames__site(c, site);
}

/* Hold times are handed over once, at the end: the map keeps the sums. */
static void collect_holds(struct capture *c)
{
	int fd = programs__map_fd(c, "hold_times");
	struct duration_key key, *previous = NULL;

	while (!bpf_map_get_next_key(fd, previous, &key)) {
		struct record_lock lock = {.lock = key.lock,
					   .generation = key.generation,
					   .site = key.site,
					   .kind = RECORD_MUTEX};
		struct duration_value value;
		struct histogram add = {};

		previous = &key;
		if (bpf_map_lookup_elem(fd, &key, &value))
			continue;
		add.count = value.count;
		add.total = value.total;
		add.max = value.max;
		memcpy(add.bucket, value.bucket, sizeof(add.bucket));
		model__add_duration(c->options.model,
				    lock_names__instance(c->names, &lock, NULL, 0),
				    site_stack_of(c, key.lock, key.site), NO_ID, true, &add);
	}
}

void counters__collect(struct capture *c)
{
	int fd = programs__map_fd(c, "counters");
	uint64_t acquisitions;

	if (fd < 0)
		return;
	acquisitions = grown(c, fd, COUNT_ACQUIRE);
	c->acquisitions += acquisitions;
	model__add_acquisitions(c->options.model, acquisitions);
	grown(c, fd, COUNT_CHAIN_KNOWN); /* for capture__stats */
	collect_losses(c, fd);
	if (c->level == ATTACH_FENTRY)
		collect_skipped(c, fd);
	collect_chains(c);
	coverage__update(c);
	if (c->stopped && c->options.holds)
		collect_holds(c);
}

/* --- coverage
 * ------------------------------------------------------------------------------------- */

/* The attached row that stands for the path, or the best explanation why there is none. */
static const struct probe *probe_of_path(struct capture *c, const struct path_row *row,
					 const struct probe **best)
{
	*best = NULL;
	for (int i = 0; i < 3 && row->probes[i]; i++) {
		const struct probe *probe = probes__find(c, row->probes[i]);

		if (!probe)
			continue;
		if (probe->state == PROBE_ATTACHED)
			return probe;
		if (!*best || probe->state == PROBE_FAILED || probe->state == PROBE_PENDING)
			*best = probe;
	}
	return NULL;
}

static void describe_path(struct capture *c, const struct path_row *row, uint64_t hits,
			  struct coverage *out)
{
	const struct probe *best, *probe = probe_of_path(c, row, &best);

	out->hits = hits;
	if (probe) {
		out->state = hits ? COVERAGE_HIT : COVERAGE_ZERO;
		out->probe = probe->function;
		return;
	}
	if (hits) {
		out->state = COVERAGE_HIT;
		return;
	}
	if (best && best->state == PROBE_PENDING) {
		out->state = COVERAGE_ZERO; /* nothing can run it before the module comes */
		out->reason = best->reason;
	} else if (best && best->state == PROBE_MISSING && row->absent &&
		   (best->row->flags & PROBE_OPTIONAL)) {
		out->state = COVERAGE_ABSENT;
		out->reason = row->absent;
	} else {
		out->state = COVERAGE_UNPROBED;
		out->reason = best ? best->reason : "not attached";
	}
}

void coverage__update(struct capture *c)
{
	int fd = programs__map_fd(c, "path_hits");

	for (uint32_t i = 0; i < PATH_COUNT; i++) {
		struct coverage coverage = {};

		describe_path(c, &path_table[i], fd < 0 ? 0 : sum_over_cpus(fd, path_table[i].path),
			      &coverage);
		model__set_coverage(c->options.model, path_table[i].path, &coverage);
	}
}
