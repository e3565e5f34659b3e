// SPDX-License-Identifier: GPL-2.0-or-later
/* The verdict: each rule adds its reasons, the worst one decides. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/verdict_internal.h"

const char *const verdict_names[VERDICT_KINDS] = {"pass", "fail", "inconclusive"};
const char *const dependency_status_names[] = {"resolved", "present", "not exercised"};
const char *const site_state_names[] = {"not run", "ran", "gone"};

/* The locks of the inversion this tool was made for. */
static const char *const default_classes[] = {"vfio_group.group_lock", "kvm.lock"};

/* --- words ------------------------------------------------------------------------------------ */

char *verdict__message(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return text;
}

char *verdict__join(char *words, const char *between, const char *more)
{
	char *longer = words ? verdict__message("%s%s%s", words, between, more)
			     : verdict__message("%s", more);

	free(words);
	return longer;
}

/* Takes the text; the same one is said once. */
static void say(const char ***list, uint32_t *count, char *text)
{
	const char **grown = NULL;

	for (uint32_t i = 0; text && i < *count; i++)
		if (!strcmp((*list)[i], text))
			goto drop;
	if (text)
		grown = realloc(*list, (*count + 1) * sizeof(*grown));
	if (!grown)
		goto drop;
	*list = grown;
	grown[(*count)++] = text;
	return;
drop:
	free(text);
}

void verdict__worsen(struct verdict *v, enum verdict_kind kind, char *text)
{
	if (v->kind != VERDICT_FAIL)
		v->kind = kind;
	say(&v->reasons, &v->reason_count, text);
}

void verdict__limit(struct verdict *v, char *text)
{
	say(&v->limits, &v->limit_count, text);
}

/* --- what was found and what was lost -----------------------------------------------------------
 */

static void judge_findings(struct verdict *v, const struct model *m,
			   const struct finding_list *findings)
{
	for (uint32_t i = 0; i < findings->count; i++) {
		const struct finding *f = findings->items[i];
		char *cycle;

		if (f->grade < GRADE_WARNING)
			continue;
		cycle = verdict__cycle_name(m, f);
		if (f->suppressed)
			verdict__limit(v, verdict__message("accepted by a suppression: %s (%s)",
							   cycle ? cycle : "?", f->suppressed));
		else
			verdict__worsen(v, VERDICT_FAIL,
					verdict__message("%s (%s) found: %s",
							 finding_code_names[f->code],
							 finding_grade_names[f->grade],
							 cycle ? cycle : "?"));
		free(cycle);
	}
	if (findings->search_limited)
		verdict__worsen(
			v, VERDICT_INCONCLUSIVE,
			verdict__message("the search for cycles ran out of its budget: there "
					 "may be more than were found"));
	if (findings->undecided)
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("%" PRIu64
						 " checks of cycles ended at their budget",
						 findings->undecided));
}

static void judge_losses(struct verdict *v, const struct model *m,
			 const struct verdict_options *options)
{
	const char *unknown = model__losses_unknown(m), *level = model__fact(m, "probe.level");

	for (int reason = 0; reason < LOSS_REASONS; reason++) {
		uint64_t count = model__loss(m, (enum loss_reason)reason);

		if (count)
			verdict__worsen(
				v, VERDICT_INCONCLUSIVE,
				verdict__message("lost: %s %" PRIu64, loss_names[reason], count));
	}
	if (unknown)
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("losses are not known: %s", unknown));
	if (options->disturbed)
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("%s", options->disturbed));
	if (level && !strcmp(level, "tracepoint"))
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("only contention was traced: orders taken without "
						 "waiting were not seen"));
}

static void require_class(struct verdict *v, const struct model *m, const char *pattern,
			  const char *whose)
{
	if (!verdict__saw_class(m, pattern))
		verdict__worsen(v, VERDICT_INCONCLUSIVE,
				verdict__message("lock %s of %s was not seen", pattern, whose));
}

/* "Gone" means something only if the locks were there to be taken. */
static void judge_locks_seen(struct verdict *v, const struct model *m,
			     const struct verdict_options *options)
{
	for (size_t i = 0; i < sizeof(default_classes) / sizeof(*default_classes); i++)
		require_class(v, m, default_classes[i], "2b48f52f2bff");
	if (options->known)
		for (uint32_t i = 0; i < options->known->class_count; i++)
			require_class(v, m, options->known->classes[i], options->known->commit);
	for (uint32_t i = 0; i < v->cycle_count; i++)
		for (uint32_t d = 0; d < v->cycles[i].count; d++)
			require_class(v, m, v->cycles[i].dependencies[d].from,
				      "the baseline's cycle");
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static char *driver_list(const struct verdict *v)
{
	char *words = NULL;

	for (uint32_t i = 0; i < v->driver_count; i++)
		words = verdict__join(words, ", ", v->drivers[i].driver);
	return words;
}

static void note_what_a_pass_rests_on(struct verdict *v, const struct model *m)
{
	uint32_t ran = 0, absent = 0;
	char *drivers = driver_list(v);

	for (int path = 0; path < PATH_COUNT; path++) {
		if (!(v->required & 1u << path))
			continue;
		ran += model__coverage(m, (enum path_id)path)->hits > 0;
		absent += model__coverage(m, (enum path_id)path)->state == COVERAGE_ABSENT;
	}
	verdict__worsen(
		v, VERDICT_PASS,
		absent ? verdict__message("%u required paths ran, %u do not exist on this kernel",
					  ran, absent)
		       : verdict__message("all %u required paths ran", ran));
	verdict__worsen(
		v, VERDICT_PASS,
		verdict__message("devices were opened and closed in: %s", drivers ? drivers : "?"));
	for (uint32_t i = 0; i < v->cycle_count; i++)
		if (v->cycles[i].status == DEPENDENCY_RESOLVED)
			verdict__worsen(v, VERDICT_PASS,
					verdict__message("the baseline's cycle is gone: %s",
							 v->cycles[i].words));
	verdict__worsen(v, VERDICT_PASS,
			verdict__message("no finding of grade warning or worse, nothing lost"));
	free(drivers);
}

static void note_what_is_not_covered(struct verdict *v, const struct model *m,
				     const struct verdict_options *options)
{
	const char *scope = model__fact(m, "scope");

	if (scope && !strcmp(scope, "vfio"))
		verdict__limit(v,
			       verdict__message("lock orders that no VFIO or KVM path has a part "
						"in (scope vfio)"));
	if (options->baseline && !v->cycle_count)
		verdict__limit(v,
			       verdict__message("the baseline has no cycle: it added what has to "
						"run, there was nothing to compare"));
}

struct verdict *verdict__decide(const struct model *m, const struct finding_list *findings,
				const struct verdict_options *options)
{
	struct verdict *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->kind = VERDICT_PASS;
	if (verdict__require(v, m, options) ||
	    (options->baseline && verdict__compare(v, m, options))) {
		verdict__free(v);
		return NULL;
	}
	judge_findings(v, m, findings);
	verdict__judge_fixes(v, m, findings, options);
	verdict__judge_baseline(v, m, findings, options);
	verdict__judge_paths(v, m, options);
	judge_locks_seen(v, m, options);
	verdict__judge_probes(v, options);
	judge_losses(v, m, options);
	if (v->kind == VERDICT_PASS)
		note_what_a_pass_rests_on(v, m);
	note_what_is_not_covered(v, m, options);
	return v;
}

static void free_texts(const char **texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free((char *)texts[i]);
	free(texts);
}

static void free_cycle(struct verdict_cycle *c)
{
	for (uint32_t d = 0; c->dependencies && d < c->count; d++) {
		free((char *)c->dependencies[d].instead);
		free((char *)c->dependencies[d].evidence);
		free(c->dependencies[d].sites);
	}
	free(c->dependencies);
	free((char *)c->words);
}

void verdict__free(struct verdict *v)
{
	if (!v)
		return;
	free_texts(v->reasons, v->reason_count);
	free_texts(v->limits, v->limit_count);
	for (uint32_t i = 0; i < v->cycle_count; i++)
		free_cycle(&v->cycles[i]);
	free(v->cycles);
	free(v->drivers);
	driver_table__free(v->table);
	free(v);
}

uint32_t verdict__parse_paths(const char *list, char *bad)
{
	uint32_t bits = 0;

	while (*list) {
		size_t length = strcspn(list, ",");
		int path;

		for (path = 0; path < PATH_COUNT; path++)
			if (strlen(path_names[path]) == length &&
			    !strncmp(path_names[path], list, length))
				break;
		if (path == PATH_COUNT) {
			snprintf(bad, 32, "%.*s", (int)length, list);
			return 0;
		}
		bits |= 1u << path;
		list += length + (list[length] == ',');
	}
	return bits;
}
