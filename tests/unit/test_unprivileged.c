// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process that parses foreign files may still do, asked of the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "util/syscall_filter.h"
#include "cli/unprivileged.h"
#include "util/input.h"

#define ask(call) (errno = 0, (void)(call), errno)

static char open_to_all[] = "/tmp/vfiotrace-unprivileged-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(open_to_all);

	(void)state;
	return fd < 0 || fchmod(fd, 0666) || close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(open_to_all);
}

static int run_program(void)
{
	char *arguments[] = {(char *)"true", NULL};

	execv("/bin/true", arguments);
	return errno == EPERM ? 0 : 1;
}

/* The first question that was answered otherwise than it should be, as an exit status. */
static int try_everything(bool runs_programs)
{
	const int refused[] = {
		ask(socket(AF_INET, SOCK_STREAM, 0)),
		ask(socket(AF_UNIX, SOCK_DGRAM, 0)),
		ask(unlink(open_to_all)),
		ask(rename(open_to_all, "/tmp/elsewhere")),
		ask(mkdir("/tmp/vfiotrace-made", 0700)),
		ask(open("/tmp/vfiotrace-made", O_RDONLY | O_CREAT, 0600)),
		ask(symlink("a", "/tmp/vfiotrace-made")),
		ask(chmod(open_to_all, 0600)),
		ask(truncate(open_to_all, 5)),
	};
	const int by_kind[] = {
		ask(open(open_to_all, O_WRONLY)),
		ask(open(open_to_all, O_RDWR | O_APPEND)),
		ask(kill(getppid(), 0)),
	};
	int fd = open(open_to_all, O_RDONLY);

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i] != EPERM)
			return 10 + (int)i;
	for (size_t i = 0; i < sizeof(by_kind) / sizeof(by_kind[0]); i++)
		if (by_kind[i] != (runs_programs ? 0 : EPERM))
			return 40 + (int)i;
	if (fd < 0 || read(fd, &fd, 1) < 0)
		return 60;
	return runs_programs ? 0 : run_program();
}

static int in_child(bool runs_programs)
{
	int status;
	pid_t child = fork();

	if (!child) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    syscall_filter__install(runs_programs))
			_exit(99);
		_exit(try_everything(runs_programs));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_parser_makes_no_file_reaches_nobody_and_starts_nothing(void **state)
{
	(void)state;
	if (prctl(PR_GET_SECCOMP) < 0)
		skip();
	assert_int_equal(in_child(false), 0);
}

static void one_that_draws_pictures_may_start_and_end_a_program_only(void **state)
{
	(void)state;
	if (prctl(PR_GET_SECCOMP) < 0)
		skip();
	assert_int_equal(in_child(true), 0);
}

static int answer(void *context)
{
	char why[200];
	int fd = input_open(context, INPUT_FILE, why, sizeof(why));

	/* at once: a leak checker has no rights to look at this process */
	_exit(fd < 0 ? 1 : geteuid() ? 7 : 8);
}

static int crash(void *context)
{
	(void)context;
	signal(SIGILL, SIG_DFL); /* which the test framework catches */
	signal(SIGTRAP, SIG_DFL);
	__builtin_trap();
}

static void a_command_of_root_runs_as_nobody_with_the_files_it_was_handed(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(chmod(open_to_all, 0600), 0);
	assert_int_equal(unprivileged__run(answer, open_to_all, false), 1);
	unprivileged__input(open_to_all);
	assert_int_equal(unprivileged__run(answer, open_to_all, false), 7);
	assert_int_equal(chmod(open_to_all, 0666), 0);
	assert_int_equal(geteuid(), 0);
}

static void a_command_that_crashes_is_an_error_not_an_answer(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(unprivileged__run(crash, NULL, false), EXIT_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parser_makes_no_file_reaches_nobody_and_starts_nothing),
		cmocka_unit_test(one_that_draws_pictures_may_start_and_end_a_program_only),
		cmocka_unit_test(a_command_of_root_runs_as_nobody_with_the_files_it_was_handed),
		cmocka_unit_test(a_command_that_crashes_is_an_error_not_an_answer),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
