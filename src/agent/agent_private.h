/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_private.h - what the files of the agent command share. */
#ifndef VFIOTRACE_AGENT_PRIVATE_H
#define VFIOTRACE_AGENT_PRIVATE_H

#include "agent.h"
#include "session/session.h"
#include "metrics.h"

#define AGENT_SEEN_MAX 4096

struct agent_options {
	struct session_settings session;
	const char *listen, *textfile, *state, *hook;
	double max_overhead; /* CPUs */
	uint64_t keep_ns, state_bytes, hook_timeout_ns, memory_bytes, sample_interval_ns;
	uint32_t max_chains;
};

struct agent {
	struct agent_options options;
	struct session session;
	struct statedir *statedir;
	struct endpoint *endpoint;
	struct hook *hook;
	struct incidents *incidents;
	struct overhead overhead;
	struct metrics_service service;
	struct hook_stats hooks_seen;
	uint64_t acquisitions_before; /* of earlier models */
	uint64_t next_second, next_publish, next_rotation, next_watchdog, next_losses;
	uint64_t next_restart;
	uint64_t losses_said[LOSS_REASONS];
	uint32_t probes_said[PROBE_STATES];
	char *seen[AGENT_SEEN_MAX]; /* keys of findings already reported */
	uint32_t seen_count, snapshots;
	uint32_t chains_kept, compact_at; /* by the last forgetting; when the next is due */
	bool must_compact, must_restart, textfile_failed;
};

/* Runs until a signal ends it; an exit status. */
int agent__run(const struct agent_options *options);
/* agent.c: the session and its reloads. */
int agent__open_session(struct agent *a);
void agent__reload(struct agent *a);
/* memory.c: says with must_compact or must_restart what is due; between two turns that. */
void agent__bound_memory(struct agent *a, uint64_t now);
void agent__compact(struct agent *a);
int agent__restart(struct agent *a); /* exit status; 0: watching again */
void agent__finish_incidents(struct agent *a);
/* report.c: journal entries, hook, incident files. */
void agent__report_finding(struct agent *a, const struct finding *f);
void agent__report_stall(struct agent *a, const struct stall *stall);
void agent__report_resolved(struct agent *a, const char *key);
void agent__report_losses(struct agent *a, uint64_t now);
void agent__report_probes(struct agent *a);
void agent__report_shed(struct agent *a, uint32_t before);
void agent__snapshot(struct agent *a);
void agent__poll_incidents(struct agent *a, uint64_t now);
void agent__poll_hook(struct agent *a, uint64_t now);
/* metrics.c: what is published. */
void agent__publish(struct agent *a);
void agent__rotate(struct agent *a);

#endif
