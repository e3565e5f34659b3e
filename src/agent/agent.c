// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace agent: the long-running monitor. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syslog.h>
#include <time.h>

#include "exit_code.h"
#include "agent/agent_private.h"
#include "util/clock.h"
#include "util/message.h"
#include "util/text.h"

#define SECOND 1000000000ULL
#define PUBLISH_NS (5 * SECOND)
#define ROTATE_NS (600 * SECOND)
#define RING_BYTES (4 << 20)

/* --- what the session tells
 * ----------------------------------------------------------------------- */

static void on_finding(void *context, const struct model *m, const struct finding *finding)
{
	(void)m;
	agent__report_finding(context, finding);
}

static void on_resolved(void *context, const struct model *m, const char *key, uint64_t when)
{
	(void)when;
	(void)m;
	agent__report_resolved(context, key);
}

static void on_stall(void *context, const struct model *m, const struct stall *stall)
{
	(void)m;
	agent__report_stall(context, stall);
}

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	(void)context;
	if (line)
		log_warning("%s:%u: %s", file, line, message);
	else
		log_warning("%s: %s", file, message);
}

/* By a child without privileges. A mistake in a file does not keep the watch from starting. */
static struct rule_set *load_rules(const char *path, bool *bad)
{
	uint32_t complaints = 0;
	struct rule_set *set = rules_load_unprivileged(path, &complaints, complain, NULL);

	*bad = complaints > 0;
	return set;
}

void agent__reload(struct agent *a)
{
	const struct session_settings *settings = &a->options.session;
	struct rule_set *rules = NULL, *suppressions = NULL;
	bool bad = false, bad_suppressions = false;
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)clock_mono_ns() / 1000);
	notify_state(state);
	rules = settings->rules ? load_rules(settings->rules, &bad) : rule_set__builtin();
	if (settings->suppress)
		suppressions = load_rules(settings->suppress, &bad_suppressions);
	if (bad || bad_suppressions || session__replace_rules(&a->session, rules, suppressions)) {
		rule_set__free(rules);
		rule_set__free(suppressions);
		a->service.reload_failures++;
		journal_entry(JOURNAL_RELOAD_FAILED, LOG_ERR,
			      "rules not reloaded, the old ones stay in force", NULL, 0);
	} else {
		a->service.reloads++;
		journal_entry(JOURNAL_RELOADED, LOG_NOTICE, "rules and suppressions reloaded", NULL,
			      0);
	}
	notify_state("READY=1");
	a->next_publish = 0;
}

static void on_reload(void *context)
{
	agent__reload(context);
}

static void on_snapshot(void *context)
{
	agent__snapshot(context);
}

/* --- the loop
 * --------------------------------------------------------------------------------------- */

static void once_a_second(struct agent *a, uint64_t now)
{
	struct overhead_counters counters = {.mono = now, .cpu_ns = process_cpu_ns()};
	struct capture_stats stats;
	uint32_t shed = a->overhead.shed;

	capture__stats(a->session.capture, &stats);
	counters.acquisitions = stats.acquisitions + a->acquisitions_before;
	counters.bpf_ns = stats.run_ns;
	counters.bpf_runs = stats.run_count;
	if (overhead__step(&a->overhead, &counters)) {
		capture__shed(a->session.capture, a->overhead.shed);
		agent__report_shed(a, shed);
	}
	agent__poll_incidents(a, now);
	agent__poll_hook(a, now);
	endpoint__poll(a->endpoint, now);
	agent__report_losses(a, now);
	agent__bound_memory(a, now);
}

static void on_tick(void *context)
{
	struct agent *a = context;
	uint64_t now = clock_mono_ns(), watchdog = notify_watchdog_ns();

	if (now >= a->next_second) {
		a->next_second = now + SECOND;
		once_a_second(a, now);
	}
	if (now >= a->next_publish) {
		a->next_publish = now + PUBLISH_NS;
		agent__publish(a);
	}
	if (now >= a->next_rotation) {
		a->next_rotation = now + ROTATE_NS;
		agent__rotate(a);
	}
	if (watchdog && now >= a->next_watchdog) {
		a->next_watchdog = now + watchdog;
		notify_state("WATCHDOG=1");
	}
}

int agent__open_session(struct agent *a)
{
	const struct session_events events = {
		.context = a,
		.finding = on_finding,
		.resolved = on_resolved,
		.stall = on_stall,
		.tick = on_tick,
		.snapshot = on_snapshot,
		.reload = on_reload,
	};
	int status;

	a->options.session.load_rules = load_rules;
	/* it shares its processor with a host at work, for months: room for a longer burst */
	if (!a->options.session.ring_bytes)
		a->options.session.ring_bytes = RING_BYTES;
	a->options.session.kernel_chains = a->options.max_chains / 4;
	status = session__open(&a->session, &a->options.session, &events);

	a->chains_kept = 0;
	a->compact_at = a->options.max_chains;
	if (!status)
		status = session__attach(&a->session);
	if (!status)
		status = session__open_store(&a->session);
	if (!status) /* reset, it overwrites its own older file */
		a->options.session.overwrite = true;
	if (!status && a->overhead.shed)
		capture__shed(a->session.capture, a->overhead.shed);
	return status;
}

static int watch_on(struct agent *a)
{
	int status = 0;

	while (!status && !session__turn(&a->session, 500)) {
		if (a->must_restart)
			status = agent__restart(a);
		else if (a->must_compact)
			agent__compact(a);
	}
	return status;
}

/* --- begin and end
 * ------------------------------------------------------------------------------------ */

/* Everything that needs no kernel, before anything is attached. */
static int prepare(struct agent *a)
{
	const struct overhead_options budget = {.budget = a->options.max_overhead,
						.interval_ns = a->options.sample_interval_ns};
	char error[512];

	a->statedir = statedir__open(a->options.state, error, sizeof(error));
	if (!a->statedir || statedir__enter(a->statedir))
		goto refuse;
	if (a->options.textfile && !textfile_may_be(a->options.textfile)) {
		snprintf(error, sizeof(error), "--textfile %s: is not a regular file",
			 text_safe(a->options.textfile));
		goto refuse;
	}
	a->incidents = incidents__new(a->statedir, a->options.session.max_size);
	if (!a->incidents)
		return EXIT_ERROR;
	if (a->options.hook &&
	    !(a->hook = hook__new(a->options.hook, a->options.hook_timeout_ns,
				  statedir__path(a->statedir), error, sizeof(error))))
		goto refuse;
	/* before the kernel is opened: its process must inherit nothing of that */
	if (a->options.listen &&
	    !(a->endpoint = endpoint__start(a->options.listen, error, sizeof(error))))
		goto refuse;
	if (a->endpoint && endpoint__port(a->endpoint) > 0)
		log_info("metrics on port %d", endpoint__port(a->endpoint));
	overhead__init(&a->overhead, &budget);
	a->service.start_seconds = (double)time(NULL);
	return 0;
refuse:
	log_error("%s", error);
	return EXIT_ERROR;
}

/* Waits alone are much less than what it is for: nobody shall take that for a watched host. */
static void report_start(struct agent *a)
{
	enum attach_level level = capture__level(a->session.capture);
	const char *reason = capture__level_reason(a->session.capture);
	char message[512];

	snprintf(message, sizeof(message), "watching with %s%s%s%s%s", attach_level_names[level],
		 level == ATTACH_TRACEPOINT ? ": deadlocks and waits, but no lock orders; "
					      "`vfiotrace check` names what is missing"
					    : "",
		 reason ? " (" : "", reason ? text_safe(reason) : "", reason ? ")" : "");
	journal_entry(JOURNAL_STARTED, level == ATTACH_TRACEPOINT ? LOG_WARNING : LOG_NOTICE,
		      message, NULL, 0);
}

static int run(struct agent *a)
{
	int status = prepare(a), error;

	if (!status)
		status = agent__open_session(a);
	if (status)
		return status;
	error = privileges_drop();
	if (error)
		log_warning("cannot drop privileges: %s", strerror(-error));
	agent__publish(a);
	notify_state("READY=1");
	report_start(a);
	status = watch_on(a);
	notify_state("STOPPING=1");
	if (status)
		return status;
	overhead__close(&a->overhead);
	status = session__finish(&a->session, NULL);
	agent__finish_incidents(a);
	journal_entry(JOURNAL_STOPPED, LOG_NOTICE, "stopped, everything is detached", NULL, 0);
	return status;
}

static void cleanup(struct agent *a)
{
	overhead__close(&a->overhead);
	if (a->session.kernel)
		session__close(&a->session);
	incidents__free(a->incidents);
	hook__free(a->hook);
	endpoint__stop(a->endpoint);
	statedir__close(a->statedir);
	for (uint32_t i = 0; i < a->seen_count; i++)
		free(a->seen[i]);
}

int agent__run(const struct agent_options *options)
{
	static struct agent a;
	int status;

	a.options = *options;
	signal(SIGPIPE, SIG_IGN);
	status = run(&a);
	cleanup(&a);
	return status;
}
