// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace diff A B: what changed between two kernels or two runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cli/load_run.h"
#include "util/output_file.h"
#include "cli/unprivileged.h"
#include "report/diff_output.h"
#include "util/message.h"
#include "util/text.h"

struct diff_options {
	const char *files[2];
	int file_count;
	enum report_format format;
	const char *output, *suppress;
	struct output_file file; /* what `output` becomes */
};

enum { KEY_SUPPRESS = 512 };

static const struct argp_option table[] = {
	{"format", 'f', "FORMAT", 0, "text, json, dot, svg, mermaid or markdown", 1},
	{"output", 'o', "FILE", 0, "Write to this file", 1},
	{"suppress", KEY_SUPPRESS, "FILE", 0, "Known and accepted findings", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct diff_options *options = state->input;
	int format;

	switch (key) {
	case 'f':
		format = report_format__parse(argument);
		if (format < 0 || !report_diff_has((enum report_format)format))
			argp_error(state,
				   "-f takes text, json, dot, svg, mermaid or markdown, not "
				   "\"%s\"",
				   argument);
		options->format = (enum report_format)format;
		return 0;
	case 'o':
		options->output = argument;
		return 0;
	case KEY_SUPPRESS:
		options->suppress = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (options->file_count == 2)
			argp_error(state, "diff takes two files, \"%s\" is one more", argument);
		options->files[options->file_count++] = argument;
		return 0;
	case ARGP_KEY_END:
		if (options->file_count != 2)
			argp_error(state, "diff takes two files: a recording, splat or trace each");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	*(bool *)context = true;
	log_error("%s:%u: %s", text_safe(file), line, text_safe(message));
}

static const char *label(const struct loaded_run *run, char *out, size_t size)
{
	const char *release = model__fact(run->model, "kernel.release");

	snprintf(out, size, "%s%s%s%s", run->path, release ? " (" : "", release ? release : "",
		 release ? ")" : "");
	return out;
}

static int write_diff(const struct diff *d, const struct diff_options *options,
		      struct loaded_run *const *runs)
{
	FILE *out = options->output ? fdopen(dup(options->file.fd), "w") : stdout;
	char before[512], after[512];
	struct diff_labels labels = {label(runs[0], before, sizeof(before)),
				     label(runs[1], after, sizeof(after))};
	int error;

	if (!out)
		return -errno;
	error = report_diff(out, common.json ? REPORT_JSON : options->format, d, &labels,
			    !options->output && cli_color(out));
	if (!error && (fflush(out) || ferror(out)))
		error = -EIO;
	if (options->output && fclose(out) && !error)
		error = -errno;
	return error;
}

static int log_unwritten(int error)
{
	log_error("cannot write the diff: %s", strerror(-error));
	return EXIT_ERROR;
}

static int compare(const struct diff_options *options, struct loaded_run *const *runs)
{
	struct diff *d = diff__make(runs[0]->model, loaded_run__findings(runs[0]), runs[1]->model,
				    loaded_run__findings(runs[1]));
	int error, status;

	if (!d) {
		log_error("out of memory");
		return EXIT_ERROR;
	}
	status = d->new_cycle ? EXIT_FINDING : d->after_complete ? EXIT_CLEAN : EXIT_INCONCLUSIVE;
	error = write_diff(d, options, runs);
	if (error == -ENOENT && options->format == REPORT_SVG)
		log_error("svg needs Graphviz's dot. Remedy: apt-get install graphviz, or -f dot");
	else if (error)
		log_unwritten(error);
	diff__free(d);
	return error ? EXIT_ERROR : status;
}

/* Without rights, see unprivileged.h. */
static int diff_files(void *context)
{
	const struct diff_options *options = context;
	struct loaded_run *runs[2] = {NULL, NULL};
	struct rule_set *suppressions = NULL;
	bool bad = false;
	int status = EXIT_ERROR, error;

	if (options->suppress)
		suppressions = rule_set__load(options->suppress, complain, &bad);
	if (bad)
		status = EXIT_USAGE;
	for (int i = 0; i < 2 && !bad; i++) {
		runs[i] = loaded_run__open(options->files[i], suppressions, &error);
		bad = !runs[i];
	}
	if (!bad)
		status = compare(options, runs);
	loaded_run__close(runs[0]);
	loaded_run__close(runs[1]);
	rule_set__free(suppressions);
	return status;
}

int diff_main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = table,
		.parser = parse,
		.args_doc = "A B",
		.children = children,
		.doc = "What changed between two recordings, splats or traces: cycles, "
		       "dependencies, "
		       "classes, coverage, waits, holds. Aligned by class and function name.\v"
		       "Exit status: 0 no new cycle, 2 a new cycle, 4 none was seen but not "
		       "everything was looked at in B, 1 a file could not be read.",
	};
	struct diff_options options = {.format = REPORT_TEXT};
	int status, error = 0;
	bool svg;

	if (cli_parse(&argp, argc, argv, &options))
		return EXIT_USAGE;
	if (output_file__is_input(options.output, options.files, 2) ||
	    output_file__is_input(options.output, &options.suppress, 1))
		return EXIT_USAGE;
	svg = options.format == REPORT_SVG && !common.json;
	for (int i = 0; i < 2; i++)
		unprivileged__input(options.files[i]);
	unprivileged__rules(options.suppress);
	if (options.output)
		error = output_file__open(&options.file, options.output, 0666);
	status = error ? log_unwritten(error) : unprivileged__run(diff_files, &options, svg);
	if (options.output)
		error = output_file__close(&options.file,
					   status != EXIT_ERROR && status != EXIT_USAGE);
	return error && status != EXIT_ERROR ? log_unwritten(error) : status;
}
