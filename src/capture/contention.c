// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the capture meets the contention programs (contention.h): they run beside the lock probes,
 * and alone at the lowest attach level.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "contention/contention.h"
#include "capture/capture_private.h"

/* The instance the lock programs' records gave this address; the map knows the current generation.
 */
static uint32_t known_instance(void *context, uint64_t address)
{
	struct capture *c = context;
	struct interest_value interest = {0};
	int fd = programs__map_fd(c, "interest");

	if (fd >= 0 && bpf_map_lookup_elem(fd, &address, &interest))
		interest.generation = 0;
	return lock_names__known(c->names, address, interest.generation);
}

/* Without it there is no live deadlock detection; everything else works, so that is one missing
 * row. */
void capture__open_contention(struct capture *c)
{
	struct contention_hooks hooks = {
		.held_map = programs__map_fd(c, "tasks"),
		.known_instance = known_instance,
		.context = c,
	};

	if (hooks.held_map < 0)
		hooks.held_map = -1;
	c->contention = contention__open(&c->options, &hooks, &c->contention_error);
	if (c->contention && c->ring)
		ring_buffer__add(c->ring, contention__ring_fd(c->contention), contention__on_record,
				 c->contention);
}

int capture__attach_contention(struct capture *c)
{
	int err = c->contention ? contention__attach(c->contention) : c->contention_error;

	if (err && c->contention) {
		contention__close(c->contention);
		c->contention = NULL;
		c->contention_error = err;
	}
	/* No wait seen and no wait looked at must not read the same. */
	if (err)
		model__set_fact(c->options.model, "probe.waits", contention__error());
	return err;
}

uint32_t capture__contention_probes(const struct capture *c, struct probe_info *out, uint32_t max)
{
	if (c->contention)
		return contention__probes(c->contention, out, max);
	if (!c->contention_error || !max)
		return 0;
	*out = (struct probe_info){
		.name = "contention_begin",
		.how = "tp_btf",
		.reason = contention__error(),
		.state = c->contention_error == -ENOENT || c->contention_error == -ESRCH
				 ? PROBE_MISSING
				 : PROBE_FAILED,
	};
	return 1;
}
