// SPDX-License-Identifier: GPL-2.0-or-later
/* Metrics: what the model knows, as counters, gauges and histograms by class and class pair. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "report/metrics/exposition.h"
#include "util/idmap.h"
#include "util/memory.h"

static void write_build(struct metrics_text *t, const struct model *m)
{
	const char *release = model__fact(m, "kernel.release");
	const char *arch = model__fact(m, "arch");

	metrics_text__family(t, "vfiotrace_build", METRIC_INFO, NULL,
			     "Version of vfiotrace and of the kernel it looks at.");
	metrics_text__label(t, "version", VERSION);
	metrics_text__label(t, "kernel", release ? release : "unknown");
	metrics_text__label(t, "arch", arch ? arch : "unknown");
	metrics_text__value(t, 1);
}

static void write_counts(struct metrics_text *t, const struct model *m)
{
	metrics_text__family(t, "vfiotrace_acquisitions", METRIC_COUNTER, NULL,
			     "Lock acquisitions seen.");
	metrics_text__value(t, (double)model__acquisitions(m));
	metrics_text__family(t, "vfiotrace_lock_classes", METRIC_GAUGE, NULL, "Lock classes seen.");
	metrics_text__value(t, model__class_count(m));
	metrics_text__family(t, "vfiotrace_lock_instances", METRIC_GAUGE, NULL,
			     "Lock instances seen.");
	metrics_text__value(t, model__instance_count(m));
	metrics_text__family(t, "vfiotrace_recorded_chains", METRIC_GAUGE, NULL,
			     "Chains recorded, all class pairs.");
	metrics_text__value(t, model__chain_count(m));
	metrics_text__family(t, "vfiotrace_recorded_dependencies", METRIC_GAUGE, NULL,
			     "Dependencies between lock instances recorded, all class pairs.");
	metrics_text__value(t, model__dependency_count(m));
}

static void pair_labels(struct metrics_text *t, const struct model *m, uint32_t from, uint32_t to)
{
	metrics_text__label(t, "from", model__lock_class(m, from)->name);
	metrics_text__label(t, "to", model__lock_class(m, to)->name);
}

/* Chains by the class pair (innermost held, wanted); `count` has one cell per class edge. */
static void count_chains(const struct model *m, uint64_t *count)
{
	for (uint32_t i = 0; i < model__chain_count(m); i++) {
		const struct chain *chain = model__chain(m, i);
		uint32_t edge;

		if (!chain->held_count)
			continue;
		edge = model__find_edge(
			m,
			model__instance(m, chain->held[chain->held_count - 1].instance)->lock_class,
			model__instance(m, chain->wanted.instance)->lock_class);
		if (edge != NO_ID)
			count[edge]++;
	}
}

static void write_occurrences(struct metrics_text *t, const struct model *m, const char *name,
			      const char *help)
{
	metrics_text__family(t, name, METRIC_COUNTER, NULL, help);
	for (uint32_t i = 0; i < model__class_edge_count(m) && metrics_text__room(t); i++) {
		const struct class_edge *edge = model__class_edge(m, i);

		pair_labels(t, m, edge->from, edge->to);
		metrics_text__value(t, (double)edge->count);
	}
}

static int write_pairs(struct metrics_text *t, const struct model *m)
{
	uint32_t edges = model__class_edge_count(m);
	uint64_t *chains = calloc(edges ? edges : 1, sizeof(*chains));

	if (!chains)
		return -ENOMEM;
	count_chains(m, chains);
	metrics_text__family(t, "vfiotrace_dependencies", METRIC_GAUGE, NULL,
			     "Dependencies between lock instances, by class pair.");
	for (uint32_t i = 0; i < edges && metrics_text__room(t); i++) {
		const struct class_edge *edge = model__class_edge(m, i);

		pair_labels(t, m, edge->from, edge->to);
		metrics_text__value(t, edge->dependency_count);
	}
	write_occurrences(t, m, "vfiotrace_dependency_occurrences",
			  "Times a lock was wanted while another was held, by class pair.");
	write_occurrences(t, m, "vfiotrace_dependency_sights",
			  "Deprecated name of vfiotrace_dependency_occurrences.");
	metrics_text__family(t, "vfiotrace_chains", METRIC_GAUGE, NULL,
			     "Chains, by the class pair at their end.");
	for (uint32_t i = 0; i < edges && metrics_text__room(t); i++) {
		const struct class_edge *edge = model__class_edge(m, i);

		pair_labels(t, m, edge->from, edge->to);
		metrics_text__value(t, (double)chains[i]);
	}
	free(chains);
	return 0;
}

/* --- findings --------------------------------------------------------------------------------- */

/* Every finding, or those of one kind, folded into one series per class pair or cycle. */
struct fold {
	const struct model *m;
	const struct finding_list *list;
	bool (*take)(const struct finding *f);
	bool by_pair; /* else by kind, code, grade, cycle, suppressed */
};

static bool take_all(const struct finding *f)
{
	return f->length > 0;
}

static bool take_inversion(const struct finding *f)
{
	return f->kind == FINDING_INVERSION && f->length == 2 && !f->suppressed;
}

static bool take_deadlock_now(const struct finding *f)
{
	return f->code == CODE_DEADLOCK && f->length && !f->resolved;
}

static bool same_cycle(const struct finding *a, const struct finding *b, bool by_pair)
{
	uint32_t compared = by_pair ? 2 : a->length;

	if (!by_pair && (a->length != b->length || a->kind != b->kind || a->code != b->code ||
			 a->grade != b->grade || !a->suppressed != !b->suppressed))
		return false;
	for (uint32_t i = 0; i < compared; i++)
		if (a->classes[i % a->length] != b->classes[i % b->length])
			return false;
	return true;
}

static void finding_labels(struct metrics_text *t, const struct model *m, const struct finding *f)
{
	char cycle[512];
	size_t used = 0;

	cycle[0] = 0;
	for (uint32_t i = 0; i < f->length && used < sizeof(cycle); i++)
		used += (size_t)snprintf(cycle + used, sizeof(cycle) - used, "%s%s",
					 i ? " -> " : "",
					 model__lock_class(m, f->classes[i])->name);
	metrics_text__label(t, "kind", finding_kind_names[f->kind]);
	metrics_text__label(t, "code", finding_code_names[f->code]);
	metrics_text__label(t, "grade", finding_grade_names[f->grade]);
	metrics_text__label(t, "cycle", cycle);
	metrics_text__label(t, "suppressed", f->suppressed ? "true" : "false");
}

static uint64_t cycle_hash(const struct finding *f, bool by_pair)
{
	uint32_t compared = by_pair ? 2 : f->length;
	uint64_t hash = by_pair ? 0
				: hash_mix(idmap_pair(f->length, f->kind),
					   idmap_pair(f->code, f->grade << 1 | !f->suppressed));

	for (uint32_t i = 0; i < compared; i++)
		hash = hash_mix(hash, f->classes[i % f->length]);
	return hash;
}

/* One series: the first finding of it, and what all of them add up to. */
struct series {
	const struct finding *first;
	double value;
};

struct series_list {
	struct series *items;
	uint64_t count, capacity;
};

static bool add_up(struct series_list *list, struct idmap *ids, const struct fold *fold,
		   const struct finding *f, double value)
{
	uint64_t key = cycle_hash(f, fold->by_pair);
	uint32_t id;

	for (; (id = idmap__get(ids, key)) != IDMAP_NONE; key++) {
		if (!same_cycle(list->items[id].first, f, fold->by_pair))
			continue;
		list->items[id].value += value;
		return true;
	}
	return !idmap__put(ids, key, (uint32_t)list->count) &&
	       vector_push(list, (struct series){f, value});
}

static int write_fold(struct metrics_text *t, const struct fold *fold, bool occurrences)
{
	struct series_list list = {0};
	struct idmap ids = {0};
	bool ok = true;

	for (uint32_t i = 0; ok && i < fold->list->count; i++) {
		const struct finding *f = fold->list->items[i];

		if (fold->take(f))
			ok = add_up(&list, &ids, fold, f, occurrences ? (double)f->count : 1);
	}
	for (uint64_t i = 0; ok && i < list.count && metrics_text__room(t); i++) {
		const struct finding *f = list.items[i].first;

		if (fold->by_pair)
			pair_labels(t, fold->m, f->classes[0], f->classes[1 % f->length]);
		else
			finding_labels(t, fold->m, f);
		metrics_text__value(t, list.items[i].value);
	}
	free(list.items);
	idmap__release(&ids);
	return ok ? 0 : -ENOMEM;
}

static int write_findings(struct metrics_text *t, const struct model *m,
			  const struct finding_list *list)
{
	struct fold all = {m, list, take_all, false};
	struct fold inversions = {m, list, take_inversion, true};
	struct fold deadlocks = {m, list, take_deadlock_now, true};
	int error;

	metrics_text__family(t, "vfiotrace_findings", METRIC_GAUGE, NULL,
			     "Findings by kind, code, grade and cycle of classes.");
	error = write_fold(t, &all, false);
	metrics_text__family(t, "vfiotrace_finding_occurrences", METRIC_COUNTER, NULL,
			     "Times the finding was seen.");
	error = error ?: write_fold(t, &all, true);
	metrics_text__family(t, "vfiotrace_finding_sights", METRIC_COUNTER, NULL,
			     "Deprecated name of vfiotrace_finding_occurrences.");
	error = error ?: write_fold(t, &all, true);
	metrics_text__family(t, "vfiotrace_inversions", METRIC_GAUGE, NULL,
			     "Unsuppressed inversions, by class pair.");
	error = error ?: write_fold(t, &inversions, false);
	metrics_text__family(t, "vfiotrace_deadlocks", METRIC_GAUGE, NULL,
			     "Deadlocks that exist now, by class pair.");
	return error ?: write_fold(t, &deadlocks, false);
}

/* --- waits and holds
 * ------------------------------------------------------------------------------ */

/* le bounds: every second power of two from 1 us to 69 s; bucket i ends at 2^(i + 1) ns. */
#define FIRST_BUCKET 9
#define LAST_BUCKET 35

static void write_histogram(struct metrics_text *t, const struct histogram *time, const char *name)
{
	uint64_t below = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += time->bucket[i];
		if (i < FIRST_BUCKET || i > LAST_BUCKET || (i - FIRST_BUCKET) % 2)
			continue;
		metrics_text__label(t, "class", name);
		metrics_text__bucket(t, (double)(2ULL << i) / 1e9, below);
	}
	metrics_text__label(t, "class", name);
	metrics_text__bucket(t, -1, time->count);
	metrics_text__label(t, "class", name);
	metrics_text__suffixed(t, "_sum", (double)time->total / 1e9);
	metrics_text__label(t, "class", name);
	metrics_text__suffixed(t, "_count", (double)time->count);
}

static int write_durations(struct metrics_text *t, const struct model *m, bool holds)
{
	uint32_t classes = model__class_count(m);
	struct histogram *sums = calloc(classes ? classes : 1, sizeof(*sums));

	if (!sums)
		return -ENOMEM;
	for (uint32_t i = 0; i < model__duration_count(m); i++) {
		const struct duration_row *row = model__duration(m, i);
		struct histogram *sum;

		if (!row->is_hold != !holds || row->instance == NO_ID)
			continue;
		sum = &sums[model__instance(m, row->instance)->lock_class];
		sum->count += row->time.count;
		sum->total += row->time.total;
		for (int j = 0; j < HISTOGRAM_BUCKETS; j++)
			sum->bucket[j] += row->time.bucket[j];
	}
	metrics_text__family(t,
			     holds ? "vfiotrace_lock_hold_seconds" : "vfiotrace_lock_wait_seconds",
			     METRIC_HISTOGRAM, "seconds",
			     holds ? "Time locks were held, by class (with --holds)."
				   : "Time spent waiting for locks, by class.");
	for (uint32_t i = 0; i < classes && metrics_text__room(t); i++)
		if (sums[i].count)
			write_histogram(t, &sums[i], model__lock_class(m, i)->name);
	free(sums);
	return 0;
}

/* --- what the verdict rests on
 * ---------------------------------------------------------------------- */

static void write_coverage(struct metrics_text *t, const struct model *m)
{

	metrics_text__family(t, "vfiotrace_path_hits", METRIC_COUNTER, NULL,
			     "Times each VFIO or KVM path ran.");
	for (uint32_t i = 0; i < PATH_COUNT; i++) {
		const struct coverage *c = model__coverage(m, i);

		metrics_text__label(t, "path", path_names[i]);
		metrics_text__value(t, c ? (double)c->hits : 0);
	}
	metrics_text__family(t, "vfiotrace_path_state", METRIC_GAUGE, NULL,
			     "1 for the state of each path's coverage, 0 for the others.");
	for (uint32_t i = 0; i < PATH_COUNT; i++) {
		const struct coverage *c = model__coverage(m, i);

		for (uint32_t j = 0;
		     j < sizeof(coverage_state_names) / sizeof(coverage_state_names[0]); j++) {
			metrics_text__label(t, "path", path_names[i]);
			metrics_text__label(t, "state", coverage_state_names[j]);
			metrics_text__value(t, (c ? c->state : COVERAGE_UNPROBED) == j);
		}
	}
}

static void write_losses(struct metrics_text *t, const struct model *m)
{
	metrics_text__family(t, "vfiotrace_losses", METRIC_COUNTER, NULL,
			     "Events, stacks and map entries that could not be recorded.");
	for (uint32_t i = 0; i < LOSS_REASONS; i++) {
		metrics_text__label(t, "reason", loss_names[i]);
		metrics_text__value(t, (double)model__loss(m, i));
	}
	metrics_text__family(t, "vfiotrace_losses_uncountable", METRIC_GAUGE, NULL,
			     "1 if this kernel cannot count every loss.");
	metrics_text__value(t, model__losses_unknown(m) != NULL);
}

int report_metrics(FILE *out, const struct report_input *input,
		   const struct metrics_service *service, enum metrics_flavour flavour)
{
	struct metrics_text t = {.out = out, .open = flavour == METRICS_OPENMETRICS};
	const struct model *m = input->model;
	int error;

	write_build(&t, m);
	write_counts(&t, m);
	error = write_pairs(&t, m);
	if (!error && input->findings)
		error = write_findings(&t, m, input->findings);
	if (!error)
		error = write_durations(&t, m, false);
	if (!error)
		error = write_durations(&t, m, true);
	write_coverage(&t, m);
	write_losses(&t, m);
	if (service)
		metrics_text__service(&t, service);
	metrics_text__end(&t);
	if (error)
		return error;
	return ferror(out) ? -EIO : 0;
}
