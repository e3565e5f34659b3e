// SPDX-License-Identifier: GPL-2.0-or-later
/* Which device is meant, whether VFIO has it, and who else has it open. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exercise/exercise_private.h"
#include "util/link_name.h"

static int __attribute__((format(printf, 4, 5)))
refuse(int error, char *message, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, size, format, arguments);
	va_end(arguments);
	return error;
}

/* First entry of a directory whose name starts with `prefix`. */
static bool first_entry(const char *path, const char *prefix, char *out, size_t size)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(out, size, "%.*s", (int)size - 1, entry->d_name);
		found = true;
	}
	if (directory)
		closedir(directory);
	return found;
}

/* VFIO registers a vfio-dev below the device it has (since 6.1); else the driver's name tells. */
static bool has_vfio(const char *device, const char *driver)
{
	char path[PATH_MAX], name[64];

	snprintf(path, sizeof(path), "%s/vfio-dev", device);
	return first_entry(path, "vfio", name, sizeof(name)) || !strncmp(driver, "vfio", 4);
}

static int fill(const char *directory, struct exercise_device *out, char *message, size_t size)
{
	char path[PATH_MAX], driver[64], group[32], cdev[32];

	snprintf(path, sizeof(path), "%s/driver", directory);
	link_name(path, driver, sizeof(driver));
	if (!has_vfio(directory, driver))
		return refuse(-ENODEV, message, size,
			      "%s is bound to %s, not to VFIO. Remedy: bind it to vfio-pci "
			      "(driver_override)",
			      out->name, *driver ? driver : "no driver");
	snprintf(path, sizeof(path), "%s/iommu_group", directory);
	link_name(path, group, sizeof(group));
	out->group = *group ? atoi(group) : -1;
	if (*group)
		snprintf(out->group_path, sizeof(out->group_path), "/dev/vfio/%s", group);
	if (*group && access(out->group_path, F_OK))
		out->group_path[0] = 0;
	snprintf(path, sizeof(path), "%s/vfio-dev", directory);
	if (first_entry(path, "vfio", cdev, sizeof(cdev)))
		snprintf(out->cdev_path, sizeof(out->cdev_path), "/dev/vfio/devices/%s", cdev);
	if (access(out->cdev_path, F_OK))
		out->cdev_path[0] = 0;
	if (!out->group_path[0] && !out->cdev_path[0])
		return refuse(-ENODEV, message, size,
			      "%s has neither /dev/vfio/%s nor a device cdev. Remedy: an IOMMU "
			      "that is on, and "
			      "a device bound to VFIO",
			      out->name, *group ? group : "GROUP");
	return 0;
}

/* First device of the group that VFIO has. */
static int find_in_group(const char *number, struct exercise_device *out, char *message,
			 size_t size)
{
	char path[PATH_MAX], device[PATH_MAX], driver[64], link[PATH_MAX];
	struct dirent *entry;
	DIR *directory;
	int error = -ENODEV;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%.20s/devices", number);
	directory = opendir(path);
	if (!directory)
		return refuse(-ENOENT, message, size, "no IOMMU group %s", number);
	snprintf(message, size,
		 "no device of group %s is bound to VFIO. Remedy: bind one to vfio-pci", number);
	while (error && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(device, sizeof(device), "%.300s/%.200s", path, entry->d_name);
		snprintf(link, sizeof(link), "%.500s/driver", device);
		link_name(link, driver, sizeof(driver));
		if (!has_vfio(device, driver))
			continue;
		snprintf(out->name, sizeof(out->name), "%.120s", entry->d_name);
		error = fill(device, out, message, size);
	}
	closedir(directory);
	return error;
}

/* "vfio3": the parent of that vfio-dev. */
static int find_by_cdev(const char *name, struct exercise_device *out, char *message, size_t size)
{
	char link[PATH_MAX], path[PATH_MAX], *parent;

	snprintf(link, sizeof(link), "/sys/class/vfio-dev/%.64s/device", name);
	parent = realpath(link, path);
	if (!parent)
		return -ENOENT;
	snprintf(out->name, sizeof(out->name), "%.120s", strrchr(path, '/') + 1);
	return fill(path, out, message, size);
}

static int find_by_name(const char *name, struct exercise_device *out, char *message, size_t size)
{
	DIR *groups = opendir("/sys/kernel/iommu_groups");
	char path[PATH_MAX];
	struct dirent *entry;
	int error = -ENOENT;

	snprintf(out->name, sizeof(out->name), "%.120s", name);
	while (groups && error == -ENOENT && (entry = readdir(groups))) {
		snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%.20s/devices/%.120s",
			 entry->d_name, name);
		if (entry->d_name[0] != '.' && !access(path, F_OK))
			error = fill(path, out, message, size);
	}
	if (groups)
		closedir(groups);
	if (error == -ENOENT && !strncmp(name, "vfio", 4))
		error = find_by_cdev(name, out, message, size);
	if (error == -ENOENT)
		refuse(error, message, size, "no device %s in any IOMMU group", name);
	return error;
}

static bool is_number(const char *text)
{
	for (const char *at = text; *at; at++)
		if (!isdigit((unsigned char)*at))
			return false;
	return *text;
}

int exercise_device__find(const char *text, struct exercise_device *out, char *message, size_t size)
{
	memset(out, 0, sizeof(*out));
	out->group = -1;
	if (!strncmp(text, "group", 5)) {
		const char *number = text + 5 + strspn(text + 5, " :=");

		if (is_number(number))
			return find_in_group(number, out, message, size);
	}
	if (is_number(text))
		return find_in_group(text, out, message, size);
	if (strchr(text, '/'))
		return refuse(-ENOENT, message, size,
			      "%s: give a PCI address, \"group N\" or a device name, not a path",
			      text);
	return find_by_name(text, out, message, size);
}

static bool same_node(int directory, const char *name, const struct stat *wanted)
{
	struct stat here;

	return !fstatat(directory, name, &here, 0) && S_ISCHR(here.st_mode) &&
	       here.st_rdev == wanted->st_rdev;
}

/* Does this process have the node open? Compared by device number: containers have other paths. */
static bool has_open(const char *pid, const struct stat *wanted)
{
	char path[64], target[256];
	struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	directory = opendir(path);
	while (directory && !found && (entry = readdir(directory))) {
		ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (length <= 0)
			continue;
		target[length] = 0;
		/* only files under some vfio directory are looked at more closely */
		found = strstr(target, "vfio/") &&
			same_node(dirfd(directory), entry->d_name, wanted);
	}
	if (directory)
		closedir(directory);
	return found;
}

static void comm_of(const char *pid, char *out, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(out, (int)size, file))
		snprintf(out, size, "?");
	out[strcspn(out, "\n")] = 0;
	for (char *at = out; *at; at++)
		if (!isprint((unsigned char)*at))
			*at = '?';
	if (file)
		fclose(file);
}

static bool find_holder(const char *node, char *holder, size_t size)
{
	struct stat wanted;
	struct dirent *entry;
	bool found = false;
	char comm[32];
	DIR *processes;

	if (!*node || stat(node, &wanted))
		return false;
	processes = opendir("/proc");
	while (processes && !found && (entry = readdir(processes))) {
		if (!is_number(entry->d_name) || !has_open(entry->d_name, &wanted))
			continue;
		comm_of(entry->d_name, comm, sizeof(comm));
		snprintf(holder, size, "%s (pid %.10s)", comm, entry->d_name);
		found = true;
	}
	if (processes)
		closedir(processes);
	return found;
}

int exercise_device__in_use(const struct exercise_device *device, char *message, size_t size)
{
	char holder[80];

	if (!find_holder(device->group_path, holder, sizeof(holder)) &&
	    !find_holder(device->cdev_path, holder, sizeof(holder)))
		return 0;
	return refuse(-EBUSY, message, size,
		      "%s is in use by %s. Remedy: exercise a device no VM has", device->name,
		      holder);
}
