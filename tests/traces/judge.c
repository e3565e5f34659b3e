// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * judge - run STD traces through importer and analysis and print what they say, one block a trace.
 * usage: judge [-l] [-s] [-b N] FILE…  -l: as from a live kernel; -s: with schedules; -b: budgets
 *        judge -m [-l] [-s] [-b N] <STREAM     divided by 2^N. -m: many traces in one stream,
 *                                              separated by lines of "=="
 * "trace" lines: name, error, four numbers, "cut" or "complete", checks that a budget ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "analysis.h"
#include "analysis/stats.h"
#include "import.h"

static bool live, schedules;
static uint32_t budget_shift;

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	(void)context;
	printf("complaint\t%s:%u: %s\n", file, line, message);
}

static void print_finding(const struct model *m, const struct finding *f)
{
	printf("finding\t%s\t%s\t%s\t%s\t%llu", finding_code_names[f->code],
	       finding_kind_names[f->kind], f->key, f->same_thread ? "same-thread" : "-",
	       (unsigned long long)f->count);
	for (uint32_t i = 0; i < f->guard_count; i++)
		printf("\tguard %s#%llx",
		       model__lock_class(m, model__instance(m, f->guards[i])->lock_class)->name,
		       (unsigned long long)model__instance(m, f->guards[i])->address);
	printf("\n");
	for (uint32_t i = 0; schedules && i < f->schedule_count; i++)
		printf("step\t%s\n", f->schedule[i]);
	if (schedules && f->prediction_note)
		printf("note\t%s\n", f->prediction_note);
}

static int judge(FILE *in, const char *name)
{
	struct analysis_options options = {
		.live_kernel = live, .predict = true, .budget_shift = budget_shift};
	struct import_options import = {.format = IMPORT_STD, .complain = complain};
	struct model *m = model__new();
	struct analysis *a = analysis__new(m, &options);
	const struct finding_list *list;
	const struct finding **sorted;
	int error = import_std(m, in, name, &import);

	error = error ? error : analysis__finish(a);
	list = analysis__findings(a);
	sorted = calloc(list->count + 1, sizeof(*sorted));
	finding_list__sorted(list, sorted);
	printf("trace\t%s\t%d\t%llu\t%llu\t%llu\t%llu%s\t%llu\n", name, error,
	       (unsigned long long)analysis__stats(a)->abstract_acquires,
	       (unsigned long long)analysis__stats(a)->abstract_patterns,
	       (unsigned long long)analysis__stats(a)->concrete_patterns,
	       (unsigned long long)analysis__stats(a)->reachable_patterns,
	       analysis__stats(a)->search_limited ? "\tcut" : "\tcomplete",
	       (unsigned long long)analysis__stats(a)->undecided);
	for (uint32_t i = 0; i < list->count; i++)
		print_finding(m, sorted[i]);
	free(sorted);
	analysis__free(a);
	model__free(m);
	return error;
}

static int judge_text(const char *text, size_t length, const char *name)
{
	FILE *in = fmemopen((void *)text, length, "r");
	int error;

	if (!in)
		return 1;
	error = judge(in, name);
	fclose(in);
	return error;
}

static void judge_many(void)
{
	char *text = NULL, *at, *next;
	size_t size = 0;
	unsigned number = 0;

	if (getdelim(&text, &size, '\0', stdin) < 0)
		return;
	for (at = text; at && *at; at = next) {
		char name[32];

		next = strstr(at, "==\n");
		snprintf(name, sizeof(name), "%u", number++);
		judge_text(at, next ? (size_t)(next - at) : strlen(at), name);
		next = next ? next + 3 : NULL;
	}
	free(text);
}

/* Plain or gzip, read whole. */
static int judge_file(const char *path)
{
	gzFile in = gzopen(path, "rb");
	char *text = malloc(64 << 20);
	int length, error;

	if (!in || !text)
		return 1;
	length = gzread(in, text, 64 << 20);
	gzclose(in);
	error = length > 0 ? judge_text(text, (size_t)length, path) : 1;
	free(text);
	return error;
}

int main(int argc, char **argv)
{
	bool many = false;
	int option, failed = 0;

	while ((option = getopt(argc, argv, "b:lms")) != -1) {
		if (option == 'b')
			budget_shift = (uint32_t)strtoul(optarg, NULL, 10);
		live |= option == 'l';
		many |= option == 'm';
		schedules |= option == 's';
	}
	if (many)
		judge_many();
	for (; optind < argc; optind++)
		failed |= judge_file(argv[optind]) != 0;
	return failed;
}
