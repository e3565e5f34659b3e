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

enum exit_code {
	EXIT_CLEAN = 0,
	EXIT_ERROR = 1,
	EXIT_FINDING = 2,
	EXIT_DEADLOCK = 3,
	EXIT_INCONCLUSIVE = 4,
	EXIT_USAGE = 64,
	EXIT_UNSUPPORTED = 77,
};

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

/* Messages on stderr: "vfiotrace: …". */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_info(const char *format, ...) __attribute__((format(printf, 1, 2))); /* not with -q */
/* Progress line on a terminal's stderr, redrawn; nothing elsewhere. done NULL text clears it. */
void say_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void clear_progress(void);

/* SIGINT/SIGTERM: first asks to stop, second ends at once. SIGUSR1 asks for a snapshot. */
int signals__install(void);
/* SIGUSR1 and SIGHUP only, which would end a program that still loads. */
int signals__install_requests(void);
bool signals__stop(void);
bool signals__take_snapshot(void); /* true once per SIGUSR1 */
bool signals__take_reload(void);   /* true once per SIGHUP */

uint64_t clock_mono_ns(void);

#endif
