// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent says about itself: probes, own cost, incidents, reloads. */
#include "report/metrics/exposition.h"

struct row {
	const char *name;
	enum metric_type type;
	const char *unit, *help;
	double value;
};

static void write_rows(struct metrics_text *t, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		metrics_text__family(t, rows[i].name, rows[i].type, rows[i].unit, rows[i].help);
		metrics_text__value(t, rows[i].value);
	}
}

static void write_probes(struct metrics_text *t, const struct metrics_service *s)
{

	metrics_text__family(t, "vfiotrace_probes", METRIC_GAUGE, NULL, "Probes by state.");
	for (uint32_t i = 0; i < PROBE_STATES; i++) {
		metrics_text__label(t, "state", probe_state_names[i]);
		metrics_text__value(t, s->probes[i]);
	}
	if (!s->attach_level)
		return;
	metrics_text__family(t, "vfiotrace_attach_level", METRIC_GAUGE, NULL,
			     "1 for what the probes are attached with; tracepoint: waits only.");
	metrics_text__label(t, "level", s->attach_level);
	metrics_text__value(t, 1);
}

static void write_shed(struct metrics_text *t, const struct metrics_service *s)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} steps[] = {{SHED_SCOPE, "scope"}, {SHED_READERS, "readers"}, {SHED_CHAINS, "chains"}};

	metrics_text__family(t, "vfiotrace_shed", METRIC_GAUGE, NULL,
			     "1 if this part was shed to stay under the overhead budget.");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		metrics_text__label(t, "part", steps[i].name);
		metrics_text__value(t, (s->shed & steps[i].bit) != 0);
	}
}

static void write_overhead(struct metrics_text *t, const struct metrics_service *s)
{
	metrics_text__family(
		t, "vfiotrace_overhead_ratio", METRIC_GAUGE, "ratio",
		"Share of one CPU in use: the programs in the kernel (by sample), the agent.");
	if (s->bpf_ratio >= 0) {
		metrics_text__label(t, "part", "kernel");
		metrics_text__value(t, s->bpf_ratio);
	}
	metrics_text__label(t, "part", "total");
	metrics_text__value(t, s->overhead_ratio);
}

void metrics_text__service(struct metrics_text *t, const struct metrics_service *s)
{
	const struct row rows[] = {
		{"vfiotrace_overhead_budget_ratio", METRIC_GAUGE, "ratio",
		 "Share of one CPU that may be used (--max-overhead).", s->overhead_budget},
		{"vfiotrace_start_time_seconds", METRIC_GAUGE, "seconds",
		 "When the agent started, seconds since the epoch.", s->start_seconds},
		{"vfiotrace_cpu_seconds", METRIC_COUNTER, "seconds",
		 "CPU time of the agent and its children in user space and system calls.",
		 s->cpu_seconds},
		{"vfiotrace_resident_memory_bytes", METRIC_GAUGE, "bytes",
		 "Resident memory of the agent.", (double)s->memory_bytes},
		{"vfiotrace_map_memory_bytes", METRIC_GAUGE, "bytes",
		 "Kernel memory of the BPF maps.", (double)s->stats.map_bytes},
		{"vfiotrace_known_chain_hits", METRIC_COUNTER, NULL,
		 "Acquisitions that were a chain known already.", (double)s->stats.known_chains},
		{"vfiotrace_records", METRIC_COUNTER, NULL, "Records read from the kernel.",
		 (double)s->stats.records},
		{"vfiotrace_record_bytes", METRIC_COUNTER, "bytes",
		 "Bytes of records read from the kernel.", (double)s->stats.record_bytes},
		{"vfiotrace_probe_skips", METRIC_COUNTER, NULL,
		 "Program runs the kernel skipped, all probes.", (double)s->probe_skips},
		{"vfiotrace_shed_steps", METRIC_COUNTER, NULL,
		 "Steps taken to stay under the overhead budget.", (double)s->shed_steps},
		{"vfiotrace_incidents", METRIC_COUNTER, NULL, "Incident files written.",
		 (double)s->incidents},
		{"vfiotrace_incident_failures", METRIC_COUNTER, NULL,
		 "Incident files that could not be written.", (double)s->incident_failures},
		{"vfiotrace_incident_files", METRIC_GAUGE, NULL,
		 "Incident files kept in the state directory.", (double)s->incident_files},
		{"vfiotrace_incident_bytes", METRIC_GAUGE, "bytes",
		 "Size of the incident files kept.", (double)s->incident_bytes},
		{"vfiotrace_hooks", METRIC_COUNTER, NULL, "Hook commands run.", (double)s->hooks},
		{"vfiotrace_hook_failures", METRIC_COUNTER, NULL,
		 "Hook commands that failed or ran too long.", (double)s->hook_failures},
		{"vfiotrace_reloads", METRIC_COUNTER, NULL, "Reloads of rules and suppressions.",
		 (double)s->reloads},
		{"vfiotrace_reload_failures", METRIC_COUNTER, NULL,
		 "Reloads that kept the old rules.", (double)s->reload_failures},
		{"vfiotrace_model_restarts", METRIC_COUNTER, NULL,
		 "Times the model was reset because it reached its memory bound.",
		 (double)s->restarts},
		{"vfiotrace_model_compactions", METRIC_COUNTER, NULL,
		 "Times least recently seen chains were evicted from the model.",
		 (double)s->compactions},
		{"vfiotrace_chains_evicted", METRIC_COUNTER, NULL,
		 "Chains evicted from the model by compaction.", (double)s->evicted_chains},
		{"vfiotrace_model_compaction_seconds", METRIC_COUNTER, "seconds",
		 "Seconds spent compacting the model.", s->compaction_seconds},
		/* former names, for one version */
		{"vfiotrace_model_forgets", METRIC_COUNTER, NULL,
		 "Deprecated name of vfiotrace_model_compactions.", (double)s->compactions},
		{"vfiotrace_forgotten_chains", METRIC_COUNTER, NULL,
		 "Deprecated name of vfiotrace_chains_evicted.", (double)s->evicted_chains},
		{"vfiotrace_model_forget_seconds", METRIC_COUNTER, "seconds",
		 "Deprecated name of vfiotrace_model_compaction_seconds.", s->compaction_seconds},
		{"vfiotrace_endpoint_restarts", METRIC_COUNTER, NULL,
		 "Times the metrics endpoint's process had to be started again.",
		 (double)s->endpoint_restarts},
	};

	write_probes(t, s);
	write_shed(t, s);
	write_overhead(t, s);
	write_rows(t, rows, sizeof(rows) / sizeof(rows[0]));
}
