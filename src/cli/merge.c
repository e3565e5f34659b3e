// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace merge: several recordings into one, or one into a file that can be shared. */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "report.h"
#include "store.h"

#define MAX_FILES 256

enum { KEY_REDACT = 256 };

struct merge_settings {
	const char *output;
	bool redact;
	const char *files[MAX_FILES];
	uint32_t file_count;
};

static const struct argp_option option_table[] = {
	{"output", 'o', "FILE", 0, "The recording to write (required)", 1},
	{"redact", KEY_REDACT, NULL, 0,
	 "Replace process and VM names, command lines and addresses by pseudonyms (one FILE)", 1},
	{0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct merge_settings *settings = state->input;

	switch (key) {
	case 'o':
		settings->output = argument;
		return 0;
	case KEY_REDACT:
		settings->redact = true;
		return 0;
	case ARGP_KEY_ARG:
		if (settings->file_count == MAX_FILES)
			argp_error(state, "more than %d files in one call", MAX_FILES);
		settings->files[settings->file_count++] = argument;
		return 0;
	case ARGP_KEY_END:
		if (!settings->output)
			argp_error(state, "where to? Name the result with -o FILE");
		if (!settings->file_count)
			argp_error(state, "expected recordings");
		if (settings->redact && settings->file_count > 1)
			argp_error(state, "--redact takes one recording; merge first, then redact");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "-o FILE RECORDING…",
	.doc = "Bring recordings together. Runs of one boot of one host share their locks and "
	       "tasks "
	       "and their counts add up; other boots and hosts share only the lock classes, and "
	       "their clocks are aligned by wall time.\v"
	       "Needs no root. Exit status: 0 written, 1 not written, 64 wrong usage.",
	.children = children,
};

int merge_main(int argc, char **argv)
{
	struct merge_settings settings = {0};
	char error[1024] = "";
	int failed;

	if (cli_parse(&argp, argc, argv, &settings))
		return EXIT_USAGE;
	if (settings.redact)
		failed = store__redact(settings.files[0], settings.output, error, sizeof(error));
	else
		failed = store__merge(settings.output, settings.files, settings.file_count, error,
				      sizeof(error));
	if (!failed)
		return EXIT_CLEAN;
	say_error("%s", *error ? text_safe(error) : strerror(-failed));
	return EXIT_ERROR;
}
