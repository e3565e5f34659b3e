// SPDX-License-Identifier: GPL-2.0-or-later
/* What every subcommand shares: common options, messages, progress, units. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "cli/suggest.h"
#include "report.h"
#include "util/message.h"
#include "util/text.h"

struct common_options common;

static const struct argp_option common_table[] = {
	{NULL, 0, NULL, 0, "Output:", 90},
	{"json", 'j', NULL, 0, "NDJSON on stdout, one object a line", 90},
	{"quiet", 'q', NULL, 0, "Less on stderr", 90},
	{"verbose", 'v', NULL, 0, "libbpf's messages; twice: the verifier's log", 90},
	{"color", 'C' + 256, "WHEN", 0, "auto, always or never (NO_COLOR is honoured)", 90},
	{0},
};

static error_t parse_common(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case 'j':
		common.json = true;
		return 0;
	case 'q':
		common.quiet = true;
		message__set_quiet(true);
		return 0;
	case 'v':
		common.verbosity++;
		return 0;
	case 'C' + 256:
		if (!strcmp(argument, "auto"))
			common.color = COLOR_AUTO;
		else if (!strcmp(argument, "always"))
			common.color = COLOR_ALWAYS;
		else if (!strcmp(argument, "never"))
			common.color = COLOR_NEVER;
		else
			argp_error(state, "--color takes auto, always or never, not \"%s\"",
				   argument);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp common_argp = {.options = common_table, .parser = parse_common};

/* --- options nobody knows ----------------------------------------------------------------------
 */

/* Calls `visit` for each long option of the parser and of those below it. */
static void each_option(const struct argp *argp, void (*visit)(const struct argp_option *, void *),
			void *context)
{
	for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++)
		if (o->name)
			visit(o, context);
	for (const struct argp_child *c = argp->children; c && c->argp; c++)
		each_option(c->argp, visit, context);
}

struct option_search {
	const char *name;
	size_t length; /* of the name as typed, which may be shortened */
	const struct argp_option *exact;
	uint32_t fitting;
	struct suggestion nearest;
};

static void look_at_option(const struct argp_option *option, void *context)
{
	struct option_search *search = context;

	if (!strncmp(option->name, search->name, search->length)) {
		search->fitting++;
		if (!option->name[search->length])
			search->exact = option;
	}
	if (!(option->flags & OPTION_HIDDEN))
		suggestion__try(&search->nearest, option->name);
}

static struct option_search search_option(const struct argp *argp, char *typed)
{
	static const struct argp_option help = {.name = "help"}, usage = {.name = "usage"};
	struct option_search search = {
		.name = typed, .length = strcspn(typed, "="), .nearest = {.word = typed}};

	each_option(argp, look_at_option, &search);
	look_at_option(&help, &search);
	look_at_option(&usage, &search);
	return search;
}

/* argp says that it does not know an option; this says which one it knows. */
static bool is_unknown_option(const struct argp *argp, const char *program, const char *argument)
{
	char typed[64];
	struct option_search search;

	snprintf(typed, sizeof(typed), "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
	search = search_option(argp, typed);
	if (search.fitting)
		return false;
	fprintf(stderr, "%s: no option --%s; %s%s%s %s --help\n", program, text_safe(typed),
		search.nearest.best ? "did you mean --" : "",
		search.nearest.best ? search.nearest.best : "",
		search.nearest.best ? "? See" : "see", program);
	return true;
}

struct letter_search {
	int letter;
	bool takes_value;
};

static void look_at_letter(const struct argp_option *option, void *context)
{
	struct letter_search *search = context;

	if (option->key == search->letter)
		search->takes_value = option->arg && !(option->flags & OPTION_ARG_OPTIONAL);
}

/* -o FILE, -qo FILE; in -ofile and -q the next word is on its own. */
static bool letters_take_next(const struct argp *argp, const char *letters)
{
	for (; *letters; letters++) {
		struct letter_search search = {.letter = (unsigned char)*letters};

		each_option(argp, look_at_letter, &search);
		if (search.takes_value)
			return !letters[1];
	}
	return false;
}

/* --output FILE: the next word is a value, whatever it looks like. */
static bool takes_next(const struct argp *argp, const char *argument)
{
	char typed[64];
	struct option_search search;

	if (argument[0] != '-')
		return false;
	if (argument[1] != '-')
		return letters_take_next(argp, argument + 1);
	if (strchr(argument, '='))
		return false;
	snprintf(typed, sizeof(typed), "%s", argument + 2);
	search = search_option(argp, typed);
	return !search.exact || (search.exact->arg && !(search.exact->flags & OPTION_ARG_OPTIONAL));
}

static bool has_unknown_option(const struct argp *argp, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strncmp(argv[i], "--", 2) && !(i > 1 && takes_next(argp, argv[i - 1])) &&
		    is_unknown_option(argp, argv[0], argv[i]))
			return true;
	return false;
}

int cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	static char name[64];

	argp_err_exit_status = EXIT_USAGE;
	snprintf(name, sizeof(name), "vfiotrace%s%s", argv[0][0] && strchr(argv[0], '/') ? "" : " ",
		 strchr(argv[0], '/') ? "" : argv[0]);
	if (!strcmp(argv[0], "vfiotrace"))
		snprintf(name, sizeof(name), "vfiotrace");
	argv[0] = name;
	if (has_unknown_option(argp, argc, argv))
		exit(EXIT_USAGE); /* as argp does */
	return argp_parse(argp, argc, argv, 0, NULL, input);
}

bool cli_color(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	if (common.color != COLOR_AUTO)
		return common.color == COLOR_ALWAYS;
	if (no_color && *no_color)
		return false;
	return isatty(fileno(stream));
}

int parse_duration(const char *text, uint64_t *ns)
{
	static const struct {
		const char *suffix;
		double scale;
	} units[] = {{"", 1e9},	  {"s", 1e9},	 {"ms", 1e6},	{"us", 1e3},
		     {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (end == text || errno || !(value >= 0) || value > 1e9)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].suffix))
			continue;
		if (value * units[i].scale > 9e18)
			return -EINVAL;
		*ns = (uint64_t)(value * units[i].scale);
		return 0;
	}
	return -EINVAL;
}

int parse_size(const char *text, uint64_t *bytes)
{
	static const char suffixes[] = "KMGT";
	char *end;
	double value;
	int shift = 0;

	errno = 0;
	value = strtod(text, &end);
	if (end == text || errno || !(value >= 0))
		return -EINVAL;
	if (*end) {
		const char *at = strchr(suffixes, *end & ~0x20);

		if (!at || (end[1] && strcmp(end + 1, "iB") && strcmp(end + 1, "B")))
			return -EINVAL;
		shift = 10 * (int)(at - suffixes + 1);
	}
	value *= (double)(1ULL << shift);
	if (value > 9e18)
		return -EINVAL;
	*bytes = (uint64_t)value;
	return 0;
}
