/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.h - what the agent and the endpoint's process share: memory mapped before the fork.
 *
 * A text is written under a sequence count: odd while it changes. The reader copies and looks
 * again; it never writes but to `requests`, and the agent trusts nothing in here but that count.
 */
#ifndef VFIOTRACE_AGENT_ENDPOINT_H
#define VFIOTRACE_AGENT_ENDPOINT_H

#include <stdatomic.h>

#include "agent.h"

struct endpoint_text {
	atomic_uint sequence;
	atomic_uint length;
	char text[ENDPOINT_TEXT_MAX];
};

struct endpoint_shared {
	atomic_ullong requests;
	struct endpoint_text texts[ENDPOINT_FLAVOURS];
};

/*
 * Never returns. `listener` is bound and listening. It ends when the other end of the pipe
 * `lifeline` is closed: the agent, which has given up CAP_KILL, cannot end another user's process.
 */
void endpoint_serve(struct endpoint_shared *shared, int listener, int lifeline)
	__attribute__((noreturn));
/* A listening socket for the address; `path` is filled for a unix socket, else "". */
int endpoint_listen(const char *address, char *path, size_t path_size, char *error,
		    size_t error_size);

#endif
