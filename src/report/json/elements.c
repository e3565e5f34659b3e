// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON elements: text, locks, tasks, stacks, coverage, losses; and how a record is printed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "drivers.h"
#include "report.h"
#include "report/json/json_private.h"
#include "util/text.h"

json_t *json_text(const char *raw)
{
	const unsigned char *in = (const unsigned char *)raw;
	json_t *text;
	char *escaped, *out;

	if (!raw)
		return json_null();
	text = json_string(raw);
	if (text)
		return text;
	escaped = malloc(strlen(raw) * 4 + 1);
	if (!escaped)
		return json_null();
	for (out = escaped; *in;) {
		size_t length = utf8_length((const char *)in, NULL);

		if (length) {
			memcpy(out, in, length);
			out += length;
			in += length;
		} else {
			out += sprintf(out, "\\x%02x", *in++);
		}
	}
	*out = '\0';
	text = json_string(escaped);
	free(escaped);
	return text ? text : json_null();
}

json_t *json_address(uint64_t address)
{
	return json_sprintf("0x%" PRIx64, address);
}

json_t *json_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

const char *json_mode(uint8_t mode)
{
	return mode == LOCK_EXCLUSIVE ? "exclusive" : "shared";
}

json_t *json_class_lock(const struct model *m, uint32_t lock_class)
{
	json_t *lock = json_object();

	if (lock_class >= model__class_count(m)) {
		json_decref(lock);
		return json_null();
	}
	json_object_set_new(lock, "class", json_text(model__lock_class(m, lock_class)->name));
	json_object_set_new(lock, "instance", json_null());
	json_object_set_new(lock, "name", json_null());
	return lock;
}

json_t *json_lock(const struct model *m, uint32_t instance)
{
	const struct lock_instance *known;
	json_t *lock;

	if (instance >= model__instance_count(m))
		return json_null();
	known = model__instance(m, instance);
	lock = json_class_lock(m, known->lock_class);
	if (json_is_null(lock))
		return lock;
	json_object_set_new(lock, "instance", json_address(known->address));
	json_object_set_new(lock, "name", json_text(known->name));
	if (known->generation)
		json_object_set_new(lock, "generation", json_integer(known->generation));
	return lock;
}

json_t *json_task(const struct model *m, uint32_t task)
{
	const struct task *known;
	json_t *object;

	if (task >= model__task_count(m))
		return json_null();
	known = model__task(m, task);
	object = json_object();
	json_object_set_new(object, "pid", json_integer(known->pid));
	json_object_set_new(object, "tid", json_integer(known->tid));
	json_object_set_new(object, "comm", json_text(known->comm ? known->comm : ""));
	return object;
}

static json_t *json_frame(const struct frame *frame)
{
	json_t *object = json_object();

	json_object_set_new(object, "ip", json_address(frame->ip));
	json_object_set_new(object, "symbol", json_text(frame->symbol));
	json_object_set_new(object, "offset", json_integer(frame->offset));
	json_object_set_new(object, "module", json_text(frame->module));
	if (frame->file) {
		json_object_set_new(object, "file", json_text(frame->file));
		json_object_set_new(object, "line", json_integer(frame->line));
	}
	return object;
}

json_t *json_stack(const struct model *m, uint32_t stack)
{
	struct stack known = model__stack(m, stack);
	json_t *frames = json_array();

	for (uint32_t i = 0; i < known.frame_count; i++)
		json_array_append_new(frames, json_frame(&known.frames[i]));
	return frames;
}

json_t *json_site(const struct model *m, uint32_t stack)
{
	struct stack known = model__stack(m, stack);

	return known.frame_count ? json_frame(&known.frames[0]) : json_null();
}

json_t *json_object_name(const struct model *m, uint32_t object)
{
	return object < model__object_count(m) ? json_text(model__object(m, object)->name)
					       : json_null();
}

static json_t *json_drivers(const struct driver_table *table, enum path_id path)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; table && i < table->count; i++) {
		const struct driver_coverage *driver = &table->rows[i];
		json_t *row;

		if (!driver->hits[path])
			continue;
		row = json_object();
		json_object_set_new(row, "driver", json_text(driver->driver));
		json_object_set_new(row, "module", json_text(driver->module));
		json_object_set_new(row, "open", json_text(driver->open));
		json_object_set_new(row, "hits", json_count(driver->hits[path]));
		json_array_append_new(rows, row);
	}
	return rows;
}

json_t *json_coverage(const struct model *m)
{
	struct driver_table *drivers = driver_table__make(m);
	json_t *table = json_object();

	for (int path = 0; path < PATH_COUNT; path++) {
		const struct coverage *known = model__coverage(m, path);
		json_t *row = json_object();

		json_object_set_new(row, "state", json_string(coverage_state_names[known->state]));
		json_object_set_new(row, "hits", json_count(known->hits));
		json_object_set_new(row, "probe", json_text(known->probe));
		json_object_set_new(row, "reason", json_text(known->reason));
		json_object_set_new(row, "drivers", json_drivers(drivers, (enum path_id)path));
		json_object_set_new(table, path_names[path], row);
	}
	driver_table__free(drivers);
	return table;
}

json_t *json_losses(const struct model *m)
{
	json_t *table = json_object();

	for (int reason = 0; reason < LOSS_REASONS; reason++)
		json_object_set_new(table, loss_names[reason], json_count(model__loss(m, reason)));
	return table;
}

json_t *json_record(const char *type, uint64_t mono, int64_t realtime_offset)
{
	json_t *record = json_object();
	/* Without both clocks no wall time can be given: 0 says "not known". */
	int64_t realtime = mono && realtime_offset ? (int64_t)mono + realtime_offset : 0;

	json_object_set_new(record, "type", json_string(type));
	json_object_set_new(record, "ts", json_integer(realtime));
	json_object_set_new(record, "mono", json_count(mono));
	return record;
}

json_t *json_model_record(const struct model *m, const char *type, uint64_t mono)
{
	return json_record(type, mono, model__clock(m)->realtime_offset);
}

/*
 * ASCII only: what is valid UTF-8 may still be a C1 control or a bidi override, and the line may
 * end up on a terminal. One fwrite, so an interrupted tool leaves whole lines.
 */
void json_print(FILE *out, json_t *record)
{
	char *line = json_dumps(record, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(record);
	if (!line)
		return;
	size_t length = strlen(line);
	line[length] = '\n'; /* the terminating NUL's place: fwrite needs none */
	fwrite(line, 1, length + 1, out);
	fflush(out);
	free(line);
}
