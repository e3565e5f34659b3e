// SPDX-License-Identifier: GPL-2.0-or-later
/* Files a person names, as one model with its findings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli/sources.h"
#include "import.h"
#include "report.h"
#include "store.h"
#include "util/message.h"
#include "util/text.h"

#define COMPLAINTS_SHOWN 20

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	struct sources *s = context;

	if (s->unusable++ >= COMPLAINTS_SHOWN && !common.verbosity)
		return;
	if (line)
		log_warning("%s:%u: %s", text_safe(file), line, text_safe(message));
	else
		log_error("%s: %s", text_safe(file), text_safe(message));
}

static void progress(void *context, uint64_t done, uint64_t total)
{
	(void)total;
	log_progress("%s: %llu MiB read", text_safe(context), (unsigned long long)done >> 20);
}

/* --- one file ---------------------------------------------------------------------------- */

static int start(struct sources *one, const struct analysis_options *options)
{
	one->model = model__new();
	one->analysis = one->model ? analysis__new(one->model, options) : NULL;
	return one->analysis ? 0 : -ENOMEM;
}

static void drop(struct sources *one)
{
	analysis__free(one->analysis);
	model__free(one->model);
	one->analysis = NULL;
	one->model = NULL;
}

/* What was concluded from a recording that ended early is missing in part: conclude it again. */
static int judge_again(struct sources *one)
{
	const struct analysis_options options = {
		.live_kernel = true, .rules = one->rules, .catalogue = catalogue__builtin()};
	struct analysis *again = analysis__new(one->model, &options);
	const struct finding_list *recorded = analysis__findings(one->analysis);
	int error = again ? analysis__finish(again) : -ENOMEM;

	for (uint32_t i = 0; !error && i < recorded->count; i++)
		if (!analysis__add_finding(again, recorded->items[i]))
			error = -ENOMEM;
	if (error) {
		analysis__free(again);
		return error;
	}
	analysis__free(one->analysis);
	one->analysis = again;
	return 0;
}

static int read_recording(struct sources *s, struct sources *one, const char *path,
			  const struct source_options *options)
{
	const struct store_read_options read = {.events = options->events,
						.max_events = options->max_events};
	char message[1024] = "";
	int error = start(one, &(struct analysis_options){0});

	if (!error)
		error = store__read(path, one->model, one->analysis, &read, message,
				    sizeof(message));
	if (error) {
		log_error("%s", *message ? text_safe(message) : strerror(-error));
		return error;
	}
	s->cut |= options->max_events && model__event_count(one->model) > options->max_events;
	return model__fact(one->model, "recording.truncated") ? judge_again(one) : 0;
}

static int read_other(struct sources *s, struct sources *one, const char *path)
{
	const struct analysis_options judge = {.live_kernel = true,
					       .predict = true,
					       .rules = s->rules,
					       .catalogue = catalogue__builtin()};
	struct import_options import = {.complain = complain,
					.complain_context = s,
					.progress = progress,
					.progress_context = (void *)path};
	const uint32_t said = s->unusable;
	int error = start(one, &judge);

	if (error)
		return error;
	model__keep_events(one->model, true);
	import.analysis = one->analysis;
	error = import_file(one->model, path, &import);
	clear_progress();
	if (error && s->unusable == said)
		log_error("%s: %s", text_safe(path), strerror(-error));
	return error ? error : analysis__finish(one->analysis);
}

static int read_one(struct sources *s, struct sources *one, const char *path,
		    const struct source_options *options)
{
	one->rules = s->rules;
	return store__is_recording(path) ? read_recording(s, one, path, options)
					 : read_other(s, one, path);
}

/* --- all of them ------------------------------------------------------------------------- */

static int64_t least_offset(const struct sources *parts, uint32_t count)
{
	int64_t base = 0;

	for (uint32_t i = 0; i < count; i++) {
		int64_t offset = model__clock(parts[i].model)->realtime_offset;

		if (offset && (!base || offset < base))
			base = offset;
	}
	return base;
}

static int bring_together(struct sources *s, const struct sources *parts, uint32_t count)
{
	struct model_merge *merge;
	int error = start(s, &(struct analysis_options){0});

	if (error)
		return error;
	merge = model_merge__new(s->model, s->analysis, least_offset(parts, count));
	error = merge ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < count && !error; i++)
		error = model_merge__add(merge, parts[i].model,
					 analysis__findings(parts[i].analysis));
	model_merge__free(merge);
	return error;
}

static int hide_names(struct sources *s)
{
	static const struct replay_options options = {.redact = true};
	struct sources hidden = {0};
	int error = start(&hidden, &(struct analysis_options){0});

	if (!error)
		error = model__replay(hidden.model, s->model, analysis__findings(s->analysis),
				      hidden.analysis, &options);
	if (error) {
		drop(&hidden);
		return error;
	}
	drop(s);
	s->model = hidden.model;
	s->analysis = hidden.analysis;
	return 0;
}

int sources__load(struct sources *s, const char *const *paths, uint32_t count,
		  const struct source_options *options)
{
	struct sources *parts = calloc(count, sizeof(*parts));
	int error = parts ? 0 : -ENOMEM;

	*s = (struct sources){.rules = rule_set__builtin()};
	for (uint32_t i = 0; i < count && !error; i++)
		error = read_one(s, &parts[i], paths[i], options);
	if (!error && count == 1) {
		s->model = parts[0].model;
		s->analysis = parts[0].analysis;
		parts[0] = (struct sources){0};
	} else if (!error) {
		error = bring_together(s, parts, count);
	}
	for (uint32_t i = 0; parts && i < count; i++)
		drop(&parts[i]);
	free(parts);
	if (!error && options->redact)
		error = hide_names(s);
	if (error == -ENOMEM)
		log_error("out of memory");
	if (s->unusable > COMPLAINTS_SHOWN && !common.verbosity)
		log_warning("%u more messages like these; -v shows them",
			    s->unusable - COMPLAINTS_SHOWN);
	return error;
}

void sources__free(struct sources *s)
{
	drop(s);
	rule_set__free(s->rules);
	s->rules = NULL;
}
