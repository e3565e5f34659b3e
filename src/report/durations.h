/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * durations.h - waits and holds of a model added up by class, by call path or by VM.
 *
 * Life cycle: durations__collect allocates *out (free with free()), most total time first, ties in
 * id order; returns the number of rows, 0 when nothing was recorded or memory is exhausted.
 * Units: nanoseconds.
 */
#ifndef VFIOTRACE_REPORT_DURATIONS_H
#define VFIOTRACE_REPORT_DURATIONS_H

#include "model.h"

enum durations_by { DURATIONS_BY_CLASS, DURATIONS_BY_CALL_PATH, DURATIONS_BY_VM };

struct duration_total {
	uint32_t lock_class, stack, vm; /* NO_ID where the row is not about it */
	struct histogram time;
};

uint32_t durations__collect(const struct model *m, bool is_hold, enum durations_by by,
			    struct duration_total **out);
/* Upper bound of the bucket in which the quantile (0..1) lies, at most the maximum seen. */
uint64_t histogram__quantile(const struct histogram *h, double quantile);
bool durations__any(const struct model *m, bool is_hold);
/* Why there are none; raw text that may quote the kernel. */
const char *durations__missing(const struct model *m, bool is_hold);

#endif
