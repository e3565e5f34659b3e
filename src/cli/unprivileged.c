// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading foreign files as nobody: see unprivileged.h. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "util/syscall_filter.h"
#include "cli/unprivileged.h"
#include "util/input.h"
#include "util/message.h"

#define NOBODY 65534

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

/* Where there is no such user (a user namespace of one) or no right to become it, we stay. */
static int become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return errno == EINVAL || errno == EPERM ? 0 : -errno;
	return 0;
}

static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int error = !none || cap_set_proc(none) ? -errno : 0;

	cap_free(none);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return error;
}

static int drop_everything(bool runs_programs)
{
	const struct rlimit no_core = {0, 0};
	int error;

	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP || prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap);
	error = become_nobody();
	if (!error)
		error = drop_capabilities();
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	if (!error && setrlimit(RLIMIT_CORE, &no_core))
		error = -errno;
	/* after the change of user, which takes it back */
	if (!error && prctl(PR_SET_PDEATHSIG, SIGKILL))
		error = -errno;
	return error ? error : syscall_filter__install(runs_programs);
}

static void run_child(int (*command)(void *context), void *context, bool runs_programs)
{
	int error = drop_everything(runs_programs);

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
