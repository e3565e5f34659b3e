// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace watch: lock orders of VFIO and KVM, live. The default command. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "session/session.h"
#include "cli/watch_filter.h"
#include "report.h"
#include "util/clock.h"
#include "util/message.h"
#include "util/text.h"

struct watch {
	struct session_settings settings;
	struct watch_filter filter;
	bool tasks, is_record;
	uint32_t tasks_tid;
	struct session session;
	uint64_t next_status;
	uint32_t finding_count;
};

enum { KEY_TASKS = 768 };

static const struct argp_option table[] = {
	{NULL, 0, NULL, 0, "What is shown:", 1},
	{"pid", 'p', "PID", 0, "Show this process only (evidence of others is kept)", 1},
	{"tid", 't', "TID", 0, "Show this thread only", 1},
	{"comm", 'c', "COMM", 0, "Show tasks of this name only", 1},
	{"class", 'L', "CLASS", 0, "Show dependencies with this lock class only", 1},
	{"tasks", KEY_TASKS, "TID", OPTION_ARG_OPTIONAL,
	 "Per-task lock-order graphs, live and at the end (SIGUSR1: a snapshot)", 1},
	{0},
};

static uint32_t parse_id(const char *text, const char *what, struct argp_state *state)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || !value || value > INT32_MAX)
		argp_error(state, "%s: invalid thread id \"%s\"", what, text);
	return (uint32_t)value;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct watch *w = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &w->settings;
		return 0;
	case 'p':
		w->filter.pid = parse_id(argument, "--pid", state);
		return 0;
	case 't':
		w->filter.tid = parse_id(argument, "--tid", state);
		return 0;
	case 'c':
		w->filter.comm = argument;
		return 0;
	case 'L':
		w->filter.lock_class = argument;
		return 0;
	case KEY_TASKS:
		w->tasks = true;
		if (argument)
			w->tasks_tid = parse_id(argument, "--tasks", state);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "watch takes no argument, got \"%s\"", argument);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* --- while it runs
 * ---------------------------------------------------------------------------------- */

static void show_chain(void *context, const struct model *m, uint32_t chain)
{
	struct watch *w = context;

	if (common.json && watch_filter__chain(&w->filter, m, chain))
		json_print(stdout, json_chain(m, chain));
}

static void show_path(void *context, const struct model *m, const struct path_event *event)
{
	struct watch *w = context;

	if (common.json && watch_filter__task(&w->filter, m, event->task))
		json_print(stdout, json_path(m, event));
}

static void show_task_chain(void *context, const struct model *m, const struct task_chain *pair)
{
	struct watch *w = context;
	const struct task *task = model__task(m, pair->task);

	if (!w->tasks || common.json || (w->tasks_tid && task->tid != w->tasks_tid) ||
	    !watch_filter__task(&w->filter, m, pair->task))
		return;
	clear_progress();
	watch_print_task_chain(stdout, m, pair);
}

static void show_finding(void *context, const struct model *m, const struct finding *finding)
{
	struct watch *w = context;

	w->finding_count++;
	if (!watch_filter__finding(&w->filter, m, finding))
		return;
	clear_progress();
	if (common.json) {
		json_print(stdout, json_finding(m, finding));
	} else if (w->is_record && finding->grade >= GRADE_WARNING) {
		record_note_finding(m, finding);
	} else if (!common.quiet && finding->grade >= GRADE_WARNING) {
		report_text_finding(stdout, m, finding, cli_color(stdout));
		fflush(stdout);
	}
}

static void show_resolved(void *context, const struct model *m, const char *key, uint64_t when)
{
	(void)context;
	if (common.json)
		json_print(stdout, json_resolved(m, key, when));
	log_info("the deadlock %s is resolved", text_safe(key));
}

static void show_stall(void *context, const struct model *m, const struct stall *stall)
{
	(void)context;
	clear_progress();
	if (common.json)
		json_print(stdout, json_stall(m, stall));
	else
		watch_print_stall(stdout, m, stall);
}

/* On a terminal: a line that keeps moving. */
static void show_status(void *context)
{
	struct watch *w = context;
	const struct model *m = w->session.model;
	uint64_t now = clock_mono_ns(), losses = 0;

	if (now < w->next_status)
		return;
	w->next_status = now + 500000000ULL;
	for (int i = 0; i < LOSS_REASONS; i++)
		losses += model__loss(m, (enum loss_reason)i);
	log_progress("%4" PRIu64 " s  %" PRIu64 " acquisitions  %u chains  %u dependencies  "
		     "%u findings  %" PRIu64 " lost",
		     (uint64_t)((now - w->session.started) / 1000000000ULL), model__acquisitions(m),
		     model__chain_count(m), model__dependency_count(m), w->finding_count, losses);
}

static void show_tasks(struct watch *w)
{
	const struct model *m = w->session.model;
	struct task_graphs *graphs;

	if (!common.json) {
		report_text_tasks(stdout, m, w->tasks_tid, cli_color(stdout));
		return;
	}
	graphs = task_graphs__new(m);
	for (uint32_t i = 0; graphs && i < model__task_count(m); i++)
		if ((!w->tasks_tid || model__task(m, i)->tid == w->tasks_tid) &&
		    watch_filter__task(&w->filter, m, i))
			json_print(stdout, json_task_graph(graphs, i));
	task_graphs__free(graphs);
}

static void snapshot(void *context)
{
	clear_progress();
	show_tasks(context);
	fflush(stdout);
}

/* --- begin and end
 * ------------------------------------------------------------------------------------ */

static void print_start(struct watch *w)
{
	struct probe_info probes[SESSION_PROBES];
	uint32_t count = session__probes(&w->session, probes);

	if (common.json) {
		json_print(stdout, json_start(w->session.model, probes, count));
		return;
	}
	if (w->is_record)
		record_note_start(&w->session);
	else if (!common.quiet)
		watch_print_header(stdout, &w->session, probes, count);
}

static void print_end(struct watch *w, int status)
{
	struct report_input input = {.model = w->session.model,
				     .findings = analysis__findings(w->session.analysis)};
	struct capture_stats stats;

	clear_progress();
	if (w->tasks)
		show_tasks(w);
	if (!common.json && w->is_record)
		record_note_end(&w->session, &input);
	else if (!common.json && !common.quiet) {
		report_text_summary(stdout, &input, cli_color(stdout));
		fflush(stdout); /* the probes may take seconds to go */
	}
	log_progress("detaching …");
	capture__stats(w->session.capture, &stats);
	clear_progress();
	if (common.verbosity)
		log_info("detached in %.2f s", (double)stats.detach_ns / 1e9);
	watch_note_overhead(w->session.model, &stats);
	if (common.json) {
		json_print(stdout, json_summary(&input, status));
		return;
	}
	if (common.quiet || w->is_record)
		return;
	watch_print_footer(stdout, &w->session, &stats);
}

static int run(struct watch *w)
{
	struct session_events events = {
		.context = w,
		.chain = show_chain,
		.path = show_path,
		.task_chain = show_task_chain,
		.finding = show_finding,
		.resolved = show_resolved,
		.stall = show_stall,
		.tick = show_status,
		.snapshot = snapshot,
	};
	int status = session__open(&w->session, &w->settings, &events);

	if (!status)
		status = session__attach(&w->session);
	if (!status)
		status = session__open_store(&w->session);
	if (!status) {
		print_start(w);
		session__run(&w->session);
		status = session__finish(&w->session, NULL);
		print_end(w, status);
	}
	session__close(&w->session);
	clear_progress();
	return status;
}

static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};

static int parse_and_run(const char *doc, bool is_record, int argc, char **argv)
{
	const struct argp argp = {
		.options = table, .parser = parse, .children = children, .doc = doc};
	static struct watch w;

	w.is_record = is_record;
	if (cli_parse(&argp, argc, argv, &w))
		return EXIT_USAGE;
	return run(&w);
}

int watch_main(int argc, char **argv)
{
	return parse_and_run("Watch the order in which tasks take VFIO's and KVM's locks; flag "
			     "inversions, cycles, recursions and deadlocks as they happen.",
			     false, argc, argv);
}

int watch_into_file(int argc, char **argv)
{
	return parse_and_run("Record the locks of VFIO and KVM to an incident file (-o, needed): "
			     "evidence for vfiotrace report, analyze, diff and validate.",
			     true, argc, argv);
}
