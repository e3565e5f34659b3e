/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture_private.h - the capture room's own state; nobody outside src/capture includes it. */
#ifndef VFIOTRACE_CAPTURE_PRIVATE_H
#define VFIOTRACE_CAPTURE_PRIVATE_H

#include <pthread.h>

#include <bpf/libbpf.h>
#include <uthash.h>

#include "capture.h"
#include "capture/probe_table.h"
#include "record.h"

#define MAX_PROBES 96
enum { AT_ENTRY, AT_EXIT, BACKUP_PROGRAM, PROBE_PROGRAMS };
#define MAX_OBJECTS 8 /* one per set of modules that came up */

/* State of one row of the probe table. */
struct probe {
	const struct probe_row *row;
	const char *function; /* the alternative in use */
	enum probe_state state;
	char how[16];
	char reason[160];
	bool is_counted;  /* as a loss */
	bool is_released; /* pending: its module is there, but nobody used it */
	uint32_t idle_sweeps;
	uint32_t released_sweeps, lingering; /* references that unloaded programs have still */
	uint32_t looks; /* sweeps in which its function was there and could not be traced */
	struct bpf_program *programs[PROBE_PROGRAMS];
	struct bpf_link *links[PROBE_PROGRAMS];
	uint64_t misses_seen[PROBE_PROGRAMS];
};

struct loaded_object {
	struct bpf_object *object;
	enum probe_object kind;
};

struct known_chain {
	uint64_t key;
	uint32_t chain;
	uint64_t counted;
	UT_hash_handle hh;
};

/* Full stack of an acquire site, taken once per (site, lock). */
struct known_site_key {
	uint64_t lock, site;
};
struct known_site {
	struct known_site_key key;
	uint32_t stack;
	UT_hash_handle hh;
};

struct lock_names;
struct contention;

struct waiting_record;
struct record_queue {
	struct waiting_record *first, *last;
	uint32_t count;
};

struct capture {
	struct capture_options options;
	enum attach_level level;
	char fallback_reason[300]; /* why not a better level */
	struct probe probes[MAX_PROBES];
	uint32_t probe_count;
	struct loaded_object objects[MAX_OBJECTS];
	uint32_t object_count;
	struct contention *contention; /* NULL: not possible here, contention_error says why */
	int contention_error;
	struct ring_buffer *ring;    /* NULL with contention tracepoints only */
	struct shared_state *shared; /* mapped */
	size_t shared_bytes;
	struct lock_names *names;
	struct known_chain *known_chains;
	struct known_site *known_sites;
	uint64_t counters_seen[COUNTERS];
	bool is_preemptible;	/* hot functions carry a backup program (backup_program.h) */
	uint64_t first_skipped; /* runs of programs that have a second one, as of the last look */
	uint64_t lost_in_both;	/* calls that neither program did, as far as known */
	struct record_queue deferred, prefetch;
	uint64_t lost_ahead; /* records that could not even wait */
	bool is_moving;	     /* to a smaller model: records wait in prefetch */
	uint64_t next_collect;
	uint64_t module_changes; /* of the shared state, as far as seen */
	uint64_t read_until;	 /* this turn reads no further; 0: to the end of the ring */
	uint32_t stable_sweeps;	 /* since probes were attached last */
	uint64_t acquisitions, records, record_bytes;
	uint64_t attach_ns, detach_ns, stopped_at;
	struct attaching *attaching; /* while the last programs load; NULL: not any more */
	pthread_t detaching;
	bool is_detaching;
	int lock_fd;
	bool stopped;
};

void capture__set_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void capture__capture_libbpf_log(int verbosity);
const char *capture__libbpf_error(void);
void capture__clear_error(void);

/* attach_level.c */
int attach_level__load(struct capture *c); /* at the best level that works, or the one asked for */
void attach_level__explain(struct capture *c, int error); /* sets the error text */

/* programs.c */
void probes__init(struct capture *c);
int programs__load_locks(struct capture *c);
int programs__load_lockdep(struct capture *c); /* instead of locks */
/* rows whose module is there and that are not loaded */
int programs__load_paths(struct capture *c);
int programs__map_fd(const struct capture *c, const char *name);
bool is_direct(const struct capture *c); /* by direct calls, which pin modules */
uint64_t programs__map_bytes(const struct capture *c);
void programs__close(struct capture *c);
struct probe *probes__find(struct capture *c, const char *name);
void probe__is_untraceable(struct probe *probe); /* its function turned out to be: it is missing */

/* program_constants.c */
void programs__set_constants(struct capture *c, struct bpf_object *object); /* before loading */

/* attach.c */
int programs__attach_first(struct capture *c); /* -errno: this kind of probe does not attach here */
int programs__attach_pending(struct capture *c); /* how many rows */
/* Rows that failed because the kernel lets nobody trace the function are missing. */
void programs__explain_failed(struct capture *c);
/*
 * The same as attach_pending in a thread of its own, while more programs load: attaching is waiting
 * for the kernel for the most part. Until programs__attach_end (how many rows, -1: it was not
 * begun) nobody touches the rows.
 */
void programs__attach_begin(struct capture *c);
int programs__attach_end(struct capture *c);
void programs__detach(struct capture *c);
void programs__shed_readers(struct capture *c);
/* Takes rows off whose releases nobody sees. */
void programs__withdraw_unreleased(struct capture *c);

/* module_rows.c: rows of modules that came, went, or are used no more. True if any row changed. */
bool module_rows__follow(struct capture *c);

/* decode.c: ring buffer callback */
int decode__record(void *context, void *data, size_t size);
void decode__now(struct capture *c, const void *data);

/* deferred.c: records that wait for a name, or for a smaller model */
bool deferred__add(struct capture *c, const void *data, size_t size, uint64_t now);
void deferred__run(struct capture *c, uint64_t now);
void deferred__each(const struct capture *c, void (*visit)(void *context, const void *data),
		    void *context);
void deferred__free(struct capture *c);
void prefetch__add(struct capture *c, const void *data, size_t size);
void prefetch__run(struct capture *c); /* as if they came now */

/* frames.c: stacks without the tracer's own frames; stack ids of the model */
uint32_t frames__site(struct capture *c, uint64_t site);
uint32_t frames__full(struct capture *c, const __u64 *ips, uint32_t count, uint64_t site);

/* capture/contention.c */
void capture__open_contention(struct capture *c);
int capture__attach_contention(struct capture *c);
uint32_t capture__contention_probes(const struct capture *c, struct probe_info *out, uint32_t max);

/* counters.c */
void counters__collect(struct capture *c); /* counters, losses, chain counts, coverage */
void coverage__update(struct capture *c);
/* What was skipped before the gate opened is nobody's loss; the last look is before it closes. */
void counters__start_skips(struct capture *c);
void counters__note_skips(struct capture *c);

/* instance_lock.c: one instance a host */
int instance_lock__take(bool force);

/* lock_names.c: what an address is called */
struct lock_names *lock_names__new(struct kernel *kernel, struct model *model);
void lock_names__free(struct lock_names *names);
void lock_names__object(struct lock_names *names, const struct record_object *record);
uint32_t lock_names__instance(struct lock_names *names, const struct record_lock *lock,
			      const struct record_slab *slab, uint64_t mm);
/* Named already, or with a name that nothing later can better. */
bool lock_names__is_known(struct lock_names *names, const struct record_lock *lock,
			  const struct record_slab *slab, uint64_t mm);
/* Instance of an address that a record named before; NO_ID if none did. */
uint32_t lock_names__known(const struct lock_names *names, uint64_t address, uint32_t generation);
/* Model object of a kernel address, NO_ID if not known. */
uint32_t lock_names__find_object(const struct lock_names *names, uint64_t address);
/* compact.c: marks a lock that is known, the objects that are there; then the model that was made.
 */
struct keep_names {
	struct lock_names *names;
	struct keep_set *keep;
};
void lock_names__select(const struct lock_names *names, struct keep_set *s,
			const struct record_lock *lock);
void lock_names__select_objects(const struct lock_names *names, struct keep_set *s);
/* Addresses of the locks marked, ascending, which the caller frees. */
uint64_t *lock_names__selected(const struct lock_names *names, const struct keep_set *s,
			       uint32_t *count);
int lock_names__compare_addresses(const void *a, const void *b);
void lock_names__switch_model(struct lock_names *names, struct model *m,
			      const struct id_remap *remap);

#endif
