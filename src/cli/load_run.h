/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_run.h - a recording, splat or trace read back into a model with its findings decided, for
 * commands that compare runs.
 *
 * Life cycle: loaded_run__open, read model and findings, loaded_run__close (NULL allowed).
 * Errors: NULL with *error -errno; the message was printed.
 */
#ifndef VFIOTRACE_CLI_LOAD_RUN_H
#define VFIOTRACE_CLI_LOAD_RUN_H

#include "analysis.h"

struct loaded_run {
	const char *path;
	struct model *model;
	struct analysis *analysis;
	struct rule_set *rules;
};

struct loaded_run *loaded_run__open(const char *path, const struct rule_set *suppressions,
				    int *error);
const struct finding_list *loaded_run__findings(const struct loaded_run *run);
void loaded_run__close(struct loaded_run *run);

#endif
