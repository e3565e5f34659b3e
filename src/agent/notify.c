// SPDX-License-Identifier: GPL-2.0-or-later
/* States to the service manager. The protocol is one datagram; libsystemd speaks it where linked.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"

#ifndef VFIOTRACE_STATIC
#include <systemd/sd-daemon.h>

int notify_state(const char *state)
{
	int status = sd_notify(0, state);

	return status < 0 ? status : 0;
}

uint64_t notify_watchdog_ns(void)
{
	uint64_t usec = 0;

	return sd_watchdog_enabled(0, &usec) > 0 ? usec * 500 : 0;
}

#else

int notify_state(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path ? strlen(path) : 0;
	int fd, status = 0;

	if (!length)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		status = -errno;
	close(fd);
	return status;
}

uint64_t notify_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoull(usec, NULL, 10) * 500;
}
#endif

#define SLOW 10

void notify_slow(bool begins)
{
	uint64_t usec = notify_watchdog_ns() / 500;
	char state[64];

	if (!usec)
		return;
	snprintf(state, sizeof(state), "WATCHDOG_USEC=%" PRIu64, usec * (begins ? SLOW : 1));
	notify_state(state);
	notify_state("WATCHDOG=1");
}
