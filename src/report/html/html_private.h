/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * html_private.h - the model and its findings as the one JSON object the page draws from.
 *
 * Bounded: what cycles need is always there; beyond that the first dependencies up to the limits,
 * and the object says how many were left out ("cut"). Times are nanoseconds since the start of the
 * recording, -1 where not known. No "<" appears in the output, so no markup can be closed by it.
 */
#ifndef VFIOTRACE_REPORT_HTML_PRIVATE_H
#define VFIOTRACE_REPORT_HTML_PRIVATE_H

#include "report/outputs.h"

#define HTML_DEPENDENCIES 20000
#define HTML_EVENTS 20000
#define HTML_DURATIONS 400

/* What goes into the page: one byte an id, and the tables they index. */
struct html_selection {
	const struct report_input *input;
	const struct model *m;
	uint8_t *dependencies, *chains, *instances, *stacks, *tasks, *cycle_tasks;
	uint32_t dependencies_cut;
	uint64_t events_from; /* of the event stream; older ones are left out */
	uint64_t events_cut;
	struct marks marks;
};
int html_selection__init(struct html_selection *s, const struct report_input *input);
void html_selection__release(struct html_selection *s);

void html_data_write(FILE *out, const struct report_input *input,
		     const struct report_options *options, const char *verdict);
void html_data_findings(FILE *out, const struct html_selection *s);
void html_data_graph(FILE *out, const struct html_selection *s);
void html_data_tables(FILE *out, const struct html_selection *s);

/* Pieces all three use. An event is shown when it is a lock's, and of a task of a cycle. */
bool html_shows_event(const struct html_selection *s, const struct trace_event *e);
void html_id(FILE *out, uint32_t id); /* -1 for NO_ID */
void html_time(FILE *out, const struct model *m, uint64_t mono);

#endif
