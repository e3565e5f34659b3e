// SPDX-License-Identifier: GPL-2.0-or-later
/* A recording's end in good order, and whole models as files. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/writer.h"
#include "util/memory.h"

static bool put_meta(struct store_writer *w, const char *key, const char *text, uint64_t number)
{
	struct row_meta row = {key, text, (int64_t)number};

	return queue__put(w->queue, ROW_META, &row, sizeof(row), NULL, 0, true);
}

/* One record, so that there is no moment with a part of them. */
static bool replace_findings(struct store_writer *w, const struct finding_list *findings)
{
	struct finding_rows rows = {0};
	struct row_findings all;
	struct row_finding row;

	for (uint32_t i = 0; findings && i < findings->count; i++) {
		if (!store_writer__encode(w, findings->items[i], &row))
			goto fail;
		if (vector_push(&rows, row))
			continue;
		row_finding__release(&row);
		goto fail;
	}
	all = (struct row_findings){rows.items, rows.count};
	if (!findings || queue__put(w->queue, ROW_FINDINGS, &all, sizeof(all), NULL, 0, false))
		return true;
fail:
	findings__release(&rows);
	return false;
}

static bool write_rest(struct store_writer *w)
{
	/* once more: the disk may have room now */
	return store_writer__send_until_done(w) || store_writer__send_until_done(w);
}

static int last_error(const struct store_writer *w)
{
	int error = atomic_load(&((struct store_writer *)w)->last_error);

	return error ? error : -ENOMEM;
}

/* false: there are none that the model does not know. */
static bool report_losses(struct store_writer *w)
{
	uint64_t lost = atomic_load(&w->lost);
	uint64_t reported = model__loss(w->model, LOSS_STORE) - w->losses_before;

	if (lost <= reported)
		return false;
	model__add_loss(w->model, LOSS_STORE, lost - reported);
	return true;
}

static int finish_file(struct store_writer *w, const struct finding_list *findings,
		       const char *verdict)
{
	uint32_t failures;

	report_losses(w);
	do {
		if (!write_rest(w))
			return last_error(w);
	} while (report_losses(w)); /* what was on its way may have been lost as well */
	failures = w->seen_failures;
	if (!replace_findings(w, findings))
		return -ENOMEM;
	queue__drain(w->queue);
	if (verdict)
		put_meta(w, "verdict", redact_text(w->redactor, verdict), 0);
	put_meta(w, "events_dropped", NULL, sink__events_dropped(w->sink));
	put_meta(w, "closed", "yes", 0);
	queue__drain(w->queue);
	return atomic_load(&w->failures) == failures ? 0 : atomic_load(&w->last_error);
}

int store_writer__close(struct store_writer *w, const struct finding_list *findings,
			const char *verdict)
{
	int error;

	if (!w)
		return 0;
	store_writer__raise_priority(w);
	atomic_store(&w->thread_id, 0); /* and so it stays */
	error = finish_file(w, findings, verdict);
	store_writer__free(w);
	return error;
}

static int write_whole(const char *path, struct model *m, const struct finding_list *findings,
		       const char *verdict, const struct store_options *options, char *error,
		       size_t error_size)
{
	struct store_writer *w = store_writer__open(path, m, options, error, error_size);
	const struct row_events events = {model__events(m), model__event_count(m), NULL};
	int failed;

	if (!w)
		return -errno;
	if (!write_rest(w))
		atomic_fetch_add(&w->lost, events.count);
	else if (events.count)
		queue__put(w->queue, ROW_EVENTS, &events, sizeof(events), NULL, 0, true);
	failed = finish_file(w, findings, verdict);
	if (!failed && store_writer__lost(w))
		failed = last_error(w);
	if (failed && error_size) {
		const char *said = store_writer__error(w);

		if (said)
			snprintf(error, error_size, "%s", said);
		else
			snprintf(error, error_size, "%s: %s", path, strerror(-failed));
	}
	store_writer__free(w);
	return failed;
}

/* Beside it first: half a file is no reason to lose a whole one. */
static int save(const char *path, struct model *m, const struct finding_list *findings,
		const char *verdict, const struct store_options *options, char *error,
		size_t error_size)
{
	const struct store_message message = {error, error_size};
	char *beside = NULL;
	int failed, fd;

	if (store_file__is_given(path)) /* whoever opened it has looked at its place */
		return write_whole(path, m, findings, verdict, options, error, error_size);
	failed = store__check_place(path, true, error, error_size);
	if (failed)
		return failed;
	if (asprintf(&beside, "%s.XXXXXX", path) < 0)
		return store_fail(&message, -ENOMEM, "out of memory");
	fd = mkstemp(beside);
	if (fd < 0) {
		failed = store_fail(&message, -errno, "%s: cannot be created: %s", path,
				    strerror(errno));
		goto cleanup;
	}
	close(fd);
	failed = write_whole(beside, m, findings, verdict, options, error, error_size);
	if (!failed)
		failed = store_file__replace(path, beside, &message);
	if (failed)
		unlink(beside);
cleanup:
	free(beside);
	return failed;
}

int store__save(const char *path, struct model *m, const struct finding_list *findings,
		const char *verdict, char *error, size_t error_size)
{
	static const struct store_options options = {0};

	return save(path, m, findings, verdict, &options, error, error_size);
}

int store__save_redacted(const char *path, struct model *m, const struct finding_list *findings,
			 char *error, size_t error_size)
{
	static const struct store_options options = {.redact = true};

	return save(path, m, findings, NULL, &options, error, error_size);
}
