// SPDX-License-Identifier: GPL-2.0-or-later
/* Graphviz as a child process: text in, picture out, no shell between. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report/outputs.h"
#include "util/clock.h"

extern char **environ;

struct child {
	pid_t pid;
	int to, from; /* -1 when closed */
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int spawn_dot(const char *format, struct child *child)
{
	char option[32];
	char *arguments[] = {(char *)"dot", option, NULL};
	int in[2], out[2] = {-1, -1}, status;
	posix_spawn_file_actions_t actions;

	snprintf(option, sizeof(option), "-T%s", format);
	if (pipe2(in, O_CLOEXEC))
		return -errno;
	if (pipe2(out, O_CLOEXEC)) {
		status = errno;
		close(in[0]);
		close(in[1]);
		return -status;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	status = posix_spawnp(&child->pid, "dot", &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	child->to = in[1];
	child->from = out[0];
	if (status) {
		close_end(&child->to);
		close_end(&child->from);
		return -status;
	}
	fcntl(child->to, F_SETFL, O_NONBLOCK);
	return 0;
}

static int64_t milliseconds_left(uint64_t deadline)
{
	return ((int64_t)deadline - (int64_t)clock_mono_ns()) / (int64_t)NSEC_PER_MSEC;
}

static void feed(struct child *child, const char **text, size_t *left)
{
	ssize_t written = write(child->to, *text, *left);

	if (written < 0 && errno == EAGAIN)
		return;
	if (written > 0) {
		*text += written;
		*left -= (size_t)written;
	}
	if (written < 0 || !*left)
		close_end(&child->to);
}

/* 1 while there is more to come. */
static int drain(struct child *child, FILE *sink)
{
	char buffer[65536];
	ssize_t got = read(child->from, buffer, sizeof(buffer));

	if (got < 0)
		return errno == EINTR ? 1 : -errno;
	fwrite(buffer, 1, (size_t)got, sink);
	return got > 0;
}

static int converse(struct child *child, const char *text, size_t left, unsigned int seconds,
		    FILE *sink)
{
	uint64_t deadline = clock_mono_ns() + seconds * NSEC_PER_SEC;

	for (;;) {
		struct pollfd fds[] = {{child->from, POLLIN, 0}, {child->to, POLLOUT, 0}};
		int64_t wait = milliseconds_left(deadline);
		int more;

		if (wait <= 0)
			return -ETIMEDOUT;
		if (poll(fds, 2, (int)wait) < 0 && errno != EINTR)
			return -errno;
		if (child->to >= 0 && fds[1].revents)
			feed(child, &text, &left);
		if (!fds[0].revents)
			continue;
		more = drain(child, sink);
		if (more <= 0)
			return more;
	}
}

int graphviz_run(const char *format, const char *dot, size_t size, unsigned int seconds, char **out,
		 size_t *out_size)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, previous;
	struct child child = {.to = -1, .from = -1};
	int status, exit_status = 0;
	FILE *sink;

	*out = NULL;
	sink = open_memstream(out, out_size);
	if (!sink)
		return -errno;
	/* A child that dies early closes its input: that is an error to report, not to die of. */
	sigaction(SIGPIPE, &ignore, &previous);
	status = spawn_dot(format, &child);
	if (!status) {
		status = converse(&child, dot, size, seconds, sink);
		close_end(&child.to);
		close_end(&child.from);
		if (status)
			kill(child.pid, SIGKILL);
		while (waitpid(child.pid, &exit_status, 0) < 0 && errno == EINTR)
			;
		if (!status && exit_status)
			status = WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 127 ? -ENOENT
											   : -EIO;
	}
	sigaction(SIGPIPE, &previous, NULL);
	fclose(sink);
	if (status) {
		free(*out);
		*out = NULL;
	}
	return status;
}
