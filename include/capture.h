/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture.h - load, attach, read: the live source.
 *
 * Purpose: turn what the BPF programs report into calls on the model. Each probe is a row of the
 * probe table with alternatives (capture/probe_table.c); a missing row costs that row only.
 *
 * Life cycle: capture__open (loads), capture__attach (attaches everything, then opens the ready
 * gate), capture__poll in a loop, capture__stop (closes the gate, drains), capture__close
 * (detaches; nothing stays in the kernel).
 *
 * Errors: -errno with a message that names the missing piece and the remedy (capture__error);
 * -EPERM/-ENOTSUP mean exit status 77.
 */
#ifndef VFIOTRACE_CAPTURE_H
#define VFIOTRACE_CAPTURE_H

#include "finding.h"
#include "kernel.h"
#include "probe.h"
#include "keep_set.h"

struct capture;

/* A wait longer than the --stall limit, reported once per wait. */
struct stall {
	uint32_t task, instance, owner; /* ids; owner NO_ID if unknown */
	uint64_t since, mono;
	char owner_state;
	const char *owner_doing; /* "running", "sleeping in …", "waiting for I/O" */
	uint32_t stack, user_stack, owner_stack;
};

struct capture_options {
	struct kernel *kernel;
	struct model *model;
	enum attach_level attach;
	bool scope_all;
	bool holds, record_events;
	uint64_t stall_ns;	/* 0: off */
	const char *fail_probe; /* tests: this row behaves as if it could not attach */
	uint32_t ring_bytes;	/* 0: default */
	uint32_t kernel_chains; /* the kernel's table of chains, the least recent go; 0: default */
	bool force;		/* beside another instance */
	int verbosity;
	/* events that are not in the model; any may be NULL */
	void (*on_finding)(void *context, const struct finding *finding); /* deadlock, recursion */
	void (*on_resolved)(void *context, const char *key, uint64_t when);
	void (*on_stall)(void *context, const struct stall *stall);
	void (*on_probes_changed)(void *context); /* module was loaded or unloaded */
	void *context;
};

struct capture *capture__open(const struct capture_options *options, int *error);
int capture__attach(struct capture *c);
/* Wait up to timeout_ms for records, feed them. Also runs the once-a-second sweep. */
int capture__poll(struct capture *c, int timeout_ms);
/* Reads what is left; then nothing is recorded any more, and the probes go while we go on. */
int capture__stop(struct capture *c);
void capture__close(struct capture *c);
const char *capture__error(void);

uint32_t capture__probes(const struct capture *c, struct probe_info *out, uint32_t max);
enum attach_level capture__level(const struct capture *c);
/* Why not a better level, or NULL. */
const char *capture__level_reason(const struct capture *c);

struct capture_stats {
	uint64_t acquisitions, known_chains, records, record_bytes;
	uint64_t attach_ns, detach_ns;
	uint64_t map_bytes;
	uint64_t run_ns, run_count; /* bpf_stats, 0 if never enabled */
};
/* After capture__stop it waits until the last probe is gone. */
void capture__stats(struct capture *c, struct capture_stats *out);
/* Shed load in announced steps (agent): bit mask of enum shed. */
enum shed { SHED_SCOPE = 1, SHED_READERS = 2, SHED_CHAINS = 4 };
int capture__shed(struct capture *c, uint32_t mask);
/*
 * A smaller model takes over while everything stays attached (between two polls). capture__select
 * marks and closes what must stay, given what is marked already; from then on records are only kept
 * for later: capture__prefetch empties the ring while the model is made, so that it does not run
 * full. capture__switch_model takes the model made (it is options.model then) or is left out;
 * capture__resume decodes what came meanwhile. -EOPNOTSUPP: not with event streams, hold times, or
 * waits alone.
 */
int capture__select(struct capture *c, struct keep_set *s);
void capture__prefetch(struct capture *c);
void capture__switch_model(struct capture *c, struct model *m, const struct id_remap *remap);
void capture__resume(struct capture *c);

#endif
