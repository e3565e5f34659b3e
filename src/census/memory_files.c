// SPDX-License-Identifier: GPL-2.0-or-later
/* Open files of tasks, in memory: each table of descriptors once, and of those the kinds wanted. */
#include <stdlib.h>
#include <string.h>

#include "census/memory_source.h"

#define MOST_DESCRIPTORS (1U << 24) /* of all tasks together: a table may claim any number */
#define AT_ONCE 128U

struct file_walk {
	struct memory_source *source;
	census_file_function function;
	void *context;
	uint32_t left; /* descriptors that are still looked at */
};

static uint32_t kind_of(const struct memory_source *s, uint64_t file)
{
	uint64_t operations = memory_source__word(s, file, FILE_OPERATIONS);
	uint64_t release = memory_source__word(s, operations, OPERATIONS_RELEASE);

	for (uint32_t i = 1; i < CENSUS_FILE_KINDS && release; i++)
		if (s->base.control.release[i] == release)
			return i;
	return CENSUS_FILE_NONE;
}

static int report(const struct file_walk *w, uint64_t task, uint64_t file, uint32_t fd)
{
	struct census_file_record record = {
		.task = task,
		.file = file,
		.pid = memory_source__number(w->source, task, TASK_TGID),
		.fd = fd,
		.kind = kind_of(w->source, file),
	};

	if (record.kind == CENSUS_FILE_NONE)
		return 0;
	record.object = memory_source__word(w->source, file, FILE_PRIVATE);
	return w->function(w->context, &record);
}

static int walk_table(struct file_walk *w, uint64_t task, uint64_t files)
{
	struct memory_source *s = w->source;
	uint64_t table = memory_source__word(s, files, FILES_TABLE);
	uint64_t list = memory_source__word(s, table, TABLE_FILES), file[AT_ONCE];
	uint32_t count = memory_source__number(s, table, TABLE_COUNT);
	int err = 0;

	for (uint32_t at = 0; at < count && !err; at += AT_ONCE) {
		uint32_t now = count - at < AT_ONCE ? count - at : AT_ONCE;

		if (w->left < now) {
			s->base.cut = "open files after the first 16 million descriptors; is the "
				      "image damaged?";
			return 0;
		}
		w->left -= now;
		if (memory__read(&s->base.memory, list + at * 8ULL, file, now * 8)) {
			s->base.cut =
				"open files in a table of descriptors that cannot be read; is "
				"the image damaged or cut?";
			return 0;
		}
		for (uint32_t i = 0; i < now && !err; i++)
			if (file[i])
				err = report(w, task, file[i], at + i);
	}
	return err;
}

/* A thread whose table is its process's has nothing of its own. */
int memory_source__files(struct census_source *base, census_file_function function, void *context)
{
	struct memory_source *s = (struct memory_source *)base;
	struct file_walk w = {s, function, context, MOST_DESCRIPTORS};
	int err = 0;

	for (uint32_t i = 0; i < s->task_count && !err; i++) {
		uint64_t task = s->tasks[i].address;
		uint64_t leader = memory_source__word(s, task, TASK_LEADER);
		uint64_t files = memory_source__word(s, task, TASK_FILES);

		if (files &&
		    (leader == task || memory_source__word(s, leader, TASK_FILES) != files))
			err = walk_table(&w, task, files);
	}
	return err;
}
