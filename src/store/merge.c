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

#include "store/redact.h"

struct host {
	const char *boot, *name, *release; /* interned in the target */
	bool redacted;
};

struct model_merge {
	struct model *to;
	struct analysis *findings;
	struct host *hosts;
	uint32_t host_count, host_capacity;
	int64_t base;
};

struct model_merge *model_merge__new(struct model *target, struct analysis *findings, int64_t base)
{
	struct model_merge *g = calloc(1, sizeof(*g));

	if (g)
		*g = (struct model_merge){.to = target, .findings = findings, .base = base};
	return g;
}

void model_merge__free(struct model_merge *g)
{
	if (!g)
		return;
	free(g->hosts);
	free(g);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_host(const struct host *a, const struct host *b)
{
	if (a->boot || b->boot)
		return same_text(a->boot, b->boot);
	return same_text(a->name, b->name) && same_text(a->release, b->release);
}

/* Index of the host this model is from, a new one where it is not known yet; NO_ID: no memory. */
static uint32_t host_of(struct model_merge *g, const struct model *m)
{
	const struct host host = {
		model__intern(g->to, model__fact(m, "host.boot_id")),
		model__intern(g->to, model__fact(m, "host.name")),
		model__intern(g->to, model__fact(m, "kernel.release")),
		model__fact(m, REDACTED_FACT) != NULL,
	};

	/* pseudonyms and small numbers for addresses are the same in any redacted recording */
	for (uint32_t i = 0; i < g->host_count && !model__fact(m, REDACTED_FACT); i++)
		if (!g->hosts[i].redacted && same_host(&host, &g->hosts[i]))
			return i;
	if (g->host_count == g->host_capacity) {
		uint32_t capacity = g->host_capacity * 2 + 8;
		struct host *hosts = realloc(g->hosts, capacity * sizeof(*hosts));

		if (!hosts)
			return NO_ID;
		g->hosts = hosts;
		g->host_capacity = capacity;
	}
	g->hosts[g->host_count] = host;
	return g->host_count++;
}

int model_merge__add(struct model_merge *g, const struct model *m,
		     const struct finding_list *findings)
{
	const int64_t offset = model__clock(m)->realtime_offset;
	struct replay_options options = {.host = host_of(g, m)};
	char prefix[32];

	if (options.host == NO_ID)
		return -ENOMEM;
	options.shift = offset && g->base && offset > g->base ? offset - g->base : 0;
	snprintf(prefix, sizeof(prefix), "host %u", options.host + 1);
	options.prefix = g->hosts[options.host].name ? g->hosts[options.host].name : prefix;
	return model__replay(g->to, m, findings, g->findings, &options);
}

/* --- files ------------------------------------------------------------------------------- */

static int find_base(const char *const *inputs, size_t count, int64_t *base,
		     const struct store_message *message)
{
	for (size_t i = 0; i < count; i++) {
		struct store_file file;
		sqlite3_stmt *row;
		int failed = store_file__open(inputs[i], &file, message);

		if (failed)
			return failed;
		if (!sqlite3_prepare_v2(file.db,
					"SELECT value FROM meta WHERE key = 'realtime_offset'", -1,
					&row, NULL) &&
		    sqlite3_step(row) == SQLITE_ROW) {
			int64_t offset = sqlite3_column_int64(row, 0);

			if (offset && (!*base || offset < *base))
				*base = offset;
		}
		sqlite3_finalize(row);
		store_file__close(&file);
	}
	return 0;
}

static int add_file(struct model_merge *g, const char *input, char *error, size_t error_size)
{
	static const struct store_read_options everything = {.events = true};
	struct model *from = model__new();
	struct analysis *recorded =
		from ? analysis__new(from, &(struct analysis_options){0}) : NULL;
	int failed = -ENOMEM;

	if (recorded)
		failed = store__read(input, from, recorded, &everything, error, error_size);
	if (!failed)
		failed = model_merge__add(g, from, analysis__findings(recorded));
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

static int check_inputs(const char *output, const char *const *inputs, size_t count, char *error,
			size_t error_size)
{
	const struct store_message message = {error, error_size};

	for (size_t i = 0; i < count; i++)
		if (same_file(output, inputs[i]))
			return store_fail(&message, -EINVAL,
					  "%s: is an input too; write the result to another file",
					  output);
	return 0;
}

int store__merge(const char *output, const char *const *inputs, size_t count, char *error,
		 size_t error_size)
{
	const struct store_message message = {error, error_size};
	struct model *m = model__new();
	struct analysis *findings = m ? analysis__new(m, &(struct analysis_options){0}) : NULL;
	struct model_merge *g = NULL;
	int failed = check_inputs(output, inputs, count, error, error_size);
	char sources[32];
	int64_t base = 0;

	if (!failed)
		failed = find_base(inputs, count, &base, &message);
	if (failed)
		goto cleanup;
	g = findings ? model_merge__new(m, findings, base) : NULL;
	failed = g ? 0 : -ENOMEM;
	for (size_t i = 0; i < count && !failed; i++)
		failed = add_file(g, inputs[i], error, error_size);
	snprintf(sources, sizeof(sources), "%zu", count);
	if (!failed)
		failed = model__set_fact(m, "recording.sources", sources);
	if (failed == -ENOMEM)
		store_fail(&message, failed, "out of memory");
	if (!failed)
		failed = store__save(output, m, analysis__findings(findings), NULL, error,
				     error_size);
cleanup:
	model_merge__free(g);
	analysis__free(findings);
	model__free(m);
	return failed;
}
