// SPDX-License-Identifier: GPL-2.0-or-later
/* The incident file of a live run. */
#include <errno.h>

#include "exit_code.h"
#include "session/session.h"
#include "util/clock.h"
#include "util/message.h"

int session__check_store(const struct session *s)
{
	char error[512];
	int refused;

	if (!s->settings.output)
		return 0;
	refused =
		store__check_place(s->settings.output, s->settings.overwrite, error, sizeof(error));
	if (!refused)
		return 0;
	log_error("%s", error);
	return refused == -EEXIST ? EXIT_USAGE : EXIT_ERROR;
}

int session__open_store(struct session *s)
{
	struct store_options options = {
		.max_size = s->settings.max_size,
		.record_events = s->settings.record_events,
		.redact = s->settings.redact,
		.overwrite = s->settings.overwrite,
		.trigger_window = s->settings.trigger ? s->settings.trigger_window_ns : 0,
	};
	char error[512];

	if (!s->settings.output)
		return 0;
	s->store = store_writer__open(s->settings.output, s->model, &options, error, sizeof(error));
	if (s->store)
		return 0;
	log_error("%s", error);
	return EXIT_ERROR;
}

/* Once: a disk that is full now may have room again, and the summary has the count. */
static void report_store_trouble(struct session *s)
{
	const char *error = store_writer__error(s->store);

	if (!error || s->store_trouble_reported)
		return;
	s->store_trouble_reported = true;
	log_warning("%s; tracing goes on, what cannot be written is counted as lost", error);
}

void session__store_turn(struct session *s)
{
	static uint64_t next;
	uint64_t now = clock_mono_ns(), lost;

	if (now < next || !s->store)
		return;
	next = now + 1000000000ULL;
	lost = store_writer__lost(s->store);
	if (lost > s->store_lost_seen)
		model__add_loss(s->model, LOSS_STORE, lost - s->store_lost_seen);
	s->store_lost_seen = lost;
	store_writer__snapshot(s->store);
	report_store_trouble(s);
}
