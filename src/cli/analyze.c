// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace analyze: judge a recording, a trace or a kernel log without root. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "cli.h"
#include "cli/unprivileged.h"
#include "import.h"
#include "report.h"
#include "util/message.h"
#include "util/text.h"

#define MAX_FILES 256
#define COMPLAINTS_SHOWN 20

struct analyze_options {
	enum import_format format;
	bool list; /* what can be read, and nothing else */
	const char *rules, *suppress;
	const char *files[MAX_FILES];
	uint32_t file_count;
};

/* What is the same for every file of one call. */
struct analyze {
	const struct analyze_options *options;
	struct rule_set *rules, *suppressions;
	bool rules_refused;  /* a rules file had errors: the call must not end as clean */
	uint32_t complaints; /* of the current file */
};

static const struct argp_option option_table[] = {
	{"format", 'f', "FORMAT", 0,
	 "What the files are: auto, recording, std, splat, hung, perf or trace-cmd", 1},
	{"formats", 'F' + 256, NULL, 0, "List what can be read, with the command that makes it", 1},
	{"rules", 'r' + 256, "FILE", 0, "Declared lock orders, in addition to the built-in ones",
	 1},
	{"suppress", 's' + 256, "FILE", 0, "Known and accepted findings", 1},
	{0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct analyze_options *options = state->input;

	switch (key) {
	case 'f':
		for (int i = 0; i < IMPORT_FORMATS; i++) {
			if (strcmp(argument, import_format_names[i]))
				continue;
			options->format = (enum import_format)i;
			return 0;
		}
		argp_error(state,
			   "--format takes auto, recording, std, splat, hung, perf or trace-cmd, "
			   "not \"%s\"",
			   argument);
		return EINVAL;
	case 'F' + 256:
		options->list = true;
		return 0;
	case 'r' + 256:
		options->rules = argument;
		return 0;
	case 's' + 256:
		options->suppress = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (options->file_count == MAX_FILES)
			argp_error(state, "more than %d files in one call", MAX_FILES);
		options->files[options->file_count++] = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (options->list)
			return 0;
		argp_error(state, "expected a file to analyze; \"-\" is standard input");
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "FILE…",
	.doc = "Judge the lock order in a recording, an STD trace, a kernel log with lockdep or "
	       "hung-task reports, or the text of perf script and trace-cmd report.\v"
	       "Files may be compressed (gzip, xz, zstd, bzip2); \"-\" is standard input. Every "
	       "file is judged by itself. With -v findings of grade info are shown in full.\n\n"
	       "Exit status: 0 clean, 1 error, 2 a finding of grade warning or worse, 3 a deadlock "
	       "exists, 4 lines or events are missing or a search ended at its budget, 64 wrong "
	       "usage.",
	.children = children,
};

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	struct analyze *analyze = context;

	if (++analyze->complaints > COMPLAINTS_SHOWN && !common.verbosity)
		return;
	if (line)
		log_warning("%s:%u: %s", text_safe(file), line, text_safe(message));
	else
		log_error("%s: %s", text_safe(file), text_safe(message));
}

static void complain_rules(void *context, const char *file, uint32_t line, const char *message)
{
	struct analyze *analyze = context;

	analyze->rules_refused = true;
	if (line)
		log_error("%s:%u: %s", text_safe(file), line, text_safe(message));
	else
		log_error("%s: %s", text_safe(file), text_safe(message));
}

static void progress(void *context, uint64_t done, uint64_t total)
{
	(void)total;
	log_progress("%s: %" PRIu64 " MiB read", text_safe(context), done >> 20);
}

static int add_rules(struct analyze *analyze, const char *path)
{
	struct rule_set *more = rule_set__load(path, complain_rules, analyze);

	if (!more)
		return -EINVAL;
	return rule_set__append(analyze->rules, more);
}

static int load_rules(struct analyze *analyze)
{
	analyze->rules = rule_set__builtin();
	if (!analyze->rules)
		return -ENOMEM;
	if (analyze->options->rules && add_rules(analyze, analyze->options->rules))
		return -EINVAL;
	if (!analyze->options->suppress)
		return 0;
	analyze->suppressions = rule_set__load(analyze->options->suppress, complain_rules, analyze);
	/* without it findings are merely not suppressed: go on, but not as clean */
	return 0;
}

static json_t *with_file(json_t *record, const char *file)
{
	if (record)
		json_object_set_new(record, "file", json_text(file));
	return record;
}

static void print_json(const struct report_input *input, const struct finding **findings,
		       const char *file, int code)
{
	for (uint32_t i = 0; i < input->findings->count; i++)
		json_print(stdout, with_file(json_finding(input->model, findings[i]), file));
	json_print(stdout, with_file(json_summary(input, code), file));
}

static void print_text(const struct report_input *input, const struct finding **findings,
		       const char *file, enum import_format format, uint32_t file_count)
{
	bool color = cli_color(stdout);
	uint32_t hidden = 0;

	if (file_count > 1)
		printf("%s (%s)\n\n", text_safe(file), import_format_names[format]);
	for (uint32_t i = 0; i < input->findings->count; i++) {
		if (findings[i]->grade == GRADE_INFO && !common.verbosity) {
			hidden++;
			continue;
		}
		report_text_finding(stdout, input->model, findings[i], color);
		putchar('\n');
	}
	report_text_summary(stdout, input, color);
	if (hidden)
		printf("  %u finding%s of grade info; -v shows %s\n", hidden,
		       hidden == 1 ? "" : "s", hidden == 1 ? "it" : "them");
	if (file_count > 1)
		putchar('\n');
}

static int print(const struct model *m, const struct analysis *a, const char *file,
		 enum import_format format, uint32_t file_count)
{
	struct report_input input = {.model = m, .findings = analysis__findings(a)};
	const struct finding **sorted = calloc(input.findings->count + 1, sizeof(*sorted));
	int code = analysis__exit_code(a, true);

	if (!sorted)
		return EXIT_ERROR;
	finding_list__sorted(input.findings, sorted);
	if (common.json)
		print_json(&input, sorted, file, code);
	else
		print_text(&input, sorted, file, format, file_count);
	free(sorted);
	return code;
}

static void log_unusable(const struct analyze *analyze, const struct model *m, const char *file)
{
	uint64_t lines = model__loss(m, LOSS_PARSE);

	if (analyze->complaints > COMPLAINTS_SHOWN && !common.verbosity)
		log_warning("%s: %u more messages like these; -v shows them", text_safe(file),
			    analyze->complaints - COMPLAINTS_SHOWN);
	if (lines)
		log_warning("%s: %" PRIu64
			    " line%s could not be used; what they would have said is "
			    "missing from the verdict",
			    text_safe(file), lines, lines == 1 ? "" : "s");
}

static int analyze_source(struct analyze *analyze, struct import_source *source, const char *file)
{
	enum import_format format = import_source__format(source);
	struct analysis_options options = {
		.live_kernel = format != IMPORT_STD,
		.predict = true,
		.rules = analyze->rules,
		.suppressions = analyze->suppressions,
		.catalogue = catalogue__builtin(),
	};
	struct import_options import = {.format = format,
					.complain = complain,
					.complain_context = analyze,
					.progress = progress,
					.progress_context = (void *)file};
	struct model *m = model__new();
	int code = EXIT_ERROR, err;

	if (!m)
		return EXIT_ERROR;
	if (format != IMPORT_RECORDING)
		model__set_fact(m, "source.format", import_format_names[format]);
	model__keep_events(m, format == IMPORT_STD || format == IMPORT_RECORDING);
	import.analysis = analysis__new(m, &options);
	if (!import.analysis)
		goto cleanup;
	err = import_source__read(source, m, &import);
	clear_progress();
	if (err == -ENOMEM)
		log_error("%s: not enough memory", text_safe(file));
	else if (err && err != -EINVAL)
		log_error("%s: %s", text_safe(file), strerror(-err));
	if (err && !model__chain_count(m) && !analysis__findings(import.analysis)->count)
		goto cleanup;
	err = analysis__finish(import.analysis) ?: err;
	code = print(m, import.analysis, file, format, analyze->options->file_count);
	log_unusable(analyze, m, file);
	if (err && (code == EXIT_CLEAN || code == EXIT_INCONCLUSIVE))
		code = EXIT_ERROR;
cleanup:
	analysis__free(import.analysis);
	model__free(m);
	return code;
}

static int analyze_file(struct analyze *analyze, const char *file)
{
	struct import_source *source;
	char why[200];
	int err, code;

	analyze->complaints = 0;
	source = import_source__open(file, analyze->options->format, &err, why, sizeof(why));
	if (!source) {
		log_error("%s: %s", text_safe(file), why);
		return EXIT_ERROR;
	}
	code = analyze_source(analyze, source, strcmp(file, "-") ? file : "standard input");
	import_source__close(source);
	return code;
}

/* vfiotrace-output(7): precedence 3, 2, then an error while nothing was found, 4, 0. */
static int worse(int a, int b)
{
	static const int order[] = {EXIT_DEADLOCK, EXIT_FINDING, EXIT_ERROR, EXIT_INCONCLUSIVE};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return EXIT_CLEAN;
}

/* Without rights, see unprivileged.h. */
static int analyze_all(void *context)
{
	const struct analyze_options *options = context;
	struct analyze analyze = {.options = options};
	int code = EXIT_CLEAN;

	if (load_rules(&analyze)) {
		code = EXIT_ERROR;
		goto cleanup;
	}
	for (uint32_t i = 0; i < options->file_count; i++)
		code = worse(code, analyze_file(&analyze, options->files[i]));
	if (analyze.rules_refused)
		code = worse(code, EXIT_ERROR);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write the result: %s", strerror(errno));
		code = worse(code, EXIT_ERROR);
	}
cleanup:
	rule_set__free(analyze.rules);
	rule_set__free(analyze.suppressions);
	return code;
}

static int list_formats(void)
{
	printf("%-10s  %-76s  %s\n", "-f", "what", "made by");
	for (const struct import_kind *kind = import_kinds; kind->words; kind++)
		printf("%-10s  %-76s  %s\n", import_format_names[kind->format], kind->words,
		       kind->made_by);
	puts("\nKernel logs may be wrapped in anything, several things at once: gzip, xz, zstd, "
	     "bzip2; UTF-16;\nmails, quoted and encoded; saved web pages; JSON lines; the "
	     "journal's "
	     "formats; prefixes of any\ncollector. All is recognised by content: -f is only needed "
	     "to "
	     "insist.");
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_CLEAN;
	log_error("cannot write the list: %s", strerror(errno));
	return EXIT_ERROR;
}

int analyze_main(int argc, char **argv)
{
	struct analyze_options options = {.format = IMPORT_AUTO};

	if (cli_parse(&argp, argc, argv, &options))
		return EXIT_USAGE;
	if (options.list)
		return list_formats();
	for (uint32_t i = 0; i < options.file_count; i++)
		unprivileged__input(options.files[i]);
	unprivileged__rules(options.rules);
	unprivileged__rules(options.suppress);
	return unprivileged__run(analyze_all, &options, false);
}
