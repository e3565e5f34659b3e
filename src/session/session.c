// SPDX-License-Identifier: GPL-2.0-or-later
/* One live run: what watch, record, validate and agent have in common. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "exit_code.h"
#include "kernel/level.h"
#include "session/session.h"
#include "util/clock.h"
#include "util/message.h"
#include "session/signals.h"

#define MOST_EVENTS (2U << 20) /* 100 MB in memory; an incident file has all of them */

/* --- from below: findings, stalls
 * ------------------------------------------------------------------ */

static bool fires(const struct session *s, const struct finding *finding)
{
	const char *trigger = s->settings.trigger;

	if (!trigger)
		return false;
	if (!strcmp(trigger, "deadlock"))
		return finding->kind == FINDING_DEADLOCK;
	return !strcmp(trigger, "inversion") && finding->grade >= GRADE_WARNING &&
	       (finding->kind == FINDING_INVERSION || finding->kind == FINDING_CYCLE);
}

static void on_finding(void *context, const struct finding *finding)
{
	struct session *s = context;

	if (s->store)
		store_writer__finding(s->store, finding);
	if (s->store && fires(s, finding))
		store_writer__fire(s->store, finding->key);
	if (s->events.finding)
		s->events.finding(s->events.context, s->model, finding);
}

/* A deadlock the capture saw: the analysis keeps it and calls on_finding when it is new. */
static void on_capture_finding(void *context, const struct finding *finding)
{
	struct session *s = context;

	analysis__add_finding(s->analysis, finding);
}

static void on_resolved(void *context, const char *key, uint64_t when)
{
	struct session *s = context;

	analysis__resolve(s->analysis, key, when);
	if (s->events.resolved)
		s->events.resolved(s->events.context, s->model, key, when);
}

static void on_stall(void *context, const struct stall *stall)
{
	struct session *s = context;

	if (s->store && s->settings.trigger && !strcmp(s->settings.trigger, "stall"))
		store_writer__fire(s->store, "stall");
	if (s->events.stall)
		s->events.stall(s->events.context, s->model, stall);
}

/* --- open
 * -------------------------------------------------------------------------------------------- */

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	bool *bad = context;

	*bad = true;
	if (line)
		log_error("%s:%u: %s", file, line, message);
	else
		log_error("%s: %s", file, message);
}

static int load_rules(struct session *s)
{
	struct rule_set *(*load)(const char *, bool *) = s->settings.load_rules;
	bool bad = false;

	if (!s->settings.rules)
		s->rules = rule_set__builtin();
	else
		s->rules = load ? load(s->settings.rules, &bad)
				: rule_set__load(s->settings.rules, complain, &bad);
	if (s->settings.suppress)
		s->suppressions = load ? load(s->settings.suppress, &bad)
				       : rule_set__load(s->settings.suppress, complain, &bad);
	return bad && !load ? EXIT_USAGE : 0;
}

struct analysis *session__new_analysis(struct session *s, const struct rule_set *rules,
				       const struct rule_set *suppressions)
{
	struct analysis_options options = {
		.live_kernel = true,
		.touches_scope = !s->settings.scope_all,
		.predict = s->settings.record_events,
		.rules = rules,
		.suppressions = suppressions,
		.catalogue = catalogue__builtin(),
		.on_finding = on_finding,
		.context = s,
	};

	return analysis__new(s->model, &options);
}

int session__replace_rules(struct session *s, struct rule_set *rules, struct rule_set *suppressions)
{
	struct analysis *before = s->analysis,
			*after = session__new_analysis(s, rules, suppressions);
	const struct finding_list *list = analysis__findings(before);

	if (!after)
		return -ENOMEM;
	/* findings that the order graph cannot reproduce */
	for (uint32_t i = 0; i < list->count; i++) {
		struct finding copy = *list->items[i];

		copy.suppressed = NULL;
		if (copy.kind == FINDING_DEADLOCK || copy.kind == FINDING_RECURSION)
			analysis__add_finding(after, &copy);
	}
	s->analysis = after;
	analysis__free(before);
	rule_set__free(s->rules);
	rule_set__free(s->suppressions);
	s->rules = rules;
	s->suppressions = suppressions;
	return 0;
}

int session__new_model(struct session *s)
{
	struct model_observer observer = {.context = s->events.context,
					  .chain = s->events.chain,
					  .task_chain = s->events.task_chain,
					  .path = s->events.path};
	struct model *m = model__new();

	if (!m)
		return -ENOMEM;
	model__keep_events(m, s->settings.record_events);
	model__bound_events(m, MOST_EVENTS);
	model__chains_come_too(m);
	/* the dependency is shown before the finding it completes */
	model__observe(m, &observer);
	s->model = m;
	return 0;
}

static int open_model(struct session *s)
{
	struct fact_sink sink;

	if (session__new_model(s))
		return EXIT_ERROR;
	sink = model__fact_sink(s->model);
	model__set_fact(s->model, "scope", s->settings.scope_all ? "all" : "vfio");
	kernel__facts(s->kernel, &sink);
	kernel__fix_facts(s->kernel, &sink);
	s->analysis = session__new_analysis(s, s->rules, s->suppressions);
	return s->analysis ? 0 : EXIT_ERROR;
}

/* A kernel that lacks what tracing needs: name that, rather than what failed for want of it. */
static bool cannot_be_traced(const struct session *s)
{
	struct feature features[64];
	uint32_t count = kernel__features(s->kernel, features, 64);
	struct level level;

	level__judge(&level, s->kernel, features, count, s->settings.attach);
	if (level.works)
		return false;
	log_error("%s", level.message);
	return true;
}

static int open_capture(struct session *s)
{
	struct capture_options options = {
		.kernel = s->kernel,
		.model = s->model,
		.attach = s->settings.attach,
		.scope_all = s->settings.scope_all,
		.holds = s->settings.holds,
		.record_events = s->settings.record_events,
		.stall_ns = s->settings.stall_ns,
		.fail_probe = s->settings.fail_probe,
		.ring_bytes = s->settings.ring_bytes,
		.kernel_chains = s->settings.kernel_chains,
		.force = s->settings.force,
		.verbosity = s->settings.verbosity,
		.on_finding = on_capture_finding,
		.on_resolved = on_resolved,
		.on_stall = on_stall,
		.context = s,
	};
	int error;

	s->capture = capture__open(&options, &error);
	if (s->capture)
		return 0;
	if (cannot_be_traced(s))
		return EXIT_UNSUPPORTED;
	log_error("%s", capture__error());
	return error == -EPERM || error == -ENOTSUP ? EXIT_UNSUPPORTED : EXIT_ERROR;
}

/* Root, or a service of its own user with the capabilities (src/systemd/vfiotrace.service.in). */
static bool may_trace(void)
{
	static const cap_value_t needed[] = {CAP_BPF, CAP_PERFMON};
	cap_t now = geteuid() ? cap_get_proc() : NULL;
	bool may = now || !geteuid();

	for (size_t i = 0; now && i < sizeof(needed) / sizeof(needed[0]); i++) {
		cap_flag_value_t has = CAP_CLEAR;

		may = !cap_get_flag(now, needed[i], CAP_EFFECTIVE, &has) && has == CAP_SET && may;
	}
	cap_free(now);
	return may;
}

/* No clock tells when exec was; what ran since was this program being linked and its options. */
static uint64_t start_of_process(void)
{
	static bool is_later;
	struct timespec used = {0};
	uint64_t now = clock_mono_ns();

	if (!is_later)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	is_later = true;
	return now - ((uint64_t)used.tv_sec * 1000000000ULL + (uint64_t)used.tv_nsec);
}

int session__open(struct session *s, const struct session_settings *settings,
		  const struct session_events *events)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	uint64_t read;
	int status;

	memset(s, 0, sizeof(*s));
	s->start.began = start_of_process();
	s->settings = *settings;
	s->events = *events;
	s->kernel = settings->kernel;
	status = load_rules(s);
	if (!status)
		status = session__check_store(s);
	if (status)
		return status;
	if (!may_trace()) {
		log_error("tracing needs root: run it with sudo, or as a service with the "
			  "capabilities the manual lists");
		return EXIT_UNSUPPORTED;
	}
	log_progress("reading the kernel's own description, loading the tracing programs …");
	signals__install_requests();
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* kernels before 5.11 count BPF memory here */
	if (s->kernel)
		kernel__refresh(s->kernel);
	else
		s->kernel = kernel__open(settings->btf);
	if (!s->kernel) {
		log_error("cannot read BTF or kallsyms: %s", strerror(errno));
		return EXIT_UNSUPPORTED;
	}
	status = open_model(s);
	read = clock_mono_ns(); /* symbols and BTF are read when the facts are asked for */
	if (!status)
		status = open_capture(s);
	s->start.read = read - s->start.began;
	s->start.load = clock_mono_ns() - read;
	return status;
}

static void note_start(struct session *s, uint64_t attach_began)
{
	struct start_times *t = &s->start;
	const struct {
		const char *name;
		const uint64_t *ns;
	} facts[] = {{"overhead.start_ns", &t->whole},
		     {"overhead.read_ns", &t->read},
		     {"overhead.load_ns", &t->load},
		     {"overhead.attach_ns", &t->attach}};
	char text[32];

	t->whole = s->started - t->began;
	t->attach = s->started - attach_began;
	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		snprintf(text, sizeof(text), "%" PRIu64, *facts[i].ns);
		model__set_fact(s->model, facts[i].name, text);
	}
}

int session__attach(struct session *s)
{
	uint64_t began = clock_mono_ns();
	int error = signals__install();

	if (!error)
		error = capture__attach(s->capture);
	if (error) {
		log_error("%s", capture__error());
		return error == -ENOTSUP || error == -EPERM ? EXIT_UNSUPPORTED : EXIT_ERROR;
	}
	s->started = clock_mono_ns();
	note_start(s, began);
	model__set_fact(s->model, "probe.level", attach_level_names[capture__level(s->capture)]);
	if (capture__level_reason(s->capture))
		model__set_fact(s->model, "probe.level_reason", capture__level_reason(s->capture));
	session__note_probes(s);
	return 0;
}

/* --- the loop
 * --------------------------------------------------------------------------------------- */

bool session__turn(struct session *s, int timeout_ms)
{
	int error = capture__poll(s->capture, timeout_ms);

	if (error)
		log_error("reading from the kernel failed: %s", strerror(-error));
	session__store_turn(s);
	if (s->events.tick)
		s->events.tick(s->events.context);
	if (signals__take_snapshot() && s->events.snapshot)
		s->events.snapshot(s->events.context);
	if (signals__take_reload() && s->events.reload)
		s->events.reload(s->events.context);
	if (signals__stop() || error)
		return true;
	return s->settings.duration_ns && clock_mono_ns() - s->started >= s->settings.duration_ns;
}

int session__run(struct session *s)
{
	while (!session__turn(s, 200))
		;
	return 0;
}

void session__finalize(struct session *s)
{
	if (s->is_final)
		return;
	s->is_final = true;
	capture__stop(s->capture);
	analysis__finish(s->analysis);
}

int session__finish(struct session *s, const char *verdict)
{
	int status, error;

	session__finalize(s);
	session__note_probes(s); /* modules may have come and gone */
	if (s->store) {
		uint64_t lost = store_writer__lost(s->store);

		if (lost > s->store_lost_seen)
			model__add_loss(s->model, LOSS_STORE, lost - s->store_lost_seen);
	}
	status = analysis__exit_code(s->analysis, true);
	error = store_writer__close(s->store, analysis__findings(s->analysis), verdict);
	if (error) {
		log_warning("the recording %s is not complete: %s", s->settings.output,
			    strerror(-error));
		status = status ? status : EXIT_ERROR;
	}
	s->store = NULL;
	s->is_finished = true;
	return status;
}

void session__close(struct session *s)
{
	if (s->store)
		store_writer__close(s->store, NULL, NULL);
	capture__close(s->capture);
	analysis__free(s->analysis);
	model__free(s->model);
	kernel__close(s->kernel);
	rule_set__free(s->rules);
	rule_set__free(s->suppressions);
}
