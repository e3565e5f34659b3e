// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals: the first SIGINT or SIGTERM asks to stop, the second ends at once. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "session/signals.h"

static volatile sig_atomic_t stop_asked, snapshot_asked, reload_asked;

static void on_stop(int signal_number)
{
	if (stop_asked)
		_exit(128 + signal_number);
	stop_asked = 1;
}

/* While it loads: nothing is attached yet, so there is nothing to end in order. */
static void on_early_stop(int signal_number)
{
	static const char text[] = "\nvfiotrace: interrupted while loading; nothing was watched\n";
	ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)written;
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void on_snapshot(int signal_number)
{
	(void)signal_number;
	snapshot_asked = 1;
}

static void on_reload(int signal_number)
{
	(void)signal_number;
	reload_asked = 1;
}

static int install(int number, void (*handler)(int))
{
	/* no SA_RESTART: a wait for records must return */
	struct sigaction action = {.sa_handler = handler};

	return sigaction(number, &action, NULL) ? -errno : 0;
}

/* An agent that opens another session is stopped in order by what is installed already. */
static int install_early(int number)
{
	struct sigaction now;

	if (sigaction(number, NULL, &now) || now.sa_handler != SIG_DFL)
		return 0;
	return install(number, on_early_stop);
}

int signals__install_requests(void)
{
	int error = install(SIGUSR1, on_snapshot);

	if (!error)
		error = install_early(SIGINT);
	if (!error)
		error = install_early(SIGTERM);
	return error ? error : install(SIGHUP, on_reload);
}

int signals__install(void)
{
	int error = signals__install_requests();

	if (!error)
		error = install(SIGINT, on_stop);
	return error ? error : install(SIGTERM, on_stop);
}

bool signals__stop(void)
{
	return stop_asked;
}

static bool take(volatile sig_atomic_t *flag)
{
	bool was = *flag;

	*flag = 0;
	return was;
}

bool signals__take_snapshot(void)
{
	return take(&snapshot_asked);
}

bool signals__take_reload(void)
{
	return take(&reload_asked);
}
