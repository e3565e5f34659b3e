// SPDX-License-Identifier: GPL-2.0-or-later
/* One look of `now`, or one after the other: taken, judged, shown, recorded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis.h"
#include "census.h"
#include "cli.h"
#include "cli/now.h"
#include "report.h"
#include "report/now.h"
#include "session/signals.h"
#include "store.h"
#include "util/clock.h"
#include "util/message.h"

/* --- one look
 * -------------------------------------------------------------------------------------------- */

struct look {
	struct model *model;
	struct census *census;
	struct finding_list findings; /* deadlocks, and what may be one */
};

static void look__release(struct look *look)
{
	free(look->findings.items);
	census__free(look->census);
	model__free(look->model);
	memset(look, 0, sizeof(*look));
}

static void name_known_bugs(struct look *look)
{
	struct analysis_options options = {.live_kernel = true, .catalogue = catalogue__builtin()};
	struct analysis *a = analysis__new(look->model, &options);

	for (uint32_t i = 0; a && i < look->findings.count; i++) {
		struct finding *deadlock = look->findings.items[i];
		const struct finding *matched = analysis__add_finding(a, deadlock);

		if (!matched)
			continue;
		memcpy(deadlock->known, matched->known, sizeof(deadlock->known));
		deadlock->known_count = matched->known_count;
	}
	analysis__free(a);
}

/* `judge`: with user stacks, and what hangs is looked for. */
static int look__take(struct look *look, const struct now_host *host, bool judge)
{
	struct census_options options = {
		.kernel = host->kernel,
		.source = host->source,
		.stacks_of_blocked = true,
		.user_stacks = judge,
		.verbosity = common.verbosity,
	};
	struct fact_sink facts;
	int err = -ENOMEM;

	look->model = options.model = model__new();
	if (!look->model)
		return err;
	facts = model__fact_sink(look->model);
	kernel__facts(host->kernel, &facts);
	look->census = census__run(&options, &err);
	if (!look->census || !judge)
		return err;
	err = census__find_deadlocks(look->census, &look->findings, look->census->now);
	if (err >= 0)
		err = census__find_possible(look->census, &look->findings, look->census->now);
	if (err >= 0)
		err = census__find_undecided(look->census, &look->findings, signals__stop);
	if (err < 0)
		return err;
	if (look->findings.count) {
		kernel__fix_facts(host->kernel, &facts);
		name_known_bugs(look);
	}
	return 0;
}

/* Sleep, in pieces, until `ns` are over or somebody wants us to end. */
static void pause_for(uint64_t ns)
{
	uint64_t end = clock_mono_ns() + ns, now;

	while (!signals__stop() && (now = clock_mono_ns()) < end) {
		uint64_t left = end - now < 50000000 ? end - now : 50000000;
		struct timespec piece = {0, (long)left};

		nanosleep(&piece, NULL);
	}
}

static int show(FILE *out, const struct now_options *options, const struct look *look)
{
	switch (options->format) {
	case REPORT_JSON:
		json_print(out, json_now(look->model, look->census, &look->findings));
		break;
	case REPORT_TEXT:
		report_text_now(out, look->model, look->census, &look->findings, look->census->now,
				cli_color(out));
		break;
	default:
		return report_waitfor(out, (enum report_format)options->format, look->model,
				      look->census->waitfor, &look->findings);
	}
	return fflush(out) ? -errno : 0;
}

/* The last look stays in the file. */
static int record(const char *path, const struct look *look)
{
	char error[512];
	int failed = store__save(path, look->model, &look->findings, NULL, error, sizeof(error));

	if (failed)
		log_error("%s", error);
	return failed ? EXIT_ERROR : 0;
}

/* Precedence 3, 2, 4, 0. */
static int exit_of(const struct look *look)
{
	int status = finding_list__exit_code(&look->findings);

	if (status)
		return status;
	return look->census->gap_count || look->census->undecided_count ? EXIT_INCONCLUSIVE
									: EXIT_CLEAN;
}

static int worse_of(int a, int b)
{
	static const int order[] = {EXIT_DEADLOCK, EXIT_FINDING, EXIT_ERROR, EXIT_INCONCLUSIVE};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a > b ? a : b;
}

/* Exit status of this look, or -errno. */
static int look_once(FILE *out, const struct now_options *options, const struct now_host *host)
{
	struct look before = {0}, look = {0};
	int status = 0;

	if (options->wait_for_ns) {
		status = look__take(&before, host, false);
		if (!status)
			census__watch_owners(before.census, options->wait_for_ns, signals__stop);
	}
	if (!status)
		status = look__take(&look, host, true);
	if (!status && options->wait_for_ns)
		census__keep_steady(look.census, before.census);
	if (!status)
		status = show(out, options, &look);
	if (!status && options->recording)
		status = record(options->recording, &look);
	if (status >= 0)
		status = worse_of(status, exit_of(&look));
	look__release(&before);
	look__release(&look);
	return status;
}

static int complain(int err, const struct now_options *options)
{
	const char *text = census__error();

	if (err == -ENOENT && options->format == REPORT_SVG)
		text = "Graphviz's `dot` is not installed, and svg needs it";
	log_error("%s", *text ? text : strerror(-err));
	return err == -EPERM || err == -EACCES || err == -ENOTSUP || err == -EOPNOTSUPP
		       ? EXIT_UNSUPPORTED
		       : EXIT_ERROR;
}

int now__run(const struct now_options *options, const struct now_host *host, FILE *out)
{
	int worst = EXIT_CLEAN;

	do {
		int status = look_once(out, options, host);

		if (status < 0)
			return complain(status, options);
		worst = worse_of(worst, status);
		if (options->watch_ns)
			pause_for(options->watch_ns);
	} while (options->watch_ns && !signals__stop());
	return worst;
}
