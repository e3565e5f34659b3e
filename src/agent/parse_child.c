// SPDX-License-Identifier: GPL-2.0-or-later
/* Input files of the service are parsed by an unprivileged child. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "util/input.h"
#include "util/clock.h"

#define TIME_LIMIT_NS 5000000000ULL
#define MEMORY_LIMIT (256ULL << 20)

static int open_input(const char *path, size_t max_bytes)
{
	/* O_NONBLOCK: a fifo in its place must not hold the service up */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat about;
	char why[200];
	int status;

	if (fd < 0)
		return -errno;
	status = input_check(fd, INPUT_TRUSTED, why, sizeof(why));
	if (!status && fstat(fd, &about))
		status = -errno;
	else if (!status && (uint64_t)about.st_size > max_bytes)
		status = -EFBIG;
	if (status)
		close(fd);
	return status ? status : fd;
}

/* Everything the child prints, until it closes its end or time or room runs out. */
static int read_output(int fd, size_t max_bytes, char **text, size_t *length)
{
	uint64_t until = clock_mono_ns() + TIME_LIMIT_NS;
	char *buffer = malloc(max_bytes + 1);
	size_t used = 0;
	int status = -EBADMSG;

	while (buffer && used <= max_bytes) {
		uint64_t now = clock_mono_ns();
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (now >= until || poll(&wait, 1, (int)((until - now) / 1000000) + 1) == 0)
			break;
		got = read(fd, buffer + used, max_bytes + 1 - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			status = got < 0 ? -errno : 0;
			break;
		}
		used += (size_t)got;
	}
	if (!buffer)
		status = -ENOMEM;
	if (status) {
		free(buffer);
		return status;
	}
	buffer[used] = 0;
	*text = buffer;
	*length = used;
	return 0;
}

int parse_unprivileged(const char *path, size_t max_bytes,
		       int (*parse)(void *context, int in, int out), void *context, char **text,
		       size_t *length)
{
	int in = open_input(path, max_bytes), ends[2], status, exit_status = 0;
	pid_t child, ended = 0;

	if (in < 0)
		return in;
	if (pipe2(ends, O_CLOEXEC)) {
		status = -errno;
		close(in);
		return status;
	}
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGALRM, SIG_DFL);
		alarm(TIME_LIMIT_NS / 1000000000ULL + 1);
		if (privileges_none(in, ends[1], MEMORY_LIMIT))
			_exit(2);
		_exit(parse(context, in, ends[1]) ? 1 : 0);
	}
	status = child < 0 ? -errno : 0;
	close(in);
	close(ends[1]);
	if (!status)
		status = read_output(ends[0], max_bytes * 4, text, length);
	close(ends[0]);
	if (child < 0)
		return status;
	/* its alarm ends it too; without CAP_KILL another user's process cannot be ended from here
	 */
	if (status)
		kill(child, SIGKILL);
	for (int i = 0; i < 200 && !(ended = waitpid(child, &exit_status, WNOHANG)); i++)
		usleep(10000);
	if (!status && (ended != child || exit_status)) {
		free(*text);
		status = -EBADMSG;
	}
	return status;
}
