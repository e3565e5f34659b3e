/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics.h - a model and its findings as OpenMetrics 1.0 or Prometheus text format 0.0.4.
 *
 * Names, base units and suffixes follow Prometheus' naming conventions. Labels are class names,
 * path names and the words of the contract: never an address, a pid, a comm or a stack, so that the
 * number of series depends on the kernel's lock classes and not on what runs on the host. Series
 * per family are capped at METRICS_SERIES_MAX; what is beyond is counted in
 * vfiotrace_series_dropped.
 *
 * `service` is what the agent adds about itself; NULL for a report of a recording.
 */
#ifndef VFIOTRACE_METRICS_H
#define VFIOTRACE_METRICS_H

#include "capture.h"
#include "report.h"

#define METRICS_SERIES_MAX 512

enum metrics_flavour {
	METRICS_OPENMETRICS, /* application/openmetrics-text, ends with "# EOF" */
	METRICS_PROMETHEUS,  /* text/plain; version=0.0.4: older scrapers, node-exporter's textfile
			      */
};

struct metrics_service {
	uint32_t probes[PROBE_STATES]; /* rows by state */
	const char *attach_level;      /* what the probes are attached with; NULL: not said */
	uint64_t probe_skips;	       /* runs the kernel skipped, all probes */
	struct capture_stats stats;
	double start_seconds;	/* CLOCK_REALTIME */
	double cpu_seconds;	/* user + system of the agent and its children */
	double bpf_ratio;	/* CPUs used by the BPF programs, extrapolated; < 0 not measured */
	double overhead_ratio;	/* CPUs used in all, over the last window */
	double overhead_budget; /* --max-overhead */
	uint64_t memory_bytes;	/* resident */
	uint32_t shed;		/* enum shed mask in force */
	uint64_t shed_steps;	/* steps taken so far */
	uint64_t incidents, incident_failures, incident_files, incident_bytes;
	uint64_t hooks, hook_failures;
	uint64_t reloads, reload_failures;
	uint64_t restarts; /* epochs: the model reached its bound and was reset */
	uint64_t compactions, evicted_chains; /* the model was made smaller while watching */
	double compaction_seconds;
	uint64_t endpoint_restarts;
};

/* 0 or -errno (-ENOMEM, -EIO of the stream). */
int report_metrics(FILE *out, const struct report_input *input,
		   const struct metrics_service *service, enum metrics_flavour flavour);

#endif
