// SPDX-License-Identifier: GPL-2.0-or-later
/* What is attached: for the screen, and as facts that the recording carries. */
#include <stdio.h>

#include "session/session.h"

uint32_t session__probes(const struct session *s, struct probe_info *out)
{
	return capture__probes(s->capture, out, SESSION_PROBES);
}

/* "probe.mutex_lock": "attached, fentry mutex_lock" */
void session__note_probes(struct session *s)
{
	struct probe_info probes[SESSION_PROBES];
	uint32_t count = session__probes(s, probes);

	for (uint32_t i = 0; i < count; i++) {
		const struct probe_info *probe = &probes[i];
		char key[128], value[256];

		snprintf(key, sizeof(key), "probe.%s", probe->name);
		if (probe->reason)
			snprintf(value, sizeof(value), "%s: %s", probe_state_names[probe->state],
				 probe->reason);
		else
			snprintf(value, sizeof(value), "%s, %s %s", probe_state_names[probe->state],
				 probe->how ? probe->how : "",
				 probe->function ? probe->function : "");
		model__set_fact(s->model, key, value);
	}
}
