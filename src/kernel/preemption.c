// SPDX-License-Identifier: GPL-2.0-or-later
/* May a task lose its CPU while it is in the kernel, and so inside a tracing program? */
#include <string.h>
#include <unistd.h>

#include "kernel/kernel_private.h"

static bool read_preemption(const struct kernel *k)
{
	char modes[128] = "";
	int fd = pseudo_fs__open("debugfs", "/sys/kernel/debug", "sched/preempt");
	ssize_t length = fd >= 0 ? read(fd, modes, sizeof(modes) - 1) : -1;

	if (fd >= 0)
		close(fd);
	/* "none voluntary (full) lazy": chosen at boot, or later */
	if (length > 0)
		return strstr(modes, "(full)") || strstr(modes, "(lazy)");
	return strstr(k->version_text, "PREEMPT") != NULL;
}

bool kernel__is_preemptible(struct kernel *k)
{
	if (k->preemptible < 0)
		k->preemptible = read_preemption(k);
	return k->preemptible;
}
