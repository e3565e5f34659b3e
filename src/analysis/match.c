// SPDX-License-Identifier: GPL-2.0-or-later
/* Suppressions and known bugs that match a finding, and whether it touches what is looked at. */
#include "analysis/analysis_private.h"

#include <fnmatch.h>
#include <string.h>
#include <time.h>

static bool name_matches(const struct analysis *a, const char *pattern, uint32_t lock_class)
{
	const char *name = model__lock_class(a->m, lock_class)->name;

	return !strcmp(pattern, name) || !fnmatch(pattern, name, 0);
}

/* The patterns stand for the cycle in its order, from any start. */
static bool cycle_matches(const struct analysis *a, const struct finding *f, const char **patterns,
			  uint32_t count)
{
	if (!count || count != f->length)
		return false;
	for (uint32_t start = 0; start < count; start++) {
		uint32_t i = 0;

		while (i < count && name_matches(a, patterns[i], f->classes[(start + i) % count]))
			i++;
		if (i == count)
			return true;
	}
	return false;
}

static uint32_t kernel_version(const struct analysis *a)
{
	const char *release = model__fact(a->m, "kernel.release");

	return release ? kernel_version__parse(release) : 0;
}

static void match_suppressions(struct analysis *a, struct finding *f)
{
	const struct rule_set *set = a->options.suppressions;

	/* a deadlock that exists is never accepted */
	if (!set || f->code == CODE_DEADLOCK)
		return;
	for (uint32_t i = 0; i < set->count; i++) {
		const struct rule *rule = &set->items[i];

		if (rule->kind == RULE_SUPPRESS &&
		    rule__applies(rule, kernel_version(a), (int64_t)time(NULL)) &&
		    cycle_matches(a, f, rule->classes, rule->class_count)) {
			f->suppressed = rule->reason ? rule->reason : "";
			return;
		}
	}
}

/* What the running kernel's evidence said, as "fix.COMMIT" facts: "present", "missing". */
static const char *fix_state(const struct analysis *a, const struct catalogue_row *row)
{
	char key[80] = "fix.";
	const char *state;

	strncat(key, row->commit, sizeof(key) - 5);
	state = model__fact(a->m, key);
	if (state && !strcmp(state, "present"))
		return "in this kernel";
	return state && !strcmp(state, "missing") ? "missing here" : "unknown";
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

/* A bug of another architecture is none here; without the fact "arch" it may be. */
static bool may_be(const struct analysis *a, const struct finding *f,
		   const struct catalogue_row *row)
{
	const char *arch = model__fact(a->m, "arch");

	if (arch && row->architectures && !has_word(row->architectures, arch))
		return false;
	return !row->kinds || has_word(row->kinds, finding_kind_names[f->kind]);
}

static bool names_commit(const struct finding *f, const char *commit)
{
	for (uint32_t i = 0; i < f->known_count; i++)
		if (!strcmp(f->known[i].commit, commit))
			return true;
	return false;
}

void match_known(struct analysis *a, struct finding *f)
{
	const struct catalogue *catalogue = a->options.catalogue;
	uint32_t size = sizeof(f->known) / sizeof(f->known[0]);

	if (catalogue) /* without one, what a recording says stays */
		f->known_count = 0;
	match_suppressions(a, f);
	for (uint32_t i = 0; catalogue && i < catalogue->count && f->known_count < size; i++) {
		const struct catalogue_row *row = &catalogue->rows[i];

		if (!cycle_matches(a, f, row->classes, row->class_count) || !may_be(a, f, row) ||
		    names_commit(f, row->commit))
			continue;
		f->known[f->known_count++] =
			(struct known_bug){row->commit, row->title, fix_state(a, row)};
	}
}

bool touches_scope(const struct analysis *a, const struct finding *f)
{
	if (!a->options.touches_scope)
		return true;
	for (uint32_t i = 0; i < f->length; i++) {
		if (model__lock_class(a->m, f->classes[i])->flags & CLASS_IN_SCOPE)
			return true;
	}
	return false;
}
