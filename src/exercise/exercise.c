// SPDX-License-Identifier: GPL-2.0-or-later
/* The child process that exercises a device, seen from the outside. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exercise/exercise_private.h"
#include "util/clock.h"

#define STUCK_SECONDS 20

struct exercise {
	struct exercise_device device;
	enum exercise_state state;
	pid_t pid;
	int gate;   /* write end: one byte starts the child */
	int report; /* read end: its lines */
	char line[256], words[256], described[256];
	size_t used;
	uint64_t last_step; /* monotonic */
	bool gone;	    /* the child was waited for */
};

static volatile sig_atomic_t stop;

static void ask_to_stop(int number)
{
	(void)number;
	stop = 1;
}

static void __attribute__((noreturn))
child(const struct exercise_device *device, uint32_t rounds, int gate, int report)
{
	struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = SA_RESTART};
	struct exercise_run run = {*device, rounds, report, &stop};
	char byte;
	int error;

	/* If the parent is killed the steps end and everything is closed in order. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_NAME, "vfio-exercise");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (read(gate, &byte, 1) != 1 || stop)
		_exit(0);
	error = exercise_steps__run(&run);
	_exit(error ? 1 : 0);
}

static int start_child(struct exercise *e, uint32_t rounds)
{
	int gate[2], report[2];

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	if (pipe2(report, O_CLOEXEC)) {
		int error = -errno;

		close(gate[0]);
		close(gate[1]);
		return error;
	}
	fflush(NULL);
	e->pid = fork();
	if (!e->pid) {
		close(gate[1]);
		close(report[0]);
		child(&e->device, rounds, gate[0], report[1]);
	}
	close(gate[0]);
	close(report[1]);
	e->gate = gate[1];
	e->report = report[0];
	fcntl(e->report, F_SETFL, O_NONBLOCK);
	return e->pid < 0 ? -errno : 0;
}

static void describe(struct exercise *e)
{
	size_t used = (size_t)snprintf(e->described, sizeof(e->described), "%s", e->device.name);

	if (e->device.group >= 0)
		used += (size_t)snprintf(e->described + used, sizeof(e->described) - used,
					 " (group %d%s", e->device.group,
					 e->device.cdev_path[0] ? "" : ")");
	if (e->device.cdev_path[0])
		snprintf(e->described + used, sizeof(e->described) - used, "%scdev %s)",
			 e->device.group >= 0 ? ", " : " (", e->device.cdev_path + 18);
}

struct exercise *exercise__open(const char *device, uint32_t rounds, int *error, char *message,
				size_t size)
{
	struct exercise *e = calloc(1, sizeof(*e));

	if (!e) {
		*error = -ENOMEM;
		snprintf(message, size, "out of memory");
		return NULL;
	}
	e->gate = e->report = -1;
	*error = exercise_device__find(device, &e->device, message, size);
	if (!*error)
		*error = exercise_device__in_use(&e->device, message, size);
	if (!*error && access("/dev/kvm", R_OK | W_OK)) {
		*error = -ENOTSUP;
		snprintf(message, size,
			 "no usable /dev/kvm: %s. Remedy: modprobe kvm_intel or kvm_amd",
			 strerror(errno));
	}
	if (!*error) {
		*error = start_child(e, rounds);
		if (*error)
			snprintf(message, size, "cannot start the exercise: %s", strerror(-*error));
	}
	if (*error) {
		exercise__close(e);
		return NULL;
	}
	describe(e);
	snprintf(e->words, sizeof(e->words), "waiting to start");
	return e;
}

int exercise__go(struct exercise *e)
{
	e->last_step = clock_mono_ns();
	return write(e->gate, "g", 1) == 1 ? 0 : -errno;
}

static void take_line(struct exercise *e)
{
	e->line[e->used] = 0;
	e->used = 0;
	e->last_step = clock_mono_ns();
	/* the first failure is the cause; what follows are its consequences */
	if (e->state == EXERCISE_FAILED)
		return;
	if (e->line[0] == '!')
		e->state = EXERCISE_FAILED;
	snprintf(e->words, sizeof(e->words), "%s", e->line + 1);
}

static void read_lines(struct exercise *e)
{
	char bytes[1024];
	ssize_t got;

	while ((got = read(e->report, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] == '\n')
				take_line(e);
			else if (e->used < sizeof(e->line) - 1)
				e->line[e->used++] = bytes[i];
		}
	}
}

enum exercise_state exercise__poll(struct exercise *e)
{
	int status;

	if (e->gone)
		return e->state;
	read_lines(e);
	if (waitpid(e->pid, &status, WNOHANG) == e->pid) {
		e->gone = true;
		read_lines(e);
		if (e->state == EXERCISE_RUNNING)
			e->state = WIFEXITED(status) && !WEXITSTATUS(status) ? EXERCISE_DONE
									     : EXERCISE_FAILED;
		return e->state;
	}
	/* a failure is told at once, but it is over only when the child has put everything back */
	if (e->last_step && clock_mono_ns() - e->last_step > STUCK_SECONDS * NSEC_PER_SEC)
		return EXERCISE_STUCK;
	return EXERCISE_RUNNING;
}

const char *exercise__message(const struct exercise *e)
{
	return e->words;
}

const char *exercise__device(const struct exercise *e)
{
	return e->described;
}

void exercise__stop(struct exercise *e)
{
	if (!e->gone && e->pid > 0)
		kill(e->pid, SIGTERM);
	if (e->gate >= 0)
		close(e->gate); /* a child that still waits to start ends */
	e->gate = -1;
}

void exercise__close(struct exercise *e)
{
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

	if (!e)
		return;
	exercise__stop(e);
	/* A child that hangs in the kernel cannot be waited for; it is left to the kernel. */
	for (int i = 0; e->pid > 0 && !e->gone && i < 250; i++) {
		exercise__poll(e);
		if (!e->gone)
			nanosleep(&pause, NULL);
	}
	if (e->report >= 0)
		close(e->report);
	free(e);
}
