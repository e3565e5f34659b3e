// SPDX-License-Identifier: GPL-2.0-or-later
/* The verdict: each rule adds its reasons, the worst one decides. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/verdict_internal.h"

const char *const verdict_names[VERDICT_KINDS] = {"pass", "fail", "inconclusive"};
const char *const dependency_fate_names[] = {"gone", "back", "not exercised"};

/* The paths of the inversion this tool was made for. */
#define DEFAULT_PATHS                                                                              \
	(1u << PATH_DEVICE_OPEN | 1u << PATH_DEVICE_CLOSE | 1u << PATH_GET_KVM |                   \
	 1u << PATH_PUT_KVM | 1u << PATH_SET_KVM | 1u << PATH_GROUP_ADD |                          \
	 1u << PATH_KVM_DEVICE_RELEASE)
static const char *const default_classes[] = {"vfio_group.group_lock", "kvm.lock"};

char *verdict__words(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return text;
}

/* Takes the text; the same reason is given once. */
static void add_reason(struct verdict *v, char *text)
{
	const char **grown = NULL;

	for (uint32_t i = 0; text && i < v->reason_count; i++)
		if (!strcmp(v->reasons[i], text))
			goto drop;
	if (text)
		grown = realloc(v->reasons, (v->reason_count + 1) * sizeof(*grown));
	if (!grown)
		goto drop;
	v->reasons = grown;
	v->reasons[v->reason_count++] = text;
	return;
drop:
	free(text);
}

static void worsen(struct verdict *v, enum verdict_kind kind)
{
	if (v->kind != VERDICT_FAIL)
		v->kind = kind;
}

static void judge_findings(struct verdict *v, const struct model *m,
			   const struct finding_list *findings)
{
	for (uint32_t i = 0; i < findings->count; i++) {
		const struct finding *f = findings->items[i];
		char *cycle;

		if (f->grade < GRADE_WARNING || f->suppressed)
			continue;
		cycle = verdict__cycle_words(m, f);
		worsen(v, VERDICT_FAIL);
		add_reason(v, verdict__words("%s (%s) found: %s", finding_code_names[f->code],
					     finding_grade_names[f->grade], cycle ? cycle : "?"));
		free(cycle);
	}
}

static void judge_known_fix(struct verdict *v, const struct verdict_options *options)
{
	const char *evidence = options->known_evidence ? options->known_evidence : "";

	if (!options->known || options->known_state == VERDICT_FIX_NOT_ASKED)
		return;
	if (options->known_state == VERDICT_FIX_MISSING) {
		worsen(v, VERDICT_FAIL);
		add_reason(v, verdict__words("%s is not in this kernel: %s", options->known->commit,
					     evidence));
	} else if (options->known_state == VERDICT_FIX_UNKNOWN) {
		worsen(v, VERDICT_INCONCLUSIVE);
		add_reason(v, verdict__words("whether %s is in this kernel: %s",
					     options->known->commit, evidence));
	}
}

static uint32_t paths_hit(const struct model *m)
{
	uint32_t bits = 0;

	for (int path = 0; path < PATH_COUNT; path++)
		if (model__coverage(m, (enum path_id)path)->hits)
			bits |= 1u << path;
	return bits;
}

static uint32_t required_paths(const struct verdict_options *options)
{
	if (options->required)
		return options->required;
	if (options->baseline && paths_hit(options->baseline))
		return paths_hit(options->baseline);
	return DEFAULT_PATHS;
}

/* A path this kernel does not have is never held against it. */
static void judge_coverage(struct verdict *v, const struct model *m)
{
	for (int path = 0; path < PATH_COUNT; path++) {
		const struct coverage *c = model__coverage(m, (enum path_id)path);

		if (!(v->required & 1u << path) || c->state == COVERAGE_ABSENT || c->hits)
			continue;
		worsen(v, VERDICT_INCONCLUSIVE);
		if (c->state == COVERAGE_UNPROBED)
			add_reason(v, verdict__words("path %s could not be watched: %s",
						     path_names[path],
						     c->reason ? c->reason : "no probe"));
		else
			add_reason(v,
				   verdict__words("path %s was not exercised", path_names[path]));
	}
}

static void judge_losses(struct verdict *v, const struct model *m,
			 const struct verdict_options *options)
{
	const char *unknown = model__losses_unknown(m), *level = model__fact(m, "probe.level");

	for (int reason = 0; reason < LOSS_REASONS; reason++) {
		uint64_t count = model__loss(m, (enum loss_reason)reason);

		if (!count)
			continue;
		worsen(v, VERDICT_INCONCLUSIVE);
		add_reason(v, verdict__words("lost: %s %" PRIu64, loss_names[reason], count));
	}
	if (unknown) {
		worsen(v, VERDICT_INCONCLUSIVE);
		add_reason(v, verdict__words("losses are not known: %s", unknown));
	}
	if (options->missing_probes && *options->missing_probes) {
		worsen(v, VERDICT_INCONCLUSIVE);
		add_reason(v, verdict__words("probes missing: %s", options->missing_probes));
	}
	if (options->disturbed) {
		worsen(v, VERDICT_INCONCLUSIVE);
		add_reason(v, verdict__words("%s", options->disturbed));
	}
	if (level && !strcmp(level, "tracepoint")) {
		worsen(v, VERDICT_INCONCLUSIVE);
		add_reason(v, verdict__words(
				      "only contention was traced: orders taken without waiting "
				      "were not seen"));
	}
}

static void require_class(struct verdict *v, const struct model *m, const char *pattern,
			  const char *whose)
{
	if (verdict__saw_class(m, pattern))
		return;
	worsen(v, VERDICT_INCONCLUSIVE);
	add_reason(v, verdict__words("lock %s of %s was not seen", pattern, whose));
}

/* "Gone" means something only if the locks were there to be taken. */
static void judge_locks_seen(struct verdict *v, const struct model *m,
			     const struct verdict_options *options)
{
	if (options->known)
		for (uint32_t i = 0; i < options->known->class_count; i++)
			require_class(v, m, options->known->classes[i], options->known->commit);
	for (uint32_t i = 0; i < v->cycle_count; i++)
		for (uint32_t d = 0; d < v->cycles[i].count; d++)
			require_class(v, m, v->cycles[i].dependencies[d].from,
				      "the baseline's cycle");
	if (options->known || v->cycle_count)
		return;
	for (size_t i = 0; i < sizeof(default_classes) / sizeof(*default_classes); i++)
		require_class(v, m, default_classes[i], "2b48f52f2bff");
}

static void judge_baseline(struct verdict *v)
{
	for (uint32_t i = 0; i < v->cycle_count; i++) {
		const struct verdict_cycle *c = &v->cycles[i];

		if (c->fate == FATE_BACK) {
			worsen(v, VERDICT_FAIL);
			add_reason(v, verdict__words("the baseline's cycle is back: %s", c->words));
		} else if (c->fate == FATE_NOT_EXERCISED) {
			worsen(v, VERDICT_INCONCLUSIVE);
			add_reason(v, verdict__words("the baseline's cycle was not exercised: %s",
						     c->words));
		}
	}
}

static void say_what_a_pass_rests_on(struct verdict *v, const struct model *m)
{
	uint32_t ran = 0, absent = 0;

	for (int path = 0; path < PATH_COUNT; path++) {
		if (!(v->required & 1u << path))
			continue;
		ran += model__coverage(m, (enum path_id)path)->hits > 0;
		absent += model__coverage(m, (enum path_id)path)->state == COVERAGE_ABSENT;
	}
	add_reason(v,
		   absent ? verdict__words("%u required paths ran, %u do not exist on this kernel",
					   ran, absent)
			  : verdict__words("all %u required paths ran", ran));
	for (uint32_t i = 0; i < v->cycle_count; i++)
		add_reason(v,
			   verdict__words("the baseline's cycle is gone: %s", v->cycles[i].words));
	add_reason(v, verdict__words("no finding of grade warning or worse, nothing lost"));
}

struct verdict *verdict__decide(const struct model *m, const struct finding_list *findings,
				const struct verdict_options *options)
{
	struct verdict *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->kind = VERDICT_PASS;
	v->required = required_paths(options);
	if (options->baseline && verdict__compare(v, m, options)) {
		verdict__free(v);
		return NULL;
	}
	judge_findings(v, m, findings);
	judge_known_fix(v, options);
	judge_baseline(v);
	judge_coverage(v, m);
	judge_locks_seen(v, m, options);
	judge_losses(v, m, options);
	if (v->kind == VERDICT_PASS)
		say_what_a_pass_rests_on(v, m);
	return v;
}

void verdict__free(struct verdict *v)
{
	if (!v)
		return;
	for (uint32_t i = 0; i < v->reason_count; i++)
		free((char *)v->reasons[i]);
	for (uint32_t i = 0; i < v->cycle_count; i++) {
		for (uint32_t d = 0; d < v->cycles[i].count; d++)
			free((char *)v->cycles[i].dependencies[d].instead);
		free(v->cycles[i].dependencies);
		free((char *)v->cycles[i].words);
	}
	free(v->cycles);
	free(v->reasons);
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
