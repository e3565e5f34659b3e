// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals: the first SIGINT or SIGTERM asks to stop, the second ends at once. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli.h"

static volatile sig_atomic_t stop_asked, snapshot_asked, reload_asked;

static void on_stop(int signal_number)
{
	if (stop_asked)
		_exit(128 + signal_number);
	stop_asked = 1;
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

int signals__install(void)
{
	static const struct {
		int number;
		void (*handler)(int);
	} table[] = {
		{SIGINT, on_stop}, {SIGTERM, on_stop}, {SIGUSR1, on_snapshot}, {SIGHUP, on_reload}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		/* no SA_RESTART: a wait for records must return */
		struct sigaction action = {.sa_handler = table[i].handler};

		if (sigaction(table[i].number, &action, NULL))
			return -errno;
	}
	return 0;
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
