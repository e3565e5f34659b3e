// SPDX-License-Identifier: GPL-2.0-or-later
/* Every golden trace and report in tests/traces/known must be recognised as the bug it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analysis.h"
#include "import.h"

#define DIRECTORY "tests/traces/known/"

static int complaints;

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	(void)context;
	complaints++;
	print_message("# %s:%u: %s\n", file, line, message);
}

static bool names(const struct finding *f, const char *commit, const char *code)
{
	if (strcmp(finding_code_names[f->code], code))
		return false;
	for (uint32_t i = 0; i < f->known_count; i++)
		if (!strcmp(f->known[i].commit, commit))
			return true;
	return false;
}

static void check_file(const char *name, const char *commit, const char *code)
{
	bool is_trace = strstr(name, ".std") != NULL, found = false;
	struct analysis_options options = {
		.live_kernel = !is_trace, .predict = true, .catalogue = catalogue__builtin()};
	struct import_options import = {.complain = complain};
	struct model *m = model__new();
	const struct finding_list *list;
	char path[512];

	snprintf(path, sizeof(path), DIRECTORY "%s", name);
	model__keep_events(m, is_trace);
	import.analysis = analysis__new(m, &options);
	complaints = 0;
	assert_int_equal(import_file(m, path, &import), 0);
	assert_int_equal(complaints, 0);
	assert_int_equal(analysis__finish(import.analysis), 0);
	list = analysis__findings(import.analysis);
	for (uint32_t i = 0; i < list->count; i++)
		found |= names(list->items[i], commit, code);
	if (!found)
		fail_msg("%s: no finding of code %s names %s", name, code, commit);
	analysis__free(import.analysis);
	model__free(m);
}

static void test_each_trace_is_recognised(void **state)
{
	FILE *in = fopen(DIRECTORY "EXPECTED.tsv", "re");
	char line[512], name[128], commit[64], code[64];
	int count = 0;

	(void)state;
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (*line == '#')
			continue;
		assert_int_equal(sscanf(line, "%127s %63s %63s", name, commit, code), 3);
		check_file(name, commit, code);
		count++;
	}
	fclose(in);
	assert_true(count >= 45);
}

static bool has_trace(const char *commit)
{
	FILE *in = fopen(DIRECTORY "EXPECTED.tsv", "re");
	char line[512];
	bool found = false;

	assert_non_null(in);
	while (fgets(line, sizeof(line), in))
		found |= *line != '#' && strstr(line, commit) != NULL;
	fclose(in);
	return found;
}

static void test_each_bug_has_a_trace(void **state)
{
	const struct catalogue *catalogue = catalogue__builtin();

	(void)state;
	for (uint32_t i = 0; i < catalogue->count; i++)
		if (!has_trace(catalogue->rows[i].commit))
			fail_msg("no trace shows %s", catalogue->rows[i].commit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_trace_is_recognised),
		cmocka_unit_test(test_each_bug_has_a_trace),
	};

	return cmocka_run_group_tests_name("known_bugs", tests, NULL, NULL);
}
