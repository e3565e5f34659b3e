// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace merge: several recordings into one, or one into a file that can be shared. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "util/output_file.h"
#include "cli/unprivileged.h"
#include "report.h"
#include "store.h"
#include "util/message.h"
#include "util/text.h"

#define MAX_FILES 256

enum { KEY_REDACT = 256, KEY_OVERWRITE };

struct merge_settings {
	const char *output;
	bool redact, overwrite;
	const char *files[MAX_FILES];
	uint32_t file_count;
};

static const struct argp_option option_table[] = {
	{"output", 'o', "FILE", 0, "The recording to write (required)", 1},
	{"overwrite", KEY_OVERWRITE, NULL, 0, "Replace an older recording of that name", 1},
	{"redact", KEY_REDACT, NULL, 0,
	 "Only lock classes, kernel symbols and numbers stay; pseudonyms for all other names (one "
	 "FILE)",
	 1},
	{0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct merge_settings *settings = state->input;

	switch (key) {
	case 'o':
		settings->output = argument;
		return 0;
	case KEY_OVERWRITE:
		settings->overwrite = true;
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
			argp_error(state, "missing -o FILE");
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

static int answer(int failed, const char *error)
{
	if (!failed)
		return EXIT_CLEAN;
	log_error("%s", *error ? text_safe(error) : strerror(-failed));
	return EXIT_ERROR;
}

/* Without rights, see unprivileged.h. */
static int merge_files(void *context)
{
	const struct merge_settings *settings = context;
	char error[1024] = "";
	int failed;

	if (settings->redact)
		failed = store__redact(settings->files[0], settings->output, error, sizeof(error));
	else
		failed = store__merge(settings->output, settings->files, settings->file_count,
				      error, sizeof(error));
	return answer(failed, error);
}

/* It takes its name when it is whole: an older one of that name stays until then. */
static int merge_into(struct merge_settings *settings, char *temporary)
{
	char error[1024] = "";
	int fd = mkostemp(temporary, O_CLOEXEC), status;

	if (fd < 0) {
		log_error("%s: cannot be created: %s", text_safe(settings->output),
			  strerror(errno));
		return EXIT_ERROR;
	}
	store__write_into(settings->output, fd);
	status = unprivileged__run(merge_files, settings, false);
	close(fd);
	if (status == EXIT_CLEAN)
		status = answer(store__publish(temporary, settings->output, error, sizeof(error)),
				error);
	if (status != EXIT_CLEAN)
		unlink(temporary);
	return status;
}

int merge_main(int argc, char **argv)
{
	struct merge_settings settings = {0};
	char error[1024] = "", *temporary;
	int failed, status;

	if (cli_parse(&argp, argc, argv, &settings))
		return EXIT_USAGE;
	if (output_file__is_input(settings.output, settings.files, settings.file_count))
		return EXIT_USAGE;
	failed = store__check_place(settings.output, settings.overwrite, error, sizeof(error));
	if (failed) {
		status = answer(failed, error);
		return failed == -EEXIST ? EXIT_USAGE : status;
	}
	if (asprintf(&temporary, "%s.XXXXXX", settings.output) < 0)
		return answer(-ENOMEM, error);
	for (uint32_t i = 0; i < settings.file_count; i++)
		unprivileged__input(settings.files[i]);
	status = merge_into(&settings, temporary);
	free(temporary);
	return status;
}
