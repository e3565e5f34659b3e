// SPDX-License-Identifier: GPL-2.0-or-later
/* Run a command with SIGINT as a terminal would give it; background jobs of a shell ignore it. */
#include <err.h>
#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(64, "usage: sigdfl COMMAND...");
	signal(SIGINT, SIG_DFL);
	execvp(argv[1], argv + 1);
	err(127, "%s", argv[1]);
}
