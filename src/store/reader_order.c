// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading chains, who went through them, durations, paths, coverage, losses, events. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/reader.h"

#define MAX_HELD_READ 4096

/* --- chains ------------------------------------------------------------------------------ */

static int read_held_lock(struct reader *r, sqlite3_stmt *row, int column, struct held_lock *lock)
{
	*lock = (struct held_lock){
		.instance = column_id(row, column, &r->maps.instances),
		.stack = column_id(row, column + 1, &r->maps.stacks),
		.mode = (uint8_t)column_number(row, column + 2),
		.flags = (uint8_t)column_number(row, column + 3),
		.subclass = (uint8_t)column_number(row, column + 4),
	};
	if (lock->instance == NO_ID || column_number(row, column + 2) >= LOCK_MODES ||
	    column_number(row, column + 4) > 7)
		return -EBADMSG;
	return 0;
}

/* Each row comes once, in order. */
static bool held_fits(struct reader *r)
{
	int64_t chain = sqlite3_column_int64(r->held, 0);
	int64_t position = sqlite3_column_int64(r->held, 6);

	if (!row_fits(r, r->held, "iiIiiii") || chain < r->held_chain ||
	    (chain == r->held_chain && position <= r->held_position))
		return false;
	r->held_chain = chain;
	r->held_position = position;
	return true;
}

/* The held locks of chain `id`: `held` is sorted like the chains and runs along. */
static int collect_held(struct reader *r, int64_t id, struct held_lock *held, uint32_t *count)
{
	int error;

	*count = 0;
	for (;;) {
		if (!r->held_ready) {
			int step = sqlite3_step(r->held);

			if (step != SQLITE_ROW)
				return step == SQLITE_DONE ? 0 : -EIO;
			if (!held_fits(r))
				return -EBADMSG;
			r->held_ready = true;
		}
		if (sqlite3_column_int64(r->held, 0) > id)
			return 0;
		if (sqlite3_column_int64(r->held, 0) == id) {
			if (*count == MAX_HELD_READ)
				return -EBADMSG;
			error = read_held_lock(r, r->held, 1, &held[(*count)++]);
			if (error)
				return error;
		}
		r->held_ready = false;
	}
}

static int read_chain(struct reader *r, sqlite3_stmt *row)
{
	struct held_lock held[MAX_HELD_READ], wanted;
	const uint64_t count = column_number(row, 7), first = column_number(row, 8);
	const int path = column_word(row, 6, path_names, PATH_COUNT);
	uint32_t held_count, id;
	int error = read_held_lock(r, row, 1, &wanted);

	if (!error)
		error = collect_held(r, sqlite3_column_int64(row, 0), held, &held_count);
	if (error)
		return error;
	id = model__add_chain(r->model, held, held_count, &wanted, NO_ID, first, 0,
			      path < 0 ? NO_ID : (uint32_t)path);
	if (id == NO_ID)
		return -ENOMEM;
	model__count_chain(r->model, id, count, column_number(row, 9));
	return id_table__set(&r->maps.chains, sqlite3_column_int64(row, 0), id);
}

static int read_task_chain(struct reader *r, sqlite3_stmt *row)
{
	uint32_t task = column_id(row, 0, &r->maps.tasks);
	uint32_t chain = column_id(row, 1, &r->maps.chains);

	if (task == NO_ID || chain == NO_ID)
		return -EBADMSG;
	model__add_task_chain(r->model, task, chain, column_number(row, 3), 0);
	model__add_task_chain(r->model, task, chain, column_number(row, 4), column_number(row, 2));
	return 0;
}

int read_order(struct reader *r)
{
	int error;

	r->held_chain = r->held_position = -1;
	if (sqlite3_prepare_v2(r->db,
			       "SELECT chain, instance, stack, mode, flags, subclass, position "
			       "FROM chain_held ORDER BY chain, position",
			       -1, &r->held, NULL))
		return -EIO;
	error = read_rows(r, "chain", "#iIiiiTiii",
			  "SELECT id, wanted, wanted_stack, wanted_mode, wanted_flags, "
			  "wanted_subclass, path, count, first, last FROM chain ORDER BY id",
			  read_chain);
	if (!error)
		error = read_rows(r, "task_chain", "iiiii#",
				  "SELECT task, chain, count, first, last, id FROM task_chain "
				  "ORDER BY id",
				  read_task_chain);
	return error;
}

/* --- what happened ----------------------------------------------------------------------- */

/* {"12":5,"13":1} */
static int read_buckets(const char *text, struct histogram *time)
{
	const char *at = text ? text : "";

	while ((at = strchr(at, '"'))) {
		unsigned bucket, count;
		int length;

		if (sscanf(at, "\"%u\" : %u%n", &bucket, &count, &length) != 2 &&
		    sscanf(at, "\"%u\":%u%n", &bucket, &count, &length) != 2)
			return -EBADMSG;
		if (bucket >= HISTOGRAM_BUCKETS)
			return -EBADMSG;
		time->bucket[bucket] = count;
		at += length;
	}
	return 0;
}

static int read_duration(struct reader *r, sqlite3_stmt *row)
{
	struct histogram time = {.count = column_number(row, 4),
				 .total = column_number(row, 5),
				 .max = column_number(row, 6)};

	if (!column_is_known(row, 0, &r->maps.instances) ||
	    !column_is_known(row, 1, &r->maps.stacks) ||
	    !column_is_known(row, 2, &r->maps.objects) ||
	    read_buckets((const char *)sqlite3_column_text(row, 7), &time))
		return -EBADMSG;
	model__add_duration(r->model, column_id(row, 0, &r->maps.instances),
			    column_id(row, 1, &r->maps.stacks), column_id(row, 2, &r->maps.objects),
			    column_number(row, 3), &time);
	return 0;
}

static int read_path_event(struct reader *r, sqlite3_stmt *row)
{
	int path = column_word(row, 0, path_names, PATH_COUNT);
	int how = column_word(row, 8, path_how_names, HOW_CDEV + 1);
	struct path_event event = {
		.path = (uint32_t)path,
		.task = column_id(row, 1, &r->maps.tasks),
		.time = column_number(row, 2),
		.count = column_number(row, 3),
		.device = column_id(row, 4, &r->maps.objects),
		.group = column_id(row, 5, &r->maps.objects),
		.vm = column_id(row, 6, &r->maps.objects),
		.result = sqlite3_column_int(row, 7),
		.how = (uint8_t)(how < 0 ? HOW_UNKNOWN : how),
		.kvm_returned = (uint8_t)column_number(row, 9),
		.kvm_ref_lock = column_id(row, 10, &r->maps.instances),
	};

	if (path < 0)
		return -EBADMSG;
	model__add_path_event(r->model, &event);
	return 0;
}

static int read_coverage(struct reader *r, sqlite3_stmt *row)
{
	int path = column_word(row, 0, path_names, PATH_COUNT);
	int state = column_word(row, 1, coverage_state_names, COVERAGE_HIT + 1);
	struct coverage coverage = {
		.state = (enum coverage_state)state,
		.hits = column_number(row, 2),
		.probe = column_text(r, row, 3),
		.reason = column_text(r, row, 4),
	};

	if (path < 0 || state < 0)
		return -EBADMSG;
	model__set_coverage(r->model, (enum path_id)path, &coverage);
	return 0;
}

static int read_loss(struct reader *r, sqlite3_stmt *row)
{
	int reason = column_word(row, 0, loss_names, LOSS_REASONS);

	if (reason < 0)
		return -EBADMSG;
	model__add_loss(r->model, (enum loss_reason)reason, column_number(row, 1));
	return 0;
}

static int read_bad_release(struct reader *r, sqlite3_stmt *row)
{
	struct bad_release release = {
		.task = column_id(row, 0, &r->maps.tasks),
		.instance = column_id(row, 1, &r->maps.instances),
		.stack = column_id(row, 2, &r->maps.stacks),
		.mode = (uint8_t)column_number(row, 3),
		.first = column_number(row, 4),
		.last = column_number(row, 5),
		.count = column_number(row, 6),
	};

	if (release.task == NO_ID || release.instance == NO_ID)
		return -EBADMSG;
	return model__restore_bad_release(r->model, &release);
}

static uint32_t read_operand(struct reader *r, sqlite3_stmt *row, uint64_t op)
{
	switch (op) {
	case EVENT_FORK:
	case EVENT_JOIN:
		return column_id(row, 3, &r->maps.tasks);
	case EVENT_READ:
	case EVENT_WRITE:
		return column_id(row, 3, &r->maps.variables);
	case EVENT_BEGIN:
	case EVENT_END:
	case EVENT_GAP:
		return NO_ID;
	}
	return column_id(row, 3, &r->maps.instances);
}

static int read_event(struct reader *r, sqlite3_stmt *row)
{
	const uint64_t op = column_number(row, 2);
	struct trace_event event = {
		.time = column_number(row, 0),
		.task = column_id(row, 1, &r->maps.tasks),
		.operand = read_operand(r, row, op),
		.stack = column_id(row, 6, &r->maps.stacks),
		.op = (uint8_t)op,
		.mode = (uint8_t)column_number(row, 4),
		.flags = (uint8_t)column_number(row, 5),
		.subclass = (uint8_t)column_number(row, 7),
	};
	const bool bare = op == EVENT_BEGIN || op == EVENT_END || op == EVENT_GAP;

	if (op > EVENT_GAP || column_number(row, 4) >= LOCK_MODES || event.subclass > 7)
		return -EBADMSG;
	if ((event.operand == NO_ID && !bare) || (event.task == NO_ID && op != EVENT_GAP))
		return -EBADMSG;
	if (event.task == NO_ID)
		event.task = 0;
	return model__restore_event(r->model, &event);
}

/* The first event wanted; older ones exist but are not read: *cut. */
static int64_t first_event(struct reader *r, bool *cut)
{
	const uint64_t wanted = r->options->max_events;
	int64_t first = 0, last = -1;
	sqlite3_stmt *row;

	/* two questions: one for both looks at every row */
	if (!sqlite3_prepare_v2(r->db,
				"SELECT (SELECT min(id) FROM event), (SELECT max(id) FROM event)",
				-1, &row, NULL) &&
	    sqlite3_step(row) == SQLITE_ROW && sqlite3_column_type(row, 0) == SQLITE_INTEGER) {
		first = sqlite3_column_int64(row, 0);
		last = sqlite3_column_int64(row, 1);
	}
	sqlite3_finalize(row);
	*cut = first >= 0 && last >= first && wanted && (uint64_t)(last - first) >= wanted;
	return *cut ? last - (int64_t)wanted + 1 : first;
}

static int read_events(struct reader *r)
{
	static const struct trace_event gap = {.op = EVENT_GAP, .operand = NO_ID, .stack = NO_ID};
	char query[200];
	bool cut;
	int error = 0;

	snprintf(query, sizeof(query),
		 "SELECT time, task, op, operand, mode, flags, stack, subclass, id FROM event "
		 "WHERE id >= %lld ORDER BY id",
		 (long long)first_event(r, &cut));
	/* Nothing may be concluded across events that are not there. */
	if (r->events_dropped || cut)
		error = model__restore_event(r->model, &gap);
	return error ? error : read_rows(r, "event", "iIiIiiIi#", query, read_event);
}

int read_happenings(struct reader *r)
{
	int error = read_rows(r, "duration", "IIIiiiit#",
			      "SELECT instance, stack, vm, is_hold, count, total, max, buckets, id "
			      "FROM duration ORDER BY id",
			      read_duration);

	if (!error)
		error = read_rows(r, "path_event", "tIiiIIIiTiI#",
				  "SELECT path, task, time, count, device, \"group\", vm, result, "
				  "how, kvm, kvm_ref_lock, id FROM path_event ORDER BY id",
				  read_path_event);
	if (!error)
		error = read_rows(r, "bad_release", "iiIiiii#",
				  "SELECT task, instance, stack, mode, first, last, count, id "
				  "FROM bad_release ORDER BY id",
				  read_bad_release);
	if (!error) /* after the path events, which count as hits by themselves */
		error = read_rows(r, "coverage", "ttiTT",
				  "SELECT path, state, hits, probe, reason FROM coverage",
				  read_coverage);
	if (!error)
		error = read_rows(r, "loss", "ti", "SELECT reason, count FROM loss", read_loss);
	if (!error && r->options->events)
		error = read_events(r);
	return error;
}
