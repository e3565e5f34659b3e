/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * predict.h - sync-preserving deadlock prediction: Tunc, Mathur, Pavlogiannis, Viswanathan, "Sound
 * Dynamic Deadlock Prediction in Linear Time", PLDI 2023 (SPDOffline), with read/write modes.
 *
 * A pattern is reachable when the closure of what precedes its acquires contains none of them. The
 * closure is kept as one number per task: how many of its events are in it.
 *
 * Life cycle: predictor__new once per trace, predictor__check per pattern, predictor__free.
 */
#ifndef VFIOTRACE_ANALYSIS_PREDICT_H
#define VFIOTRACE_ANALYSIS_PREDICT_H

#include "analysis/patterns.h"

struct predictor;

struct predictor *predictor__new(struct analysis *a); /* NULL: no events, or no memory */
void predictor__free(struct predictor *p);
enum reach { REACH_UNDECIDED, REACH_NO, REACH_YES };
/*
 * Takes no more than `budget` steps; what is not known by then is undecided, as it is when memory
 * ends. After REACH_YES predictor__schedule describes this pattern, after any other nothing may.
 */
enum reach predictor__check(struct predictor *p, const struct pattern *pattern, uint64_t budget);
/*
 * After REACH_YES: run the schedule, lock by lock. false: a lock would be held twice at once, or
 * nobody waits in the end, because the trace is not what really happened.
 */
bool predictor__replay(struct predictor *p, const struct pattern *pattern);
/* Steps of all checks and schedules together: what bounds their cost. */
uint64_t predictor__walked(const struct predictor *p);
/* Steps in words that reach the deadlock, in the analysis' arena; NULL: no memory. */
const char **predictor__schedule(struct predictor *p, const struct pattern *pattern,
				 uint32_t *count);

#endif
