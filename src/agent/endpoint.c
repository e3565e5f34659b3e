// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's side of the endpoint: its process, the texts it may show. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "endpoint.h"

#define MEMORY_LIMIT (256ULL << 20)
#define RESTART_PAUSE_NS 2000000000ULL

struct endpoint {
	struct endpoint_shared *shared;
	int listener, lifeline;
	pid_t child, owner;
	uint64_t retry_at, restarts;
	char path[PATH_MAX];
};

static int start(struct endpoint *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	e->child = fork();
	if (!e->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != e->owner || privileges_none(e->listener, ends[0], MEMORY_LIMIT))
			_exit(1);
		endpoint_serve(e->shared, e->listener, ends[0]);
	}
	close(ends[0]);
	if (e->child < 0) {
		e->child = 0;
		close(ends[1]);
		return -errno;
	}
	if (e->lifeline >= 0)
		close(e->lifeline);
	e->lifeline = ends[1];
	return 0;
}

struct endpoint *endpoint__start(const char *address, char *error, size_t error_size)
{
	struct endpoint *e = calloc(1, sizeof(*e));

	if (!e) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	e->owner = getpid();
	e->lifeline = -1;
	e->shared = mmap(NULL, sizeof(*e->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (e->shared == MAP_FAILED) {
		snprintf(error, error_size, "no memory for the metrics: %s", strerror(errno));
		free(e);
		return NULL;
	}
	e->listener = endpoint_listen(address, e->path, sizeof(e->path), error, error_size);
	if (e->listener < 0)
		goto fail;
	if (start(e)) {
		snprintf(error, error_size, "cannot start the metrics endpoint: %s",
			 strerror(errno));
		goto fail;
	}
	return e;
fail:
	endpoint__stop(e);
	return NULL;
}

void endpoint__stop(struct endpoint *e)
{
	if (!e)
		return;
	if (e->lifeline >= 0)
		close(e->lifeline);
	/* it ends by itself; one that does not is no reason to wait */
	for (int i = 0; e->child > 0 && i < 100 && !waitpid(e->child, NULL, WNOHANG); i++)
		usleep(10000);
	if (e->listener >= 0) {
		close(e->listener);
		if (e->path[0])
			unlink(e->path);
	}
	munmap(e->shared, sizeof(*e->shared));
	free(e);
}

int endpoint__publish(struct endpoint *e, enum endpoint_flavour flavour, const char *text,
		      size_t length)
{
	struct endpoint_text *t = &e->shared->texts[flavour];
	unsigned int sequence = atomic_load_explicit(&t->sequence, memory_order_relaxed);

	if (length > sizeof(t->text))
		return -E2BIG;
	atomic_store_explicit(&t->sequence, sequence + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy(t->text, text, length);
	atomic_store_explicit(&t->length, (unsigned int)length, memory_order_relaxed);
	atomic_store_explicit(&t->sequence, sequence + 2, memory_order_release);
	return 0;
}

void endpoint__poll(struct endpoint *e, uint64_t now)
{
	if (!e)
		return;
	if (e->child > 0 && waitpid(e->child, NULL, WNOHANG) == e->child) {
		e->child = 0;
		e->retry_at = now + RESTART_PAUSE_NS;
	}
	if (!e->child && now >= e->retry_at) {
		e->restarts++;
		if (start(e))
			e->retry_at = now + RESTART_PAUSE_NS;
	}
}

uint64_t endpoint__restarts(const struct endpoint *e)
{
	return e ? e->restarts : 0;
}

uint64_t endpoint__requests(const struct endpoint *e)
{
	return e ? atomic_load(&e->shared->requests) : 0;
}

int endpoint__port(const struct endpoint *e)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getsockname(e->listener, (struct sockaddr *)&address, &length))
		return -errno;
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return -1;
}
