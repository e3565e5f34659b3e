// SPDX-License-Identifier: GPL-2.0-or-later
/* Suppressions and known bugs that match a finding, and whether it touches what is looked at. */
#include "analysis/analysis_private.h"

#include <fnmatch.h>
#include <stdio.h>
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

/* "vfio_file_set_kvm.isra.0+0x1c/0x80 [vfio]" is what "vfio_file_set_kvm" means. */
static bool function_matches(const char *pattern, const char *symbol)
{
	char name[256];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(symbol, "+ "), symbol);
	if (!fnmatch(pattern, name, 0))
		return true;
	name[strcspn(name, ".")] = '\0';
	return !fnmatch(pattern, name, 0);
}

static bool hang_is_accepted(const struct analysis *a, const struct finding *f,
			     const struct rule *rule)
{
	const struct task_wait *wait = f->tasks[0].wait;
	const char *comm = model__task(a->m, f->tasks[0].task)->comm;

	return (!rule->class_count || (wait->lock_class != NO_ID &&
				       name_matches(a, rule->classes[0], wait->lock_class))) &&
	       (!rule->site || (wait->site && function_matches(rule->site, wait->site))) &&
	       (!rule->comm || (comm && !fnmatch(rule->comm, comm, 0)));
}

/* Hangs have suppressions of their own: one for an order of locks must not hide a blocked task. */
static bool is_accepted(const struct analysis *a, const struct finding *f, const struct rule *rule)
{
	if (f->kind == FINDING_HANG)
		return rule->kind == RULE_SUPPRESS_HANG && hang_is_accepted(a, f, rule);
	return rule->kind == RULE_SUPPRESS && cycle_matches(a, f, rule->classes, rule->class_count);
}

static void match_suppressions(struct analysis *a, struct finding *f)
{
	const struct rule_set *set = a->options.suppressions;

	/* a deadlock that exists is never accepted */
	if (!set || f->code == CODE_DEADLOCK)
		return;
	for (uint32_t i = 0; i < set->count; i++) {
		const struct rule *rule = &set->items[i];

		if (rule__applies(rule, kernel_version(a), (int64_t)time(NULL)) &&
		    is_accepted(a, f, rule)) {
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

/* One task's part of the cycle: it holds a class and wants the next one. */
static bool is_part_of_cycle(const struct analysis *a, const struct blocked_task *t,
			     const struct catalogue_row *row)
{
	for (uint32_t i = 0; i < row->class_count; i++) {
		const char *held = row->classes[i];
		const char *wanted = row->classes[(i + 1) % row->class_count];

		if (!name_matches(a, wanted, t->wait->lock_class))
			continue;
		for (uint32_t k = 0; k < t->hold_count; k++)
			if (t->holds[k] < model__instance_count(a->m) &&
			    name_matches(a, held, model__instance(a->m, t->holds[k])->lock_class))
				return true;
	}
	return false;
}

static bool is_on_stack(const struct analysis *a, const struct blocked_task *t,
			const struct catalogue_row *row)
{
	struct stack stack = model__stack(a->m, t->kernel_stack);
	uint32_t found = 0;

	for (uint32_t i = 0; i < stack.frame_count && found < row->stack_count; i++)
		found += stack.frames[i].symbol &&
			 function_matches(row->stack[found], stack.frames[i].symbol);
	return found == row->stack_count;
}

static bool is_bug(const struct analysis *a, const struct finding *f,
		   const struct catalogue_row *row)
{
	const struct blocked_task *t = f->tasks;

	if (f->kind != FINDING_HANG)
		return cycle_matches(a, f, row->classes, row->class_count);
	if (row->stack_count)
		return is_on_stack(a, t, row);
	return row->class_count > 1 && t->wait->lock_class != NO_ID && is_part_of_cycle(a, t, row);
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

		if (!is_bug(a, f, row) || !may_be(a, f, row) || names_commit(f, row->commit))
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
