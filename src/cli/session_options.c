// SPDX-License-Identifier: GPL-2.0-or-later
/* The options that every live command shares. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli/format_name.h"
#include "session/session.h"

enum {
	KEY_ATTACH = 512,
	KEY_HOLDS,
	KEY_EVENTS,
	KEY_STALL,
	KEY_TRIGGER,
	KEY_MAX_SIZE,
	KEY_OVERWRITE,
	KEY_REDACT,
	KEY_RULES,
	KEY_SUPPRESS,
	KEY_BTF,
	KEY_FORCE,
	KEY_FAIL_PROBE,
	KEY_RING,
};

static const struct argp_option table[] = {
	{NULL, 0, NULL, 0, "What is watched, and how long:", 10},
	{"duration", 'd', "TIME", 0, "Stop by itself after 30, 30s, 5m, 2h", 10},
	{"scope", 's', "SCOPE", 0,
	 "Which chains are recorded: vfio (default) or all; what vfio leaves out is said", 10},
	{"holds", KEY_HOLDS, NULL, 0, "Attach the release probes: hold times", 10},
	{"record-events", KEY_EVENTS, NULL, 0,
	 "Record the event stream: timelines and sound prediction", 10},
	{"stall", KEY_STALL, "TIME", 0, "Report waits longer than this", 10},
	{NULL, 0, NULL, 0, "Incident file:", 12},
	{"output", 'o', "FILE", 0, "Record to this incident file", 12},
	{"overwrite", KEY_OVERWRITE, NULL, 0, "Replace an older recording of that name", 12},
	{"trigger", KEY_TRIGGER, "KIND[:TIME]", 0,
	 "Flight recorder: keep events in memory, write them on inversion, deadlock or stall:TIME",
	 12},
	{"max-size", KEY_MAX_SIZE, "SIZE", 0, "Bound of the incident file, as 200M", 12},
	{"redact", KEY_REDACT, NULL, 0,
	 "Only lock classes, kernel symbols and numbers stay; pseudonyms for all other names", 12},
	{NULL, 0, NULL, 0, "What is known of this site:", 13},
	{"rules", KEY_RULES, "FILE", 0, "Declared lock orders", 13},
	{"suppress", KEY_SUPPRESS, "FILE", 0, "Known and accepted findings", 13},
	{NULL, 0, NULL, 0, "Advanced:", 14},
	{"attach", KEY_ATTACH, "LEVEL", 0,
	 "Force an attach level: auto, fentry, kprobe, tracepoint, lockdep", 14},
	{"btf", KEY_BTF, "FILE", 0, "BTF for a kernel without it", 14},
	{"force", KEY_FORCE, NULL, 0, "Run beside another instance", 14},
	{"fail-probe", KEY_FAIL_PROBE, "PROBE", OPTION_HIDDEN, NULL, 0},
	{"ring-size", KEY_RING, "SIZE", OPTION_HIDDEN, NULL, 0},
	{0},
};

static int parse_attach(const char *text)
{
	for (int i = ATTACH_AUTO; i <= ATTACH_LOCKDEP; i++)
		if (!strcmp(text, attach_level_names[i]))
			return i;
	return -1;
}

/* "inversion", "deadlock:30s" (window), "stall:5s" (the wait that fires it) */
static void parse_trigger(struct session_settings *settings, char *text, struct argp_state *state)
{
	char *argument = strchr(text, ':');
	uint64_t value = 0;

	if (argument) {
		*argument++ = 0;
		if (parse_duration(argument, &value))
			argp_error(state, "--trigger %s: invalid duration \"%s\" (use 30s, 5m)",
				   text, argument);
	}
	if (strcmp(text, "inversion") && strcmp(text, "deadlock") && strcmp(text, "stall"))
		argp_error(state, "--trigger takes inversion, deadlock or stall:TIME, not \"%s\"",
			   text);
	if (!strcmp(text, "stall") && !value)
		argp_error(state, "--trigger stall needs the time that is too long: stall:5s");
	settings->trigger = text;
	settings->trigger_window_ns = 30000000000ULL;
	if (!strcmp(text, "stall"))
		settings->stall_ns = value;
	else if (value)
		settings->trigger_window_ns = value;
	settings->record_events = true;
}

static void need(int error, const char *option, const char *argument, struct argp_state *state)
{
	if (error)
		argp_error(state, "%s: cannot read \"%s\"", option, argument);
}

/* 0 stands for "no limit" inside, and nobody means that by it. */
static void need_time(const char *argument, const char *option, uint64_t *ns,
		      struct argp_state *state)
{
	need(parse_duration(argument, ns), option, argument, state);
	if (!*ns)
		argp_error(state, "%s takes a time longer than 0, as 30s or 5m, not \"%s\"", option,
			   argument);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct session_settings *settings = state->input;
	uint64_t size;
	int level;

	switch (key) {
	case 'd':
		need_time(argument, "--duration", &settings->duration_ns, state);
		return 0;
	case 's':
		if (strcmp(argument, "vfio") && strcmp(argument, "all"))
			argp_error(state, "--scope takes vfio or all, not \"%s\"", argument);
		settings->scope_all = !strcmp(argument, "all");
		return 0;
	case KEY_ATTACH:
		level = parse_attach(argument);
		if (level < 0)
			argp_error(state,
				   "--attach takes auto, fentry, kprobe, tracepoint or "
				   "lockdep, not \"%s\"",
				   argument);
		settings->attach = (enum attach_level)level;
		return 0;
	case KEY_HOLDS:
		settings->holds = true;
		return 0;
	case KEY_EVENTS:
		settings->record_events = true;
		return 0;
	case KEY_STALL:
		need_time(argument, "--stall", &settings->stall_ns, state);
		return 0;
	case 'o':
		if (format_of_name(argument) >= 0)
			argp_error(state,
				   "-o: \"%s\" is the name of a report; record to FILE.vfiotrace, "
				   "then `vfiotrace report -o %s FILE.vfiotrace`",
				   argument, argument);
		settings->output = argument;
		return 0;
	case KEY_TRIGGER:
		parse_trigger(settings, argument, state);
		return 0;
	case KEY_MAX_SIZE:
		need(parse_size(argument, &settings->max_size), "--max-size", argument, state);
		return 0;
	case KEY_OVERWRITE:
		settings->overwrite = true;
		return 0;
	case KEY_REDACT:
		settings->redact = true;
		return 0;
	case KEY_RULES:
		settings->rules = argument;
		return 0;
	case KEY_SUPPRESS:
		settings->suppress = argument;
		return 0;
	case KEY_BTF:
		settings->btf = argument;
		return 0;
	case KEY_FORCE:
		settings->force = true;
		return 0;
	case ARGP_KEY_END: /* the common options are read by then */
		settings->verbosity = common.verbosity;
		break;
	case KEY_FAIL_PROBE:
		settings->fail_probe = argument;
		return 0;
	case KEY_RING:
		need(parse_size(argument, &size), "--ring-size", argument, state);
		settings->ring_bytes = (uint32_t)size;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
const struct argp session_argp = {.options = table, .parser = parse, .children = children};
