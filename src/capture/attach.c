// SPDX-License-Identifier: GPL-2.0-or-later
/* Attach what was loaded, row by row, and take it off again. */
#include <errno.h>
#include <stdio.h>
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

/*
 * Some kernels load a direct call and then do not attach it (arm64 before 6.4), so one row is
 * attached before this level is chosen.
 */
#define KERNEL_ENOTSUPP 524 /* never meant for user space, and still what comes back */
int programs__attach_first(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];
		int error;

		if (probe->state != PROBE_PENDING || !probe->programs[AT_ENTRY])
			continue;
		error = attach_row(c, probe);
		return error == -KERNEL_ENOTSUPP ? -EOPNOTSUPP : error;
	}
	return 0;
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

void programs__detach(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++)
		for (int j = PROBE_PROGRAMS - 1; j >= 0; j--) {
			bpf_link__destroy(c->probes[i].links[j]);
			c->probes[i].links[j] = NULL;
		}
}

/* Detach the readers' rows; they stay off until the next start. */
void programs__shed_readers(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		struct probe *probe = &c->probes[i];

		if (!(probe->row->flags & PROBE_READER) || probe->state != PROBE_ATTACHED)
			continue;
		for (int j = PROBE_PROGRAMS - 1; j >= 0; j--) { /* the second first */
			bpf_link__destroy(probe->links[j]);
			probe->links[j] = NULL;
		}
		probe->state = PROBE_MISSING;
		snprintf(probe->reason, sizeof(probe->reason), "shed to stay within the budget");
		model__add_loss(c->options.model, LOSS_PROBE_MISSING, 1);
	}
}
