// SPDX-License-Identifier: GPL-2.0-or-later
/* Records into rows. Every insert is an upsert by id, so that writing a row again does no harm. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "store/rows.h"

const char *const lock_kind_names[] = {
	"unknown", "mutex", "rwsem",	 "percpu-rwsem", "rtmutex", "spinlock",
	"srcu",	   "work",  "workqueue", "completion",	 "other",
};
_Static_assert(sizeof(lock_kind_names) / sizeof(*lock_kind_names) == LOCK_KINDS, "every kind");
const char *const object_kind_names[] = {
	"vm", "group", "device", "device set", "container", "kvm-vfio device", "iommufd", "other",
};
const char *const stack_kind_names[] = {"none", "site", "full", "location"};
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

/* --- binding ----------------------------------------------------------------------------- */

void bind_id(sqlite3_stmt *s, int at, uint32_t id)
{
	if (id == NO_ID)
		sqlite3_bind_null(s, at);
	else
		sqlite3_bind_int64(s, at, id);
}

void bind_number(sqlite3_stmt *s, int at, uint64_t number)
{
	sqlite3_bind_int64(s, at, (int64_t)number);
}

void bind_text(sqlite3_stmt *s, int at, const char *raw)
{
	char *text = raw ? store_text__encode(raw) : NULL;

	if (text)
		sqlite3_bind_text(s, at, text, -1, free);
	else
		sqlite3_bind_null(s, at);
}

/* Text that is a constant of ours or encoded already. */
void bind_word(sqlite3_stmt *s, int at, const char *word)
{
	sqlite3_bind_text(s, at, word, -1, SQLITE_STATIC);
}

int run_statement(sqlite3_stmt *s)
{
	int result = sqlite3_step(s);

	sqlite3_reset(s);
	return result == SQLITE_DONE ? 0 : -EIO;
}

/* --- frames and stacks ------------------------------------------------------------------- */

struct frame_row {
	struct frame_key key;
	uint32_t id;
	UT_hash_handle hh;
};

void rows__drop_frames(struct row_context *c, uint32_t from)
{
	struct frame_row *row, *next;

	HASH_ITER(hh, c->frames, row, next) {
		if (row->id < from)
			continue;
		HASH_DEL(c->frames, row);
		free(row);
	}
	c->frame_count = from;
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
	return run_statement(s);
}

static int write_stack(struct row_context *c, const void *payload)
{
	const struct row_stack *row = payload;
	const struct frame *frames = (const struct frame *)(row + 1);
	sqlite3_stmt *s = c->statements[PUT_STACK];
	int error;

	bind_id(s, 1, row->id);
	bind_word(s, 2, stack_kind_names[row->kind]);
	error = run_statement(s);
	s = c->statements[PUT_STACK_FRAME];
	for (uint32_t i = 0; i < row->frame_count && !error; i++) {
		uint32_t id;

		error = frame_id(c, &frames[i], &id);
		if (error)
			break;
		bind_id(s, 1, row->id);
		bind_number(s, 2, i);
		bind_id(s, 3, id);
		error = run_statement(s);
	}
	return error;
}

/* --- entities ------------------------------------------------------------------------------ */

static int write_meta(struct row_context *c, const void *payload)
{
	const struct row_meta *row = payload;
	sqlite3_stmt *s = c->statements[PUT_META];

	bind_word(s, 1, row->key);
	if (row->text)
		bind_text(s, 2, row->text);
	else
		sqlite3_bind_int64(s, 2, row->number);
	return run_statement(s);
}

static int write_fact(struct row_context *c, const void *payload)
{
	const struct row_fact *row = payload;
	sqlite3_stmt *s = c->statements[PUT_FACT];

	bind_text(s, 1, row->key);
	bind_text(s, 2, row->value);
	return run_statement(s);
}

static int write_class(struct row_context *c, const void *payload)
{
	const struct row_class *row = payload;
	sqlite3_stmt *s = c->statements[PUT_CLASS];

	bind_id(s, 1, row->id);
	bind_text(s, 2, row->lock_class.name);
	bind_word(s, 3, lock_kind_names[row->lock_class.kind]);
	bind_number(s, 4, row->lock_class.flags);
	return run_statement(s);
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
	return run_statement(s);
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
	return run_statement(s);
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
	return run_statement(s);
}

static int write_variable(struct row_context *c, const void *payload)
{
	const struct row_variable *row = payload;
	sqlite3_stmt *s = c->statements[PUT_VARIABLE];

	bind_id(s, 1, row->id);
	bind_text(s, 2, row->name);
	return run_statement(s);
}

/* Marks are for the writing thread. */
static int write_nothing(struct row_context *c, const void *payload)
{
	(void)c;
	(void)payload;
	return 0;
}

int rows__write(struct row_context *c, const struct record *record)
{
	static int (*const writers[ROW_TYPES])(struct row_context *, const void *) = {
		[ROW_META] = write_meta,
		[ROW_FACT] = write_fact,
		[ROW_CLASS] = write_class,
		[ROW_OBJECT] = write_object,
		[ROW_INSTANCE] = write_instance,
		[ROW_TASK] = write_task,
		[ROW_STACK] = write_stack,
		[ROW_CHAIN] = write_chain,
		[ROW_CHAIN_COUNT] = write_chain_count,
		[ROW_TASK_CHAIN] = write_task_chain,
		[ROW_DURATION] = write_duration,
		[ROW_PATH] = write_path,
		[ROW_COVERAGE] = write_coverage,
		[ROW_LOSS] = write_loss,
		[ROW_FINDING] = write_finding,
		[ROW_FINDINGS] = replace_findings,
		[ROW_EVENT] = write_event,
		[ROW_EVENTS] = write_events,
		[ROW_VARIABLE] = write_variable,
		[ROW_BAD_RELEASE] = write_bad_release,
		[ROW_FIRED] = write_fired,
		[ROW_GRAPH_AGAIN] = write_nothing,
		[ROW_GRAPH_WHOLE] = write_nothing,
	};

	return writers[record->type](c, record->payload);
}
