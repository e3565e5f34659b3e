// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace now: what exists, who waits for whom, is something deadlocked? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analysis.h"
#include "census.h"
#include "cli.h"
#include "cli/format_name.h"
#include "cli/now.h"
#include "cli/unprivileged.h"
#include "util/output_file.h"
#include "report.h"
#include "report/now.h"
#include "store.h"
#include "util/clock.h"
#include "util/message.h"
#include "util/text.h"
#include "session/signals.h"

enum {
	OPTION_WATCH = 256,
	OPTION_WAIT_FOR,
	OPTION_BTF,
	OPTION_OVERWRITE,
	OPTION_CORE,
	OPTION_KCORE,
	OPTION_SYMBOLS,
};

static const struct argp_option option_table[] = {
	{"watch", OPTION_WATCH, "TIME", 0, "Look again every TIME until interrupted", 1},
	{"wait-for", OPTION_WAIT_FOR, "TIME", 0,
	 "Watch for TIME first; show only owners that stayed all the while", 1},
	{"format", 'f', "FORMAT", 0, "text, json, dot, svg, mermaid or markdown", 1},
	{"output", 'o', "FILE", 0,
	 "Record to this incident file; with -f, or a name like x.svg, write that format there", 1},
	{"overwrite", OPTION_OVERWRITE, NULL, 0, "Replace an older recording of that name", 1},
	{"btf", OPTION_BTF, "FILE", 0, "BTF of this kernel, where it has none itself", 1},
	{"core", OPTION_CORE, "FILE", 0,
	 "Look at this memory image of a dead host instead; once for each piece of a split one", 1},
	{"kcore", OPTION_KCORE, NULL, 0, "Read this host's memory through /proc/kcore, without BPF",
	 1},
	{"symbols", OPTION_SYMBOLS, "FILE", 0,
	 "Names of the image's kernel, where it does not say where they are (before 6.0): "
	 "System.map "
	 "or a copy of /proc/kallsyms",
	 1},
	{0},
};

static bool can_show(int format)
{
	return format == REPORT_TEXT || format == REPORT_JSON || format == REPORT_DOT ||
	       format == REPORT_SVG || format == REPORT_MERMAID || format == REPORT_MARKDOWN;
}

static int take_duration(const char *text, uint64_t *ns, const char *option,
			 struct argp_state *state)
{
	if (!parse_duration(text, ns) && *ns)
		return 0;
	argp_error(state, "%s takes a time like 10s or 500ms, not \"%s\"", option, text);
	return EINVAL;
}

static void check_combination(const struct now_options *options, struct argp_state *state)
{
	if (options->core_count && options->kcore)
		argp_error(state,
			   "--core is of another host, --kcore of this one: give one of them");
	if (options->core_count && (options->watch_ns || options->wait_for_ns))
		argp_error(state, "an image does not change: --watch and --wait-for are for a host "
				  "that runs");
	if (options->symbols && !options->core_count)
		argp_error(state, "--symbols are for an image: give it with --core");
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct now_options *options = state->input;

	switch (key) {
	case OPTION_WATCH:
		return take_duration(argument, &options->watch_ns, "--watch", state);
	case OPTION_WAIT_FOR:
		return take_duration(argument, &options->wait_for_ns, "--wait-for", state);
	case OPTION_BTF:
		options->btf = argument;
		return 0;
	case OPTION_CORE:
		if (options->core_count == IMAGE_FILES)
			argp_error(state, "--core: more than %d pieces", IMAGE_FILES);
		options->cores[options->core_count++] = argument;
		return 0;
	case OPTION_KCORE:
		options->kcore = true;
		return 0;
	case OPTION_SYMBOLS:
		options->symbols = argument;
		return 0;
	case OPTION_OVERWRITE:
		options->overwrite = true;
		return 0;
	case 'o':
		options->output = argument;
		return 0;
	case 'f':
		options->format = report_format__parse(argument);
		if (!can_show(options->format))
			argp_error(state,
				   "--format takes text, json, dot, svg, mermaid or markdown, not "
				   "\"%s\"",
				   argument);
		return 0;
	case ARGP_KEY_END:
		check_combination(options, state);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "now takes no argument");
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.doc = "Every VM, VFIO group and device, who owns their locks and who waits for them; and "
	       "whether "
	       "something is deadlocked, including deadlocks older than this process.\v"
	       "Nothing is attached to any function. Exit status: 0 no deadlock, 3 a deadlock "
	       "exists, 2 one is possible, 4 none was seen but not everything could be looked at, "
	       "1 error, 64 wrong usage, 77 not possible on this kernel or with these privileges.",
	.children = children,
};

/* -o is the incident file unless -f or its name says that it is something to look at. */
static void choose_output(struct now_options *options)
{
	int named = format_of_name(options->output);

	if (options->format < 0 && can_show(named)) {
		options->format = named;
	} else if (options->format < 0) {
		options->recording = options->output;
		options->output = NULL;
	}
	if (options->format < 0)
		options->format = common.json ? REPORT_JSON : REPORT_TEXT;
}

/* Refused before anything is looked at. Exit status. */
static int check_recording(const struct now_options *options)
{
	char error[512];
	int refused;

	if (!options->recording)
		return 0;
	refused = store__check_place(options->recording, options->overwrite, error, sizeof(error));
	if (refused)
		log_error("%s", error);
	return !refused ? 0 : refused == -EEXIST ? EXIT_USAGE : EXIT_ERROR;
}

static int look_at_running(const struct now_options *options, FILE *out)
{
	struct kernel *kernel = kernel__open(options->btf);
	int status = EXIT_UNSUPPORTED;

	if (kernel)
		status = now__run(options, &(struct now_host){.kernel = kernel}, out);
	else
		log_error("cannot read this kernel's BTF and symbols");
	kernel__close(kernel);
	return status;
}

static int open_and_run(const struct now_options *options, FILE *out)
{
	if (options->core_count)
		return now__run_core(options, out);
	return options->kcore ? now__run_kcore(options, out) : look_at_running(options, out);
}

static int look_into_file(const struct now_options *options)
{
	struct output_file file;
	int status = EXIT_ERROR, error = output_file__open(&file, options->output, 0666), closed;
	FILE *out = error ? NULL : output_file__stream(&file);

	if (out)
		status = open_and_run(options, out);
	else if (!error)
		error = -errno;
	/* what could not be looked at leaves an older file as it was */
	closed = output_file__close(&file, status != EXIT_UNSUPPORTED && status != EXIT_ERROR);
	error = error ? error : closed;
	if (!error)
		return status;
	log_error("%s: %s", text_safe(options->output), strerror(-error));
	return status == EXIT_DEADLOCK || status == EXIT_FINDING ? status : EXIT_ERROR;
}

int now_main(int argc, char **argv)
{
	struct now_options options = {.format = -1};
	int status;

	if (cli_parse(&argp, argc, argv, &options))
		return EXIT_USAGE;
	choose_output(&options);
	if (options.output &&
	    output_file__is_input(options.output, options.cores, options.core_count))
		return EXIT_USAGE;
	status = check_recording(&options);
	if (status)
		return status;
	signals__install();
	if (!options.output || !strcmp(options.output, "-"))
		return open_and_run(&options, stdout);
	return look_into_file(&options);
}
