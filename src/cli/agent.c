// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace agent: its options. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "agent/agent_private.h"
#include "util/message.h"

enum {
	KEY_LISTEN = 1024,
	KEY_TEXTFILE,
	KEY_STATE,
	KEY_HOOK,
	KEY_HOOK_TIMEOUT,
	KEY_MAX_OVERHEAD,
	KEY_KEEP,
	KEY_STATE_SIZE,
	KEY_MAX_MEMORY,
	KEY_MAX_CHAINS,
	KEY_SAMPLE,
};

static const struct argp_option table[] = {
	{NULL, 0, NULL, 0, "Metrics:", 1},
	{"listen", KEY_LISTEN, "ADDR", 0,
	 "Serve /metrics on 127.0.0.1:9756, [::1]:9756 or unix:/PATH", 1},
	{"textfile", KEY_TEXTFILE, "FILE", 0, "Write metrics for node-exporter here", 1},
	{NULL, 0, NULL, 0, "Incidents:", 2},
	{"state", KEY_STATE, "DIR", 0,
	 "Incident files (default: $STATE_DIRECTORY or /var/lib/vfiotrace), mode 0700", 2},
	{"keep", KEY_KEEP, "TIME", 0, "Remove incident files older than this (default 90d)", 2},
	{"state-size", KEY_STATE_SIZE, "SIZE", 0,
	 "Remove the oldest incident files beyond this in all (default 1G)", 2},
	{"hook", KEY_HOOK, "CMD", 0,
	 "Run with each incident file as argument; absolute path and words, no shell", 2},
	{"hook-timeout", KEY_HOOK_TIMEOUT, "TIME", 0, "Kill the hook after this (default 30s)", 2},
	{NULL, 0, NULL, 0, "Bounds:", 4},
	{"max-overhead", KEY_MAX_OVERHEAD, "PCT", 0,
	 "Own cost in percent of one CPU above which it traces less (default 0.5%)", 4},
	{"max-memory", KEY_MAX_MEMORY, "SIZE", 0,
	 "Resident memory at which the model is reset (default 256M)", 4},
	{"max-chains", KEY_MAX_CHAINS, "N", 0,
	 "Evict least recently seen chains above N, keep N/4 (default "
	 "65536)",
	 4},
	{"sample-interval", KEY_SAMPLE, "TIME", 0,
	 "Time between two samples of the programs' cost (default 60s)", 4},
	{0},
};

static double parse_percent(const char *text, struct argp_state *state)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (end == text || errno || (*end && strcmp(end, "%")) || !(value > 0) || value > 10000)
		argp_error(state, "--max-overhead takes a percentage of one CPU, not \"%s\"", text);
	return value / 100;
}

static uint32_t parse_chains(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || *end || value < 4096 || value > UINT32_MAX / 4)
		argp_error(state, "--max-chains takes a number from 4096, not \"%s\"", text);
	return (uint32_t)value;
}

static void need(int error, const char *option, const char *argument, struct argp_state *state)
{
	if (error)
		argp_error(state, "%s: cannot read \"%s\"", option, argument);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct agent_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->session;
		return 0;
	case KEY_LISTEN:
		o->listen = argument;
		return 0;
	case KEY_TEXTFILE:
		o->textfile = argument;
		return 0;
	case KEY_STATE:
		o->state = argument;
		return 0;
	case KEY_HOOK:
		o->hook = argument;
		return 0;
	case KEY_HOOK_TIMEOUT:
		need(parse_duration(argument, &o->hook_timeout_ns), "--hook-timeout", argument,
		     state);
		return 0;
	case KEY_MAX_OVERHEAD:
		o->max_overhead = parse_percent(argument, state);
		return 0;
	case KEY_KEEP:
		need(parse_duration(argument, &o->keep_ns), "--keep", argument, state);
		return 0;
	case KEY_STATE_SIZE:
		need(parse_size(argument, &o->state_bytes), "--state-size", argument, state);
		return 0;
	case KEY_MAX_MEMORY:
		need(parse_size(argument, &o->memory_bytes), "--max-memory", argument, state);
		return 0;
	case KEY_MAX_CHAINS:
		o->max_chains = parse_chains(argument, state);
		return 0;
	case KEY_SAMPLE:
		need(parse_duration(argument, &o->sample_interval_ns), "--sample-interval",
		     argument, state);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "agent takes no argument, got \"%s\"", argument);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* The agent works in its state directory: what was given relative to here must not move with it. */
static int make_absolute(const char **path, char buffer[PATH_MAX])
{
	char *resolved;

	if (!*path || **path == '/')
		return 0;
	resolved = realpath(*path, buffer);
	if (!resolved) {
		char here[PATH_MAX / 2];

		/* it may come later (a textfile) */
		if (!getcwd(here, sizeof(here)) ||
		    snprintf(buffer, PATH_MAX, "%s/%s", here, *path) >= PATH_MAX)
			return -ENAMETOOLONG;
	}
	*path = buffer;
	return 0;
}

static int parse_arguments(struct agent_options *o, int argc, char **argv)
{
	static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = table,
		.parser = parse,
		.children = children,
		.doc = "Monitor lock order for months: fixed memory, a budget of CPU time, "
		       "metrics, an incident file per finding.",
	};
	static char rules[PATH_MAX], suppress[PATH_MAX], textfile[PATH_MAX];
	const char *given = getenv("STATE_DIRECTORY");

	o->state = given && *given ? given : "/var/lib/vfiotrace";
	o->max_overhead = 0.005;
	o->keep_ns = 90ULL * 86400 * 1000000000;
	o->state_bytes = 1ULL << 30;
	o->hook_timeout_ns = 30000000000ULL;
	o->memory_bytes = 256ULL << 20;
	o->max_chains = 65536;
	if (cli_parse(&argp, argc, argv, o))
		return EXIT_USAGE;
	if (o->session.output) {
		log_error("agent writes its own incident files: --state instead of --output");
		return EXIT_USAGE;
	}
	if (make_absolute(&o->session.rules, rules) ||
	    make_absolute(&o->session.suppress, suppress) || make_absolute(&o->textfile, textfile))
		return EXIT_USAGE;
	return 0;
}

int agent_main(int argc, char **argv)
{
	struct agent_options options = {0};
	int status = parse_arguments(&options, argc, argv);

	return status ? status : agent__run(&options);
}
