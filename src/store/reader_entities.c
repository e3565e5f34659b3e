// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading classes, objects, instances, tasks, stacks, variables. */
#include <errno.h>
#include <stdlib.h>

#include "store/reader.h"

static int read_class(struct reader *r, sqlite3_stmt *row)
{
	const char *name = column_text(r, row, 1);
	int kind = column_word(row, 2, lock_kind_names, LOCK_KINDS);
	uint32_t id;

	if (!name || kind < 0)
		return -EBADMSG;
	id = model__add_class(r->model, name, (enum lock_kind)kind,
			      (uint32_t)column_number(row, 3));
	return id == NO_ID ? -ENOMEM
			   : id_table__set(&r->maps.classes, sqlite3_column_int64(row, 0), id);
}

/* Read twice: a parent may have a greater id than its child. */
static int read_object(struct reader *r, sqlite3_stmt *row)
{
	int kind = column_word(row, 1, object_kind_names, OBJECT_OTHER + 1);
	struct object object = {
		.kind = (enum object_kind)kind,
		.parent = column_id(row, 2, &r->maps.objects),
		.pid = (uint32_t)column_number(row, 3),
		.number = (uint32_t)column_number(row, 4),
		.address = column_number(row, 5),
		.name = column_text(r, row, 6),
		.detail = column_text(r, row, 7),
	};
	uint32_t id;

	if (kind < 0)
		return -EBADMSG;
	id = model__add_object(r->model, &object);
	return id == NO_ID ? -ENOMEM
			   : id_table__set(&r->maps.objects, sqlite3_column_int64(row, 0), id);
}

static int read_instance(struct reader *r, sqlite3_stmt *row)
{
	uint32_t lock_class = column_id(row, 1, &r->maps.classes), id;

	if (lock_class == NO_ID || !column_is_known(row, 4, &r->maps.objects))
		return -EBADMSG;
	id = model__add_instance(r->model, lock_class, column_number(row, 2),
				 (uint32_t)column_number(row, 3));
	if (id == NO_ID)
		return -ENOMEM;
	model__name_instance(r->model, id, column_text(r, row, 6),
			     column_id(row, 4, &r->maps.objects));
	model__restore_instance_flags(r->model, id, (uint32_t)column_number(row, 5));
	return id_table__set(&r->maps.instances, sqlite3_column_int64(row, 0), id);
}

static int read_task(struct reader *r, sqlite3_stmt *row)
{
	const char *comm = column_text(r, row, 3);
	uint32_t vm = column_id(row, 6, &r->maps.objects), id;

	if (!comm || !column_is_known(row, 6, &r->maps.objects))
		return -EBADMSG;
	id = model__add_task(r->model, (uint32_t)column_number(row, 1),
			     (uint32_t)column_number(row, 2), comm, column_number(row, 4),
			     (uint32_t)column_number(row, 5));
	if (id == NO_ID)
		return -ENOMEM;
	if (vm != NO_ID)
		model__set_task_vm(r->model, id, vm);
	return id_table__set(&r->maps.tasks, sqlite3_column_int64(row, 0), id);
}

static int read_variable(struct reader *r, sqlite3_stmt *row)
{
	const char *name = column_text(r, row, 1);
	uint32_t id = name ? model__add_variable(r->model, name) : NO_ID;

	return id == NO_ID ? -EBADMSG
			   : id_table__set(&r->maps.variables, sqlite3_column_int64(row, 0), id);
}

/* --- stacks ------------------------------------------------------------------------------ */

struct stack_reader {
	struct frame *frames, *stack;
	struct id_table ids; /* frame id of the file -> index in frames */
	uint32_t count, capacity, stack_capacity;
	int64_t last_stack, last_depth; /* of the parts */
};

static bool grow(struct frame **frames, uint32_t *capacity, uint32_t needed)
{
	uint32_t room = *capacity ? *capacity : 256;
	struct frame *more;

	if (needed <= *capacity)
		return true;
	while (room < needed)
		room *= 2;
	more = realloc(*frames, room * sizeof(**frames));
	if (!more)
		return false;
	*frames = more;
	*capacity = room;
	return true;
}

static int read_frames(struct reader *r, struct stack_reader *s)
{
	sqlite3_stmt *row;
	int error = 0, step = SQLITE_ERROR;

	r->table = "frame";
	r->row = 0;
	r->id = -1;
	if (sqlite3_prepare_v2(r->db,
			       "SELECT id, ip, symbol, offset, module, file, line FROM frame "
			       "ORDER BY id",
			       -1, &row, NULL))
		return -EIO;
	while (!error && (step = sqlite3_step(row)) == SQLITE_ROW) {
		r->row++;
		if (!row_fits(r, row, "#iTiTTI")) {
			error = -EBADMSG;
			break;
		}
		r->id = sqlite3_column_int64(row, 0);
		if (!grow(&s->frames, &s->capacity, s->count + 1)) {
			error = -ENOMEM;
			break;
		}
		s->frames[s->count] = (struct frame){
			.ip = column_number(row, 1),
			.symbol = column_text(r, row, 2),
			.offset = (uint32_t)column_number(row, 3),
			.module = column_text(r, row, 4),
			.file = column_text(r, row, 5),
			.line = (uint32_t)column_number(row, 6),
		};
		error = id_table__set(&s->ids, sqlite3_column_int64(row, 0), s->count++);
	}
	sqlite3_finalize(row);
	return error ? error : step == SQLITE_DONE ? 0 : -EIO;
}

/* Each part comes once, in order. */
static bool part_fits(const struct reader *r, struct stack_reader *s, sqlite3_stmt *parts)
{
	int64_t stack = sqlite3_column_int64(parts, 0), depth = sqlite3_column_int64(parts, 2);

	if (!row_fits(r, parts, "iii") || stack < s->last_stack ||
	    (stack == s->last_stack && depth <= s->last_depth))
		return false;
	s->last_stack = stack;
	s->last_depth = depth;
	return true;
}

/* The frames of stack `id`; `parts` runs along, both in order of stack. */
static int collect_frames(const struct reader *r, struct stack_reader *s, sqlite3_stmt *parts,
			  int *state, int64_t id, uint32_t *count)
{
	*count = 0;
	while (*state == SQLITE_ROW && sqlite3_column_int64(parts, 0) <= id) {
		uint32_t frame = column_id(parts, 1, &s->ids);

		if (!part_fits(r, s, parts))
			return -EBADMSG;
		if (sqlite3_column_int64(parts, 0) == id) {
			if (frame == NO_ID)
				return -EBADMSG;
			if (!grow(&s->stack, &s->stack_capacity, *count + 1))
				return -ENOMEM;
			s->stack[(*count)++] = s->frames[frame];
		}
		*state = sqlite3_step(parts);
	}
	return *state == SQLITE_ROW || *state == SQLITE_DONE ? 0 : -EIO;
}

static int read_stack_rows(struct reader *r, struct stack_reader *s)
{
	sqlite3_stmt *stacks = NULL, *parts = NULL;
	int error = -EIO, step, state;

	r->table = "stack";
	r->row = 0;
	r->id = s->last_stack = s->last_depth = -1;
	if (sqlite3_prepare_v2(r->db, "SELECT id, kind FROM stack ORDER BY id", -1, &stacks,
			       NULL) ||
	    sqlite3_prepare_v2(r->db,
			       "SELECT stack, frame, depth FROM stack_frame "
			       "ORDER BY stack, depth",
			       -1, &parts, NULL))
		goto cleanup;
	state = sqlite3_step(parts);
	error = 0;
	while (!error && (step = sqlite3_step(stacks)) == SQLITE_ROW) {
		const int64_t number = sqlite3_column_int64(stacks, 0);
		int kind = column_word(stacks, 1, stack_kind_names, STACK_LOCATION + 1);
		uint32_t count, id;

		r->row++;
		error = kind < 0 || !row_fits(r, stacks, "#t")
				? -EBADMSG
				: collect_frames(r, s, parts, &state, number, &count);
		if (error)
			break;
		r->id = number;
		id = model__add_stack(r->model, (enum stack_kind)kind, s->stack, count);
		error = id == NO_ID ? -ENOMEM : id_table__set(&r->maps.stacks, number, id);
	}
	if (!error && step != SQLITE_DONE)
		error = -EIO;
cleanup:
	sqlite3_finalize(stacks);
	sqlite3_finalize(parts);
	return error;
}

static int read_stacks(struct reader *r)
{
	struct stack_reader s = {0};
	int error = read_frames(r, &s);

	if (!error)
		error = read_stack_rows(r, &s);
	free(s.frames);
	free(s.stack);
	id_table__clear(&s.ids);
	return error;
}

int read_entities(struct reader *r)
{
	static const char objects[] = "SELECT id, kind, parent, pid, number, address, name, detail "
				      "FROM object ORDER BY id";
	int error = read_rows(r, "class", "#tti",
			      "SELECT id, name, kind, flags FROM class ORDER BY id", read_class);

	if (!error)
		error = read_rows(r, "object", "#tIIIITT", objects, read_object);
	if (!error)
		error = read_rows(r, "object", "#tIIIITT", objects, read_object);
	if (!error)
		error = read_rows(r, "instance", "#iiiIiT",
				  "SELECT id, class, address, generation, object, flags, name "
				  "FROM instance ORDER BY id",
				  read_instance);
	if (!error)
		error = read_rows(r, "task", "#iitiiI",
				  "SELECT id, pid, tid, comm, start_time, flags, vm FROM task "
				  "ORDER BY id",
				  read_task);
	if (!error)
		error = read_stacks(r);
	if (!error)
		error = read_rows(r, "variable", "#t", "SELECT id, name FROM variable ORDER BY id",
				  read_variable);
	return error;
}
