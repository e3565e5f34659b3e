// SPDX-License-Identifier: GPL-2.0-or-later
/* What the states of probes and paths are called, in every output and in recordings. */
#include "model.h"
#include "probe.h"

const char *const coverage_state_names[] = {
	[COVERAGE_UNPROBED] = "unprobed",
	[COVERAGE_ABSENT] = "absent",
	[COVERAGE_ZERO] = "zero",
	[COVERAGE_HIT] = "hit",
};

const char *const probe_state_names[PROBE_STATES] = {
	[PROBE_OFF] = "off",	   [PROBE_ATTACHED] = "attached", [PROBE_MISSING] = "missing",
	[PROBE_FAILED] = "failed", [PROBE_PENDING] = "pending",
};
