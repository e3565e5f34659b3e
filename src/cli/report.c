// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace report: what was recorded, in the form a person or a program wants it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cli/format_name.h"
#include "util/output_file.h"
#include "cli/sources.h"
#include "cli/unprivileged.h"
#include "report.h"
#include "util/message.h"
#include "util/text.h"

#define MAX_FILES 256
/* Of the event stream, unless --events says otherwise: pages and viewers choke on more. */
#define DEFAULT_EVENTS 250000

enum { KEY_REDACT = 256, KEY_TASKS, KEY_CYCLES, KEY_TOP, KEY_EVENTS };

struct report_settings {
	int format; /* -1: not named */
	const char *output;
	struct output_file file; /* what `output` becomes, where it is to_file */
	bool redact, to_file;
	struct report_options report;
	const char *files[MAX_FILES];
	uint32_t file_count, events;
};

static const struct argp_option option_table[] = {
	{"format", 'f', "FORMAT", 0,
	 "text, splat, json, dot, svg, mermaid, markdown, html, metrics or trace; by default what "
	 "the name of the output says, else text",
	 1},
	{"output", 'o', "FILE", 0, "Write to this file instead of standard output", 1},
	{"redact", KEY_REDACT, NULL, 0,
	 "Only lock classes, kernel symbols and numbers stay; pseudonyms for all other names", 1},
	{"tasks", KEY_TASKS, "TID", OPTION_ARG_OPTIONAL,
	 "Lock-order graphs per task; with a TID only that one", 1},
	{"only-cycles", KEY_CYCLES, NULL, 0, "Pictures: only the locks of findings", 1},
	{"events", KEY_EVENTS, "N", 0,
	 "html, trace: the newest N events of each recording (250000; 0 all)", 1},
	{"top", KEY_TOP, "N", 0, "Rows in the tables of wait and hold times (20)", 1},
	{0},
};

static uint32_t parse_number(const char *text, const char *option, struct argp_state *state)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number > INT32_MAX)
		argp_error(state, "--%s takes a number, not \"%s\"", option, text);
	return (uint32_t)number;
}

/* -f html -o x.txt, or -o x.pdf: something else was meant than what would be written. */
static void check_name(const struct report_settings *settings, struct argp_state *state)
{
	int named = format_of_name(settings->output);
	const char *ending = ending_of_no_report(settings->output);

	if (ending && settings->format < 0)
		argp_error(state,
			   "-o: no report is a %s file; name it .txt, .html, .md, .json, .svg, "
			   ".dot, .mmd, .splat, .prom or .trace.json, or say --format",
			   ending + 1);
	if (named >= 0 && settings->format >= 0 && named != settings->format)
		argp_error(state, "-o: \"%s\" is the name of another format than --format says",
			   settings->output);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct report_settings *settings = state->input;

	switch (key) {
	case 'f':
		settings->format = report_format__parse(argument);
		if (settings->format < 0)
			argp_error(state,
				   "--format takes text, splat, json, dot, svg, mermaid, markdown, "
				   "html, metrics or trace, not \"%s\"",
				   argument);
		return 0;
	case 'o':
		settings->output = argument;
		return 0;
	case KEY_REDACT:
		settings->redact = true;
		return 0;
	case KEY_TASKS:
		settings->report.per_task = true;
		if (argument)
			settings->report.tid = parse_number(argument, "tasks", state);
		return 0;
	case KEY_CYCLES:
		settings->report.only_cycles = true;
		return 0;
	case KEY_EVENTS:
		settings->events = parse_number(argument, "events", state);
		return 0;
	case KEY_TOP:
		settings->report.top = parse_number(argument, "top", state);
		return 0;
	case ARGP_KEY_ARG:
		if (settings->file_count == MAX_FILES)
			argp_error(state, "more than %d files in one call", MAX_FILES);
		settings->files[settings->file_count++] = argument;
		return 0;
	case ARGP_KEY_END:
		check_name(settings, state);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "expected a recording, a trace or a kernel log");
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "FILE…",
	.doc = "Make a report of recordings, traces and kernel logs. Several files become one "
	       "report: "
	       "runs of one boot share their locks, other hosts are kept apart.\v"
	       "Needs no root. Exit status: 0 the report was written, whatever it says; 1 it was "
	       "not; 64 wrong usage. \"vfiotrace analyze\" answers with the exit status of the "
	       "findings.",
	.children = children,
};

static enum report_format choose_format(const struct report_settings *settings)
{
	int named = format_of_name(settings->output);

	if (settings->format >= 0)
		return (enum report_format)settings->format;
	if (common.json)
		return REPORT_JSON;
	return named >= 0 ? (enum report_format)named : REPORT_TEXT;
}

static int log_unwritten(const struct report_settings *settings, int error)
{
	log_error("%s: %s",
		  settings->to_file ? text_safe(settings->output) : "cannot write the report",
		  strerror(-error));
	return EXIT_ERROR;
}

static int write_file(int fd, enum report_format format, const struct report_input *input,
		      const struct report_options *options)
{
	FILE *out = fdopen(dup(fd), "w");
	int error;

	if (!out)
		return -errno;
	error = report_write(out, format, input, options);
	if (fclose(out) && !error)
		error = -errno;
	return error;
}

static int write_report(struct report_settings *settings, enum report_format format,
			const struct sources *s)
{
	const struct report_input input = {.model = s->model,
					   .findings = analysis__findings(s->analysis)};
	int error;

	settings->report.verdict = model__fact(s->model, "recording.verdict");
	settings->report.color = !settings->to_file && cli_color(stdout);
	error = settings->to_file ? write_file(settings->file.fd, format, &input, &settings->report)
				  : report_write(stdout, format, &input, &settings->report);
	return error ? log_unwritten(settings, error) : EXIT_CLEAN;
}

/* Without rights, see unprivileged.h. */
static int make_report(void *context)
{
	struct report_settings *settings = context;
	const enum report_format format = choose_format(settings);
	const bool with_events = format == REPORT_HTML || format == REPORT_TRACE;
	const struct source_options load = {
		.redact = settings->redact, .events = with_events, .max_events = settings->events};
	int status = EXIT_ERROR;
	struct sources s;

	if (!sources__load(&s, settings->files, settings->file_count, &load)) {
		if (load.events && load.max_events && s.cut)
			log_info("of the event stream the newest %u events are shown; --events 0 "
				 "shows all",
				 settings->events);
		status = write_report(settings, format, &s);
	}
	sources__free(&s);
	return status;
}

int report_main(int argc, char **argv)
{
	struct report_settings settings = {.format = -1, .events = DEFAULT_EVENTS};
	int status, error = 0;

	if (cli_parse(&argp, argc, argv, &settings))
		return EXIT_USAGE;
	if (output_file__is_input(settings.output, settings.files, settings.file_count))
		return EXIT_USAGE;
	for (uint32_t i = 0; i < settings.file_count; i++)
		unprivileged__input(settings.files[i]);
	settings.to_file = settings.output && strcmp(settings.output, "-");
	if (settings.to_file)
		error = output_file__open(&settings.file, settings.output, 0600);
	status = error ? log_unwritten(&settings, error)
		       : unprivileged__run(make_report, &settings,
					   choose_format(&settings) == REPORT_SVG);
	if (settings.to_file)
		error = output_file__close(&settings.file, status == EXIT_CLEAN);
	return error && status == EXIT_CLEAN ? log_unwritten(&settings, error) : status;
}
