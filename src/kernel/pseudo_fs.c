// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of tracefs and securityfs, also where nobody mounted these; and what tracefs says about the
 * functions ftrace can stop at, read once and kept as a mark on the symbol.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/kernel_private.h"

/* A mount of our own that no path leads to: it is gone when the descriptor is closed. */
static int detached_mount(const char *type)
{
	int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), mount_fd;

	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
		mount_fd = -errno;
	} else {
		mount_fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
		if (mount_fd < 0)
			mount_fd = -errno;
	}
	close(context);
	return mount_fd;
}

int pseudo_fs__open(const char *type, const char *place, const char *name)
{
	char path[256];
	int fd, mount_fd;

	snprintf(path, sizeof(path), "%s/%s", place, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		return -errno;
	mount_fd = detached_mount(type);
	if (mount_fd < 0)
		return mount_fd;
	fd = openat(mount_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(mount_fd);
	return fd;
}

/* Functions of one name share the mark: the list has no addresses to tell them apart. */
static void mark(struct symbol_table *t, char *name)
{
	struct symbol *row = NULL;

	name[strcspn(name, " \t\n")] = 0;
	while ((row = symbols__next(t, name, row)))
		row->traceable = 1;
}

/* The list is kept open and read from its beginning: a service may not open it a second time. */
static int open_list(struct kernel *k)
{
	if (k->traceable_fd < 0)
		k->traceable_fd = pseudo_fs__open("tracefs", "/sys/kernel/tracing",
						  "available_filter_functions");
	return k->traceable_fd;
}

static int mark_listed(struct kernel *k)
{
	char *line = NULL;
	size_t size = 0;
	FILE *file;
	int fd;

	if (open_list(k) < 0)
		return k->traceable_fd;
	if (lseek(k->traceable_fd, 0, SEEK_SET) < 0)
		return -errno;
	fd = fcntl(k->traceable_fd, F_DUPFD_CLOEXEC, 0);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	while (getline(&line, &size, file) > 0)
		mark(&k->symbols, line);
	free(line);
	fclose(file);
	return 0;
}

static int load_traceable(const struct kernel *k)
{
	struct symbol_table *t = &((struct kernel *)k)->symbols;

	if (symbols__load(k) || !t->count)
		return -ENOENT;
	if (t->traceable_loaded)
		return 0;
	for (int reads = 1;; reads++) {
		uint64_t before = modules__fingerprint();
		int error = mark_listed((struct kernel *)k);

		t->traceable_loaded = !error;
		if (error || reads == MODULES_READS || modules__fingerprint() == before)
			return error;
	}
}

void kernel__drop_traceable(struct kernel *k)
{
	k->symbols.traceable_loaded = false;
}

bool kernel__has_symbol(const struct kernel *k, const char *name)
{
	return !symbols__load(k) && symbols__next(&k->symbols, name, NULL);
}

bool kernel__may_be_traceable(const struct kernel *k, const char *function)
{
	return open_list((struct kernel *)k) >= 0 && kernel__has_symbol(k, function);
}

bool kernel__is_traceable(const struct kernel *k, const char *function)
{
	const struct symbol *row;

	if (load_traceable(k))
		return false;
	row = symbols__next(&k->symbols, function, NULL);
	return row && row->traceable;
}
