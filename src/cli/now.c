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
#include "util/output_file.h"
#include "report.h"
#include "report/now.h"
#include "store.h"
#include "util/clock.h"
#include "util/message.h"
#include "util/text.h"
#include "session/signals.h"

struct now_options {
	uint64_t watch_ns, wait_for_ns;
	int format;	       /* -1: not said */
	const char *output;    /* of the format */
	const char *recording; /* the incident file: what -o is when nothing says otherwise */
	const char *btf;
	bool overwrite; /* an older recording */
};

enum { OPTION_WATCH = 256, OPTION_WAIT_FOR, OPTION_BTF, OPTION_OVERWRITE };

static const struct argp_option option_table[] = {
	{"watch", OPTION_WATCH, "TIME", 0, "Look again every TIME until interrupted", 1},
	{"wait-for", OPTION_WAIT_FOR, "TIME", 0,
	 "Watch for TIME first; show only owners that stayed all the while", 1},
	{"format", 'f', "FORMAT", 0, "text, json, dot, svg, mermaid or markdown", 1},
	{"output", 'o', "FILE", 0,
	 "Record to this incident file; with -f, or a name like x.svg, write that format there", 1},
	{"overwrite", OPTION_OVERWRITE, NULL, 0, "Replace an older recording of that name", 1},
	{"btf", OPTION_BTF, "FILE", 0, "BTF of this kernel, where it has none itself", 1},
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

/* --- one look
 * -------------------------------------------------------------------------------------------- */

struct look {
	struct model *model;
	struct census *census;
	struct finding_list findings; /* deadlocks, and what may be one */
};

static void look__release(struct look *look)
{
	free(look->findings.items);
	census__free(look->census);
	model__free(look->model);
	memset(look, 0, sizeof(*look));
}

static void name_known_bugs(struct look *look)
{
	struct analysis_options options = {.live_kernel = true, .catalogue = catalogue__builtin()};
	struct analysis *a = analysis__new(look->model, &options);

	for (uint32_t i = 0; a && i < look->findings.count; i++) {
		struct finding *deadlock = look->findings.items[i];
		const struct finding *matched = analysis__add_finding(a, deadlock);

		if (!matched)
			continue;
		memcpy(deadlock->known, matched->known, sizeof(deadlock->known));
		deadlock->known_count = matched->known_count;
	}
	analysis__free(a);
}

/* `judge`: with user stacks, and what hangs is looked for. */
static int look__take(struct look *look, struct kernel *kernel, bool judge)
{
	struct census_options options = {
		.kernel = kernel,
		.stacks_of_blocked = true,
		.user_stacks = judge,
		.verbosity = common.verbosity,
	};
	struct fact_sink facts;
	int err = -ENOMEM;

	look->model = options.model = model__new();
	if (!look->model)
		return err;
	facts = model__fact_sink(look->model);
	kernel__facts(kernel, &facts);
	look->census = census__run(&options, &err);
	if (!look->census || !judge)
		return err;
	err = census__find_deadlocks(look->census, &look->findings, clock_mono_ns());
	if (err >= 0)
		err = census__find_possible(look->census, &look->findings, clock_mono_ns());
	if (err >= 0)
		err = census__find_undecided(look->census, &look->findings, signals__stop);
	if (err < 0)
		return err;
	if (look->findings.count) {
		kernel__fix_facts(kernel, &facts);
		name_known_bugs(look);
	}
	return 0;
}

/* Sleep, in pieces, until `ns` are over or somebody wants us to end. */
static void pause_for(uint64_t ns)
{
	uint64_t end = clock_mono_ns() + ns, now;

	while (!signals__stop() && (now = clock_mono_ns()) < end) {
		uint64_t left = end - now < 50000000 ? end - now : 50000000;
		struct timespec piece = {0, (long)left};

		nanosleep(&piece, NULL);
	}
}

static int show(FILE *out, const struct now_options *options, const struct look *look)
{
	uint64_t now = clock_mono_ns();

	switch (options->format) {
	case REPORT_JSON:
		json_print(out, json_now(look->model, look->census, &look->findings));
		break;
	case REPORT_TEXT:
		report_text_now(out, look->model, look->census, &look->findings, now,
				cli_color(out));
		break;
	default:
		return report_waitfor(out, (enum report_format)options->format, look->model,
				      look->census->waitfor, &look->findings);
	}
	return fflush(out) ? -errno : 0;
}

/* The last look stays in the file. */
static int record(const char *path, const struct look *look)
{
	char error[512];
	int failed = store__save(path, look->model, &look->findings, NULL, error, sizeof(error));

	if (failed)
		log_error("%s", error);
	return failed ? EXIT_ERROR : 0;
}

/* Precedence 3, 2, 4, 0. */
static int exit_of(const struct look *look)
{
	int status = finding_list__exit_code(&look->findings);

	if (status)
		return status;
	return look->census->gap_count || look->census->undecided_count ? EXIT_INCONCLUSIVE
									: EXIT_CLEAN;
}

static int worse_of(int a, int b)
{
	static const int order[] = {EXIT_DEADLOCK, EXIT_FINDING, EXIT_ERROR, EXIT_INCONCLUSIVE};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a > b ? a : b;
}

/* Exit status of this look, or -errno. */
static int look_once(FILE *out, const struct now_options *options, struct kernel *kernel)
{
	struct look before = {0}, look = {0};
	int status = 0;

	if (options->wait_for_ns) {
		status = look__take(&before, kernel, false);
		if (!status)
			census__watch_owners(before.census, options->wait_for_ns, signals__stop);
	}
	if (!status)
		status = look__take(&look, kernel, true);
	if (!status && options->wait_for_ns)
		census__keep_steady(look.census, before.census);
	if (!status)
		status = show(out, options, &look);
	if (!status && options->recording)
		status = record(options->recording, &look);
	if (status >= 0)
		status = worse_of(status, exit_of(&look));
	look__release(&before);
	look__release(&look);
	return status;
}

static int complain(int err, const struct now_options *options)
{
	const char *text = census__error();

	if (err == -ENOENT && options->format == REPORT_SVG)
		text = "Graphviz's `dot` is not installed, and svg needs it";
	log_error("%s", *text ? text : strerror(-err));
	return err == -EPERM || err == -EACCES || err == -ENOTSUP || err == -EOPNOTSUPP
		       ? EXIT_UNSUPPORTED
		       : EXIT_ERROR;
}

static int run(const struct now_options *options, struct kernel *kernel, FILE *out)
{
	int worst = EXIT_CLEAN;

	do {
		int status = look_once(out, options, kernel);

		if (status < 0)
			return complain(status, options);
		worst = worse_of(worst, status);
		if (options->watch_ns)
			pause_for(options->watch_ns);
	} while (options->watch_ns && !signals__stop());
	return worst;
}

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

static int open_and_run(const struct now_options *options, FILE *out)
{
	struct kernel *kernel = kernel__open(options->btf);
	int status = EXIT_UNSUPPORTED;

	if (kernel)
		status = run(options, kernel, out);
	else
		log_error("cannot read this kernel's BTF and symbols");
	kernel__close(kernel);
	return status;
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
	status = check_recording(&options);
	if (status)
		return status;
	signals__install();
	if (!options.output || !strcmp(options.output, "-"))
		return open_and_run(&options, stdout);
	return look_into_file(&options);
}
