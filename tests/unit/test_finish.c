// SPDX-License-Identifier: GPL-2.0-or-later
/* analysis__finish: codes that traces without events show, rules, suppressions, losses, bad input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analysis.h"
#include "analysis/stats.h"
#include "import.h"

static struct model *m;
static struct analysis *a;
static uint32_t complaints;
static char last_complaint[256];

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	(void)context;
	complaints++;
	snprintf(last_complaint, sizeof(last_complaint), "%s:%u: %s", file, line, message);
}

static int import(const char *text, size_t length)
{
	struct import_options options = {.format = IMPORT_STD, .complain = complain};
	FILE *in = fmemopen((void *)text, length, "r");
	int error = import_std(m, in, "trace", &options);

	fclose(in);
	return error;
}

static int start(void **state)
{
	(void)state;
	complaints = 0;
	last_complaint[0] = '\0';
	m = model__new();
	a = NULL;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	analysis__free(a);
	model__free(m);
	return 0;
}

static const struct finding_list *judge(const char *text, const struct analysis_options *options)
{
	static const struct analysis_options predict = {.predict = true};

	assert_int_equal(import(text, strlen(text)), 0);
	a = analysis__new(m, options ? options : &predict);
	assert_int_equal(analysis__finish(a), 0);
	return analysis__findings(a);
}

static const char inversion[] = "A|acq(X)|1\nA|acq(Y)|2\nA|rel(Y)|3\nA|rel(X)|4\n"
				"B|acq(Y)|5\nB|acq(X)|6\nB|rel(X)|7\nB|rel(Y)|8\n";

static void test_predicted(void **state)
{
	const struct finding_list *list = judge(inversion, NULL);
	const struct finding *f = list->items[0];

	(void)state;
	assert_int_equal(list->count, 1);
	assert_int_equal(f->code, CODE_PREDICTED);
	assert_int_equal(f->prediction, PREDICTION_REACHABLE);
	assert_true(f->schedule_count >= 3);
	assert_string_equal(f->schedule[f->schedule_count - 1],
			    "B waits for X at 6, which A holds");
	assert_int_equal(f->length, 2);
	assert_int_equal(f->witnesses[0].dependency != f->witnesses[1].dependency, 1);
	assert_int_equal(analysis__exit_code(a, true), 2);
}

static void test_not_asked(void **state)
{
	struct analysis_options options = {0};
	const struct finding *f = judge(inversion, &options)->items[0];

	(void)state;
	assert_int_equal(f->code, CODE_INSTANCE_INVERSION);
	assert_int_equal(f->prediction, PREDICTION_NOT_DECIDED);
	assert_non_null(f->prediction_note);
}

static void test_cut_stream(void **state)
{
	struct analysis_options options = {.predict = true};
	struct trace_event gap = {.op = EVENT_GAP, .stack = NO_ID};

	(void)state;
	import(inversion, strlen(inversion));
	model__add_event(m, &gap);
	a = analysis__new(m, &options);
	analysis__finish(a);
	assert_int_equal(analysis__findings(a)->items[0]->code, CODE_INSTANCE_INVERSION);
	assert_string_equal(analysis__findings(a)->items[0]->prediction_note,
			    "the event stream has gaps");
}

static void test_suppressed_and_known(void **state)
{
	const char *classes[] = {"Y", "X"};
	struct rule rule = {
		.kind = RULE_SUPPRESS, .class_count = 2, .classes = classes, .reason = "accepted"};
	struct rule_set set = {&rule, 1};
	struct catalogue_row row = {
		.commit = "abc", .title = "t", .class_count = 2, .classes = classes};
	struct catalogue catalogue = {&row, 1};
	struct analysis_options options = {.suppressions = &set, .catalogue = &catalogue};
	const struct finding *f = judge(inversion, &options)->items[0];

	(void)state;
	assert_string_equal(f->suppressed, "accepted");
	assert_int_equal(f->known_count, 1);
	assert_int_equal(analysis__exit_code(a, true), 0);
}

static void test_declared_order(void **state)
{
	const char *classes[] = {"X", "Y*"};
	struct rule rule = {
		.kind = RULE_ORDER, .class_count = 2, .classes = classes, .reason = "documented"};
	struct rule_set set = {&rule, 1};
	struct analysis_options options = {.rules = &set};
	const struct finding_list *list = judge("A|acq(Y1)|1\nA|acq(X)|2\n", &options);

	(void)state;
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->code, CODE_ORDER_VIOLATION);
	assert_string_equal(list->items[0]->rule, "X before Y*: documented");
}

static void test_reentrant_monitor(void **state)
{
	const struct finding_list *list =
		judge("A|req(X)|1\nA|acq(X)|1\nA|req(X)|2\nA|acq(X)|2\nA|rel(X)|3\nA|acq(Y)|4\n"
		      "A|rel(Y)|5\nA|rel(X)|6\n",
		      NULL);

	(void)state;
	assert_int_equal(list->count, 0);
	assert_int_equal(model__dependency_count(m), 1);
	assert_int_equal(model__bad_release_count(m), 0);
}

static void test_waits_for_itself(void **state)
{
	const struct finding_list *list = judge("A|acq(X)|1\nA|req(X)|2\n", NULL);

	(void)state;
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->code, CODE_DEADLOCK);
	assert_int_equal(analysis__exit_code(a, true), 3);
}

static void test_finish_twice(void **state)
{
	const struct finding_list *list = judge(inversion, NULL);

	(void)state;
	assert_int_equal(analysis__finish(a), 0);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->code, CODE_PREDICTED);
}

static void test_ten_thousand_locks(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	const struct finding_list *list;

	(void)state;
	for (int i = 0; i < 10000; i++)
		fprintf(out, "T%d|acq(L%d)|1\nT%d|acq(L%d)|2\nT%d|rel(L%d)|3\nT%d|rel(L%d)|4\n", i,
			i, i, (i + 1) % 10000, i, (i + 1) % 10000, i, i);
	fclose(out);
	list = judge(text, NULL);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->length, 10000);
	assert_int_equal(list->items[0]->code, CODE_INSTANCE_INVERSION);
	free(text);
}

/* Every lock after every other: more cycles than are searched, and that is said. */
static void a_search_that_ends_at_its_budget_says_so(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	const struct finding_list *list;

	(void)state;
	for (int i = 0; i < 24; i++)
		for (int j = 0; j < 24; j++)
			if (i != j)
				fprintf(out,
					"T%d|acq(L%d)|1\nT%d|acq(L%d)|2\nT%d|rel(L%d)|3\n"
					"T%d|rel(L%d)|4\n",
					i, i, i, j, i, j, i, i);
	fclose(out);
	list = judge(text, NULL);
	assert_true(list->count > 0);
	assert_true(list->search_limited);
	free(text);
	analysis__free(a);
	model__free(m);
	m = model__new();
	assert_false(judge(inversion, NULL)->search_limited);
}

/* The instances meet only under a guard: no finding, if all of that could be looked at. */
static void test_undecided_is_not_clean(void **state)
{
	static const char guarded[] = "A|acq(G)|1\nA|acq(device.mutex)|2\nA|acq(Y)|3\n"
				      "A|rel(Y)|4\nA|rel(device.mutex)|5\nA|rel(G)|6\n"
				      "B|acq(G)|7\nB|acq(Y)|8\nB|acq(device.mutex)|9\n"
				      "B|rel(device.mutex)|10\nB|rel(Y)|11\nB|rel(G)|12\n";
	struct analysis_options options = {.predict = true};
	const struct finding_list *list = judge(guarded, &options);

	(void)state;
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->code, CODE_GATED);
	assert_true(finding_list__is_complete(list, m));
	assert_int_equal(analysis__exit_code(a, true), 0);
	analysis__free(a);
	model__free(m);
	m = model__new();
	options.budget_shift = 32;
	list = judge(guarded, &options);
	assert_int_equal(list->count, 0);
	assert_true(list->undecided > 0);
	assert_false(finding_list__is_complete(list, m));
	assert_int_equal(analysis__exit_code(a, true), 4);
	assert_int_equal(analysis__exit_code(a, false), 0);
}

/* What does not fit into the model is a loss; what does is judged as ever. */
static void test_full_model(void **state)
{
	const struct finding_list *list;
	char text[4096];
	size_t used = 0;

	(void)state;
	model__bound_size(m, 3, 1000);
	for (int i = 0; i < 40; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "A|acq(X)|1\nA|acq(Y)|2\nA|acq(L%d)|3\nA|rel(L%d)|4\n"
					 "A|rel(Y)|5\nA|rel(X)|6\n",
					 i, i);
	snprintf(text + used, sizeof(text) - used, "B|acq(L1)|7\nB|acq(X)|8\n");
	list = judge(text, NULL);
	assert_int_equal(list->count, 0);
	assert_int_equal(model__dependency_count(m), 3);
	assert_int_equal(model__loss(m, LOSS_MEMORY), 39 * 2 + 1);
	assert_int_equal(analysis__exit_code(a, true), 4);
	analysis__free(a);
	model__free(m);
	m = model__new();
	model__bound_size(m, 100, 20);
	judge(text, NULL);
	assert_in_range(model__chain_count(m), 1, 9);
	assert_true(model__loss(m, LOSS_MEMORY) > 0);
}

/* 70 occurrences under a guard of their own, then one without: live, the model keeps 64 of them. */
static void live_analysis_examines_every_occurrence(void **state)
{
	const struct analysis_options live = {.live_kernel = true, .max_pattern_length = 2};
	const struct finding_list *list;
	uint32_t task = model__add_task(m, 1, 1, "t", 0, 0);
	struct held_lock locks[4] = {{0}};

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		char name[8] = {(char)('A' + i)};

		locks[i].instance = model__add_instance(
			m, model__add_class(m, name, LOCK_KIND_MUTEX, 0), 0x1000 + i, 0);
		locks[i].stack = NO_ID;
	}
	for (uint32_t round = 0; round <= 70; round++) {
		for (uint32_t i = 0; i < 3; i++) {
			/* the guard D, then two of A, B, C in a cycle */
			struct held_lock held[2] = {locks[3], locks[i]};
			uint32_t skip = round == 70;

			held[0].stack = round < 70 ? round : NO_ID;
			model__add_chain(m, held + skip, 2 - skip, &locks[(i + 1) % 3], task,
					 round + 1, 1, NO_ID);
		}
	}
	a = analysis__new(m, &live);
	assert_int_equal(analysis__finish(a), 0);
	list = analysis__findings(a);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->code, CODE_INSTANCE_INVERSION);
}

static void test_bad_lines(void **state)
{
	static const char *const bad[] = {
		"nonsense",
		"A|",
		"|acq(X)|1",
		"A|acq|1",
		"A|acq()|1",
		"A|frob(X)|1",
		"A|acq(X|1",
		"A|fork()|1",
		"A|r()|1",
		"A|acq(X:9)|1",
		"A|acq(X:12)|1",
		"A|acq(X#)|1",
		"A|acq(X#1z)|1",
		"A|acq(#1)|1",
		"A|acq(X#18446744073709551616)|1",
		"A|acq(X#99999999999999999999999999999999999999999)|1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[256];
		uint32_t before = complaints;

		snprintf(text, sizeof(text), "A|acq(G)|1\n%s\nA|rel(G)|2\n", bad[i]);
		assert_int_equal(import(text, strlen(text)), 0);
		assert_int_equal(complaints, before + 1);
		assert_non_null(strstr(last_complaint, "trace:2: "));
	}
	assert_int_equal(model__loss(m, LOSS_PARSE), complaints);
	assert_int_equal(model__bad_release_count(m), 0); /* the rest of each was read */
	assert_int_equal(import("nothing\nhere\n", 13), -22);
	assert_int_equal(import("A|acq(X)|1\nA|ac\0q(Y)|2\n", 23), 0); /* a NUL */
}

static void test_odd_but_good_lines(void **state)
{
	const char text[] = "# comment\n\n  A | acq( X ) | somewhere \r\nA|acq(Y#0x10:1)\n"
			    "A|rel(Y#16)|x\nA|begin\nA|end(0)|0\nA|acq(a.b.c:d)|1\n"
			    "A|acq(X#18446744073709551615)|1\n";

	(void)state;
	assert_int_equal(import(text, strlen(text)), 0);
	assert_int_equal(complaints, 0);
	assert_int_equal(model__bad_release_count(m), 0);
	assert_true(model__find_class(m, "Y/1") != NO_ID);
	assert_true(model__find_class(m, "a.b.c:d") != NO_ID);
}

static void test_subclass(void **state)
{
	const struct finding_list *list =
		judge("A|acq(X#1)|1\nA|acq(X#2:1)|2\nA|rel(X#2)|3\nA|rel(X#1)|4\n", NULL);

	(void)state;
	/* annotated as another class: no nesting of one class */
	assert_int_equal(list->count, 0);
}

static void test_fair(void **state)
{
	/* each reads one and wants to read the other; writers of both exist */
	const struct finding_list *list =
		judge("A|racq(X)|1\nA|racq(Y)|2\nA|rrel(Y)|3\nA|rrel(X)|4\n"
		      "B|racq(Y)|5\nB|racq(X)|6\nB|rrel(X)|7\nB|rrel(Y)|8\n"
		      "C|acq(X)|9\nC|rel(X)|10\nC|acq(Y)|11\nC|rel(Y)|12\n",
		      NULL);

	(void)state;
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->code, CODE_PREDICTED_FAIR);
	assert_string_equal(list->items[0]->key, "inversion:X(shared)>Y(shared)");
}

/* --- waits ---------------------------------------------------------------------------------- */

static void assert_wait_inversion(const struct finding_list *list, const char *key)
{
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0]->key, key);
	assert_int_equal(list->items[0]->code, CODE_WAIT_INVERSION);
	assert_int_equal(list->items[0]->grade, GRADE_WARNING);
	assert_true(finding__goes_through_wait(m, list->items[0]));
	/* what a wait orders no replay knows: nothing is claimed */
	assert_int_equal(list->items[0]->prediction, PREDICTION_NOT_DECIDED);
	assert_non_null(list->items[0]->prediction_note);
	assert_int_equal(analysis__exit_code(a, true), 2);
}

static void test_flush_under_a_lock_that_the_work_takes(void **state)
{
	(void)state;
	assert_wait_inversion(
		judge("A|acq(X)|1\nA|flush(work:f#1)|2\nA|rel(X)|3\n"
		      "W|acq(work:f#1)|4\nW|acq(X)|5\nW|rel(X)|6\nW|rel(work:f#1)|7\n",
		      NULL),
		"inversion:X>work:f");
	assert_int_equal(model__lock_class(m, model__find_class(m, "work:f"))->kind,
			 LOCK_KIND_WORK);
}

static void test_flush_of_a_queue_whose_workers_take_the_lock(void **state)
{
	/* two workers hold the queue at once: it is no guard between them */
	(void)state;
	assert_wait_inversion(
		judge("A|acq(X)|1\nA|flush(workqueue:q)|2\nA|rel(X)|3\nV|rracq(workqueue:q)|4\n"
		      "W|rracq(workqueue:q)|5\nW|acq(X)|6\nW|rel(X)|7\nW|rrel(workqueue:q)|8\n",
		      NULL),
		"inversion:X>workqueue:q(shared)");
}

static void test_synchronize_srcu_under_a_lock_that_readers_take(void **state)
{
	(void)state;
	assert_wait_inversion(judge("A|acq(X)|1\nA|sync(S)|2\nA|rel(X)|3\n"
				    "R|rracq(S)|4\nR|acq(X)|5\nR|rel(X)|6\nR|rrel(S)|7\n",
				    NULL),
			      "inversion:S(shared)>X");
}

static void test_completion_of_a_task_that_needs_the_lock(void **state)
{
	(void)state;
	assert_wait_inversion(
		judge("A|acq(X)|1\nA|wait(completion:c)|2\nA|rel(X)|3\n"
		      "B|begin|4\nB|acq(X)|5\nB|rel(X)|6\nB|complete(completion:c)|7\n",
		      NULL),
		"inversion:X>completion:c");
}

static void test_waits_that_nobody_is_kept_by_are_silent(void **state)
{
	static const char *const traces[] = {
		/* a read side in its own, and both orders of readers and a lock without a sync */
		"A|rracq(S)|1\nA|rracq(S)|2\nA|rrel(S)|3\nA|rrel(S)|4\nA|acq(X)|5\nA|rracq(S)|6\n"
		"B|rracq(S)|7\nB|acq(Y)|8\nC|sync(S)|9\n",
		/* readers wait for nobody: no edge into S */
		"A|acq(X)|1\nA|rracq(S)|2\nA|rrel(S)|3\nA|rel(X)|4\nB|rracq(S)|5\nB|acq(X)|6\n"
		"B|rel(X)|7\nB|rrel(S)|8\nC|sync(S)|9\n",
		/* a work that is idle and takes another lock */
		"A|acq(X)|1\nA|flush(work:f)|2\nA|rel(X)|3\nW|acq(work:f)|4\nW|acq(Y)|5\nW|rel(Y)|"
		"6\n",
		/* another completion of that kind, completed by another */
		"A|acq(X)|1\nA|wait(completion:c#1)|2\nA|rel(X)|3\n"
		"B|acq(X)|4\nB|rel(X)|5\nB|complete(completion:c#2)|6\n",
		/* what the task took before it began this work */
		"A|acq(X)|1\nA|wait(completion:c)|2\nA|rel(X)|3\n"
		"B|acq(X)|4\nB|rel(X)|5\nB|begin|6\nB|complete(completion:c)|7\n",
	};

	for (size_t i = 0; i < sizeof(traces) / sizeof(*traces); i++) {
		const struct finding_list *list = judge(traces[i], NULL);

		for (uint32_t j = 0; j < list->count; j++)
			if (list->items[j]->grade >= GRADE_WARNING)
				fail_msg("trace %zu: %s", i, list->items[j]->key);
		assert_int_equal(analysis__exit_code(a, true), 0);
		assert_int_equal(complaints, 0);
		stop(state);
		start(state);
	}
}

static void test_wait_for_oneself(void **state)
{
	const struct finding_list *list =
		judge("W|acq(work:f)|1\nW|flush(work:f)|2\nR|rracq(S)|3\nR|sync(S)|4\n", NULL);

	(void)state;
	assert_int_equal(list->count, 2);
	assert_int_equal(list->items[0]->code, CODE_RECURSION);
	assert_string_equal(list->items[0]->key, "recursion:work:f");
	assert_int_equal(list->items[1]->code, CODE_RECURSION);
	assert_string_equal(list->items[1]->key, "recursion:S(shared)");
}

static void test_other_works_of_the_class(void **state)
{
	const struct finding_list *list =
		judge("A|acq(X#1)|1\nA|flush(work:f#1)|2\nA|rel(X#1)|3\n"
		      "W|acq(work:f#2)|4\nW|acq(X#2)|5\nW|rel(X#2)|6\nW|rel(work:f#2)|7\n",
		      NULL);

	(void)state;
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->code, CODE_CLASS_INVERSION);
	assert_true(finding__goes_through_wait(m, list->items[0]));
}

static void test_fault_under_a_lock_that_is_taken_in_faults(void **state)
{
	const struct finding_list *list =
		judge("A|acq(X)|1\nA|fault(mm_struct.mmap_lock)|2\nA|rel(X)|3\n"
		      "B|acq(mm_struct.mmap_lock)|4\nB|acq(X)|5\nB|rel(X)|6\nB|rel(mm_struct.mmap_"
		      "lock)|7\n",
		      NULL);
	const struct finding *f = list->items[0];
	uint32_t by_fault = 0;

	(void)state;
	assert_int_equal(list->count, 1);
	assert_int_equal(f->code, CODE_INSTANCE_INVERSION);
	assert_false(finding__goes_through_wait(m, f)); /* mmap_lock is a lock */
	for (uint32_t i = 0; i < f->length; i++)
		by_fault += !!(model__chain(m, f->witnesses[i].chain)->wanted.flags & HELD_FAULT);
	assert_int_equal(by_fault, 1);
}

/* Sixteen acquisitions back is as far as a completion is followed, and that is no loss of memory.
 */
static void test_only_the_last_acquisitions_count_for_a_completion(void **state)
{
	char text[1024] =
		"A|acq(X)|1\nA|wait(completion:c)|2\nA|rel(X)|3\nB|acq(X)|4\nB|rel(X)|5\n";

	(void)state;
	for (int i = 0; i < 16; i++)
		strcat(text, "B|acq(Y)|6\nB|rel(Y)|7\n");
	strcat(text, "B|complete(completion:c)|8\n");
	assert_int_equal(judge(text, NULL)->count, 0);
}

static void test_wait_of_a_monitor_is_still_not_followed(void **state)
{
	(void)state;
	judge("A|acq(X)|1\nA|wait(X)|2\nA|rel(X)|3\n", NULL);
	assert_int_equal(complaints, 1);
	assert_non_null(strstr(last_complaint, "not followed"));
	assert_int_equal(analysis__exit_code(a, true), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(test_predicted),
		TEST(test_not_asked),
		TEST(test_cut_stream),
		TEST(test_suppressed_and_known),
		TEST(test_declared_order),
		TEST(test_reentrant_monitor),
		TEST(test_waits_for_itself),
		TEST(test_finish_twice),
		TEST(test_ten_thousand_locks),
		TEST(a_search_that_ends_at_its_budget_says_so),
		TEST(test_bad_lines),
		TEST(test_odd_but_good_lines),
		TEST(test_subclass),
		TEST(test_fair),
		TEST(test_flush_under_a_lock_that_the_work_takes),
		TEST(test_flush_of_a_queue_whose_workers_take_the_lock),
		TEST(test_synchronize_srcu_under_a_lock_that_readers_take),
		TEST(test_completion_of_a_task_that_needs_the_lock),
		TEST(test_waits_that_nobody_is_kept_by_are_silent),
		TEST(test_wait_for_oneself),
		TEST(test_other_works_of_the_class),
		TEST(test_fault_under_a_lock_that_is_taken_in_faults),
		TEST(test_only_the_last_acquisitions_count_for_a_completion),
		TEST(test_wait_of_a_monitor_is_still_not_followed),
		TEST(test_full_model),
		TEST(test_undecided_is_not_clean),
		TEST(live_analysis_examines_every_occurrence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
