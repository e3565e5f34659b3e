// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace validate: is this kernel free of the inversion, and was the path really exercised? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli/load_run.h"
#include "util/output_file.h"
#include "session/session.h"
#include "cli/validate.h"
#include "exercise.h"
#include "report.h"
#include "util/clock.h"
#include "util/message.h"
#include "util/text.h"

#define RING_BYTES (8 << 20)
#define MOST_EXERCISES 16
#define AFTER_NS 1500000000ULL /* what a load leaves behind still arrives */

struct validate {
	struct session_settings settings;
	const char *baseline_file, *junit, *exercise_devices[MOST_EXERCISES];
	uint32_t required, rounds, exercise_count;
	const char *known_commit;
	struct session session;
	struct loaded_run *baseline;
	struct exercise *exercises[MOST_EXERCISES],
		*exercise; /* the one that runs, one at a time */
	uint32_t exercise_at;
	enum exercise_state exercise_state;
	uint64_t exercise_over;
	struct fix fixes[VALIDATION_FIXES];
	uint32_t fix_count;
	struct validation_inputs inputs;
	char disturbed[400], exercised[1024];
};

enum { KEY_BASELINE = 768, KEY_REQUIRE, KEY_KNOWN, KEY_EXERCISE, KEY_JUNIT, KEY_ROUNDS };

static const struct argp_option table[] = {
	{NULL, 0, NULL, 0, "What the verdict needs:", 1},
	{"baseline", KEY_BASELINE, "FILE", 0,
	 "Recording of the old kernel: go through its cycles dependency by dependency", 1},
	{"require", KEY_REQUIRE, "PATH,...", 0,
	 "Paths that must have run beside the usual ones (vm_create, group_del ...)", 1},
	{"known", KEY_KNOWN, "COMMIT", 0, "A known fix that must be in this kernel", 1},
	{"exercise", KEY_EXERCISE, "DEVICE", 0,
	 "Exercise the code paths on an idle device: PCI address, \"group N\" or its name. May be "
	 "given "
	 "for one device of each driver",
	 1},
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
		if (v->exercise_count == MOST_EXERCISES)
			argp_error(state, "--exercise: at most %d devices", MOST_EXERCISES);
		v->exercise_devices[v->exercise_count++] = argument;
		return 0;
	case KEY_ROUNDS:
		v->rounds = (uint32_t)strtoul(argument, NULL, 10);
		if (!v->rounds || v->rounds > 1000000)
			argp_error(state, "--rounds: invalid round count \"%s\"", argument);
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
	log_error("--known: commit %s is not in the catalogue (vfiotrace check -v lists it)",
		  text_safe(v->known_commit));
	return EXIT_USAGE;
}

static int open_baseline(struct validate *v)
{
	char message[256];
	int error;

	if (!v->baseline_file)
		return 0;
	v->baseline = loaded_run__open(v->baseline_file, NULL, &error);
	if (!v->baseline)
		return EXIT_USAGE;
	if (!verdict__unfit(v->baseline->model, message, sizeof(message)))
		return 0;
	log_error("%s: %s. Remedy: record it with vfiotrace record or watch -o while the old "
		  "kernel runs its load",
		  text_safe(v->baseline_file), message);
	return EXIT_USAGE;
}

static int open_exercise(struct validate *v, const char *device, struct exercise **out)
{
	size_t used = strlen(v->exercised);
	char message[512];
	int error;

	*out = exercise__open(device, v->rounds ? v->rounds : 3, &error, message, sizeof(message));
	if (*out) {
		snprintf(v->exercised + used, sizeof(v->exercised) - used, "%s%s", used ? ", " : "",
			 exercise__device(*out));
		return 0;
	}
	log_error("--exercise: %s", text_safe(message));
	return error == -ENOTSUP ? EXIT_UNSUPPORTED : error == -ENOMEM ? EXIT_ERROR : EXIT_USAGE;
}

static int open_exercises(struct validate *v)
{
	int status = 0;

	for (uint32_t i = 0; i < v->exercise_count && !status; i++)
		status = open_exercise(v, v->exercise_devices[i], &v->exercises[i]);
	v->exercise = v->exercises[0];
	return status;
}

static int refuse_baseline(struct validate *v)
{
	char message[256];

	if (!v->baseline ||
	    !verdict__refuse(v->session.model, v->baseline->model, message, sizeof(message)))
		return 0;
	log_error("%s: %s", text_safe(v->baseline_file), message);
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
		log_info("found: %s", finding_code_names[finding->code]);
}

static void show_status(void *context)
{
	struct validate *v = context;

	log_progress("%4lu s  %u chains  %u dependencies  %s",
		     (unsigned long)((clock_mono_ns() - v->session.started) / 1000000000ULL),
		     model__chain_count(v->session.model),
		     model__dependency_count(v->session.model),
		     v->exercise ? exercise__message(v->exercise) : "");
}

static bool start_next(struct validate *v)
{
	if (v->exercise_at + 1 == v->exercise_count)
		return false;
	v->exercise = v->exercises[++v->exercise_at];
	v->exercise_state = EXERCISE_RUNNING;
	if (exercise__go(v->exercise))
		snprintf(v->disturbed, sizeof(v->disturbed), "the exercise could not be started");
	return true;
}

/* True when the exercise and what it leaves behind is over. */
static bool exercise_is_over(struct validate *v)
{
	uint64_t now = clock_mono_ns();

	if (!v->exercise_over) {
		v->exercise_state = exercise__poll(v->exercise);
		if (v->exercise_state == EXERCISE_RUNNING ||
		    (v->exercise_state == EXERCISE_DONE && start_next(v)))
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
			 exercise__message(v->exercise));
	}
}

/* --- after
 * ------------------------------------------------------------------------------------------------
 */

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
		.exercised = v->exercise_count ? v->exercised : NULL,
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
	log_error("%s: %s", text_safe(v->junit), strerror(-error));
	return validation.exit_status ? validation.exit_status : EXIT_ERROR;
}

static int conclude(struct validate *v)
{
	struct verdict_options options = {.required = v->required};
	struct verdict *verdict;
	int status;

	if (*v->disturbed)
		options.disturbed = v->disturbed;
	if (v->baseline) {
		options.baseline = v->baseline->model;
		options.baseline_findings = loaded_run__findings(v->baseline);
	}
	if (v->known_commit)
		options.known = find_known(v->known_commit);
	v->fix_count = kernel__fixes(v->session.kernel, v->fixes, VALIDATION_FIXES);
	validation__gather(&v->inputs, &v->session, v->fixes, v->fix_count, &options);
	session__finalize(&v->session);
	verdict = verdict__decide(v->session.model, analysis__findings(v->session.analysis),
				  &options);
	if (!verdict) {
		log_error("out of memory");
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
		log_info("attached; %s", v->exercise ? "exercising the device"
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
	if (!status)
		status = session__open_store(&v->session);
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
		       "Pass: every required path ran with every driver in question, every known "
		       "fix "
		       "of the cycles in question is in, nothing of grade warning or worse was "
		       "found, "
		       "nothing was lost; vfiotrace-validate(8) has all of it. Exit status: 0 "
		       "pass, 2 fail, 3 deadlock now, 4 inconclusive, 64 wrong usage or a baseline "
		       "that cannot be compared, 77 not possible here.",
	};
	static struct validate v;
	int status;

	if (cli_parse(&argp, argc, argv, &v))
		return EXIT_USAGE;
	if (output_file__is_input(v.junit, (const char *[]){v.baseline_file, v.settings.output},
				  2) ||
	    output_file__is_input(v.settings.output, &v.baseline_file, 1))
		return EXIT_USAGE;
	status = check_known(&v);
	if (!status)
		status = open_baseline(&v);
	if (!status)
		status = open_exercises(&v);
	if (!status)
		status = run(&v);
	for (uint32_t i = 0; i < v.exercise_count; i++)
		exercise__close(v.exercises[i]);
	loaded_run__close(v.baseline);
	return status;
}
