// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace check: can this kernel be traced, and does it carry the known fixes? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture.h"
#include "cli.h"
#include "image.h"
#include "kernel/level.h"
#include "kernel.h"
#include "report.h"
#include "util/clock.h"
#include "util/message.h"

#define MAX_FEATURES 32
#define MAX_PROBES 96
#define MAX_FIXES 64

struct check_options {
	enum attach_level attach;
	const char *btf;
	bool force;
};

struct check {
	struct kernel *kernel;
	struct feature features[MAX_FEATURES];
	struct probe_info probes[MAX_PROBES];
	struct fix fixes[MAX_FIXES];
	uint32_t feature_count, probe_count, fix_count;
	struct level level;
	struct capture *capture; /* owns the texts of the probe rows */
};

static const struct argp_option option_table[] = {
	{"attach", 'a' + 256, "LEVEL", 0,
	 "Ask for one level only: auto, fentry, kprobe, tracepoint or lockdep", 1},
	{"btf", 'b' + 256, "FILE", 0, "BTF of this kernel, where it has none itself", 1},
	{"force", 'f' + 256, NULL, 0, "Try the probes also beside another instance", 1},
	{0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct check_options *options = state->input;

	switch (key) {
	case 'a' + 256:
		for (int i = ATTACH_AUTO; i <= ATTACH_LOCKDEP; i++) {
			if (strcmp(argument, attach_level_names[i]))
				continue;
			options->attach = (enum attach_level)i;
			return 0;
		}
		argp_error(state,
			   "--attach takes auto, fentry, kprobe, tracepoint or lockdep, not "
			   "\"%s\"",
			   argument);
		return EINVAL;
	case 'b' + 256:
		options->btf = argument;
		return 0;
	case 'f' + 256:
		options->force = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "check takes no argument");
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.doc = "Can this kernel be traced, and does it carry the known fixes?\v"
	       "Probes are attached for a moment and detached again. Exit status: 0 some level of "
	       "tracing works, 64 wrong usage, 77 it does not (the message says why and what "
	       "helps).",
	.children = children,
};

/*
 * Attaching for a moment is the only way to know; what cannot be attached says why in its row.
 * Not while another instance runs: its probes are not disturbed to answer a question.
 */
static void try_probes(struct check *check, const struct check_options *options, struct model *m)
{
	struct capture_options wanted = {
		.kernel = check->kernel,
		.model = m,
		.attach = options->attach,
		.force = options->force,
		.verbosity = common.verbosity,
	};
	int error = 0;

	if (!check->level.works)
		return;
	check->capture = capture__open(&wanted, &error);
	if (check->capture)
		error = capture__attach(check->capture);
	if (check->capture && !error)
		check->probe_count = capture__probes(check->capture, check->probes, MAX_PROBES);
	if (error == -EBUSY || error == -EEXIST || error == -EALREADY)
		log_warning("probes were not tried: %s", capture__error());
	else if (error)
		level__attach_failed(&check->level, capture__error());
	else
		level__attached(&check->level, check->probes, check->probe_count);
	if (check->capture && !error)
		capture__stop(check->capture);
}

static const char *mark(enum feature_state state)
{
	return state == FEATURE_YES ? "yes" : state == FEATURE_NO ? "no" : "unknown";
}

static void print_features(const struct check *check)
{
	printf("%-24s %-8s %s\n", "feature", "here", "needed for");
	for (uint32_t i = 0; i < check->feature_count; i++) {
		const struct feature *f = &check->features[i];

		printf("%-24s %-8s %s\n", f->name, mark(f->state), f->needed_for);
		if (f->state != FEATURE_YES && f->remedy)
			printf("%-24s %-8s -> %s\n", "", "", f->remedy);
	}
}

static void print_probes(const struct check *check)
{

	if (!check->probe_count)
		return;
	printf("\n%-24s %-9s %-8s %s\n", "probe", "state", "how", "function, or why not");
	for (uint32_t i = 0; i < check->probe_count; i++) {
		const struct probe_info *p = &check->probes[i];
		const char *last = p->state == PROBE_ATTACHED ? p->function : p->reason;

		printf("%-24s %-9s %-8s %s\n", p->name, probe_state_names[p->state],
		       p->how ? p->how : "-", last ? last : "-");
	}
}

static void print_fixes(const struct check *check)
{
	static const char *const states[] = {"is in", "MISSING", "unknown"};

	printf("\n%-13s %-8s %s\n", "fix", "here", "title, and how it was seen");
	for (uint32_t i = 0; i < check->fix_count; i++) {
		const struct fix *fix = &check->fixes[i];

		if (fix->state == FIX_UNKNOWN && !common.verbosity)
			continue;
		printf("%-13s %-8s %s (%s)\n", fix->row->commit, states[fix->state],
		       fix->row->title, fix->row->fixed_in ? fix->row->fixed_in : "not released");
		printf("%-13s %-8s %s\n", "", "", fix->evidence);
	}
	if (!common.verbosity)
		printf("fixes that left no marker on this kernel are listed with -v\n");
}

static void print_text(const struct check *check)
{
	printf("vfiotrace %s on Linux %s %s\n\n", VERSION, kernel__release(check->kernel),
	       kernel__arch(check->kernel));
	print_features(check);
	print_probes(check);
	print_fixes(check);
	printf("\nlevel: %s\n", check->level.name);
	if (check->level.works)
		printf("%s\n", check->level.message);
}

static int run(struct check *check, const struct check_options *options, struct model *m)
{
	const struct fact_sink facts = model__fact_sink(m);

	kernel__facts(check->kernel, &facts);
	check->feature_count = kernel__features(check->kernel, check->features, MAX_FEATURES);
	if (check->feature_count < MAX_FEATURES) /* of this program, not of the kernel */
		check->features[check->feature_count++] =
			(struct feature){.name = "memory_images",
					 .state = image__is_supported() ? FEATURE_YES : FEATURE_NO,
					 .needed_for = "now --core: a host that is dead",
					 .remedy = "a vfiotrace that is built with libkdumpfile"};
	check->fix_count = kernel__fixes(check->kernel, check->fixes, MAX_FIXES);
	level__judge(&check->level, check->kernel, check->features, check->feature_count,
		     options->attach);
	try_probes(check, options, m);
	if (common.json)
		json_print(stdout, json_check(m, check->features, check->feature_count,
					      check->probes, check->probe_count, check->fixes,
					      check->fix_count, check->level.name));
	else
		print_text(check);
	if (check->level.works)
		return EXIT_CLEAN;
	fflush(stdout);
	log_error("%s", check->level.message);
	return EXIT_UNSUPPORTED;
}

static void set_clock(struct model *m)
{
	struct model_clock *clock = model__clock(m);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	clock->start = clock->end = clock_mono_ns();
	clock->realtime_offset = now.tv_sec * 1000000000LL + now.tv_nsec - (int64_t)clock->start;
}

int check_main(int argc, char **argv)
{
	struct check_options options = {0};
	struct check *check;
	struct model *m;
	int status = EXIT_ERROR;

	if (cli_parse(&argp, argc, argv, &options))
		return EXIT_USAGE;
	check = calloc(1, sizeof(*check));
	m = model__new();
	if (check)
		check->kernel = kernel__open(options.btf);
	if (!m || !check || !check->kernel) {
		log_error("out of memory");
		goto cleanup;
	}
	set_clock(m);
	status = run(check, &options, m);
cleanup:
	if (check) {
		capture__close(check->capture);
		kernel__close(check->kernel);
	}
	free(check);
	model__free(m);
	return status;
}
