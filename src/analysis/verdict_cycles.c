// SPDX-License-Identifier: GPL-2.0-or-later
/* What the baseline's cycles mean for the verdict, and which baselines are none. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/verdict_internal.h"

/* The suppression of this run that accepts the cycle, or NULL. */
static const char *accepted(const struct model *m, const struct finding_list *findings,
			    const char *cycle)
{
	const char *reason = NULL;

	for (uint32_t i = 0; i < findings->count && !reason; i++) {
		const struct finding *f = findings->items[i];
		char *words = f->suppressed && f->length ? verdict__cycle_name(m, f) : NULL;

		if (words && !strcmp(words, cycle))
			reason = f->suppressed;
		free(words);
	}
	return reason;
}

static char *not_run(const struct verdict_cycle *c)
{
	char *words = NULL;

	for (uint32_t d = 0; d < c->count; d++) {
		const struct verdict_dependency *dependency = &c->dependencies[d];

		if (dependency->status != DEPENDENCY_NOT_EXERCISED)
			continue;
		if (dependency->redacted)
			words = verdict__join(words, "; ",
					      "a baseline whose locks have their names, it is "
					      "redacted");
		if (dependency->has_more_sites)
			words = verdict__join(words, "; ", "more places than are looked at");
		if (!dependency->site_count)
			words = verdict__join(words, "; ",
					      "where the baseline had it is not known from it");
		if (dependency->path && !dependency->runs_now)
			words = verdict__join(words, "; ", dependency->path);
		for (uint32_t i = 0; i < dependency->site_count; i++) {
			const struct verdict_site *site = &dependency->sites[i];
			char *name =
				site->state == SITE_NOT_RUN
					? verdict__message("%s [%s] for %s -> %s", site->function,
							   site->module ? site->module : "kernel",
							   dependency->from, dependency->to)
					: NULL;

			if (name && (!words || !strstr(words, name)))
				words = verdict__join(words, "; ", name);
			free(name);
		}
	}
	return words;
}

static void judge_cycle(struct verdict *v, const struct model *m,
			const struct finding_list *findings, const struct verdict_cycle *c)
{
	const char *reason =
		c->status == DEPENDENCY_PRESENT ? accepted(m, findings, c->words) : NULL;
	char *words;

	if (reason) {
		verdict__limit(v, verdict__message("the baseline's cycle is back, accepted by a "
						   "suppression: %s (%s)",
						   c->words, reason));
	} else if (c->status == DEPENDENCY_PRESENT) {
		verdict__worsen(v, VERDICT_FAIL,
				verdict__message("the baseline's cycle is back: %s", c->words));
	} else if (c->status == DEPENDENCY_NOT_EXERCISED) {
		words = not_run(c);
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("the baseline's cycle was not exercised: %s. To "
						 "decide, this would have to run: %s",
						 c->words,
						 words ? words : "what took those locks"));
		free(words);
	}
}

/* What a baseline lost may have been another cycle. */
static void judge_completeness(struct verdict *v, const struct model *baseline)
{
	const char *unknown = model__losses_unknown(baseline);

	if (unknown)
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("the baseline may lack a cycle: %s", unknown));
	for (int reason = 0; reason < LOSS_REASONS; reason++)
		if (model__loss(baseline, (enum loss_reason)reason))
			verdict__worsen(
				v, VERDICT_INCONCLUSIVE,
				verdict__message("the baseline may lack a cycle: it lost "
						 "%s %" PRIu64,
						 loss_names[reason],
						 model__loss(baseline, (enum loss_reason)reason)));
}

void verdict__judge_baseline(struct verdict *v, const struct model *m,
			     const struct finding_list *findings,
			     const struct verdict_options *options)
{
	for (uint32_t i = 0; i < v->cycle_count; i++)
		judge_cycle(v, m, findings, &v->cycles[i]);
	if (!options->baseline)
		return;
	judge_completeness(v, options->baseline);
	if (options->baseline_findings && options->baseline_findings->search_limited)
		verdict__worsen(
			v, VERDICT_INCONCLUSIVE,
			verdict__message("the baseline may have more cycles than were found: "
					 "the search ran out of its budget"));
}

/* --- baselines that are none --------------------------------------------------------------------
 */

const char *verdict__unfit(const struct model *baseline, char *out, size_t size)
{
	static const char *const needed[] = {"kernel.release", "scope", "probe.level"};
	bool ran = false;

	for (int path = 0; path < PATH_COUNT; path++)
		ran = ran || model__coverage(baseline, (enum path_id)path)->hits;
	if (!model__chain_count(baseline))
		snprintf(out, size, "an empty baseline: it has no lock order");
	else if (!ran)
		snprintf(out, size, "an empty baseline: no path of VFIO or KVM ran in it");
	else
		out[0] = 0;
	for (size_t i = 0; !*out && i < sizeof(needed) / sizeof(*needed); i++)
		if (!model__fact(baseline, needed[i]))
			snprintf(out, size, "no baseline: it does not say its %s", needed[i]);
	return *out ? out : NULL;
}

const char *verdict__refuse(const struct model *m, const struct model *baseline, char *out,
			    size_t size)
{
	static const char *const facts[][2] = {{"arch", "architecture"},
					       {"scope", "scope"},
					       {"probe.level", "probe level"},
					       {"schema", "schema"}};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		const char *now = model__fact(m, facts[i][0]);
		const char *before = model__fact(baseline, facts[i][0]);

		if (!now || !before || !strcmp(now, before))
			continue;
		snprintf(out, size,
			 "the baseline was made with %s %s, this run has %s: not comparable",
			 facts[i][1], before, now);
		return out;
	}
	return NULL;
}
