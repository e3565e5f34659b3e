// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace validate: is this kernel free of the inversion, and was the path really exercised? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli/load_run.h"
#include "cli/session.h"
#include "cli/validate.h"
#include "exercise.h"
#include "report.h"

#define RING_BYTES (8 << 20)
#define AFTER_NS 1500000000ULL /* what a load leaves behind still arrives */

struct validate {
	struct session_settings settings;
	const char *baseline_file, *junit, *exercise_device;
	uint32_t required, rounds;
	const char *known_commit;
	struct session session;
	struct loaded_run *baseline;
	struct exercise *exercise;
	enum exercise_state exercise_state;
	uint64_t exercise_over;
	struct fix fixes[VALIDATION_FIXES];
	uint32_t fix_count;
	char missing[512], disturbed[400], exercised[256];
};

enum { KEY_BASELINE = 768, KEY_REQUIRE, KEY_KNOWN, KEY_EXERCISE, KEY_JUNIT, KEY_ROUNDS };

static const struct argp_option table[] = {
	{"baseline", KEY_BASELINE, "FILE", 0,
	 "Recording of the old kernel: go through its cycles dependency by dependency", 1},
	{"require", KEY_REQUIRE, "PATH,...", 0,
	 "Paths that must have run (device_open, set_kvm ...)", 1},
	{"known", KEY_KNOWN, "COMMIT", 0, "A known fix that must be in this kernel", 1},
	{"exercise", KEY_EXERCISE, "DEVICE", 0,
	 "Drive the paths on this unused device: PCI address, \"group N\" or its name", 1},
	{"rounds", KEY_ROUNDS, "N", 0, "Rounds of the exercise (default 3)", 1},
	{"junit", KEY_JUNIT, "FILE", 0, "Write JUnit XML too", 1},
	{0},
};

static void parse_required(struct validate *v, const char *list, struct argp_state *state)
{
	char bad[32] = "";

	v->required = verdict__parse_paths(list, bad);
	if (!v->required)
		argp_error(state,
			   "--require: no path \"%s\"; there are device_open device_close "
			   "get_kvm put_kvm set_kvm group_add group_del kvm_device_release "
			   "vm_create vm_destroy",
			   bad);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct validate *v = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &v->settings;
		return 0;
	case KEY_BASELINE:
		v->baseline_file = argument;
		return 0;
	case KEY_REQUIRE:
		parse_required(v, argument, state);
		return 0;
	case KEY_KNOWN:
		v->known_commit = argument;
		return 0;
	case KEY_EXERCISE:
		v->exercise_device = argument;
		return 0;
	case KEY_ROUNDS:
		v->rounds = (uint32_t)strtoul(argument, NULL, 10);
		if (!v->rounds || v->rounds > 1000000)
			argp_error(state, "--rounds: \"%s\" is no number of rounds", argument);
		return 0;
	case KEY_JUNIT:
		v->junit = argument;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "validate takes no argument, got \"%s\"", argument);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* --- before
 * ---------------------------------------------------------------------------------------------- */

static const struct catalogue_row *find_known(const char *commit)
{
	const struct catalogue *catalogue = catalogue__builtin();

	for (uint32_t i = 0; catalogue && i < catalogue->count; i++) {
		const char *own = catalogue->rows[i].commit;
		size_t length = strlen(commit) < strlen(own) ? strlen(commit) : strlen(own);

		if (length >= 7 && !strncmp(own, commit, length))
			return &catalogue->rows[i];
	}
	return NULL;
}

static int check_known(const struct validate *v)
{
	if (!v->known_commit || find_known(v->known_commit))
		return 0;
	say_error("--known: commit %s is not in the catalogue (vfiotrace check -v lists it)",
		  text_safe(v->known_commit));
	return EXIT_USAGE;
}

static int open_baseline(struct validate *v)
{
	int error;

	if (!v->baseline_file)
		return 0;
	v->baseline = loaded_run__open(v->baseline_file, NULL, &error);
	if (!v->baseline)
		return EXIT_USAGE;
	return 0;
}

static int open_exercise(struct validate *v)
{
	char message[512];
	int error;

	if (!v->exercise_device)
		return 0;
	v->exercise = exercise__open(v->exercise_device, v->rounds ? v->rounds : 3, &error, message,
				     sizeof(message));
	if (v->exercise) {
		snprintf(v->exercised, sizeof(v->exercised), "%s", exercise__device(v->exercise));
		return 0;
	}
	say_error("--exercise: %s", text_safe(message));
	return error == -ENOTSUP ? EXIT_UNSUPPORTED : error == -ENOMEM ? EXIT_ERROR : EXIT_USAGE;
}

static int refuse_baseline(struct validate *v)
{
	char message[256];

	if (!v->baseline ||
	    !verdict__refuse(v->session.model, v->baseline->model, message, sizeof(message)))
		return 0;
	say_error("%s: %s", text_safe(v->baseline_file), message);
	return EXIT_USAGE;
}

/* --- while it runs
 * --------------------------------------------------------------------------------------- */

static void show_finding(void *context, const struct model *m, const struct finding *finding)
{
	(void)context;
	clear_progress();
	if (common.json)
		json_print(stdout, json_finding(m, finding));
	else if (finding->grade >= GRADE_WARNING)
		say_info("found: %s", finding_code_names[finding->code]);
}

static void show_status(void *context)
{
	struct validate *v = context;

	say_progress("%4lu s  %u chains  %u dependencies  %s",
		     (unsigned long)((clock_mono_ns() - v->session.started) / 1000000000ULL),
		     model__chain_count(v->session.model),
		     model__dependency_count(v->session.model),
		     v->exercise ? exercise__words(v->exercise) : "");
}

/* True when the exercise and what it leaves behind is over. */
static bool exercise_is_over(struct validate *v)
{
	uint64_t now = clock_mono_ns();

	if (!v->exercise_over) {
		v->exercise_state = exercise__poll(v->exercise);
		if (v->exercise_state == EXERCISE_RUNNING)
			return false;
		v->exercise_over = now;
	}
	return now - v->exercise_over > AFTER_NS;
}

static void run_loop(struct validate *v)
{
	bool over = false;

	if (v->exercise && exercise__go(v->exercise))
		snprintf(v->disturbed, sizeof(v->disturbed), "the exercise could not be started");
	while (!session__turn(&v->session, 200) && !over)
		over = v->exercise && exercise_is_over(v);
	if (!v->exercise)
		return;
	if (v->exercise_state == EXERCISE_RUNNING) {
		exercise__stop(v->exercise);
		snprintf(v->disturbed, sizeof(v->disturbed),
			 "the exercise was stopped before its end");
	} else if (v->exercise_state != EXERCISE_DONE) {
		snprintf(v->disturbed, sizeof(v->disturbed), "the exercise %s at: %s",
			 v->exercise_state == EXERCISE_STUCK ? "hangs" : "failed",
			 exercise__words(v->exercise));
	}
}

/* --- after
 * ------------------------------------------------------------------------------------------------
 */

static const char *missing_probes(struct validate *v)
{
	struct probe_info probes[SESSION_PROBES];
	uint32_t count = session__probes(&v->session, probes);
	size_t used = 0;

	for (uint32_t i = 0; i < count && used < sizeof(v->missing); i++) {
		if (!probes[i].required_for_verdict ||
		    (probes[i].state != PROBE_MISSING && probes[i].state != PROBE_FAILED))
			continue;
		used += (size_t)snprintf(v->missing + used, sizeof(v->missing) - used, "%s%s",
					 used ? ", " : "", probes[i].name);
	}
	return v->missing;
}

static void set_known(struct validate *v, struct verdict_options *options)
{
	static const enum verdict_fix states[] = {VERDICT_FIX_IN, VERDICT_FIX_MISSING,
						  VERDICT_FIX_UNKNOWN};

	if (!v->known_commit)
		return;
	options->known = find_known(v->known_commit);
	options->known_state = VERDICT_FIX_UNKNOWN;
	options->known_evidence = "the fix is for another architecture";
	for (uint32_t i = 0; i < v->fix_count; i++) {
		if (strcmp(v->fixes[i].row->commit, options->known->commit))
			continue;
		options->known_state = states[v->fixes[i].state];
		options->known_evidence = v->fixes[i].evidence;
	}
}

static int exit_status(const struct verdict *verdict, const struct finding_list *findings)
{
	if (finding_list__exit_code(findings) == EXIT_DEADLOCK)
		return EXIT_DEADLOCK;
	return verdict->kind == VERDICT_PASS   ? EXIT_CLEAN
	       : verdict->kind == VERDICT_FAIL ? EXIT_FINDING
					       : EXIT_INCONCLUSIVE;
}

static int write_down(struct validate *v, const struct verdict *verdict)
{
	struct validation validation = {
		.m = v->session.model,
		.findings = analysis__findings(v->session.analysis),
		.verdict = verdict,
		.fixes = v->fixes,
		.fix_count = v->fix_count,
		.baseline = v->baseline ? v->baseline->model : NULL,
		.baseline_file = v->baseline_file,
		.exercised = v->exercise_device ? v->exercised : NULL,
	};
	int error;

	validation.exit_status = exit_status(verdict, validation.findings);
	if (common.json)
		validation__json(stdout, &validation);
	else
		validation__page(stdout, &validation, cli_color(stdout));
	error = v->junit ? validation__junit(v->junit, &validation) : 0;
	if (!error)
		return validation.exit_status;
	say_error("%s: %s", text_safe(v->junit), strerror(-error));
	return validation.exit_status ? validation.exit_status : EXIT_ERROR;
}

static int conclude(struct validate *v)
{
	struct verdict_options options = {.required = v->required,
					  .missing_probes = missing_probes(v)};
	struct verdict *verdict;
	int status;

	if (*v->disturbed)
		options.disturbed = v->disturbed;
	if (v->baseline) {
		options.baseline = v->baseline->model;
		options.baseline_findings = loaded_run__findings(v->baseline);
	}
	v->fix_count = kernel__fixes(v->session.kernel, v->fixes, VALIDATION_FIXES);
	set_known(v, &options);
	session__settle(&v->session);
	verdict = verdict__decide(v->session.model, analysis__findings(v->session.analysis),
				  &options);
	if (!verdict) {
		say_error("out of memory");
		return EXIT_ERROR;
	}
	session__finish(&v->session, verdict_names[verdict->kind]);
	clear_progress();
	status = write_down(v, verdict);
	verdict__free(verdict);
	return status;
}

static void print_start(struct validate *v)
{
	struct probe_info probes[SESSION_PROBES];
	uint32_t count = session__probes(&v->session, probes);

	if (common.json)
		json_print(stdout, json_start(v->session.model, probes, count));
	else
		say_info("attached; %s", v->exercise ? "exercising the device"
						     : "watching the load, Ctrl-C ends it");
}

static int run(struct validate *v)
{
	struct session_events events = {.context = v, .finding = show_finding, .tick = show_status};
	int status;

	/* a verdict must not fail for a burst that a moment more of memory would have held */
	if (!v->settings.ring_bytes)
		v->settings.ring_bytes = RING_BYTES;
	status = session__open(&v->session, &v->settings, &events);
	if (!status)
		status = session__attach(&v->session);
	if (!status)
		status = refuse_baseline(v);
	if (!status) {
		print_start(v);
		run_loop(v);
		status = conclude(v);
	}
	session__close(&v->session);
	return status;
}

int validate_main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = table,
		.parser = parse,
		.children = children,
		.doc = "Watch (or drive) a load and say pass, fail or inconclusive.\v"
		       "Pass: every required path ran, both locks of each known inversion were "
		       "seen, "
		       "nothing of grade warning or worse was found, nothing was lost. Exit "
		       "status: 0 "
		       "pass, 2 fail, 3 deadlock now, 4 inconclusive, 64 wrong usage or a baseline "
		       "that cannot be compared, 77 not possible here.",
	};
	static struct validate v;
	int status;

	if (cli_parse(&argp, argc, argv, &v))
		return EXIT_USAGE;
	status = check_known(&v);
	if (!status)
		status = open_baseline(&v);
	if (!status)
		status = open_exercise(&v);
	if (!status)
		status = run(&v);
	exercise__close(v.exercise);
	loaded_run__close(v.baseline);
	return status;
}
