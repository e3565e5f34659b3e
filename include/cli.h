/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h - what subcommands share: the command table's row, exit codes, common options, output.
 */
#ifndef VFIOTRACE_CLI_H
#define VFIOTRACE_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "exit_code.h"

struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *summary; /* one line for --help */
};
extern const struct command commands[]; /* ends with a NULL name; commands[0] is the default */

int watch_main(int argc, char **argv);
int now_main(int argc, char **argv);
int check_main(int argc, char **argv);
int validate_main(int argc, char **argv);
int record_main(int argc, char **argv);
int report_main(int argc, char **argv);
int diff_main(int argc, char **argv);
int merge_main(int argc, char **argv);
int analyze_main(int argc, char **argv);
int agent_main(int argc, char **argv);

/* Options every command has: -j -q -v --color. Use as an argp child. */
enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
struct common_options {
	bool json;
	bool quiet;
	int verbosity;
	enum color_choice color;
};
extern struct common_options common;
extern const struct argp common_argp;
/* argp_parse with exit status 64 for wrong usage and the program name "vfiotrace COMMAND". */
int cli_parse(const struct argp *argp, int argc, char **argv, void *input);
bool cli_color(FILE *stream); /* terminal, NO_COLOR, --color */
/* "30", "30s", "5m", "2h", "200ms" -> ns; "200M" -> bytes. -EINVAL on nonsense. */
int parse_duration(const char *text, uint64_t *ns);
int parse_size(const char *text, uint64_t *bytes);

#endif
