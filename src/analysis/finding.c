// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of kinds, codes and grades; the list's order and exit code. */
#include "finding.h"

#include <stdlib.h>
#include <string.h>

const char *const finding_kind_names[FINDING_KINDS] = {
	[FINDING_INVERSION] = "inversion", [FINDING_CYCLE] = "cycle",
	[FINDING_RECURSION] = "recursion", [FINDING_DEADLOCK] = "deadlock",
	[FINDING_NESTING] = "nesting",	   [FINDING_UNLOCK] = "unlock",
	[FINDING_ORDER] = "order",
};

const char *const finding_code_names[FINDING_CODES] = {
	[CODE_DEADLOCK] = "deadlock",
	[CODE_RECURSION] = "recursion",
	[CODE_PREDICTED] = "predicted",
	[CODE_PREDICTED_FAIR] = "predicted-fair",
	[CODE_INSTANCE_INVERSION] = "instance-inversion",
	[CODE_CLASS_INVERSION] = "class-inversion",
	[CODE_BAD_UNLOCK] = "bad-unlock",
	[CODE_ORDER_VIOLATION] = "order-violation",
	[CODE_SAME_CLASS_NESTING] = "same-class-nesting",
	[CODE_GATED] = "gated",
	[CODE_ORDERED] = "ordered",
	[CODE_SAME_THREAD] = "same-thread",
	[CODE_READ_ONLY] = "read-only",
	[CODE_POSSIBLE_DEADLOCK] = "possible-deadlock",
};

const char *const finding_grade_names[FINDING_GRADES] = {
	[GRADE_INFO] = "info",
	[GRADE_WARNING] = "warning",
	[GRADE_ERROR] = "error",
	[GRADE_CRITICAL] = "critical",
};

static int compare(const void *a, const void *b)
{
	const struct finding *x = *(const struct finding *const *)a;
	const struct finding *y = *(const struct finding *const *)b;

	if (x->grade != y->grade)
		return x->grade > y->grade ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->key ? x->key : "", y->key ? y->key : "");
}

void finding_list__sorted(const struct finding_list *list, const struct finding **out)
{
	for (uint32_t i = 0; i < list->count; i++)
		out[i] = list->items[i];
	if (list->count)
		qsort(out, list->count, sizeof(*out), compare);
}

bool finding_list__is_complete(const struct finding_list *list)
{
	return !list || (!list->search_cut && !list->undecided);
}

int finding_list__exit_code(const struct finding_list *list)
{
	int code = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct finding *finding = list->items[i];

		if (finding->suppressed)
			continue;
		if (finding->code == CODE_DEADLOCK && !finding->resolved)
			return 3;
		if (finding->grade >= GRADE_WARNING)
			code = 2;
	}
	return code;
}
