// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules files, suppressions, the catalogue, and the built-in ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules.h"

static char last[1024];
static int complaints;

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	(void)context;
	complaints++;
	snprintf(last, sizeof(last), "%s:%u: %s", file, line, message);
}

static struct rule_set *parse(const char *text)
{
	complaints = 0;
	last[0] = '\0';
	return rule_set__parse("my.rules", text, strlen(text), complain, NULL);
}

static void test_reads_every_statement(void **state)
{
	struct rule_set *set = parse("# a comment\n"
				     "order kvm.lock > kvm.slots_lock > kvm.irq_lock # tail\n"
				     "\treason documented\n"
				     "\tkernel 6.1 - 6.3\n"
				     "\n"
				     "suppress a.x -> b.y\n"
				     "    reason accepted, ticket #12\n"
				     "    expires 2999-12-31\n"
				     "instance-only \"odd name\"\n"
				     "\treason too coarse\n");

	(void)state;
	assert_non_null(set);
	assert_int_equal(complaints, 0);
	assert_int_equal(set->count, 3);
	assert_int_equal(set->items[0].kind, RULE_ORDER);
	assert_int_equal(set->items[0].class_count, 3);
	assert_string_equal(set->items[0].classes[2], "kvm.irq_lock");
	assert_int_equal(set->items[0].kernel_from, 6 << 16 | 1 << 8);
	assert_int_equal(set->items[0].kernel_until, 6 << 16 | 3 << 8);
	assert_int_equal(set->items[0].line, 2);
	assert_string_equal(set->items[0].source, "my.rules");
	assert_int_equal(set->items[1].kind, RULE_SUPPRESS);
	assert_string_equal(set->items[1].reason, "accepted, ticket #12");
	assert_true(set->items[1].expires > 32000000000);
	assert_string_equal(set->items[2].classes[0], "odd name");
	rule_set__free(set);
}

static void test_refuses_with_line_and_remedy(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"allow a > b\n", "my.rules:1: \"allow\" is an unknown statement"},
		{"\treason x\n", "my.rules:1: an attribute without a statement"},
		{"order a > b\n", "my.rules:1: order without a reason"},
		{"order a\n\treason x\n", "my.rules:1: order takes at least two classes"},
		{"order a b\n\treason x\n", "my.rules:1: expected class names"},
		{"order a >\n\treason x\n", "my.rules:1: expected class names"},
		{"order a > b\n\treason x\n\tkernel six\n", "my.rules:3: kernel takes"},
		{"order a > b\n\treason x\n\tkernel 6.3 - 6.1\n", "my.rules:3: kernel takes"},
		{"suppress a > b\n\treason x\n\texpires soon\n", "my.rules:3: expires takes a day"},
		{"suppress a > b\n\treason x\n\texpires 2020-01-31\n",
		 "my.rules:1: this suppression has expired"},
		{"suppress a > b\n\treason\n", "my.rules:2: reason is empty"},
		{"order a > b\n\treason x\n\treason y\n", "my.rules:3: \"reason\" is given twice"},
		{"order a > b\n\treason x\n\tcolour red\n",
		 "my.rules:3: \"colour\" is an unknown attribute"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char first[1024];
		struct rule_set *set = parse(cases[i].text);

		snprintf(first, sizeof(first), "%.*s", (int)strlen(cases[i].message), last);
		assert_null(set);
		assert_true(complaints >= 1);
		if (complaints == 1)
			assert_string_equal(first, cases[i].message);
	}
}

static void test_keeps_the_rest(void **state)
{
	struct rule_set *set = parse("nonsense\norder a > b\n\treason good\n");

	(void)state;
	assert_non_null(set);
	assert_int_equal(complaints, 1);
	assert_int_equal(set->count, 1);
	rule_set__free(set);
	set = parse("# nothing but comments\n");
	assert_non_null(set);
	assert_int_equal(set->count, 0);
	rule_set__free(set);
	assert_null(rule_set__load("/nonexistent/file.rules", complain, NULL));
	assert_non_null(strstr(last, "cannot be read: No such file"));
}

static void test_kernel_versions(void **state)
{
	struct rule rule = {.kernel_from = 6 << 16 | 1 << 8, .kernel_until = 6 << 16 | 2 << 8};

	(void)state;
	assert_int_equal(kernel_version__parse("6.1.0-53-amd64"), 6 << 16 | 1 << 8);
	assert_int_equal(kernel_version__parse("6.12.107"), 6 << 16 | 12 << 8 | 107);
	assert_int_equal(kernel_version__parse("5.10"), 5 << 16 | 10 << 8);
	assert_int_equal(kernel_version__parse("6.3.0-rc2"), 6 << 16 | 3 << 8);
	assert_int_equal(kernel_version__parse("6.1.999"), 6 << 16 | 1 << 8 | 255);
	assert_int_equal(kernel_version__parse("six"), 0);
	assert_int_equal(kernel_version__parse(""), 0);
	assert_true(rule__applies(&rule, 6 << 16 | 1 << 8 | 192, 0));
	assert_false(rule__applies(&rule, 6 << 16 | 2 << 8, 0));
	assert_false(rule__applies(&rule, 0, 0));
	rule.kernel_from = rule.kernel_until = 0;
	rule.expires = 1000;
	assert_true(rule__applies(&rule, 0, 999));
	assert_false(rule__applies(&rule, 0, 1000));
}

static const struct rule *find_order(const struct rule_set *set, const char *outer,
				     const char *inner, uint32_t kernel)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (!strcmp(set->items[i].classes[0], outer) && set->items[i].class_count > 1 &&
		    !strcmp(set->items[i].classes[1], inner) &&
		    rule__applies(&set->items[i], kernel, 0))
			return &set->items[i];
	return NULL;
}

static void test_builtin_rules_follow_the_kernel(void **state)
{
	static const char set_lock[] = "vfio_device_set.lock", group[] = "vfio_group.group_lock";
	const uint32_t v61 = kernel_version__parse("6.1.192"), v612 = kernel_version__parse("6.12");
	struct rule_set *set = rule_set__builtin();

	(void)state;
	assert_non_null(set);
	assert_non_null(find_order(set, set_lock, group, v61));
	assert_null(find_order(set, group, set_lock, v61));
	assert_non_null(find_order(set, group, set_lock, v612));
	assert_null(find_order(set, set_lock, group, v612));
	assert_null(find_order(set, group, set_lock, 0));
	assert_non_null(find_order(set, "kvm.lock", "kvm.slots_lock", 0));
	rule_set__free(set);
}

static void test_catalogue_holds_every_row(void **state)
{
	static const char *const commits[] = {
		"51cdc8bc120e", "2b48f52f2bff", "5c6de3ea7376", "0cc00c8d4050", "1e753732bda6",
		"86956e70761b", "44d174596260", "21195eb038bc", "b84eb8e05057", "0acc7239c20a",
		"c43120afb5c6", "4bba7f7def6f", "f00327731131", "49e5d16b6fc0", "310bc39546a4",
		"b10a038e84d1", "52ac8b358b0c", "f16bd3dda2c8", "7f56c30bd0a2", "bc93b9ae0151",
		"aac6db75a9fc", "b7c5e64fecfa", "d24cdbfd28b7", "890ed578df82", "811642d8d8a8",
		"0d4ee88d9288", "5a3f49364c3f", "7e10b9a6da61", "0c2c7c069285", "597cb7968cb6",
		"c9d61dcb0bc2", "bf42b02b19e2", "e4a454ced74c", "cb923ee6a80f", "d9c5ed0a9b52",
		"140768a7bf03", "6b17ca8e5e7a", "1c26c3bbdee1", "3e7abe2556b5", "ef3a3f6a294b",
		"a5ac1f816563",
	};
	const struct catalogue *catalogue = catalogue__builtin();

	(void)state;
	assert_non_null(catalogue);
	for (size_t i = 0; i < sizeof(commits) / sizeof(commits[0]); i++) {
		uint32_t row = 0;

		while (row < catalogue->count && strcmp(catalogue->rows[row].commit, commits[i]))
			row++;
		if (row == catalogue->count)
			fail_msg("commit %s is missing", commits[i]);
	}
}

static void test_catalogue_refuses(void **state)
{
	static const char text[] = "bug abc\n\ttitle t\n\tfixed-in v1\n\tclasses a > b\n"
				   "\tevidence guess\n";
	struct catalogue catalogue;

	(void)state;
	complaints = 0;
	assert_int_not_equal(catalogue__parse(&catalogue, "c", text, strlen(text), complain, NULL),
			     0);
	assert_int_equal(complaints, 1);
	assert_non_null(strstr(last, "c:1: bug abc needs"));
	assert_null(catalogue.rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_every_statement),
		cmocka_unit_test(test_refuses_with_line_and_remedy),
		cmocka_unit_test(test_keeps_the_rest),
		cmocka_unit_test(test_kernel_versions),
		cmocka_unit_test(test_builtin_rules_follow_the_kernel),
		cmocka_unit_test(test_catalogue_holds_every_row),
		cmocka_unit_test(test_catalogue_refuses),
	};

	return cmocka_run_group_tests_name("rules_file", tests, NULL, NULL);
}
