// SPDX-License-Identifier: GPL-2.0-or-later
/* Adding one model to another: paths, durations, events, facts, clock, losses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/replay.h"

void replay_paths(struct replay *r)
{
	struct coverage sum[PATH_COUNT];

	for (int path = 0; path < PATH_COUNT; path++) {
		const struct coverage *from = model__coverage(r->from, path);

		sum[path] = *model__coverage(r->to, path);
		sum[path].hits += from->hits;
		if (from->state >= sum[path].state) {
			sum[path].state = from->state;
			sum[path].probe = from->probe ? from->probe : sum[path].probe;
			sum[path].reason = from->reason;
		}
	}
	for (uint32_t i = 0; i < model__path_event_count(r->from); i++) {
		struct path_event event = *model__path_event(r->from, i);

		if (!replay_wants(r, path_events, i))
			continue;
		event.time = shifted(r, event.time);
		event.task = mapped(&r->maps.tasks, event.task);
		event.device = mapped(&r->maps.objects, event.device);
		event.group = mapped(&r->maps.objects, event.group);
		event.vm = mapped(&r->maps.objects, event.vm);
		event.kvm_ref_lock = mapped(&r->maps.instances, event.kvm_ref_lock);
		model__add_path_event(r->to, &event);
	}
	for (int path = 0; path < PATH_COUNT; path++) { /* each event counted as a hit by itself */
		redact_coverage(r->redactor, &sum[path]);
		model__set_coverage(r->to, path, &sum[path]);
	}
}

/* Times of a lock that is left out: those of all such locks of its class. */
static uint32_t timed_lock(struct replay *r, uint32_t from)
{
	uint32_t to = mapped(&r->maps.instances, from);

	if (to != NO_ID || from == NO_ID)
		return to;
	to = model__add_instance(
		r->to, mapped(&r->maps.classes, model__instance(r->from, from)->lock_class), 0, 0);
	if (to != NO_ID)
		model__name_instance(r->to, to, "earlier ones", NO_ID);
	return to;
}

void replay_durations(struct replay *r)
{
	for (uint32_t i = 0; i < model__duration_count(r->from); i++) {
		const struct duration_row *row = model__duration(r->from, i);

		model__add_duration(r->to, timed_lock(r, row->instance),
				    mapped(&r->maps.stacks, row->stack),
				    mapped(&r->maps.objects, row->vm), row->is_hold, &row->time);
	}
	for (uint32_t i = 0; i < model__bad_release_count(r->from); i++) {
		struct bad_release release = *model__bad_release(r->from, i);

		release.task = mapped(&r->maps.tasks, release.task);
		release.instance = mapped(&r->maps.instances, release.instance);
		release.stack = mapped(&r->maps.stacks, release.stack);
		release.first = shifted(r, release.first);
		release.last = shifted(r, release.last);
		model__restore_bad_release(r->to, &release);
	}
}

static uint32_t replay_operand(const struct replay *r, const struct trace_event *event)
{
	switch (event->op) {
	case EVENT_FORK:
	case EVENT_JOIN:
		return mapped(&r->maps.tasks, event->operand);
	case EVENT_READ:
	case EVENT_WRITE:
		return mapped(&r->maps.variables, event->operand);
	case EVENT_BEGIN:
	case EVENT_END:
	case EVENT_GAP:
		return event->operand;
	}
	return mapped(&r->maps.instances, event->operand);
}

int replay_events(struct replay *r)
{
	static const struct trace_event gap = {.op = EVENT_GAP, .operand = NO_ID, .stack = NO_ID};
	int error = 0;

	/* Two streams are no one stream: nothing may be concluded across the seam. */
	if (model__event_count(r->to) && model__event_count(r->from))
		error = model__restore_event(r->to, &gap);
	for (uint64_t i = 0; i < model__event_count(r->from) && !error; i++) {
		struct trace_event event = model__events(r->from)[i];

		event.time = shifted(r, event.time);
		event.operand = replay_operand(r, &event);
		event.stack = mapped(&r->maps.stacks, event.stack);
		if (event.op != EVENT_GAP)
			event.task = mapped(&r->maps.tasks, event.task);
		error = model__restore_event(r->to, &event);
	}
	return error;
}

/* --- facts, clock, losses ---------------------------------------------------------------- */

int replay_facts(struct replay *r)
{
	for (size_t i = 0; i < model__fact_count(r->from); i++) {
		const char *key, *value, *known;
		char name[256];

		model__fact_at(r->from, i, &key, &value);
		value = redact_fact(r->redactor, key, value);
		if (!value)
			continue;
		known = model__fact(r->to, key);
		if (known && !strcmp(known, value))
			continue;
		snprintf(name, sizeof(name), "host.%u.%s", r->options->host, key);
		if (model__set_fact(r->to, known ? name : key, value))
			return -ENOMEM;
	}
	return r->redactor ? model__set_fact(r->to, REDACTED_FACT, "yes") : 0;
}

void replay_clock(struct replay *r)
{
	const struct model_clock *from = model__clock((struct model *)r->from);
	struct model_clock *to = model__clock(r->to);
	uint64_t start = shifted(r, from->start), end = shifted(r, from->end);

	if (!to->realtime_offset && from->realtime_offset)
		to->realtime_offset = from->realtime_offset - r->options->shift;
	if (start && (!to->start || start < to->start))
		to->start = start;
	if (end > to->end)
		to->end = end;
	to->has_time |= from->has_time;
}

void replay_losses(struct replay *r)
{
	const char *unknown = model__losses_unknown(r->from);

	for (int reason = 0; reason < LOSS_REASONS; reason++)
		model__add_loss(r->to, reason, model__loss(r->from, reason));
	if (unknown)
		model__set_losses_unknown(r->to, redact_text(r->redactor, unknown));
	model__add_acquisitions(r->to, model__acquisitions(r->from));
}
