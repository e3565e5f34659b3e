// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One instance a host: a second one would pay and count everything twice.
 *
 * Two files, because the service has a user of its own: it cannot make the first one, but may read
 * it (CAP_DAC_READ_SEARCH), and makes the second in its runtime directory, where root looks too.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "capture/capture_private.h"

#define INSTANCE_LOCK "/run/vfiotrace.lock"
#define SERVICE_LOCK "/run/vfiotrace/instance.lock"

static int service_fd = -1;

/* The directory of the second file may belong to somebody else: nothing is made or followed there
 * by root, and a lock needs no right to write. */
static int open_lock(const char *path, bool make)
{
	int fd = -1;

	if (make)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd;
}

static bool is_taken(int fd)
{
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
}

/* Descriptor that holds the lock for as long as it is open; -EBUSY if another instance runs. */
int instance_lock__take(bool force)
{
	int fd = open_lock(INSTANCE_LOCK, true);

	if (service_fd >= 0) /* of an earlier capture of this process */
		close(service_fd);
	service_fd = open_lock(SERVICE_LOCK, geteuid() != 0);
	if ((is_taken(fd) || is_taken(service_fd)) && !force) {
		if (fd >= 0)
			close(fd);
		return -EBUSY;
	}
	if (fd < 0) /* no /run: nothing to share it with either */
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd;
}
