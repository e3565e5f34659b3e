/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sources.h - files a person names, as one model: recordings as they are, traces and kernel logs
 * judged while they are read, several of them brought together, hidden names replaced.
 *
 * Life cycle: sources__load, use model and findings, sources__free. Messages are printed; errors
 * are -errno.
 */
#ifndef VFIOTRACE_CLI_SOURCES_H
#define VFIOTRACE_CLI_SOURCES_H

#include "analysis.h"

struct source_options {
	bool events;	     /* load event streams of recordings */
	uint64_t max_events; /* only the newest so many, 0: all */
	bool redact;
};

struct sources {
	struct model *model;
	struct analysis *analysis;
	struct rule_set *rules;
	uint32_t unusable; /* messages about lines that could not be used */
	bool cut;	   /* max_events left older events out */
};

int sources__load(struct sources *s, const char *const *paths, uint32_t count,
		  const struct source_options *options);
void sources__free(struct sources *s);

#endif
