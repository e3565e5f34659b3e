/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - one live run: kernel, model, analysis, capture, recording, and the loop that feeds
 * them. watch, record, validate and agent differ in what they print and when they stop.
 *
 * Life cycle: session__open, session__attach, session__open_store (the recording: only now is there
 * something to write, and may an older file go), session__run (returns when the duration is over or
 * a signal asked), session__finish (drains, decides, closes the recording), session__close. Errors:
 * an exit status of vfiotrace-output(7), the message already printed; 0 goes on.
 */
#ifndef VFIOTRACE_SESSION_H
#define VFIOTRACE_SESSION_H

#include "analysis.h"
#include "capture.h"
#include "store.h"

/* Options every live command has. Use session_argp as an argp child with this as input. */
struct session_settings {
	uint64_t duration_ns; /* 0: until a signal */
	enum attach_level attach;
	bool scope_all, holds, record_events, force;
	uint64_t stall_ns;
	uint64_t max_size;
	uint64_t trigger_window_ns;
	const char *trigger; /* "inversion", "deadlock", "stall" or NULL */
	const char *output;
	const char *btf;
	struct kernel *kernel; /* opened before, taken over; NULL: the session opens one */
	const char *rules, *suppress;
	const char *fail_probe;
	int verbosity; /* of -v */
	uint32_t ring_bytes;
	uint32_t kernel_chains;
	bool redact;
	bool overwrite; /* an older recording at `output` goes, when everything is attached */
	/* How a rules file is read, NULL: rule_set__load, and a mistake in it is wrong usage. */
	struct rule_set *(*load_rules)(const char *path, bool *bad);
};
extern const struct argp session_argp;

struct session_events {
	void *context;
	void (*chain)(void *context, const struct model *m, uint32_t chain);
	void (*path)(void *context, const struct model *m, const struct path_event *event);
	void (*finding)(void *context, const struct model *m, const struct finding *finding);
	void (*resolved)(void *context, const struct model *m, const char *key, uint64_t when);
	void (*stall)(void *context, const struct model *m, const struct stall *stall);
	void (*task_chain)(void *context, const struct model *m, const struct task_chain *pair);
	void (*tick)(void *context);	 /* several times a second */
	void (*snapshot)(void *context); /* SIGUSR1 */
	void (*reload)(void *context);	 /* SIGHUP */
};

/* Where the time from the start to attached went, in ns; what is left is between these. */
struct start_times {
	uint64_t began; /* clock_mono_ns */
	uint64_t whole;
	uint64_t read;	 /* the program itself and what the kernel says of itself */
	uint64_t load;	 /* programs, through the verifier; attaching begins meanwhile */
	uint64_t attach; /* what was left of it then */
};

struct session {
	struct session_settings settings;
	struct session_events events;
	struct kernel *kernel;
	struct model *model;
	struct analysis *analysis;
	struct capture *capture;
	struct store_writer *store;
	bool store_trouble_reported;
	struct rule_set *rules, *suppressions;
	uint64_t started, store_lost_seen;
	/* From the start of the process, as far as it did nothing else before, to `started`. */
	struct start_times start;
	bool is_final, is_finished;
};

int session__open(struct session *s, const struct session_settings *settings,
		  const struct session_events *events);
int session__attach(struct session *s);
int session__run(struct session *s);
/* One turn of the loop, for callers with a loop of their own; true: time to stop. */
bool session__turn(struct session *s, int timeout_ms);
/* Stop, drain, decide: the findings are final. For callers whose verdict goes into the recording.
 */
void session__finalize(struct session *s);
int session__finish(struct session *s, const char *verdict); /* exit status of the findings */
void session__close(struct session *s);

#define SESSION_PROBES 80
/* Judge what is known and what comes by other rules. Takes both over; -ENOMEM leaves all as it was.
 */
int session__replace_rules(struct session *s, struct rule_set *rules,
			   struct rule_set *suppressions);
uint32_t session__probes(const struct session *s, struct probe_info *out);
void session__note_probes(struct session *s); /* as facts "probe.NAME" */

/*
 * The model forgets pairs of locks that were not seen for long, while everything stays attached;
 * order of classes, findings and counts stay. Between two turns. -errno leaves all as it was;
 * -EOPNOTSUPP: not with a recording, an event stream or hold times.
 */
int session__compact(struct session *s, uint32_t *chains_evicted);

/* Of session.c, recording.c and compact.c */
int session__new_model(struct session *s); /* replaces s->model; -ENOMEM */
struct analysis *session__new_analysis(struct session *s, const struct rule_set *rules,
				       const struct rule_set *suppressions); /* of s->model */
int session__check_store(const struct session *s); /* exit status; nothing is touched */
int session__open_store(struct session *s); /* exit status, 0: none asked for, or it is open */
void session__store_turn(struct session *s);

#endif
