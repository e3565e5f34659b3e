// SPDX-License-Identifier: GPL-2.0-or-later
/* One instance a host: a second one would pay and count everything twice. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "capture/internal.h"

#define INSTANCE_LOCK "/run/vfiotrace.lock"

/* Descriptor that holds the lock for as long as it is open; -EBUSY if another instance runs. */
int instance_lock__take(bool force)
{
	int fd = open(INSTANCE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) /* no /run: nothing to share it with either */
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK && !force) {
		close(fd);
		return -EBUSY;
	}
	return fd;
}
