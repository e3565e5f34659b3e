// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time per pipe write and read of one byte, which take one uncontended mutex each.
 * usage: pipe_bench ROUNDS [REPEATS]    prints the ns per round of each repeat, one a line
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 100000;
	int repeats = argc > 2 ? atoi(argv[2]) : 1;
	int ends[2];
	char byte = 0;

	if (rounds <= 0 || pipe(ends))
		err(1, "pipe_bench");
	while (repeats-- > 0) {
		double began = now();

		for (long i = 0; i < rounds; i++)
			if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
				err(1, "pipe");
		printf("%.1f\n", (now() - began) / rounds);
		fflush(stdout);
	}
	return 0;
}
