/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the store share; the contract is include/store.h. */
#ifndef VFIOTRACE_STORE_PRIVATE_H
#define VFIOTRACE_STORE_PRIVATE_H

#include <sqlite3.h>
#include <stdarg.h>

#include "store.h"

#define STORE_APPLICATION_ID 0x76667472 /* 'vftr' */
#define STORE_SCHEMA_VERSION 1

extern const char store_schema[];

/* --- file.c: creating and opening, with messages for people ------------------------------ */

struct store_message {
	char *text;
	size_t size;
};
/* Writes "PATH: …" and returns `error`, so that it can stand in a return. */
int store_fail(const struct store_message *message, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* -errno for a SQLite result, with the words that fit it. */
int store_fail_sql(const struct store_message *message, const char *path, sqlite3 *db);
/* New empty database with the schema. An older recording of that name goes only on request. */
int store_file__create(const char *path, bool overwrite, sqlite3 **db,
		       const struct store_message *message);
/* The closed recording `with` takes the place of what is at `path`, at one moment. */
int store_file__replace(const char *path, const char *with, const struct store_message *message);
bool store_file__is_given(
	const char *path); /* by store__write_into: its name is the caller's affair */
/* writer_vfs.c: SQLite's own, but for journals that are not ours. */
const char *writer_vfs__name(void);
/* vfs.c: a database that is one open, empty file and needs no other: a failed batch is taken
 * back from memory. The descriptor stays the caller's. */
int output_vfs__open(int fd, sqlite3 **db);
#define STORE_HEADER_BYTES 100
int store_header__check(const unsigned char *head, size_t length, const char *path,
			const struct store_message *message);

/* --- open.c: a recording that may come from anyone ---------------------------------------- */

/*
 * The file is read as it was at the moment it was opened, of a schema this program knows (older
 * ones are migrated in memory). Nothing outside it is looked at but a journal that a crash left,
 * nothing is written, and nothing that it declares is run; what takes more steps than a file of its
 * size can need ends with an error.
 */
struct store_file {
	sqlite3 *db;
	uint64_t size;
	int64_t steps_left; /* of SQLite's machine, in thousands */
};
int store_file__open(const char *path, struct store_file *file,
		     const struct store_message *message);
void store_file__close(struct store_file *file);
/* store_fail_sql, of a database that is only read. */
int store_fail_read(const struct store_message *message, const char *path, sqlite3 *db);

/* --- migrate.c --------------------------------------------------------------------------- */

/* steps[i] brings schema i + 1 to schema i + 2. One transaction; -EBADMSG leaves `db` as it was. */
int store_migrate(sqlite3 *db, int from, int to, const char *const *steps);
extern const char *const store_migrations[];

/* --- text_code.c: lossless, harmless on a terminal --------------------------------------- */

/* \xNN for control characters, backslashes and what is no UTF-8. malloc'd, NULL without memory. */
char *store_text__encode(const char *raw);
char *store_text__decode(const char *text);

/* --- finding_json.c ---------------------------------------------------------------------- */

char *store_finding__encode(const struct finding *f); /* malloc'd JSON */
/* How ids of a file became ids of the model; NULL members: unchanged. */
struct id_table {
	uint32_t *ids;
	uint32_t count; /* room; NO_ID where nothing was set */
};
uint32_t id_table__get(const struct id_table *map, int64_t id);	     /* NO_ID if not known */
int id_table__set(struct id_table *map, int64_t id, uint32_t value); /* -EBADMSG for nonsense ids */
void id_table__clear(struct id_table *map);

struct store_maps {
	struct id_table classes, objects, instances, tasks, stacks, chains, variables;
};
void store_maps__clear(struct store_maps *maps);
/* Adds the finding to `out`. Strings are interned in `m`. */
int store_finding__decode(const char *json, struct model *m, const struct store_maps *maps,
			  struct analysis *out);
/* Same, from a finding of another model. */
int store_finding__copy(const struct finding *f, struct model *m, const struct store_maps *maps,
			struct analysis *out);

/* --- queue.c: between the tracing thread and the writing thread -------------------------- */

enum row_type {
	ROW_META,
	ROW_FACT,
	ROW_CLASS,
	ROW_OBJECT,
	ROW_INSTANCE,
	ROW_TASK,
	ROW_STACK,
	ROW_CHAIN,
	ROW_CHAIN_COUNT,
	ROW_TASK_CHAIN,
	ROW_DURATION,
	ROW_PATH,
	ROW_COVERAGE,
	ROW_LOSS,
	ROW_FINDING,
	ROW_FINDINGS, /* these and no others, see row_findings */
	ROW_EVENT,
	ROW_EVENTS, /* many at once, see row_events */
	ROW_VARIABLE,
	ROW_BAD_RELEASE,
	ROW_FIRED,
	ROW_GRAPH_AGAIN, /* after a failed batch: every row of the graph follows */
	ROW_GRAPH_WHOLE, /* every row up to here was sent again */
	ROW_TYPES,
};

struct record {
	uint16_t type, reserved;
	uint32_t size; /* of the payload that follows, without padding to 8 */
	uint64_t payload[];
};
static inline size_t record__bytes(const struct record *record) /* how far the next one is */
{
	return sizeof(*record) + ((record->size + 7) & ~(size_t)7);
}

struct queue;
struct queue *queue__new(size_t bytes);
void queue__free(struct queue *q);
/* Both parts are copied. false: does not fit now. `urgent` wakes the other side at once. */
bool queue__put(struct queue *q, enum row_type type, const void *head, size_t head_size,
		const void *tail, size_t tail_size, bool urgent);
void queue__end(struct queue *q); /* no more records: take returns false once empty */
/* Waits up to 250 ms; the records stay valid until the next take. false: ended. */
bool queue__take(struct queue *q, const struct record **records, size_t *bytes);
/* Waits until everything put so far was taken and the taker came back for more. */
void queue__drain(struct queue *q);

/* --- payloads ---------------------------------------------------------------------------- */
/* Strings are those of the model: interned, unchanging, alive until the writer is closed. */

struct row_meta {
	const char *key, *text; /* text NULL: the number */
	int64_t number;
};
struct row_fact {
	const char *key, *value;
};
struct row_class {
	uint32_t id;
	struct lock_class lock_class;
};
struct row_object {
	uint32_t id;
	struct object object;
};
struct row_instance {
	uint32_t id;
	struct lock_instance instance;
};
struct row_task {
	uint32_t id;
	struct task task;
};
struct row_stack {				  /* followed by frames */
	uint32_t id, kind, frame_count, reserved; /* frames follow 8-aligned */
};
struct row_chain { /* followed by held locks, unless only counted */
	uint32_t id;
	struct chain chain;
};
struct row_task_chain {
	uint32_t id;
	struct task_chain pair;
};
struct row_duration {
	uint32_t id;
	struct duration_row row;
};
struct row_path {
	uint32_t id;
	struct path_event event;
};
struct row_coverage {
	uint32_t path;
	struct coverage coverage;
};
struct row_loss {
	uint32_t reason;
	uint64_t count;
};
struct row_finding {
	char *body; /* owned by the record: the writing thread frees it */
	char *cycle, *key, *note, *suppressed;
	uint32_t kind, code, grade;
	uint64_t first, last, count;
};
struct row_findings { /* freed by the writing thread */
	struct row_finding *items;
	uint64_t count;
};
struct row_variable {
	uint32_t id;
	const char *name;
};
struct row_bad_release {
	uint32_t id;
	struct bad_release release;
};
#define EVENT_ROW_BYTES 32 /* in the file, about */
struct row_events {
	const struct trace_event *events;
	uint64_t count;
	void *owned; /* freed by the writing thread, may be NULL */
};
struct row_fired {
	uint64_t time, events, span;
	const char *why;
	struct row_events stream;
};
/* false: without memory, nothing is left. */
bool row_finding__encode(const struct model *m, const struct finding *f, struct row_finding *row);
/* The many events a record carries, or NULL. */
static inline const struct row_events *record__events(const struct record *record)
{
	if (record->type == ROW_FIRED)
		return &((const struct row_fired *)record->payload)->stream;
	return record->type == ROW_EVENTS ? (const struct row_events *)record->payload : NULL;
}
void row_finding__release(struct row_finding *row);

/* --- sink.c: records into SQL, on the writing thread ------------------------------------- */

struct sink;
struct sink *sink__open(const char *path, uint64_t max_size, bool overwrite, int *error,
			const struct store_message *message);
/* One batch, one transaction: on an error nothing of it is in the file. */
int sink__write(struct sink *s, const struct record *records, size_t bytes);
const char *sink__error(const struct sink *s);	     /* of the last failed batch, on its thread */
uint64_t sink__events_dropped(const struct sink *s); /* oldest, given up for max_size */
void sink__note_gap(struct sink *s);		     /* events were lost: the stream gets a gap */
void sink__close(struct sink *s);

/* --- rows.c: records into prepared statements -------------------------------------------- */

enum statement {
	PUT_META,
	PUT_FACT,
	PUT_CLASS,
	PUT_OBJECT,
	PUT_INSTANCE,
	PUT_TASK,
	PUT_FRAME,
	PUT_STACK,
	PUT_STACK_FRAME,
	PUT_CHAIN,
	PUT_HELD,
	COUNT_CHAIN,
	PUT_TASK_CHAIN,
	PUT_DURATION,
	PUT_PATH,
	PUT_COVERAGE,
	PUT_LOSS,
	PUT_FINDING,
	CLEAR_FINDINGS,
	PUT_EVENT,
	PUT_VARIABLE,
	PUT_BAD_RELEASE,
	PUT_FIRED,
	DROP_EVENTS,
	STATEMENTS,
};
extern const char *const statement_texts[STATEMENTS];

struct frame_key {
	uint64_t ip;
	const char *symbol, *module, *file;
	uint32_t offset, line;
};
struct frame_row;
struct row_context {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct frame_row *frames; /* ids of frames that are in the file */
	uint32_t frame_count;
	int64_t next_event;
};
int rows__write(struct row_context *c, const struct record *record);
int rows__event(struct row_context *c, const struct trace_event *event);
/* After a rollback those that were new in it, `from` on; 0: all of them. */
void rows__drop_frames(struct row_context *c, uint32_t from);

extern const char *const lock_kind_names[];   /* by enum lock_kind */
extern const char *const object_kind_names[]; /* by enum object_kind */
extern const char *const stack_kind_names[];
extern const char *const path_how_names[];				     /* [0] is NULL */
int store_name_index(const char *const *names, int count, const char *name); /* -1: none */

#endif
