// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs read back from files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli/load_run.h"
#include "import.h"
#include "report.h"
#include "store.h"
#include "util/message.h"
#include "util/text.h"

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	*(bool *)context = true;
	if (line)
		log_warning("%s:%u: %s", text_safe(file), line, text_safe(message));
	else
		log_error("%s: %s", text_safe(file), text_safe(message));
}

/* *said: what went wrong has been printed. */
static int read_file(struct loaded_run *run, bool *said)
{
	struct import_options options = {.format = IMPORT_AUTO,
					 .complain = complain,
					 .complain_context = said,
					 .analysis = run->analysis};
	struct store_read_options store_options = {.events = false};
	char message[512];
	int error;

	if (!store__is_recording(run->path))
		return import_file(run->model, run->path, &options);
	error = store__read(run->path, run->model, run->analysis, &store_options, message,
			    sizeof(message));
	if (error)
		log_error("%s", text_safe(message));
	*said = true;
	return error;
}

struct loaded_run *loaded_run__open(const char *path, const struct rule_set *suppressions,
				    int *error)
{
	struct loaded_run *run = calloc(1, sizeof(*run));
	struct analysis_options options = {.live_kernel = true,
					   .suppressions = suppressions,
					   .catalogue = catalogue__builtin()};
	bool said = false;

	*error = -ENOMEM;
	if (!run)
		return NULL;
	run->path = path;
	run->rules = rule_set__builtin();
	run->model = model__new();
	options.rules = run->rules;
	/* a trace of some other program has no VFIO lock to touch */
	options.touches_scope = store__is_recording(path);
	if (run->model)
		run->analysis = analysis__new(run->model, &options);
	if (run->analysis)
		*error = read_file(run, &said);
	if (!*error)
		*error = analysis__finish(run->analysis);
	if (!*error)
		return run;
	if (!said)
		log_error("%s: %s", text_safe(path), strerror(-*error));
	loaded_run__close(run);
	return NULL;
}

const struct finding_list *loaded_run__findings(const struct loaded_run *run)
{
	return analysis__findings(run->analysis);
}

void loaded_run__close(struct loaded_run *run)
{
	if (!run)
		return;
	analysis__free(run->analysis);
	model__free(run->model);
	rule_set__free(run->rules);
	free(run);
}
