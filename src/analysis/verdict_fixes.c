// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The known bugs in question: those whose cycle runs through locks of the paths that were asked for
 * only, those the baseline's cycles are, and the one of --known. Where the fix of one is missing,
 * not having seen its cycle proves nothing but that the right thing did not run.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/verdict_internal.h"

#define CPU_HOTPLUG "cpu_hotplug_lock"
#define GROUP_LOCKS "vfio_group.group_lock", "vfio_group.group_rwsem"

/* Locks that a path takes, or calls others with: where a bug among them shows. */
static const char *const path_classes[PATH_COUNT][6] = {
	[PATH_DEVICE_OPEN] = {GROUP_LOCKS, "vfio_device_set.lock", "kvm.lock"},
	[PATH_DEVICE_CLOSE] = {GROUP_LOCKS, "vfio_device_set.lock", "kvm.lock"},
	[PATH_GET_KVM] = {GROUP_LOCKS, "vfio_device_set.lock"},
	[PATH_PUT_KVM] = {GROUP_LOCKS, "vfio_device_set.lock", "kvm.lock"},
	[PATH_SET_KVM] = {GROUP_LOCKS, "kvm.lock", "kvm_vfio.lock"},
	[PATH_GROUP_ADD] = {GROUP_LOCKS, "kvm_vfio.lock"},
	[PATH_GROUP_DEL] = {GROUP_LOCKS, "kvm_vfio.lock"},
	[PATH_KVM_DEVICE_RELEASE] = {GROUP_LOCKS, "kvm.lock", "kvm_vfio.lock"},
	[PATH_VM_CREATE] = {"kvm_lock", CPU_HOTPLUG, "kvm.slots_lock", "kvm.srcu"},
	[PATH_VM_DESTROY] = {"kvm_lock", CPU_HOTPLUG, "kvm.slots_lock", "kvm.srcu", "kvm.lock"},
};

static bool takes(int path, const char *pattern)
{
	for (int i = 0; i < 6 && path_classes[path][i]; i++)
		if (!fnmatch(pattern, path_classes[path][i], 0))
			return true;
	return false;
}

/* By a path that was asked for; what a baseline adds has to run, but asks no question of its own.
 */
static bool is_asked(const struct verdict_options *options, const char *pattern)
{
	uint32_t paths = VERDICT_DEFAULT_PATHS | options->required;

	for (int path = 0; path < PATH_COUNT; path++)
		if (paths & 1u << path && takes(path, pattern))
			return true;
	return false;
}

static bool is_of_baseline(const struct verdict *v, const char *commit)
{
	for (uint32_t i = 0; i < v->cycle_count; i++)
		for (uint32_t k = 0; k < v->cycles[i].finding->known_count; k++)
			if (!strcmp(v->cycles[i].finding->known[k].commit, commit))
				return true;
	return false;
}

static bool is_in_question(const struct verdict *v, const struct verdict_options *options,
			   const struct catalogue_row *row)
{
	uint32_t asked = 0;

	while (asked < row->class_count && is_asked(options, row->classes[asked]))
		asked++;
	return (row->class_count && asked == row->class_count) || is_of_baseline(v, row->commit);
}

enum verdict_fix verdict__fix_state(const struct verdict_options *options, const char *commit,
				    const char **evidence)
{
	*evidence = NULL;
	for (uint32_t i = 0; i < options->fix_count; i++) {
		if (strcmp(options->fixes[i].commit, commit))
			continue;
		*evidence = options->fixes[i].evidence;
		return options->fixes[i].state;
	}
	return VERDICT_FIX_UNKNOWN;
}

/* --- what would have to run ---------------------------------------------------------------------
 */

static char *paths_with(const char *from, const char *to)
{
	char *words = NULL;

	for (int path = 0; path < PATH_COUNT; path++)
		if (takes(path, from) && takes(path, to))
			words = verdict__join(words, ", ", path_names[path]);
	return words;
}

/* The orders of a row's cycle that were not seen here, and the paths where they would be. */
static char *orders_not_seen(const struct model *m, const struct catalogue_row *row,
			     uint32_t *count)
{
	char *words = NULL;

	*count = 0;
	for (uint32_t i = 0; i < row->class_count; i++) {
		const char *from = row->classes[i], *to = row->classes[(i + 1) % row->class_count];
		char *paths, *order;

		if (verdict__saw_order(m, from, to))
			continue;
		++*count;
		paths = paths_with(from, to);
		order = verdict__message("what takes %s under %s%s%s%s", to, from,
					 paths ? " (" : "", paths ? paths : "", paths ? ")" : "");
		words = verdict__join(words, "; ", order ? order : "?");
		free(paths);
		free(order);
	}
	return words;
}

/* A commit may have several rows: that of which the fewest orders are left would decide first. */
static char *would_decide(const struct verdict *v, const struct model *m,
			  const struct verdict_options *options, const char *commit)
{
	const struct catalogue *catalogue = options->catalogue;
	uint32_t fewest = UINT32_MAX;
	char *best = NULL;

	for (uint32_t i = 0; i < catalogue->count; i++) {
		const struct catalogue_row *row = &catalogue->rows[i];
		uint32_t count;
		char *words;

		if (strcmp(row->commit, commit) || !is_in_question(v, options, row))
			continue;
		words = orders_not_seen(m, row, &count);
		if (count < fewest) {
			free(best);
			best = words;
			fewest = count;
		} else {
			free(words);
		}
	}
	return best;
}

static bool was_found(const struct finding_list *findings, const char *commit)
{
	for (uint32_t i = 0; i < findings->count; i++)
		for (uint32_t k = 0; k < findings->items[i]->known_count; k++)
			if (!strcmp(findings->items[i]->known[k].commit, commit))
				return true;
	return false;
}

static void judge_missing(struct verdict *v, const struct model *m,
			  const struct finding_list *findings,
			  const struct verdict_options *options, const struct catalogue_row *row,
			  const char *evidence)
{
	char *words = would_decide(v, m, options, row->commit);

	if (!evidence)
		evidence = "?";
	if (was_found(findings, row->commit))
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("%s (%s) is missing in this kernel: %s. Its cycle "
						 "was found",
						 row->commit, row->title, evidence));
	else
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message(
					"%s (%s) is missing in this kernel: %s. Its cycle was not "
					"seen, which proves nothing; to decide, this would have to "
					"run, with a driver that does so: %s",
					row->commit, row->title, evidence,
					words ? words : "both orders, with the same locks"));
	free(words);
}

/* --- which of them are in -----------------------------------------------------------------------
 */

static void judge_known(struct verdict *v, const struct verdict_options *options)
{
	const char *evidence;
	enum verdict_fix state = verdict__fix_state(options, options->known->commit, &evidence);

	if (!evidence)
		evidence = "the fix is for another architecture";
	if (state == VERDICT_FIX_MISSING)
		verdict__worsen(v, VERDICT_FAIL,
				verdict__message("%s is not in this kernel: %s",
						 options->known->commit, evidence));
	else if (state == VERDICT_FIX_UNKNOWN)
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("whether %s is in this kernel: %s",
						 options->known->commit, evidence));
}

/* A fix that leaves no marker: only the release can decide, and distributions add and revert. */
static bool is_decided_by_release(const struct model *m, const struct catalogue_row *row)
{
	const char *release = model__fact(m, "kernel.release");
	uint32_t fixed_in = row->fixed_in && *row->fixed_in == 'v'
				    ? kernel_version__parse(row->fixed_in + 1)
				    : 0;

	return row->evidence && !strncmp(row->evidence, "unknown", 7) && release && fixed_in &&
	       kernel_version__parse(release) >= fixed_in;
}

static bool is_first_of_commit(const struct verdict *v, const struct verdict_options *options,
			       uint32_t at)
{
	const struct catalogue_row *rows = options->catalogue->rows;

	for (uint32_t i = 0; i < at; i++)
		if (!strcmp(rows[i].commit, rows[at].commit) &&
		    is_in_question(v, options, &rows[i]))
			return false;
	return true;
}

static bool is_reported(const struct verdict_options *options, const char *commit)
{
	for (uint32_t i = 0; i < options->fix_count; i++)
		if (!strcmp(options->fixes[i].commit, commit))
			return true;
	return false;
}

static char *judge_row(struct verdict *v, const struct model *m,
		       const struct finding_list *findings, const struct verdict_options *options,
		       const struct catalogue_row *row, char *by_release)
{
	const char *evidence;

	switch (verdict__fix_state(options, row->commit, &evidence)) {
	case VERDICT_FIX_IN:
		break;
	case VERDICT_FIX_MISSING:
		judge_missing(v, m, findings, options, row, evidence);
		break;
	case VERDICT_FIX_UNKNOWN:
		if (is_decided_by_release(m, row))
			return verdict__join(by_release, ", ", row->commit);
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("whether %s (%s) is in this kernel: %s",
						 row->commit, row->title,
						 evidence ? evidence : "not known"));
		break;
	}
	return by_release;
}

void verdict__judge_fixes(struct verdict *v, const struct model *m,
			  const struct finding_list *findings,
			  const struct verdict_options *options)
{
	const struct catalogue *catalogue = options->catalogue;
	char *by_release = NULL;

	if (options->known)
		judge_known(v, options);
	for (uint32_t i = 0; catalogue && i < catalogue->count; i++) {
		const struct catalogue_row *row = &catalogue->rows[i];

		if (is_reported(options, row->commit) && is_in_question(v, options, row) &&
		    is_first_of_commit(v, options, i))
			by_release = judge_row(v, m, findings, options, row, by_release);
	}
	if (by_release)
		verdict__limit(v, verdict__message("fixes that leave no marker, taken as in by the "
						   "kernel's release alone: %s",
						   by_release));
	free(by_release);
}

/* --- probes -------------------------------------------------------------------------------------
 */

static bool has_class(const struct catalogue_row *row, const char *name)
{
	for (uint32_t i = 0; i < row->class_count; i++)
		if (!fnmatch(row->classes[i], name, 0))
			return true;
	return false;
}

/*
 * Does a question that was asked run through locks of this class? "No known bug" is always asked: a
 * bug of the catalogue with such a lock could not have been seen.
 */
static bool is_needed(const struct verdict *v, const struct verdict_options *options,
		      const char *only_class)
{
	const struct catalogue *catalogue = options->catalogue;

	if (!only_class || is_asked(options, only_class) ||
	    (options->known && has_class(options->known, only_class)))
		return true;
	for (uint32_t i = 0; catalogue && i < catalogue->count; i++)
		if (has_class(&catalogue->rows[i], only_class))
			return true;
	for (uint32_t i = 0; i < v->cycle_count; i++) {
		const struct finding *f = v->cycles[i].finding;

		for (uint32_t d = 0; d < f->length; d++) {
			const struct lock_class *c =
				model__lock_class(options->baseline, f->classes[d]);

			if (!strcmp(c->name, only_class) || c->kind == LOCK_KIND_PERCPU_RWSEM)
				return true;
		}
	}
	return false;
}

void verdict__judge_probes(struct verdict *v, const struct verdict_options *options)
{
	const char *reason = NULL, *only_class = NULL;
	char *missing = NULL, *left_out = NULL;

	for (uint32_t i = 0; i < options->missing_count; i++) {
		const struct verdict_probe *probe = &options->missing[i];
		char *words = verdict__message("%s%s%s%s", probe->name, probe->reason ? " (" : "",
					       probe->reason ? probe->reason : "",
					       probe->reason ? ")" : "");

		if (is_needed(v, options, probe->only_class)) {
			missing = verdict__join(missing, ", ", words ? words : probe->name);
		} else {
			left_out = verdict__join(left_out, ", ", probe->name);
			only_class = probe->only_class;
			reason = reason ? reason : probe->reason;
		}
		free(words);
	}
	if (missing)
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("probes missing: %s", missing));
	if (left_out)
		verdict__limit(v, verdict__message("lock orders with %s: not probed: %s%s%s",
						   only_class, left_out, reason ? ": " : "",
						   reason ? reason : ""));
	free(missing);
	free(left_out);
}
