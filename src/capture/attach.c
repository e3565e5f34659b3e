// SPDX-License-Identifier: GPL-2.0-or-later
/* Attach what was loaded, row by row, and take it off again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture_private.h"

static struct bpf_link *attach_program(struct capture *c, struct probe *probe, int which)
{
	struct bpf_program *program = probe->programs[which];

	if (is_direct(c) || (probe->row->flags & PROBE_TRACEPOINT))
		return bpf_program__attach(program);
	return bpf_program__attach_kprobe(program, which == AT_EXIT, probe->function);
}

/*
 * The program attached last runs first (so far): that is to be the one that does the work as a
 * rule. Either order is right, the other one counts more.
 */
static int attach_row(struct capture *c, struct probe *probe)
{
	int error = 0;

	for (int j = PROBE_PROGRAMS - 1; j >= 0; j--) {
		if (!probe->programs[j] || probe->links[j])
			continue;
		probe->links[j] = attach_program(c, probe, j);
		if (!probe->links[j])
			error = -errno;
	}
	return error;
}

/* What did not attach: because the kernel says that it cannot? Then the row is missing. */
static bool is_untraceable(const struct capture *c, struct probe *probe)
{
	if (probe->row->flags & PROBE_TRACEPOINT ||
	    kernel__is_traceable(c->options.kernel, probe->function))
		return false;
	for (int j = 0; j < PROBE_PROGRAMS; j++) {
		bpf_link__destroy(probe->links[j]);
		probe->links[j] = NULL;
	}
	probe__is_untraceable(probe);
	return true;
}

/*
 * Some kernels load a direct call and then do not attach it (arm64 before 6.4), so one row is
 * attached before this level is chosen.
 */
#define KERNEL_ENOTSUPP 524 /* never meant for user space, and still what comes back */
int programs__attach_first(struct capture *c)
{
	int none = 0;

	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];
		int error;

		if (probe->state != PROBE_PENDING || !probe->programs[AT_ENTRY])
			continue;
		error = attach_row(c, probe);
		if (error && is_untraceable(c, probe)) {
			none = -ENOENT;
			continue;
		}
		return error == -KERNEL_ENOTSUPP ? -EOPNOTSUPP : error;
	}
	return none;
}

int programs__attach_pending(struct capture *c)
{
	int attached = 0;

	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];
		int error;

		if (probe->state != PROBE_PENDING ||
		    (!probe->programs[AT_ENTRY] && !probe->programs[AT_EXIT]))
			continue;
		error = attach_row(c, probe);
		probe->state = error ? PROBE_FAILED : PROBE_ATTACHED;
		if (error)
			snprintf(probe->reason, sizeof(probe->reason), "cannot attach: %s",
				 strerror(-error));
		attached += !error;
	}
	return attached;
}

void programs__explain_failed(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (probe->state == PROBE_FAILED &&
		    (probe->programs[AT_ENTRY] || probe->programs[AT_EXIT]))
			is_untraceable(c, probe);
	}
}

struct attaching {
	struct capture *capture;
	pthread_t thread;
	int attached;
};

static void *attach_pending(void *context)
{
	struct attaching *a = context;

	a->attached = programs__attach_pending(a->capture);
	return NULL;
}

void programs__attach_begin(struct capture *c)
{
	struct attaching *a = calloc(1, sizeof(*a));

	if (!a)
		return;
	a->capture = c;
	if (pthread_create(&a->thread, NULL, attach_pending, a))
		free(a);
	else
		c->attaching = a;
}

int programs__attach_end(struct capture *c)
{
	int attached = -1;

	if (!c->attaching)
		return attached;
	pthread_join(c->attaching->thread, NULL);
	attached = c->attaching->attached;
	free(c->attaching);
	c->attaching = NULL;
	return attached;
}

void programs__detach(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++)
		for (int j = PROBE_PROGRAMS - 1; j >= 0; j--) {
			bpf_link__destroy(c->probes[i].links[j]);
			c->probes[i].links[j] = NULL;
		}
}

static void detach_row(struct probe *probe)
{
	for (int j = PROBE_PROGRAMS - 1; j >= 0; j--) { /* the second first */
		bpf_link__destroy(probe->links[j]);
		probe->links[j] = NULL;
	}
}

void programs__withdraw_unreleased(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];
		const struct probe *release;

		if (!probe->row->released_by || probe->state != PROBE_ATTACHED)
			continue;
		release = probes__find(c, probe->row->released_by);
		/* made to fail on request: as if each run of it were skipped */
		if (!release || release->state == PROBE_ATTACHED ||
		    (c->options.fail_probe && probe->row->only_class &&
		     !strcmp(c->options.fail_probe, release->row->name)))
			continue;
		detach_row(probe);
		probe->state = PROBE_FAILED;
		snprintf(probe->reason, sizeof(probe->reason),
			 "%s is not probed: a lock taken here would never be released",
			 release->row->name);
	}
}

/* Detach the readers' rows; they stay off until the next start. */
void programs__shed_readers(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (!(probe->row->flags & PROBE_READER) || probe->state != PROBE_ATTACHED)
			continue;
		detach_row(probe);
		probe->state = PROBE_MISSING;
		snprintf(probe->reason, sizeof(probe->reason), "shed to stay within the budget");
		model__add_loss(c->options.model, LOSS_PROBE_MISSING, 1);
	}
}
