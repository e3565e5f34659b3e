// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The endpoint's process: libmicrohttpd, one answer a connection, then it is closed.
 *
 * libmicrohttpd's own timeout is one of silence, so a client that sends a byte now and then would
 * keep its connection for ever: here every connection has a deadline from its start, and when many
 * are open the oldest goes first, so that a scraper gets through a flood.
 */
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"
#include "util/clock.h"

#define CONNECTIONS_MAX 256
#define CONNECTIONS_CROWDED 192
#define DEADLINE_NS 10000000000ULL
#define SILENCE_SECONDS 5
#define CONNECTION_MEMORY 16384

struct slot {
	int fd; /* -1: free */
	uint64_t started;
};

static struct slot slots[CONNECTIONS_MAX];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;

/* With the lock held. The library closes the descriptor itself once it sees the end. */
static void end(struct slot *slot)
{
	shutdown(slot->fd, SHUT_RDWR);
	slot->started = UINT64_MAX;
}

static void end_oldest_if_crowded(void)
{
	struct slot *oldest = NULL;
	int used = 0;

	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		if (slots[i].fd < 0)
			continue;
		used++;
		if (!oldest || slots[i].started < oldest->started)
			oldest = &slots[i];
	}
	if (used > CONNECTIONS_CROWDED && oldest->started != UINT64_MAX)
		end(oldest);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct slot *slot = NULL;

	(void)context;
	pthread_mutex_lock(&slots_lock);
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		slot = *socket_context;
		if (slot)
			slot->fd = -1;
		goto cleanup;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	end_oldest_if_crowded();
	for (int i = 0; info && !slot && i < CONNECTIONS_MAX; i++)
		if (slots[i].fd < 0)
			slot = &slots[i];
	if (slot) {
		slot->fd = info->connect_fd;
		slot->started = clock_mono_ns();
	}
	*socket_context = slot;
cleanup:
	pthread_mutex_unlock(&slots_lock);
}

static void end_overdue(void)
{
	uint64_t now = clock_mono_ns();

	pthread_mutex_lock(&slots_lock);
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		if (slots[i].fd >= 0 && slots[i].started != UINT64_MAX &&
		    now - slots[i].started > DEADLINE_NS)
			end(&slots[i]);
	pthread_mutex_unlock(&slots_lock);
}

/* A consistent copy, or NULL when the writer kept changing it or died half way. */
static char *copy_text(struct endpoint_text *t, size_t *length)
{
	char *copy = malloc(ENDPOINT_TEXT_MAX);

	for (int i = 0; copy && i < 1000; i++) {
		unsigned int before = atomic_load_explicit(&t->sequence, memory_order_acquire);

		*length = atomic_load_explicit(&t->length, memory_order_relaxed);
		if (*length > ENDPOINT_TEXT_MAX)
			*length = ENDPOINT_TEXT_MAX;
		memcpy(copy, t->text, *length);
		atomic_thread_fence(memory_order_acquire);
		if (before && !(before & 1) &&
		    atomic_load_explicit(&t->sequence, memory_order_relaxed) == before)
			return copy;
		usleep(1000);
	}
	free(copy);
	return NULL;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      struct MHD_Response *response, const char *type)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Connection", "close");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	return answer(connection, status,
		      MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
						      MHD_RESPMEM_PERSISTENT),
		      "text/plain; charset=utf-8");
}

static enum MHD_Result send_metrics(struct endpoint_shared *shared,
				    struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
	bool open = accept && strstr(accept, "application/openmetrics-text");
	struct endpoint_text *t = &shared->texts[open ? ENDPOINT_OPENMETRICS : ENDPOINT_PROMETHEUS];
	size_t length;
	char *copy = copy_text(t, &length);

	if (!copy)
		return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "nothing measured yet\n");
	return answer(connection, MHD_HTTP_OK,
		      MHD_create_response_from_buffer(length, copy, MHD_RESPMEM_MUST_FREE),
		      open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			   : "text/plain; version=0.0.4; charset=utf-8");
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request_context)
{
	static int seen;
	struct endpoint_shared *shared = context;

	(void)version;
	(void)upload;
	/* the first call comes with the headers; an answer is allowed from the second on, except
	 * for a refusal, which need not wait for the body of an upload */
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (!*request_context) {
		*request_context = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_NO;
	}
	atomic_fetch_add(&shared->requests, 1);
	if (!strcmp(url, "/metrics"))
		return send_metrics(shared, connection);
	if (!strcmp(url, "/"))
		return say(connection, MHD_HTTP_OK, "vfiotrace: see /metrics\n");
	return say(connection, MHD_HTTP_NOT_FOUND, "only /metrics is here\n");
}

void endpoint_serve(struct endpoint_shared *shared, int listener, int lifeline)
{
	struct pollfd alive = {.fd = lifeline, .events = POLLIN};
	struct MHD_Daemon *daemon;

	for (int i = 0; i < CONNECTIONS_MAX; i++)
		slots[i].fd = -1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C is for the agent, which ends this process */
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, shared,
				  MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
				  (unsigned int)CONNECTIONS_MAX - 8, MHD_OPTION_CONNECTION_TIMEOUT,
				  (unsigned int)SILENCE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				  (size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION,
				  on_connection, NULL, MHD_OPTION_END);
	if (!daemon)
		_exit(1);
	while (poll(&alive, 1, 500) <= 0)
		end_overdue();
	_exit(0);
}
