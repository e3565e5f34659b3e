/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent.h - what the service is made of beside the watch: state directory, incident files, hook,
 * metrics endpoint, textfile, messages to systemd and the journal, own cost, privileges.
 *
 * Each piece stands alone and is driven by the agent's loop (src/cli/agent.c): nothing here blocks
 * it, starts a thread in its process or touches the model from elsewhere. Errors: -errno, with a
 * sentence in `error` where one is passed. `__free`/`__close` accept NULL.
 */
#ifndef VFIOTRACE_AGENT_H
#define VFIOTRACE_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- state directory ----------------------------------------------------------------------------
 */

/*
 * A directory of ours, mode 0700, held open: every file in it is reached relative to that
 * descriptor and without following links. It is made if its parent exists. A link in its place, a
 * foreign owner or a mode that lets others in is refused (except the link systemd itself puts where
 * $STATE_DIRECTORY says).
 */
struct statedir;
struct statedir *statedir__open(const char *path, char *error, size_t error_size);
void statedir__close(struct statedir *s);
int statedir__enter(struct statedir *s); /* working directory = it, so that names stay relative */
const char *statedir__path(const struct statedir *s); /* absolute, for people and the hook */

/* Incident files: DATE-CODE-HASH.vfiotrace. Nothing a process can name is part of a name. */
#define INCIDENT_NAME_SIZE 96
void incident_name(char out[INCIDENT_NAME_SIZE], const char *code, const char *key,
		   int64_t realtime_seconds);
/* A file for this finding key is kept already; its name in `out` (may be NULL). */
bool statedir__has_incident(struct statedir *s, const char *key, char out[INCIDENT_NAME_SIZE]);
bool statedir__owns(const char *name); /* looks like one of ours: rotation touches no other */
int statedir__remove(struct statedir *s, const char *name); /* and the database's journals */

struct statedir_usage {
	uint32_t files;
	uint64_t bytes;
	uint32_t removed;
};
/* Remove incidents older than max_age_seconds, then the oldest beyond max_bytes (0: no bound). */
int statedir__rotate(struct statedir *s, int64_t now_seconds, int64_t max_age_seconds,
		     uint64_t max_bytes, struct statedir_usage *usage);

/*
 * Incident files are written by a child: a fork is a snapshot of the model that costs no copy, and
 * a disk that is slow or full holds up nobody. One at a time, under a temporary name until
 * complete; what failed is tried again once a minute.
 */
struct incidents;
struct incident_done {
	char name[INCIDENT_NAME_SIZE];
	char code[24], grade[16];
	int error;	 /* -errno, or 0 */
	char words[160]; /* why it could not be written */
};
struct incidents *incidents__new(struct statedir *s, uint64_t max_bytes_each);
void incidents__free(struct incidents *i);
/* Ask for a file for this key; `name` receives what it is or will be called. False: asked before.
 */
bool incidents__add(struct incidents *i, const char *key, const char *code, const char *grade,
		    int64_t realtime_seconds, char name[INCIDENT_NAME_SIZE]);
/*
 * Start the next write, collect a finished one. `write` runs in the child with a relative name and
 * returns 0 or -errno with words in `error`. True: `done` tells how one ended.
 */
bool incidents__poll(struct incidents *i, uint64_t now,
		     int (*write)(void *context, const char *name, char *error, size_t error_size),
		     void *context, struct incident_done *done);
uint32_t incidents__waiting(const struct incidents *i);

/* --- hook
 * ------------------------------------------------------------------------------------------ */

/*
 * A command per incident: words of --hook, then the file. No shell, no inherited descriptors, an
 * environment of three variables. It runs as the agent's user, but can neither change anything in
 * `state` (absolute) nor signal or look into the agent, as far as the kernel can keep it from that.
 * When it ends or its time is up, every process that descends from it is killed, also one in a
 * session of its own. One runs at a time, HOOK_QUEUE wait.
 */
#define HOOK_QUEUE 64
struct hook;
struct hook *hook__new(const char *command, uint64_t timeout_ns, const char *state, char *error,
		       size_t error_size);
void hook__free(struct hook *h); /* kills what still runs */
int hook__run(struct hook *h, const char *file, const char *code, const char *grade);
void hook__poll(struct hook *h, uint64_t now); /* start, reap, kill; call about once a second */
struct hook_stats {
	uint64_t started, succeeded, failed, timed_out, dropped;
};
void hook__stats(const struct hook *h, struct hook_stats *out);

/* --- metrics endpoint
 * --------------------------------------------------------------------------------- */

/*
 * HTTP in a process of its own, without privileges, which sees nothing but a copy of the last text
 * published: whatever a client does cannot hold up tracing. GET and HEAD of /metrics only.
 * `address`: "127.0.0.1:9756", "[::1]:9756", or "/path" or "unix:/path" for a socket.
 */
#define ENDPOINT_TEXT_MAX (2u << 20)
enum endpoint_flavour { ENDPOINT_OPENMETRICS, ENDPOINT_PROMETHEUS, ENDPOINT_FLAVOURS };
struct endpoint;
struct endpoint *endpoint__start(const char *address, char *error, size_t error_size);
void endpoint__stop(struct endpoint *e); /* ends the process, removes a unix socket */
int endpoint__publish(struct endpoint *e, enum endpoint_flavour flavour, const char *text,
		      size_t length);
void endpoint__poll(struct endpoint *e, uint64_t now); /* starts the process again if it died */
uint64_t endpoint__restarts(const struct endpoint *e);
uint64_t endpoint__requests(const struct endpoint *e);
int endpoint__port(const struct endpoint *e); /* for port 0 in tests; -1 for a unix socket */

/*
 * Write `text` to `path` by a temporary file beside it and rename; mode 0644. -EEXIST: what has the
 * name is no file (a link is replaced, not followed).
 */
int textfile_write(const char *path, const char *text, size_t length);
bool textfile_may_be(const char *path); /* false: it would be -EEXIST */

/* --- systemd
 * ---------------------------------------------------------------------------------------- */

/* State lines to $NOTIFY_SOCKET; 0 without one. */
int notify_state(const char *state);
uint64_t notify_watchdog_ns(void); /* half of $WATCHDOG_USEC, 0: no watchdog */
/* Work between two pings that may take long, such as a last look over a large model: the watchdog
 * waits ten times as long until it is over. WATCHDOG_USEC= of sd_notify(3), systemd 233. */
void notify_slow(bool begins);

/* Kinds of journal entries beyond the findings' codes, which come first (enum finding_code). */
enum journal_kind {
	JOURNAL_STARTED = 32,
	JOURNAL_STOPPED,
	JOURNAL_SHED,
	JOURNAL_RESTORED,
	JOURNAL_INCIDENT_FAILED,
	JOURNAL_HOOK_FAILED,
	JOURNAL_RELOADED,
	JOURNAL_RELOAD_FAILED,
	JOURNAL_PROBES,
	JOURNAL_LOSSES,
	JOURNAL_STALL,
	JOURNAL_RESOLVED,
	JOURNAL_RESTARTED,
	JOURNAL_KINDS,
};
const char *journal_message_id(unsigned int kind); /* 32 hex digits; NULL: no such kind */
struct journal_field {
	const char *name, *value; /* NAME in capitals; value any bytes but NUL */
};
/* One structured entry; to stderr as a line where there is no journal. */
void journal_entry(unsigned int kind, int priority, const char *message,
		   const struct journal_field *fields, size_t count);

/* --- own cost
 * --------------------------------------------------------------------------------------- */

struct overhead_options {
	double budget;	      /* CPUs, 0.005 = half a percent of one */
	uint64_t interval_ns; /* between samples, 0: 60 s */
	uint64_t sample_ns;   /* length of a sample, 0: 1 s */
};
/* What the counters said at one moment. */
struct overhead_counters {
	uint64_t mono, cpu_ns; /* own user + system time */
	uint64_t acquisitions;
	uint64_t bpf_ns, bpf_runs; /* run-time statistics; move only while they are on */
};
struct overhead {
	struct overhead_options options;
	struct overhead_counters window, sample; /* at their start */
	int stats_fd;				 /* >= 0: statistics are on */
	double clock_ns;			 /* what one run is charged for reading the clock */
	double ns_per_acquisition;		 /* from the last sample */
	double bpf_ratio, total_ratio;		 /* last window; bpf_ratio < 0: never measured */
	uint32_t over, under;			 /* consecutive windows */
	uint32_t shed;				 /* enum shed mask that should be in force */
	uint64_t steps;
};
void overhead__init(struct overhead *o, const struct overhead_options *options);
void overhead__close(struct overhead *o);
/* Call about once a second. True when `shed` changed: pass it to capture, log it. */
bool overhead__step(struct overhead *o, const struct overhead_counters *now);
/* The pure part: one window's ratio in, the mask to use out. */
uint32_t overhead__decide(struct overhead *o, double ratio);
const char *overhead__step_name(uint32_t mask); /* what the newest step gave up, in words */
uint64_t process_cpu_ns(void);
uint64_t process_memory_bytes(void);

/* --- privileges
 * ---------------------------------------------------------------------------------------- */

/*
 * After attach: everything leaves the bounding, inheritable and ambient sets, no_new_privs is set,
 * and the permitted set keeps only what attaching again (module reload), the sample of own cost and
 * the change of user of children need. The effective set is the same: libbpf's calls may come at
 * any poll.
 */
int privileges_drop(void);
/* In a child: nobody (or the own user), no capabilities, no files but the two given, small limits,
 * a filter of system calls (util/syscall_filter.h); it ends with its parent. */
int privileges_none(int keep_fd, int keep_fd2, uint64_t memory_bytes);

/*
 * Run `parse` in a child without privileges; it reads `in` (opened here, regular file of at most
 * max_bytes, links not followed, -EPERM where we are root and others can write it) and prints to
 * `out`. What it printed comes back in *text (caller frees), at most max_bytes * 4. A crash, a hang
 * beyond 5 s or a non-zero return is -EBADMSG.
 */
int parse_unprivileged(const char *path, size_t max_bytes,
		       int (*parse)(void *context, int in, int out), void *context, char **text,
		       size_t *length);

/*
 * rule_set__load by such a child: only its rows come back, as counted strings, and are checked
 * here. NULL when the file cannot be read or nothing in it is usable. *complaints counts what was
 * said.
 */
struct rule_set;
struct rule_set *rules_load_unprivileged(const char *path, uint32_t *complaints,
					 void (*complain)(void *context, const char *file,
							  uint32_t line, const char *message),
					 void *context);

#endif
