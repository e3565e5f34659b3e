// SPDX-License-Identifier: GPL-2.0-or-later
/* The state directory: opened once, entered by descriptor, links refused; incident rotation. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define SUFFIX ".vfiotrace"

struct statedir {
	int fd;
	char path[PATH_MAX];
};

struct entry {
	char name[INCIDENT_NAME_SIZE];
	int64_t modified;
	uint64_t bytes;
};

/* DynamicUser= puts a link of systemd's own in place of the directory; that one is resolved. */
static const char *resolve(const char *path, char buffer[PATH_MAX])
{
	const char *given = getenv("STATE_DIRECTORY");

	if (given && !strcmp(given, path) && realpath(path, buffer))
		return buffer;
	return path;
}

static int check(int fd, const char *path, char *error, size_t error_size)
{
	struct stat about;

	if (fstat(fd, &about))
		return -errno;
	if (about.st_uid != geteuid()) {
		snprintf(error, error_size, "%s belongs to user %u, not to %u", path,
			 (unsigned int)about.st_uid, (unsigned int)geteuid());
		return -EPERM;
	}
	if (about.st_mode & 077) {
		snprintf(error, error_size, "%s has mode %04o and lets others in: chmod 0700 it",
			 path, about.st_mode & 07777);
		return -EPERM;
	}
	return 0;
}

struct statedir *statedir__open(const char *path, char *error, size_t error_size)
{
	struct statedir *s = calloc(1, sizeof(*s));
	char resolved[PATH_MAX];
	int status = 0;

	if (!s) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	path = resolve(path, resolved);
	if (mkdir(path, 0700) && errno != EEXIST) {
		snprintf(error, error_size, "cannot make %s: %s", path, strerror(errno));
		free(s);
		return NULL;
	}
	s->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->fd < 0) {
		status = -errno;
		snprintf(error, error_size, "cannot use %s as state directory: %s", path,
			 errno == ELOOP || errno == ENOTDIR ? "it is a link or no directory"
							    : strerror(errno));
	} else {
		error[0] = 0;
		status = check(s->fd, path, error, error_size);
		if (!status && !realpath(path, s->path))
			status = -errno;
		if (status && !error[0])
			snprintf(error, error_size, "%s: %s", path, strerror(-status));
	}
	if (!status)
		return s;
	statedir__close(s);
	return NULL;
}

void statedir__close(struct statedir *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

int statedir__enter(struct statedir *s)
{
	return fchdir(s->fd) ? -errno : 0;
}

const char *statedir__path(const struct statedir *s)
{
	return s->path;
}

/* FNV-1a: names only have to differ, nobody gains by making two findings share a file. */
static uint64_t hash_key(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3ULL;
	return hash;
}

void incident_name(char out[INCIDENT_NAME_SIZE], const char *code, const char *key,
		   int64_t realtime_seconds)
{
	time_t seconds = realtime_seconds;
	struct tm when = {0};
	char date[32];

	gmtime_r(&seconds, &when);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &when);
	snprintf(out, INCIDENT_NAME_SIZE, "%s-%.30s-%016" PRIx64 SUFFIX, date, code, hash_key(key));
}

bool statedir__owns(const char *name)
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);

	if (length <= suffix + 17 + 17 || length >= INCIDENT_NAME_SIZE ||
	    strcmp(name + length - suffix, SUFFIX))
		return false;
	if (strspn(name, "0123456789") != 8 || name[8] != 'T' ||
	    strspn(name + 9, "0123456789") != 6 || name[15] != 'Z' || name[16] != '-')
		return false;
	name += length - suffix - 17;
	return name[0] == '-' && strspn(name + 1, "0123456789abcdef") == 16;
}

/* A stream of its own: rewinding a shared one would need a lock and a seek. */
static DIR *list(struct statedir *s)
{
	int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory && fd >= 0)
		close(fd);
	return directory;
}

/* What a crash of the host left empty, or is no file at all, is no evidence. */
static bool is_evidence(struct statedir *s, const char *name)
{
	struct stat about;

	return !fstatat(s->fd, name, &about, AT_SYMLINK_NOFOLLOW) && S_ISREG(about.st_mode) &&
	       about.st_size > 0;
}

bool statedir__has_incident(struct statedir *s, const char *key, char out[INCIDENT_NAME_SIZE])
{
	DIR *directory = list(s);
	char tail[64];
	bool found = false;

	if (!directory)
		return false;
	snprintf(tail, sizeof(tail), "-%016" PRIx64 SUFFIX, hash_key(key));
	for (struct dirent *e; !found && (e = readdir(directory));) {
		if (!statedir__owns(e->d_name))
			continue;
		found = !strcmp(e->d_name + strlen(e->d_name) - strlen(tail), tail) &&
			is_evidence(s, e->d_name);
		if (found && out)
			strcpy(out, e->d_name); /* statedir__owns looked at its length */
	}
	closedir(directory);
	return found;
}

int statedir__remove(struct statedir *s, const char *name)
{
	static const char *const journals[] = {"-journal", "-wal", "-shm"};
	char beside[INCIDENT_NAME_SIZE + 16];

	if (!statedir__owns(name))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(journals) / sizeof(journals[0]); i++) {
		snprintf(beside, sizeof(beside), "%s%s", name, journals[i]);
		unlinkat(s->fd, beside, 0);
	}
	return unlinkat(s->fd, name, 0) ? -errno : 0;
}

static int older_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->modified != y->modified)
		return x->modified < y->modified ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int read_entries(struct statedir *s, struct entry **out, size_t *count)
{
	DIR *directory = list(s);
	size_t room = 0;
	int status = 0;

	*out = NULL;
	*count = 0;
	if (!directory)
		return -errno;
	for (struct dirent *e; (e = readdir(directory));) {
		struct stat about;
		struct entry *entry;

		if (!statedir__owns(e->d_name) ||
		    fstatat(s->fd, e->d_name, &about, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(about.st_mode))
			continue;
		if (*count == room) {
			room = room ? room * 2 : 64;
			entry = realloc(*out, room * sizeof(*entry));
			if (!entry) {
				status = -ENOMEM;
				break;
			}
			*out = entry;
		}
		entry = &(*out)[(*count)++];
		strcpy(entry->name, e->d_name); /* statedir__owns looked at its length */
		entry->modified = about.st_mtime;
		entry->bytes = (uint64_t)about.st_blocks * 512;
	}
	closedir(directory);
	return status;
}

int statedir__rotate(struct statedir *s, int64_t now_seconds, int64_t max_age_seconds,
		     uint64_t max_bytes, struct statedir_usage *usage)
{
	struct entry *entries;
	size_t count;
	int status = read_entries(s, &entries, &count);

	memset(usage, 0, sizeof(*usage));
	if (status)
		goto cleanup;
	qsort(entries, count, sizeof(*entries), older_first);
	for (size_t i = 0; i < count; i++)
		usage->bytes += entries[i].bytes;
	for (size_t i = 0; i < count; i++) {
		bool old = max_age_seconds && now_seconds - entries[i].modified > max_age_seconds;
		bool big = max_bytes && usage->bytes > max_bytes;

		if ((old || big) && !statedir__remove(s, entries[i].name)) {
			usage->bytes -= entries[i].bytes;
			usage->removed++;
		} else {
			usage->files++;
		}
	}
cleanup:
	free(entries);
	return status;
}
