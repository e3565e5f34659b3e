// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several recordings into one. Files of one boot of one host share their locks and tasks; files of
 * other boots or hosts share only classes, so that no order is made up between locks that never
 * met. Clocks are aligned by wall time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/store_private.h"

struct host {
	const char *boot, *name, *release; /* interned in the target */
};

struct merge {
	struct model *to;
	struct analysis *findings;
	struct host *hosts;
	uint32_t host_count;
	int64_t offset; /* clock relation of the result */
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Index of the host this recording is from; a new one where it is not known yet. */
static uint32_t host_of(struct merge *g, const struct model *m)
{
	struct host host = {
		model__intern(g->to, model__fact(m, "host.boot_id")),
		model__intern(g->to, model__fact(m, "host.name")),
		model__intern(g->to, model__fact(m, "kernel.release")),
	};
	uint32_t i;

	for (i = 0; i < g->host_count; i++) {
		const struct host *known = &g->hosts[i];

		if (host.boot || known->boot ? same_text(host.boot, known->boot)
					     : same_text(host.name, known->name) &&
						       same_text(host.release, known->release))
			return i;
	}
	g->hosts[g->host_count++] = host;
	return i;
}

/* Monotonic clocks start at boot: the earliest one stays, later boots move up. */
static int find_offset(struct merge *g, const char *const *inputs, size_t count, char *error,
		       size_t error_size)
{
	const struct store_message message = {error, error_size};

	for (size_t i = 0; i < count; i++) {
		sqlite3 *db;
		sqlite3_stmt *row;
		int failed = store_file__open(inputs[i], &db, &message);

		if (failed)
			return failed;
		if (!sqlite3_prepare_v2(db, "SELECT offset FROM clock", -1, &row, NULL) &&
		    sqlite3_step(row) == SQLITE_ROW) {
			int64_t offset = sqlite3_column_int64(row, 0);

			if (offset && (!g->offset || offset < g->offset))
				g->offset = offset;
		}
		sqlite3_finalize(row);
		sqlite3_close(db);
	}
	return 0;
}

static int add_input(struct merge *g, const char *input, char *error, size_t error_size)
{
	static const struct store_read_options everything = {.events = true};
	struct replay_options options = {0};
	struct model *from = model__new();
	struct analysis *recorded =
		from ? analysis__new(from, &(struct analysis_options){0}) : NULL;
	int failed = -ENOMEM;
	int64_t offset;
	char prefix[64];

	if (!recorded)
		goto cleanup;
	failed = store__read(input, from, recorded, &everything, error, error_size);
	if (failed)
		goto cleanup;
	offset = model__clock(from)->realtime_offset;
	options.host = host_of(g, from);
	options.shift = offset && g->offset ? offset - g->offset : 0;
	snprintf(prefix, sizeof(prefix), "host %u", options.host + 1);
	options.prefix = g->hosts[options.host].name ? g->hosts[options.host].name : prefix;
	failed = model__replay(g->to, from, analysis__findings(recorded), g->findings, &options);
cleanup:
	analysis__free(recorded);
	model__free(from);
	return failed;
}

static bool same_file(const char *a, const char *b)
{
	struct stat first, second;

	return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

int store__merge(const char *output, const char *const *inputs, size_t count, char *error,
		 size_t error_size)
{
	const struct store_message message = {error, error_size};
	struct merge g = {.to = model__new()};
	int failed = -ENOMEM;
	char sources[32];

	for (size_t i = 0; i < count; i++)
		if (same_file(output, inputs[i])) {
			model__free(g.to);
			return store_fail(&message, -EINVAL,
					  "%s: is an input too; write the result to another file",
					  output);
		}
	g.hosts = calloc(count + 1, sizeof(*g.hosts));
	g.findings = g.to ? analysis__new(g.to, &(struct analysis_options){0}) : NULL;
	if (g.hosts && g.findings)
		failed = find_offset(&g, inputs, count, error, error_size);
	for (size_t i = 0; i < count && !failed; i++)
		failed = add_input(&g, inputs[i], error, error_size);
	snprintf(sources, sizeof(sources), "%zu", count);
	if (!failed)
		failed = model__set_fact(g.to, "recording.sources", sources);
	if (!failed)
		failed = store__save(output, g.to, analysis__findings(g.findings), NULL, error,
				     error_size);
	else if (failed == -ENOMEM)
		store_fail(&message, failed, "out of memory");
	analysis__free(g.findings);
	model__free(g.to);
	free(g.hosts);
	return failed;
}
