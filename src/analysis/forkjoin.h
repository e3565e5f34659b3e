/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forkjoin.h - which parts of a trace fork and join put in order.
 *
 * Life cycle: forkjoin__new, forkjoin__step for every event in order, queries, forkjoin__free.
 */
#ifndef VFIOTRACE_ANALYSIS_FORKJOIN_H
#define VFIOTRACE_ANALYSIS_FORKJOIN_H

#include "analysis/analysis_private.h"

struct forkjoin *forkjoin__new(const struct analysis *a);
void forkjoin__free(struct forkjoin *f);
/* Segment of the event, NO_ID when there are too many to keep. */
uint32_t forkjoin__step(struct forkjoin *f, const struct trace_event *event);

#endif
