// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What keeps a hook from the agent that runs as the same user: Landlock for its files, seccomp for
 * its signals.
 *
 * Landlock lists what is allowed, and here one directory is not: so everything beside the way to it
 * is allowed, at each step of that way. New entries of those few directories themselves cannot be
 * made.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/hook_limits.h"
#include "util/syscall_filter.h"

#define CHANGES_OF_FILES LANDLOCK_ACCESS_FS_WRITE_FILE
#define CHANGES                                                                                    \
	(CHANGES_OF_FILES | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |       \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |                              \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                              \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                            \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

static int allow(int rules, int directory, const char *name)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = CHANGES};
	struct stat about;
	int error = 0;

	beneath.parent_fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return 0; /* gone, or not to be reached anyway */
	if (fstat(beneath.parent_fd, &about) || S_ISLNK(about.st_mode)) {
		close(beneath.parent_fd);
		return 0; /* what it leads to has its own place */
	}
	if (!S_ISDIR(about.st_mode))
		beneath.allowed_access = CHANGES_OF_FILES;
	if (syscall(__NR_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
		error = -errno;
	close(beneath.parent_fd);
	return error;
}

/* Everything in the open directory but `but`. A directory that we cannot list allows nothing. */
static int allow_all_but(int rules, int directory, const char *but)
{
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!entries) {
		if (copy >= 0)
			close(copy);
		return 0;
	}
	while (!error && (entry = readdir(entries)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    strcmp(entry->d_name, but))
			error = allow(rules, directory, entry->d_name);
	closedir(entries);
	return error;
}

static int allow_beside(int rules, const char *path)
{
	char copy[PATH_MAX], *save = NULL;
	int directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), error = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, "/", &save); name && directory >= 0 && !error;
	     name = strtok_r(NULL, "/", &save)) {
		int next = openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		error = allow_all_but(rules, directory, name);
		close(directory);
		directory = next;
	}
	if (directory >= 0)
		close(directory);
	return error;
}

static int protect_files(const char *directory)
{
	const struct landlock_ruleset_attr attributes = {.handled_access_fs = CHANGES};
	int rules = (int)syscall(__NR_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	int error;

	if (rules < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	error = allow_beside(rules, directory);
	if (!error && syscall(__NR_landlock_restrict_self, rules, 0))
		error = -errno;
	close(rules);
	return error;
}

int hook_limits__apply(const char *directory, pid_t agent, pid_t keeper)
{
	int error;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	error = protect_files(directory);
	if (!error)
		error = syscall_filter__shield(agent);
	return error ? error : syscall_filter__shield(keeper);
}
