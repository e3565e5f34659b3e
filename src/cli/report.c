// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace report: what was recorded, in the form a person or a program wants it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cli/format_name.h"
#include "cli/sources.h"
#include "report.h"

#define MAX_FILES 256
/* Of the event stream, unless --events says otherwise: pages and viewers choke on more. */
#define DEFAULT_EVENTS 250000

enum { KEY_REDACT = 256, KEY_TASKS, KEY_CYCLES, KEY_TOP, KEY_EVENTS };

struct report_settings {
	int format; /* -1: not named */
	const char *output;
	bool redact;
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
	 "Replace process and VM names, command lines and addresses by pseudonyms", 1},
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

/* A half-written report is worse than none: it takes its name only when it is complete. */
static int write_file(const char *path, enum report_format format, const struct report_input *input,
		      const struct report_options *options)
{
	char *temporary = NULL;
	FILE *out = NULL;
	int fd = -1, error = 0;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkstemp(temporary);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		error = -errno;
		goto cleanup;
	}
	error = report_write(out, format, input, options);
	if (fclose(out) && !error)
		error = -errno;
	if (!error && rename(temporary, path))
		error = -errno;
cleanup:
	if (error && fd >= 0)
		unlink(temporary);
	free(temporary);
	return error;
}

static int write_report(struct report_settings *settings, enum report_format format,
			const struct sources *s)
{
	const struct report_input input = {.model = s->model,
					   .findings = analysis__findings(s->analysis)};
	bool to_file = settings->output && strcmp(settings->output, "-");
	int error;

	settings->report.verdict = model__fact(s->model, "recording.verdict");
	settings->report.color = !to_file && cli_color(stdout);
	error = to_file ? write_file(settings->output, format, &input, &settings->report)
			: report_write(stdout, format, &input, &settings->report);
	if (!error)
		return EXIT_CLEAN;
	say_error("%s: %s", to_file ? text_safe(settings->output) : "cannot write the report",
		  strerror(-error));
	return EXIT_ERROR;
}

int report_main(int argc, char **argv)
{
	struct report_settings settings = {.format = -1, .events = DEFAULT_EVENTS};
	struct source_options load = {0};
	struct sources s;
	enum report_format format;
	int status = EXIT_ERROR;

	if (cli_parse(&argp, argc, argv, &settings))
		return EXIT_USAGE;
	format = choose_format(&settings);
	load.redact = settings.redact;
	load.events = format == REPORT_HTML || format == REPORT_TRACE;
	load.max_events = settings.events;
	if (!sources__load(&s, settings.files, settings.file_count, &load)) {
		if (load.events && load.max_events && s.cut)
			say_info("of the event stream the newest %u events are shown; --events 0 "
				 "shows all",
				 settings.events);
		status = write_report(&settings, format, &s);
	}
	sources__free(&s);
	return status;
}
