// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads of /proc in a thread that may be left behind, see proc_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "census/proc_file.h"

struct job {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	void (*work)(void *argument);
	void (*abandon)(void *argument);
	void *argument;
	bool done, abandoned;
};

static void *run_job(void *argument)
{
	struct job *job = argument;
	bool abandoned;

	job->work(job->argument);
	pthread_mutex_lock(&job->mutex);
	job->done = true;
	abandoned = job->abandoned;
	pthread_cond_signal(&job->changed);
	pthread_mutex_unlock(&job->mutex);
	if (abandoned) {
		if (job->abandon)
			job->abandon(job->argument);
		free(job);
	}
	return NULL;
}

/* Signals are the main thread's business. */
static int start_thread(struct job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attributes, run_job, job);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int run_with_timeout(void (*work)(void *argument), void (*abandon)(void *argument), void *argument,
		     uint32_t timeout_ms)
{
	struct job *job = calloc(1, sizeof(*job));
	struct timespec until;
	int err = 0;

	if (!job)
		return -ENOMEM;
	*job = (struct job){PTHREAD_MUTEX_INITIALIZER,
			    PTHREAD_COND_INITIALIZER,
			    work,
			    abandon,
			    argument,
			    false,
			    false};
	err = start_thread(job);
	if (err) {
		free(job);
		return err;
	}
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&job->mutex);
	while (!job->done && !err)
		err = pthread_cond_timedwait(&job->changed, &job->mutex, &until);
	if (!job->done) {
		job->abandoned = true;
		pthread_mutex_unlock(&job->mutex);
		return -ETIMEDOUT;
	}
	pthread_mutex_unlock(&job->mutex);
	pthread_mutex_destroy(&job->mutex);
	free(job);
	return 0;
}

struct file_read {
	char path[64];
	char *data;
	size_t size;
	long result;
};

static void read_file(void *argument)
{
	struct file_read *f = argument;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got = 0;

	if (fd < 0) {
		f->result = -errno;
		return;
	}
	while (used < f->size - 1 && (got = read(fd, f->data + used, f->size - 1 - used)) > 0)
		used += (size_t)got;
	f->result = got < 0 ? -errno : (long)used;
	close(fd);
}

static void free_read(void *argument)
{
	struct file_read *f = argument;

	free(f->data);
	free(f);
}

long proc_file__read(uint32_t pid, const char *name, char *out, size_t size)
{
	struct file_read *f = calloc(1, sizeof(*f));
	long result;
	int err;

	*out = 0;
	if (!f || !(f->data = calloc(1, size))) {
		free(f);
		return -ENOMEM;
	}
	f->size = size;
	snprintf(f->path, sizeof(f->path), "/proc/%u/%s", pid, name);
	err = run_with_timeout(read_file, free_read, f, PROC_TIMEOUT_MS);
	if (err == -ETIMEDOUT)
		return err;
	result = err ? err : f->result;
	if (result > 0)
		memcpy(out, f->data, (size_t)result + 1);
	free_read(f);
	return result;
}

void vm_name(uint32_t pid, char *out, size_t size)
{
	char line[16384];
	long length = proc_file__read(pid, "cmdline", line, sizeof(line));
	const char *at = line, *end = line + (length > 0 ? length : 0);

	*out = 0;
	for (; at < end; at += strlen(at) + 1) {
		const char *value = at + strlen(at) + 1, *guest;

		if (strcmp(at, "-name") || value >= end)
			continue;
		/* NAME | guest=NAME,process=… | NAME,debug-threads=on; a comma in a name is doubled
		 */
		guest = strstr(value, "guest=");
		if (guest)
			value = guest + strlen("guest=");
		for (size_t i = 0; *value && i + 1 < size; i++) {
			if (*value == ',' && *++value != ',')
				break;
			out[i] = *value++;
			out[i + 1] = 0;
		}
		return;
	}
}
