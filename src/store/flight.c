// SPDX-License-Identifier: GPL-2.0-or-later
/* The flight recorder's memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/writer.h"

int flight__init(struct flight *flight, const struct store_options *options)
{
	flight->items = malloc(FLIGHT_EVENTS * sizeof(*flight->items));
	flight->window = options->trigger_window;
	/* beside the graph, which is never cut */
	flight->most =
		options->max_size ? options->max_size / 2 / EVENT_ROW_BYTES + 1 : FLIGHT_EVENTS;
	return flight->items ? 0 : -ENOMEM;
}

void flight__release(struct flight *flight)
{
	free(flight->items);
	flight->items = NULL;
}

void flight__add(struct flight *flight, const struct trace_event *event)
{
	flight->items[flight->next++ % FLIGHT_EVENTS] = *event;
	if (flight->count < FLIGHT_EVENTS)
		flight->count++;
}

int flight__take(struct flight *flight, struct row_fired *fired)
{
	uint32_t first = flight->next - flight->count, kept = flight->count;
	const struct trace_event *newest = &flight->items[(flight->next - 1) % FLIGHT_EVENTS];
	struct trace_event *copy;

	if (!kept)
		return 0;
	fired->time = newest->time;
	while (kept && flight->items[first % FLIGHT_EVENTS].time + flight->window < newest->time) {
		first++;
		kept--;
	}
	if (kept > flight->most) {
		first += kept - (uint32_t)flight->most;
		kept = (uint32_t)flight->most;
	}
	copy = malloc(((size_t)kept + 1) * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	/* What came before is not there: nothing may be concluded across the start. */
	copy[0] = (struct trace_event){.time = flight->items[first % FLIGHT_EVENTS].time,
				       .op = EVENT_GAP,
				       .operand = NO_ID,
				       .stack = NO_ID};
	for (uint32_t i = 0; i < kept; i++)
		copy[i + 1] = flight->items[(first + i) % FLIGHT_EVENTS];
	fired->stream = (struct row_events){copy, kept + 1ULL, copy};
	fired->events = kept;
	fired->span = newest->time - copy[0].time;
	flight->count = 0;
	return 0;
}
