// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Churn: start short-lived processes at a rate; each writes to and reads from a pipe and ends.
 * usage: many_tasks PER_SECOND SECONDS     prints how many it started
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void child(void)
{
	char byte = 0;
	int ends[2];

	if (pipe(ends) || write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
		_exit(1);
	_exit(0);
}

int main(int argc, char **argv)
{
	long rate = argc > 2 ? atol(argv[1]) : 1000, seconds = argc > 2 ? atol(argv[2]) : 1;
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (long i = 0; i < rate * seconds; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (!pid)
			child();
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		next.tv_nsec += 1000000000 / rate;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	while (wait(NULL) > 0)
		;
	printf("%ld\n", rate * seconds);
	return 0;
}
