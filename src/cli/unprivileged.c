// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading foreign files as nobody: see unprivileged.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "cli/unprivileged.h"
#include "util/input.h"
#include "util/message.h"
#include "util/rights.h"

static bool is_root(void)
{
	return geteuid() == 0;
}

void unprivileged__input(const char *path)
{
	if (!is_root() || !strcmp(path, "-"))
		return;
	input_hand_over(path, INPUT_STREAM);
	input_hand_over_beside(path, "-journal");
}

void unprivileged__rules(const char *path)
{
	if (is_root() && path)
		input_hand_over(path, INPUT_TRUSTED);
}

static void run_child(int (*command)(void *context), void *context, bool runs_programs)
{
	int error = rights__drop_all(
		(struct rights_drop){.runs_programs = runs_programs, .or_stay = true});

	if (error) {
		log_error("cannot give up root's rights to read the files: %s; run this as another "
			  "user",
			  strerror(-error));
		exit(EXIT_ERROR);
	}
	exit(command(context));
}

/* A child that a signal ended: ours as well where it was for both of us. */
static int explain(int status)
{
	int number = WTERMSIG(status);

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (number == SIGINT || number == SIGTERM || number == SIGPIPE || number == SIGHUP) {
		signal(number, SIG_DFL);
		raise(number);
	}
	log_error(
		"reading the files ended with signal %d (%s): one of them is hostile, or this is a "
		"bug of vfiotrace",
		number, strsignal(number));
	return EXIT_ERROR;
}

int unprivileged__run(int (*command)(void *context), void *context, bool runs_programs)
{
	int status;
	pid_t child;

	if (!is_root())
		return command(context);
	tzset(); /* reads its file now */
	fflush(NULL);
	child = fork();
	if (!child)
		run_child(command, context, runs_programs);
	if (child < 0) {
		log_error("cannot start the process that reads the files: %s", strerror(errno));
		return EXIT_ERROR;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_ERROR;
	return explain(status);
}
