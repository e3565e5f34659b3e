/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * contention.h (src/capture) - live deadlocks, stalls and wait times from the contention
 * tracepoints.
 *
 * A piece of its own: it needs no lock probes, so it works where fentry and kprobes are refused
 * (watch --attach tracepoint). capture.c drives it:
 *
 *   contention__open, contention__attach, then in the loop: contention__poll (or its ring in
 * another ring_buffer: contention__ring_fd, contention__on_record) and contention__sweep once a
 * second; at the end contention__stop (last wait times, detach) and contention__close.
 *
 * Findings, stalls and resolutions go to the callbacks of capture_options. A deadlock is passed on
 * only after it was looked at again, from user space.
 */
#ifndef VFIOTRACE_CONTENTION_H
#define VFIOTRACE_CONTENTION_H

#include <stddef.h>

#include "capture.h"

struct contention;

struct contention_hooks {
	int held_map; /* fd of the lock programs' task storage `tasks`; -1: none, readers stay
			 unknown */
	/* Instance this address already has in the model; NO_ID: none. May be NULL. */
	uint32_t (*known_instance)(void *context, uint64_t address);
	void *context;
};

/* -ENOTSUP: no contention tracepoints (before 5.19), -EPERM; contention__error says it in words. */
struct contention *contention__open(const struct capture_options *options,
				    const struct contention_hooks *hooks, int *error);
int contention__attach(struct contention *c);
int contention__ring_fd(const struct contention *c);
int contention__on_record(void *contention, void *data, size_t size);
int contention__poll(struct contention *c, int timeout_ms);
int contention__sweep(struct contention *c);
void contention__stop(struct contention *c);
void contention__close(struct contention *c);
const char *contention__error(void);

/*
 * A smaller model takes over: marks what is counted further, adding nothing; then the model made.
 */
void contention__select(struct contention *c, struct keep_set *s);
void contention__switch_model(struct contention *c, struct model *m, const struct id_remap *remap);

/* Rows for the list of probes, and bytes of its maps. */
uint32_t contention__probes(const struct contention *c, struct probe_info *out, uint32_t max);
uint64_t contention__map_bytes(const struct contention *c);

#endif
