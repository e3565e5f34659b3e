// SPDX-License-Identifier: GPL-2.0-or-later
/* Records into rows. Every insert is an upsert by id, so that writing a row again does no harm. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "store/store_private.h"

const char *const lock_kind_names[] = {
	"unknown", "mutex", "rwsem", "percpu-rwsem", "rtmutex", "spinlock", "other",
};
const char *const object_kind_names[] = {
	"vm", "group", "device", "device set", "container", "kvm-vfio device", "iommufd", "other",
};
const char *const stack_kind_names[] = {"none", "site", "full", "location"};
const char *const coverage_state_names[] = {"unprobed", "absent", "zero", "hit"};
const char *const path_how_names[] = {NULL, "group", "cdev"};

const char *const statement_texts[STATEMENTS] = {
	[PUT_META] = "INSERT OR REPLACE INTO meta VALUES (?, ?)",
	[PUT_FACT] = "INSERT OR REPLACE INTO fact VALUES (?, ?)",
	[PUT_CLASS] = "INSERT OR REPLACE INTO class VALUES (?, ?, ?, ?)",
	[PUT_OBJECT] = "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_INSTANCE] = "INSERT OR REPLACE INTO instance VALUES (?, ?, ?, ?, ?, ?, ?)",
	[PUT_TASK] = "INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?, ?, ?)",
	[PUT_FRAME] = "INSERT OR REPLACE INTO frame VALUES (?, ?, ?, ?, ?, ?, ?)",
	[PUT_STACK] = "INSERT OR REPLACE INTO stack VALUES (?, ?)",
	[PUT_STACK_FRAME] = "INSERT OR REPLACE INTO stack_frame VALUES (?, ?, ?)",
	[PUT_CHAIN] = "INSERT OR REPLACE INTO chain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_HELD] = "INSERT OR REPLACE INTO chain_held VALUES (?, ?, ?, ?, ?, ?, ?)",
	[COUNT_CHAIN] = "UPDATE chain SET last_task = ?, task_count = ?, count = ?, first = ?, "
			"last = ? WHERE id = ?",
	[PUT_TASK_CHAIN] = "INSERT OR REPLACE INTO task_chain VALUES (?, ?, ?, ?, ?, ?)",
	[PUT_DURATION] = "INSERT OR REPLACE INTO duration VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_PATH] =
		"INSERT OR REPLACE INTO path_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_COVERAGE] = "INSERT OR REPLACE INTO coverage VALUES (?, ?, ?, ?, ?)",
	[PUT_LOSS] = "INSERT OR REPLACE INTO loss VALUES (?, ?)",
	[PUT_FINDING] =
		"INSERT INTO finding (key, kind, code, grade, cycle, first, last, count, note, "
		"suppressed, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
		"ON CONFLICT (key) DO UPDATE SET kind = ?2, code = ?3, grade = ?4, cycle = ?5, "
		"first = ?6, last = ?7, count = ?8, note = ?9, suppressed = ?10, body = ?11",
	[CLEAR_FINDINGS] = "DELETE FROM finding",
	[PUT_EVENT] = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_VARIABLE] = "INSERT OR REPLACE INTO variable VALUES (?, ?)",
	[PUT_BAD_RELEASE] = "INSERT OR REPLACE INTO bad_release VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_FIRED] = "INSERT INTO fired (time, why, events, span) VALUES (?, ?, ?, ?)",
	[DROP_EVENTS] = "DELETE FROM event WHERE id < ?",
};

int store_name_index(const char *const *names, int count, const char *name)
{
	for (int i = 0; name && i < count; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -1;
}

/* --- binding ------------------------------------------------------------------------------------
 */

static void bind_id(sqlite3_stmt *s, int at, uint32_t id)
{
	if (id == NO_ID)
		sqlite3_bind_null(s, at);
	else
		sqlite3_bind_int64(s, at, id);
}

static void bind_number(sqlite3_stmt *s, int at, uint64_t number)
{
	sqlite3_bind_int64(s, at, (int64_t)number);
}

static void bind_text(sqlite3_stmt *s, int at, const char *raw)
{
	char *text = raw ? store_text__encode(raw) : NULL;

	if (text)
		sqlite3_bind_text(s, at, text, -1, free);
	else
		sqlite3_bind_null(s, at);
}

/* Text that is a constant of ours or encoded already. */
static void bind_word(sqlite3_stmt *s, int at, const char *word)
{
	sqlite3_bind_text(s, at, word, -1, SQLITE_STATIC);
}

static int run(sqlite3_stmt *s)
{
	int result = sqlite3_step(s);

	sqlite3_reset(s);
	return result == SQLITE_DONE ? 0 : -EIO;
}

/* --- frames and stacks
 * ---------------------------------------------------------------------------- */

struct frame_row {
	struct frame_key key;
	uint32_t id;
	UT_hash_handle hh;
};

void rows__forget_frames(struct row_context *c)
{
	struct frame_row *row, *next;

	HASH_ITER(hh, c->frames, row, next) {
		HASH_DEL(c->frames, row);
		free(row);
	}
	/* Ids go on: those that are in the file stay what they are. */
}

/* Strings are interned, so their addresses tell frames apart. */
static int frame_id(struct row_context *c, const struct frame *f, uint32_t *id)
{
	struct frame_key key = {f->ip, f->symbol, f->module, f->file, f->offset, f->line};
	sqlite3_stmt *s = c->statements[PUT_FRAME];
	struct frame_row *row;

	HASH_FIND(hh, c->frames, &key, sizeof(key), row);
	if (row) {
		*id = row->id;
		return 0;
	}
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = key;
	row->id = *id = c->frame_count++;
	HASH_ADD(hh, c->frames, key, sizeof(row->key), row);
	bind_id(s, 1, *id);
	bind_number(s, 2, f->ip);
	bind_text(s, 3, f->symbol);
	bind_number(s, 4, f->offset);
	bind_text(s, 5, f->module);
	bind_text(s, 6, f->file);
	if (f->line)
		bind_number(s, 7, f->line);
	else
		sqlite3_bind_null(s, 7);
	return run(s);
}

static int write_stack(struct row_context *c, const void *payload)
{
	const struct row_stack *row = payload;
	const struct frame *frames = (const struct frame *)(row + 1);
	sqlite3_stmt *s = c->statements[PUT_STACK];
	int error;

	bind_id(s, 1, row->id);
	bind_word(s, 2, stack_kind_names[row->kind]);
	error = run(s);
	s = c->statements[PUT_STACK_FRAME];
	for (uint32_t i = 0; i < row->frame_count && !error; i++) {
		uint32_t id;

		error = frame_id(c, &frames[i], &id);
		if (error)
			break;
		bind_id(s, 1, row->id);
		bind_number(s, 2, i);
		bind_id(s, 3, id);
		error = run(s);
	}
	return error;
}

/* --- things
 * ------------------------------------------------------------------------------------------ */

static int write_meta(struct row_context *c, const void *payload)
{
	const struct row_meta *row = payload;
	sqlite3_stmt *s = c->statements[PUT_META];

	bind_word(s, 1, row->key);
	if (row->text)
		bind_text(s, 2, row->text);
	else
		sqlite3_bind_int64(s, 2, row->number);
	return run(s);
}

static int write_fact(struct row_context *c, const void *payload)
{
	const struct row_fact *row = payload;
	sqlite3_stmt *s = c->statements[PUT_FACT];

	bind_text(s, 1, row->key);
	bind_text(s, 2, row->value);
	return run(s);
}

static int write_class(struct row_context *c, const void *payload)
{
	const struct row_class *row = payload;
	sqlite3_stmt *s = c->statements[PUT_CLASS];

	bind_id(s, 1, row->id);
	bind_text(s, 2, row->lock_class.name);
	bind_word(s, 3, lock_kind_names[row->lock_class.kind]);
	bind_number(s, 4, row->lock_class.flags);
	return run(s);
}

static int write_object(struct row_context *c, const void *payload)
{
	const struct row_object *row = payload;
	sqlite3_stmt *s = c->statements[PUT_OBJECT];

	bind_id(s, 1, row->id);
	bind_word(s, 2, object_kind_names[row->object.kind]);
	bind_id(s, 3, row->object.parent);
	bind_number(s, 4, row->object.pid);
	bind_number(s, 5, row->object.number);
	bind_number(s, 6, row->object.address);
	bind_text(s, 7, row->object.name);
	bind_text(s, 8, row->object.detail);
	return run(s);
}

static int write_instance(struct row_context *c, const void *payload)
{
	const struct row_instance *row = payload;
	sqlite3_stmt *s = c->statements[PUT_INSTANCE];

	bind_id(s, 1, row->id);
	bind_id(s, 2, row->instance.lock_class);
	bind_number(s, 3, row->instance.address);
	bind_number(s, 4, row->instance.generation);
	bind_id(s, 5, row->instance.object);
	bind_number(s, 6, row->instance.flags);
	bind_text(s, 7, row->instance.name);
	return run(s);
}

static int write_task(struct row_context *c, const void *payload)
{
	const struct row_task *row = payload;
	sqlite3_stmt *s = c->statements[PUT_TASK];

	bind_id(s, 1, row->id);
	bind_number(s, 2, row->task.pid);
	bind_number(s, 3, row->task.tid);
	bind_text(s, 4, row->task.comm ? row->task.comm : "");
	bind_number(s, 5, row->task.start_time);
	bind_number(s, 6, row->task.flags);
	bind_id(s, 7, row->task.vm);
	return run(s);
}

static int write_variable(struct row_context *c, const void *payload)
{
	const struct row_variable *row = payload;
	sqlite3_stmt *s = c->statements[PUT_VARIABLE];

	bind_id(s, 1, row->id);
	bind_text(s, 2, row->name);
	return run(s);
}

/* --- order
 * ---------------------------------------------------------------------------------------------- */

static int write_chain(struct row_context *c, const void *payload)
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
	error = run(s);
	s = c->statements[PUT_HELD];
	for (uint32_t i = 0; i < chain->held_count && !error; i++) {
		bind_id(s, 1, row->id);
		bind_number(s, 2, i);
		bind_id(s, 3, held[i].instance);
		bind_id(s, 4, held[i].stack);
		bind_number(s, 5, held[i].mode);
		bind_number(s, 6, held[i].flags);
		bind_number(s, 7, held[i].subclass);
		error = run(s);
	}
	return error;
}

static int write_chain_count(struct row_context *c, const void *payload)
{
	const struct row_chain *row = payload;
	sqlite3_stmt *s = c->statements[COUNT_CHAIN];

	bind_id(s, 1, row->chain.last_task);
	bind_number(s, 2, row->chain.task_count);
	bind_number(s, 3, row->chain.count);
	bind_number(s, 4, row->chain.first);
	bind_number(s, 5, row->chain.last);
	bind_id(s, 6, row->id);
	return run(s);
}

static int write_task_chain(struct row_context *c, const void *payload)
{
	const struct row_task_chain *row = payload;
	sqlite3_stmt *s = c->statements[PUT_TASK_CHAIN];

	bind_id(s, 1, row->id);
	bind_id(s, 2, row->sight.task);
	bind_id(s, 3, row->sight.chain);
	bind_number(s, 4, row->sight.count);
	bind_number(s, 5, row->sight.first);
	bind_number(s, 6, row->sight.last);
	return run(s);
}

static int write_duration(struct row_context *c, const void *payload)
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
	return run(s);
}

/* --- what happened
 * ------------------------------------------------------------------------------------------ */

static int write_path(struct row_context *c, const void *payload)
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
	return run(s);
}

static int write_coverage(struct row_context *c, const void *payload)
{
	const struct row_coverage *row = payload;
	sqlite3_stmt *s = c->statements[PUT_COVERAGE];

	bind_word(s, 1, path_names[row->path]);
	bind_word(s, 2, coverage_state_names[row->coverage.state]);
	bind_number(s, 3, row->coverage.hits);
	bind_text(s, 4, row->coverage.probe);
	bind_text(s, 5, row->coverage.reason);
	return run(s);
}

static int write_loss(struct row_context *c, const void *payload)
{
	const struct row_loss *row = payload;
	sqlite3_stmt *s = c->statements[PUT_LOSS];

	bind_word(s, 1, loss_names[row->reason]);
	bind_number(s, 2, row->count);
	return run(s);
}

static int write_finding(struct row_context *c, const void *payload)
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
	return run(s);
}

static int clear_findings(struct row_context *c, const void *payload)
{
	(void)payload;
	return run(c->statements[CLEAR_FINDINGS]);
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
	error = run(s);
	if (!error)
		c->next_event++;
	return error;
}

static int write_event(struct row_context *c, const void *payload)
{
	return rows__event(c, payload);
}

static int write_events(struct row_context *c, const void *payload)
{
	const struct row_events *row = payload;
	int error = 0;

	for (uint64_t i = 0; i < row->count && !error; i++)
		error = rows__event(c, &row->events[i]);
	return error;
}

static int write_bad_release(struct row_context *c, const void *payload)
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
	return run(s);
}

static int write_fired(struct row_context *c, const void *payload)
{
	const struct row_fired *row = payload;
	sqlite3_stmt *s = c->statements[PUT_FIRED];

	bind_number(s, 1, row->time);
	bind_text(s, 2, row->why);
	bind_number(s, 3, row->events);
	bind_number(s, 4, row->span);
	return run(s);
}

int rows__write(struct row_context *c, const struct record *record)
{
	static int (*const writers[RECORD_TYPES])(struct row_context *, const void *) = {
		[RECORD_META] = write_meta,
		[RECORD_FACT] = write_fact,
		[RECORD_CLASS] = write_class,
		[RECORD_OBJECT] = write_object,
		[RECORD_INSTANCE] = write_instance,
		[RECORD_TASK] = write_task,
		[RECORD_STACK] = write_stack,
		[RECORD_CHAIN] = write_chain,
		[RECORD_CHAIN_COUNT] = write_chain_count,
		[RECORD_TASK_CHAIN] = write_task_chain,
		[RECORD_DURATION] = write_duration,
		[RECORD_PATH] = write_path,
		[RECORD_COVERAGE] = write_coverage,
		[RECORD_LOSS] = write_loss,
		[RECORD_FINDING] = write_finding,
		[RECORD_FINDINGS_CLEAR] = clear_findings,
		[RECORD_EVENT] = write_event,
		[RECORD_EVENTS] = write_events,
		[RECORD_VARIABLE] = write_variable,
		[RECORD_BAD_RELEASE] = write_bad_release,
		[RECORD_FIRED] = write_fired,
	};

	return writers[record->type](c, record->payload);
}
