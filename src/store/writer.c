// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tracing side of the writer. Ids are dense and rows only grow, so what is new is what lies
 * behind a mark; rows that change carry a fingerprint of what was last sent. A full queue therefore
 * loses nothing of the graph: the mark stays and the rows go later. Only events can be lost. What
 * refers to rows, an event or a finding, is queued only when these are.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"
#include "store/tables.h"
#include "store/writer.h"

#define DEFAULT_QUEUE_BYTES (8u << 20)

/* --- events ------------------------------------------------------------------------------ */

static bool put_event(struct store_writer *w, const struct trace_event *event)
{
	return queue__put(w->queue, ROW_EVENT, event, sizeof(*event), NULL, 0, false);
}

static void on_event(void *context, const struct model *m, const struct trace_event *event)
{
	static const struct trace_event gap = {.op = EVENT_GAP, .operand = NO_ID, .stack = NO_ID};
	struct store_writer *w = context;

	if (w->flight.items) {
		flight__add(&w->flight, event);
		return;
	}
	if (tables__send_new(w->tables, m, w->queue) && (!w->gap || put_event(w, &gap)) &&
	    put_event(w, event)) {
		w->gap = false;
		return;
	}
	atomic_fetch_add(&w->lost, 1);
	w->gap = true;
}

static void on_chain(void *context, const struct model *m, uint32_t chain)
{
	struct store_writer *w = context;

	(void)chain;
	tables__send_new(w->tables, m, w->queue);
}

/* --- findings ---------------------------------------------------------------------------- */

bool store_writer__encode(const struct store_writer *w, const struct finding *f,
			  struct row_finding *row)
{
	struct finding copy = *f;
	bool done;

	if (!w->redactor)
		return row_finding__encode(w->model, f, row);
	if (!redact_finding(w->redactor, &copy))
		return false;
	done = row_finding__encode(w->model, &copy, row);
	free(copy.schedule);
	return done;
}

static bool put_finding(struct store_writer *w, const struct row_finding *row)
{
	return queue__put(w->queue, ROW_FINDING, row, sizeof(*row), NULL, 0, true);
}

static void send_waiting(struct store_writer *w)
{
	while (w->waiting.count && put_finding(w, &w->waiting.items[w->waiting.count - 1]))
		w->waiting.count--;
}

void store_writer__finding(struct store_writer *w, const struct finding *finding)
{
	struct row_finding row;
	bool fits;

	if (!w)
		return;
	fits = tables__send_new(w->tables, w->model, w->queue);
	if (fits)
		send_waiting(w);
	if (!store_writer__encode(w, finding, &row)) {
		atomic_fetch_add(&w->lost, 1);
		return;
	}
	/* one that waits must not come after a newer one of its key */
	fits = fits && !w->waiting.count && put_finding(w, &row);
	if (!fits && !findings__keep(&w->waiting, &row)) {
		row_finding__release(&row);
		atomic_fetch_add(&w->lost, 1);
	}
	store_writer__raise_priority(w);
}

/* --- life -------------------------------------------------------------------------------- */

struct store_writer *store_writer__open(const char *path, struct model *m,
					const struct store_options *options, char *error,
					size_t error_size)
{
	const struct store_message message = {error, error_size};
	const struct model_observer observer = {
		.chain = on_chain,
		.event = options->record_events ? on_event : NULL,
	};
	struct store_writer *w = calloc(1, sizeof(*w));
	struct model_observer mine = observer;
	size_t queue_bytes = options->queue_bytes ? options->queue_bytes : DEFAULT_QUEUE_BYTES;
	int failed = -ENOMEM;

	if (error_size)
		*error = '\0';
	if (!w)
		goto fail;
	/* A batch must be small against the limit, or the limit cannot be kept. */
	if (options->max_size && queue_bytes > options->max_size / 8)
		queue_bytes = options->max_size / 8;
	pthread_mutex_init(&w->error_lock, NULL);
	w->model = m;
	w->losses_before = model__loss(m, LOSS_STORE);
	w->queue = queue__new(queue_bytes);
	w->redactor = options->redact ? redactor__new() : NULL;
	if (w->redactor)
		model__set_fact(m, REDACTED_FACT, "yes");
	w->tables = tables__new(w->redactor);
	if (!w->queue || !w->tables || (options->redact && !w->redactor) ||
	    (options->trigger_window && flight__init(&w->flight, options)))
		goto fail;
	w->sink = sink__open(path, options->max_size, options->overwrite, &failed, &message);
	if (!w->sink)
		goto fail;
	mine.context = w;
	failed = model__observe(m, &mine);
	if (failed)
		goto fail;
	failed = -pthread_create(&w->thread, NULL, store_writer__thread, w);
	if (failed)
		goto fail;
	w->running = true;
	store_writer__snapshot(w);
	return w;
fail:
	if (error_size && !*error)
		store_fail(&message, failed, "%s: %s", path, strerror(-failed));
	store_writer__free(w);
	errno = -failed;
	return NULL;
}

void store_writer__free(struct store_writer *w)
{
	if (!w)
		return;
	if (w->model)
		model__unobserve(w->model, w);
	if (w->running) {
		queue__end(w->queue);
		pthread_join(w->thread, NULL);
	}
	findings__release(&w->waiting);
	findings__release(&w->retained);
	free(w->kept_flight.stream.owned);
	free(w->fired.stream.owned);
	flight__release(&w->flight);
	sink__close(w->sink);
	queue__free(w->queue);
	tables__free(w->tables);
	redactor__free(w->redactor);
	pthread_mutex_destroy(&w->error_lock);
	free(w);
}

uint64_t store_writer__lost(const struct store_writer *w)
{
	return w ? atomic_load(&((struct store_writer *)w)->lost) : 0;
}

const char *store_writer__error(const struct store_writer *w)
{
	struct store_writer *mine = (struct store_writer *)w;

	if (!atomic_load(&mine->last_error))
		return NULL;
	pthread_mutex_lock(&mine->error_lock);
	memcpy(mine->error_shown, mine->error, sizeof(mine->error));
	pthread_mutex_unlock(&mine->error_lock);
	return mine->error_shown;
}

static bool put_mark(struct store_writer *w, enum row_type type)
{
	return queue__put(w->queue, type, NULL, 0, NULL, 0, false);
}

/* After a failed batch nothing is written up to the first mark, so all is sent again behind it. */
static bool begin_again(struct store_writer *w)
{
	uint32_t failures = atomic_load(&w->failures);

	if (failures != w->seen_failures) {
		w->seen_failures = failures;
		w->begins_again = true;
	}
	if (!w->begins_again)
		return true;
	if (!put_mark(w, ROW_GRAPH_AGAIN))
		return false;
	tables__reset(w->tables);
	w->begins_again = w->whole = false;
	return true;
}

/* What a trigger took, behind the rows it refers to. */
static bool send_flight(struct store_writer *w)
{
	if (!w->fired.why)
		return true;
	if (!queue__put(w->queue, ROW_FIRED, &w->fired, sizeof(w->fired), NULL, 0, true))
		return false;
	w->fired = (struct row_fired){0};
	return true;
}

/* Everything that is new or changed; false: the queue was full before the end. */
static bool send_all(struct store_writer *w)
{
	if (!begin_again(w) || !tables__send_new(w->tables, w->model, w->queue))
		return false;
	w->whole = w->whole || put_mark(w, ROW_GRAPH_WHOLE);
	send_waiting(w);
	return tables__send_changed(w->tables, w->model, w->queue) && w->whole &&
	       !w->waiting.count && send_flight(w);
}

void store_writer__snapshot(struct store_writer *w)
{
	if (w)
		send_all(w);
}

/* Waits for the disk where the queue is full. false: a batch failed, or no memory. */
static bool send_to_the_end(struct store_writer *w)
{
	/* Nothing changes meanwhile, so every round either gets further or fails. */
	for (int round = 0; round < 100000; round++) {
		uint32_t failures;

		if (send_all(w))
			return true;
		failures = w->seen_failures;
		queue__drain(w->queue);
		if (atomic_load(&w->failures) != failures)
			return false;
	}
	return false;
}

bool store_writer__send_until_done(struct store_writer *w)
{
	bool done = send_to_the_end(w);

	queue__drain(w->queue);
	return done && atomic_load(&w->failures) == w->seen_failures;
}

int store_writer__fire(struct store_writer *w, const char *why)
{
	struct row_fired fired = {.why = model__intern(w->model, redact_text(w->redactor, why))};

	if (!w->flight.items)
		return -EINVAL;
	if (!fired.why)
		return -ENOMEM;
	send_to_the_end(w); /* with what an earlier one took */
	if (w->fired.why || flight__take(&w->flight, &fired)) {
		atomic_fetch_add(&w->lost, w->flight.count);
		w->flight.count = 0;
		return -ENOSPC;
	}
	w->fired = fired;
	send_to_the_end(w); /* where that fails, the next snapshot tries again */
	return 0;
}
