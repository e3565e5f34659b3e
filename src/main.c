// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of subcommands. */
#include <string.h>

#include "cli.h"
#include "cli/suggest.h"
#include "report.h"
#include "util/message.h"
#include "util/text.h"

const struct command commands[] = {
	{"watch", watch_main, "lock orders of VFIO and KVM, live (the default)"},
	{"record", record_main, "watch quietly into an incident file"},
	{"now", now_main, "is something deadlocked right now; who owns what, who waits"},
	{"analyze", analyze_main, "judge a recording, a trace or a kernel log, without root"},
	{"check", check_main, "can this kernel be traced, does it carry the known fixes"},
	{"validate", validate_main,
	 "is this kernel free of the inversion: pass, fail, inconclusive"},
	{"diff", diff_main, "what changed between two kernels or two runs"},
	{"report", report_main, "make a text, page, picture or splat of recordings and traces"},
	{"merge", merge_main, "bring recordings of several runs or hosts together"},
	{"agent", agent_main, "long-running monitor: metrics, incidents, budget"},
	{NULL, NULL, NULL},
};

static void print_help(FILE *out)
{
	fprintf(out, "Usage: vfiotrace [COMMAND] [OPTION...]\n\n"
		     "Lock-order tracing for VFIO and KVM on stock kernels.\n\nCommands:\n");
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-10s %s\n", c->name, c->summary);
	fprintf(out, "\n`vfiotrace help COMMAND` explains a command. Without a command: watch.\n"
		     "Exit status: 0 clean, 1 error, 2 finding, 3 deadlock, 4 inconclusive,\n"
		     "64 usage, 77 not possible on this kernel or with these privileges.\n");
}

static const struct command *find_command(const char *name)
{
	struct suggestion nearest = {.word = name};

	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(name, c->name))
			return c;
		suggestion__try(&nearest, c->name);
	}
	log_error("no command \"%s\"; %s%s%s vfiotrace --help", text_safe(name),
		  nearest.best ? "did you mean \"" : "", nearest.best ? nearest.best : "",
		  nearest.best ? "\"? See" : "see");
	return NULL;
}

/* help COMMAND */
static int help_main(const char *name)
{
	char help[] = "--help";
	const struct command *command = find_command(name);
	char *arguments[] = {(char *)name, help, NULL};

	return command ? command->main(2, arguments) : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *command;

	if (!strcmp(name, "help") && argc > 2)
		return help_main(argv[2]);
	if (!strcmp(name, "--help") || !strcmp(name, "-?") || !strcmp(name, "help")) {
		print_help(stdout);
		return EXIT_CLEAN;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		printf("vfiotrace %s\n", VERSION);
		return EXIT_CLEAN;
	}
	if (!strcmp(name, "--json-schema")) {
		fputs(json_schema_text, stdout);
		return EXIT_CLEAN;
	}
	if (!*name || *name == '-')
		return commands[0].main(argc, argv);
	command = find_command(name);
	return command ? command->main(argc - 1, argv + 1) : EXIT_USAGE;
}
