// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of what happened: chains, durations, paths, coverage, losses, findings, events. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/rows.h"

int write_chain(struct row_context *c, const void *payload)
{
	const struct row_chain *row = payload;
	const struct held_lock *held = (const struct held_lock *)(row + 1);
	const struct chain *chain = &row->chain;
	sqlite3_stmt *s = c->statements[PUT_CHAIN];
	int error;

	bind_id(s, 1, row->id);
	bind_word(s, 2, chain->path < PATH_COUNT ? path_names[chain->path] : NULL);
	bind_id(s, 3, chain->wanted.instance);
	bind_id(s, 4, chain->wanted.stack);
	bind_number(s, 5, chain->wanted.mode);
	bind_number(s, 6, chain->wanted.flags);
	bind_number(s, 7, chain->wanted.subclass);
	bind_id(s, 8, chain->first_task);
	bind_id(s, 9, chain->last_task);
	bind_number(s, 10, chain->task_count);
	bind_number(s, 11, chain->count);
	bind_number(s, 12, chain->first);
	bind_number(s, 13, chain->last);
	error = run_statement(s);
	s = c->statements[PUT_HELD];
	for (uint32_t i = 0; i < chain->held_count && !error; i++) {
		bind_id(s, 1, row->id);
		bind_number(s, 2, i);
		bind_id(s, 3, held[i].instance);
		bind_id(s, 4, held[i].stack);
		bind_number(s, 5, held[i].mode);
		bind_number(s, 6, held[i].flags);
		bind_number(s, 7, held[i].subclass);
		error = run_statement(s);
	}
	return error;
}

int write_chain_count(struct row_context *c, const void *payload)
{
	const struct row_chain *row = payload;
	sqlite3_stmt *s = c->statements[COUNT_CHAIN];

	bind_id(s, 1, row->chain.last_task);
	bind_number(s, 2, row->chain.task_count);
	bind_number(s, 3, row->chain.count);
	bind_number(s, 4, row->chain.first);
	bind_number(s, 5, row->chain.last);
	bind_id(s, 6, row->id);
	return run_statement(s);
}

int write_task_chain(struct row_context *c, const void *payload)
{
	const struct row_task_chain *row = payload;
	sqlite3_stmt *s = c->statements[PUT_TASK_CHAIN];

	bind_id(s, 1, row->id);
	bind_id(s, 2, row->pair.task);
	bind_id(s, 3, row->pair.chain);
	bind_number(s, 4, row->pair.count);
	bind_number(s, 5, row->pair.first);
	bind_number(s, 6, row->pair.last);
	return run_statement(s);
}

int write_duration(struct row_context *c, const void *payload)
{
	const struct row_duration *row = payload;
	const struct histogram *time = &row->row.time;
	sqlite3_stmt *s = c->statements[PUT_DURATION];
	char buckets[HISTOGRAM_BUCKETS * 20 + 3], *out = buckets;

	*out++ = '{';
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (time->bucket[i])
			out += sprintf(out, "%s\"%d\":%u", out > buckets + 1 ? "," : "", i,
				       time->bucket[i]);
	strcpy(out, "}");
	bind_id(s, 1, row->id);
	bind_id(s, 2, row->row.instance);
	bind_id(s, 3, row->row.stack);
	bind_id(s, 4, row->row.vm);
	bind_number(s, 5, row->row.is_hold);
	bind_number(s, 6, time->count);
	bind_number(s, 7, time->total);
	bind_number(s, 8, time->max);
	bind_word(s, 9, buckets);
	return run_statement(s);
}

/* --- what happened ----------------------------------------------------------------------- */

int write_path(struct row_context *c, const void *payload)
{
	const struct row_path *row = payload;
	const struct path_event *event = &row->event;
	sqlite3_stmt *s = c->statements[PUT_PATH];

	bind_id(s, 1, row->id);
	bind_word(s, 2, path_names[event->path]);
	bind_id(s, 3, event->task);
	bind_number(s, 4, event->time);
	bind_number(s, 5, event->count);
	bind_id(s, 6, event->device);
	bind_id(s, 7, event->group);
	bind_id(s, 8, event->vm);
	sqlite3_bind_int64(s, 9, event->result);
	bind_word(s, 10, event->how <= HOW_CDEV ? path_how_names[event->how] : NULL);
	bind_number(s, 11, event->kvm_returned);
	bind_id(s, 12, event->kvm_ref_lock);
	return run_statement(s);
}

int write_coverage(struct row_context *c, const void *payload)
{
	const struct row_coverage *row = payload;
	sqlite3_stmt *s = c->statements[PUT_COVERAGE];

	bind_word(s, 1, path_names[row->path]);
	bind_word(s, 2, coverage_state_names[row->coverage.state]);
	bind_number(s, 3, row->coverage.hits);
	bind_text(s, 4, row->coverage.probe);
	bind_text(s, 5, row->coverage.reason);
	return run_statement(s);
}

int write_loss(struct row_context *c, const void *payload)
{
	const struct row_loss *row = payload;
	sqlite3_stmt *s = c->statements[PUT_LOSS];

	bind_word(s, 1, loss_names[row->reason]);
	bind_number(s, 2, row->count);
	return run_statement(s);
}

int write_finding(struct row_context *c, const void *payload)
{
	const struct row_finding *row = payload;
	sqlite3_stmt *s = c->statements[PUT_FINDING];

	bind_word(s, 1, row->key);
	bind_word(s, 2, finding_kind_names[row->kind]);
	bind_word(s, 3, finding_code_names[row->code]);
	bind_word(s, 4, finding_grade_names[row->grade]);
	bind_word(s, 5, row->cycle);
	bind_number(s, 6, row->first);
	bind_number(s, 7, row->last);
	bind_number(s, 8, row->count);
	bind_word(s, 9, row->note);
	bind_word(s, 10, row->suppressed);
	bind_word(s, 11, row->body);
	return run_statement(s);
}

int replace_findings(struct row_context *c, const void *payload)
{
	const struct row_findings *row = payload;
	int error = run_statement(c->statements[CLEAR_FINDINGS]);

	for (uint32_t i = 0; i < row->count && !error; i++)
		error = write_finding(c, &row->items[i]);
	return error;
}

int rows__event(struct row_context *c, const struct trace_event *event)
{
	sqlite3_stmt *s = c->statements[PUT_EVENT];
	int error;

	sqlite3_bind_int64(s, 1, c->next_event);
	bind_number(s, 2, event->time);
	bind_number(s, 3, event->task);
	bind_number(s, 4, event->op);
	bind_id(s, 5, event->operand);
	bind_number(s, 6, event->mode);
	bind_number(s, 7, event->flags);
	bind_number(s, 8, event->subclass);
	bind_id(s, 9, event->stack);
	error = run_statement(s);
	if (!error)
		c->next_event++;
	return error;
}

int write_event(struct row_context *c, const void *payload)
{
	return rows__event(c, payload);
}

int write_events(struct row_context *c, const void *payload)
{
	const struct row_events *row = payload;
	int error = 0;

	for (uint64_t i = 0; i < row->count && !error; i++)
		error = rows__event(c, &row->events[i]);
	return error;
}

int write_bad_release(struct row_context *c, const void *payload)
{
	const struct row_bad_release *row = payload;
	sqlite3_stmt *s = c->statements[PUT_BAD_RELEASE];

	bind_id(s, 1, row->id);
	bind_id(s, 2, row->release.task);
	bind_id(s, 3, row->release.instance);
	bind_id(s, 4, row->release.stack);
	bind_number(s, 5, row->release.mode);
	bind_number(s, 6, row->release.first);
	bind_number(s, 7, row->release.last);
	bind_number(s, 8, row->release.count);
	return run_statement(s);
}

int write_fired(struct row_context *c, const void *payload)
{
	const struct row_fired *row = payload;
	sqlite3_stmt *s = c->statements[PUT_FIRED];
	int error;

	bind_number(s, 1, row->time);
	bind_text(s, 2, row->why);
	bind_number(s, 3, row->events);
	bind_number(s, 4, row->span);
	error = run_statement(s);
	return error ? error : write_events(c, &row->stream);
}
