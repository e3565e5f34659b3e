// SPDX-License-Identifier: GPL-2.0-or-later
/* Incident files, one per finding key, each written by a child of its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define WAITING_MAX 256
#define RETRY_NS 60000000000ULL
#define TIME_LIMIT_SECONDS 120
#define INCOMING "incoming.tmp"

struct wanted {
	char name[INCIDENT_NAME_SIZE];
	char code[24], grade[16];
	uint64_t not_before;
};

struct incidents {
	struct statedir *dir;
	uint64_t max_bytes_each;
	struct wanted waiting[WAITING_MAX]; /* [0] is being written while child > 0 */
	uint32_t count;
	pid_t child;
	int words_fd; /* the child's last words */
};

struct incidents *incidents__new(struct statedir *s, uint64_t max_bytes_each)
{
	struct incidents *i = calloc(1, sizeof(*i));

	if (i) {
		i->dir = s;
		i->max_bytes_each = max_bytes_each;
		i->words_fd = -1;
	}
	return i;
}

static void remove_incoming(void)
{
	unlink(INCOMING);
	unlink(INCOMING "-journal");
	unlink(INCOMING "-wal");
	unlink(INCOMING "-shm");
}

void incidents__free(struct incidents *i)
{
	if (!i)
		return;
	if (i->child > 0) {
		kill(i->child, SIGKILL);
		waitpid(i->child, NULL, 0);
		remove_incoming();
	}
	if (i->words_fd >= 0)
		close(i->words_fd);
	free(i);
}

/* DATE differs, CODE-HASH.vfiotrace does not: the same key has the same tail. */
static bool same_key(const char *a, const char *b)
{
	const char *x = strrchr(a, '-'), *y = strrchr(b, '-');

	return x && y && !strcmp(x, y);
}

bool incidents__add(struct incidents *i, const char *key, const char *code, const char *grade,
		    int64_t realtime_seconds, char name[INCIDENT_NAME_SIZE])
{
	struct wanted *w;

	if (statedir__has_incident(i->dir, key, name))
		return false;
	incident_name(name, code, key, realtime_seconds);
	for (uint32_t j = 0; j < i->count; j++) {
		if (same_key(i->waiting[j].name, name)) {
			strcpy(name, i->waiting[j].name);
			return false;
		}
	}
	if (i->count == WAITING_MAX)
		return false;
	w = &i->waiting[i->count++];
	strcpy(w->name, name);
	snprintf(w->code, sizeof(w->code), "%s", code);
	snprintf(w->grade, sizeof(w->grade), "%s", grade);
	w->not_before = 0;
	return true;
}

static void be_writer(const struct incidents *i, int words_fd,
		      int (*write_file)(void *, const char *, char *, size_t), void *context)
{
	const struct rlimit none = {0, 0};
	const struct rlimit bytes = {i->max_bytes_each, i->max_bytes_each};
	char error[160] = "";
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGXFSZ, SIG_IGN); /* a file too long is an error to report, not a death */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	alarm(TIME_LIMIT_SECONDS);
	setrlimit(RLIMIT_CORE, &none);
	if (i->max_bytes_each)
		setrlimit(RLIMIT_FSIZE, &bytes);
	remove_incoming();
	status = write_file(context, INCOMING, error, sizeof(error));
	if (status && write(words_fd, error, strlen(error)) < 0)
		_exit(2);
	_exit(status ? 1 : 0);
}

static void start(struct incidents *i, int (*write_file)(void *, const char *, char *, size_t),
		  void *context)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return;
	i->child = fork();
	if (!i->child)
		be_writer(i, ends[1], write_file, context);
	close(ends[1]);
	if (i->child < 0) {
		i->child = 0;
		close(ends[0]);
		return;
	}
	i->words_fd = ends[0];
}

static void collect(struct incidents *i, int status, uint64_t now, struct incident_done *done)
{
	struct wanted *w = &i->waiting[0], again;
	ssize_t got = read(i->words_fd, done->words, sizeof(done->words) - 1);

	done->words[got > 0 ? got : 0] = 0;
	close(i->words_fd);
	i->words_fd = -1;
	i->child = 0;
	strcpy(done->name, w->name);
	strcpy(done->code, w->code);
	strcpy(done->grade, w->grade);
	done->error = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		done->error = -EIO;
		if (!done->words[0])
			snprintf(done->words, sizeof(done->words), "the writer %s",
				 WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
					 ? "took longer than two minutes"
					 : "died");
	} else if (rename(INCOMING, w->name)) {
		done->error = -errno;
		snprintf(done->words, sizeof(done->words), "%s", strerror(errno));
	}
	again = *w;
	memmove(w, w + 1, (--i->count) * sizeof(*w));
	if (!done->error)
		return;
	remove_incoming();
	again.not_before = now + RETRY_NS;
	i->waiting[i->count++] = again;
}

bool incidents__poll(struct incidents *i, uint64_t now,
		     int (*write_file)(void *, const char *, char *, size_t), void *context,
		     struct incident_done *done)
{
	int status;

	if (i->child > 0) {
		if (waitpid(i->child, &status, WNOHANG) != i->child)
			return false;
		collect(i, status, now, done);
		return true;
	}
	for (uint32_t j = 0; j < i->count; j++) {
		struct wanted w = i->waiting[j];

		if (w.not_before > now)
			continue;
		memmove(&i->waiting[1], &i->waiting[0], j * sizeof(w));
		i->waiting[0] = w;
		start(i, write_file, context);
		break;
	}
	return false;
}

uint32_t incidents__waiting(const struct incidents *i)
{
	return i->count;
}
