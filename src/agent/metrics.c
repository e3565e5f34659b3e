// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's metrics: collected from session and pieces, rendered, published. */
#include <stdlib.h>
#include <string.h>
#include <sys/syslog.h>
#include <time.h>

#include "agent/agent_private.h"
#include "util/message.h"

static void collect(struct agent *a)
{
	struct metrics_service *s = &a->service;
	struct probe_info probes[SESSION_PROBES];
	uint32_t count = session__probes(&a->session, probes);
	struct hook_stats hooks;

	memset(s->probes, 0, sizeof(s->probes));
	s->probe_skips = 0;
	s->attach_level = attach_level_names[capture__level(a->session.capture)];
	for (uint32_t i = 0; i < count; i++) {
		s->probes[probes[i].state]++;
		s->probe_skips += probes[i].skipped;
	}
	capture__stats(a->session.capture, &s->stats);
	s->cpu_seconds = (double)process_cpu_ns() / 1e9;
	s->memory_bytes = process_memory_bytes();
	s->bpf_ratio = a->overhead.bpf_ratio;
	s->overhead_ratio = a->overhead.total_ratio;
	s->overhead_budget = a->options.max_overhead;
	s->shed = a->overhead.shed;
	s->shed_steps = a->overhead.steps;
	s->endpoint_restarts = endpoint__restarts(a->endpoint);
	hook__stats(a->hook, &hooks);
	s->hooks = hooks.started;
	s->hook_failures = hooks.failed + hooks.timed_out + hooks.dropped;
}

static char *render(struct agent *a, enum metrics_flavour flavour, size_t *length)
{
	struct report_input input = {.model = a->session.model,
				     .findings = analysis__findings(a->session.analysis)};
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	int error;

	if (!out)
		return NULL;
	error = report_metrics(out, &input, &a->service, flavour);
	if (fclose(out) || error) {
		free(text);
		return NULL;
	}
	return text;
}

static void publish_textfile(struct agent *a, const char *text, size_t length)
{
	int error = textfile_write(a->options.textfile, text, length);

	if (error && !a->textfile_failed)
		log_warning("cannot write %s: %s", a->options.textfile, strerror(-error));
	a->textfile_failed = error;
}

void agent__publish(struct agent *a)
{
	size_t length = 0;
	char *text, status[192];

	collect(a);
	agent__report_probes(a);
	if (a->endpoint) {
		text = render(a, METRICS_OPENMETRICS, &length);
		if (text)
			endpoint__publish(a->endpoint, ENDPOINT_OPENMETRICS, text, length);
		free(text);
	}
	if (a->endpoint || a->options.textfile) {
		text = render(a, METRICS_PROMETHEUS, &length);
		if (text && a->endpoint)
			endpoint__publish(a->endpoint, ENDPOINT_PROMETHEUS, text, length);
		if (text && a->options.textfile)
			publish_textfile(a, text, length);
		free(text);
	}
	snprintf(status, sizeof(status),
		 "STATUS=%u probes, %u chains, %u findings, %.2f%% of a CPU",
		 a->service.probes[PROBE_ATTACHED], model__chain_count(a->session.model),
		 analysis__findings(a->session.analysis)->count, a->overhead.total_ratio * 100);
	notify_state(status);
}

void agent__rotate(struct agent *a)
{
	struct statedir_usage usage;

	if (statedir__rotate(a->statedir, time(NULL), (int64_t)(a->options.keep_ns / 1000000000ULL),
			     a->options.state_bytes, &usage))
		return;
	a->service.incident_files = usage.files;
	a->service.incident_bytes = usage.bytes;
}
