// SPDX-License-Identifier: GPL-2.0-or-later
/* What every subcommand shares: common options, messages, progress, units. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "report.h"
#include "util/message.h"

struct common_options common;

static const struct argp_option common_table[] = {
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

int cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	static char name[64];

	argp_err_exit_status = EXIT_USAGE;
	snprintf(name, sizeof(name), "vfiotrace%s%s", argv[0][0] && strchr(argv[0], '/') ? "" : " ",
		 strchr(argv[0], '/') ? "" : argv[0]);
	if (!strcmp(argv[0], "vfiotrace"))
		snprintf(name, sizeof(name), "vfiotrace");
	argv[0] = name;
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
