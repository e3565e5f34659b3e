// SPDX-License-Identifier: GPL-2.0-or-later
/* The endpoint's socket: numeric TCP address or unix path. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "endpoint.h"

#define BACKLOG 128

static int listen_unix(const char *path, char *error, size_t error_size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat about;
	int fd, status = 0;

	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(error, error_size, "%s is too long for a socket's path", path);
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	/* a socket left by a run that was killed; anything else there is not ours to remove */
	if (!lstat(path, &about)) {
		if (!S_ISSOCK(about.st_mode)) {
			snprintf(error, error_size, "%s exists and is not a socket", path);
			return -EEXIST;
		}
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || chmod(path, 0660) ||
	    listen(fd, BACKLOG)) {
		status = -errno;
		snprintf(error, error_size, "cannot listen on %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return status ? status : fd;
}

/* "127.0.0.1:9756", "[::1]:9756" into its two parts. */
static int split(const char *address, char host[64], char port[8])
{
	const char *colon = strrchr(address, ':');
	const char *from = address, *until = colon;

	if (!colon || strlen(colon + 1) < 1 || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return -EINVAL;
	if (*from == '[') {
		from++;
		until--;
		if (until <= from || *until != ']')
			return -EINVAL;
	} else if (memchr(address, ':', (size_t)(colon - address))) {
		return -EINVAL;
	}
	if (until <= from || until - from > 63)
		return -EINVAL;
	snprintf(host, 64, "%.*s", (int)(until - from), from);
	snprintf(port, 8, "%s", colon + 1);
	return 0;
}

static int listen_tcp(const char *text, char *error, size_t error_size)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *address = NULL;
	char host[64], port[8];
	int fd, one = 1, status = 0;

	if (split(text, host, port) || getaddrinfo(host, port, &hints, &address)) {
		snprintf(error, error_size,
			 "--listen takes ADDRESS:PORT in numbers or a socket's path, not \"%s\"",
			 text);
		return -EINVAL;
	}
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, BACKLOG)) {
		status = -errno;
		snprintf(error, error_size, "cannot listen on %s: %s", text, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(address);
	return status ? status : fd;
}

int endpoint_listen(const char *address, char *path, size_t path_size, char *error,
		    size_t error_size)
{
	if (!strncmp(address, "unix:", 5))
		address += 5;
	path[0] = 0;
	if (*address != '/')
		return listen_tcp(address, error, error_size);
	snprintf(path, path_size, "%s", address);
	return listen_unix(address, error, error_size);
}
