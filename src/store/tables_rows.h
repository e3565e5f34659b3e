/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables_rows.h - the tables of a recording, one row of `table_rows` each. */
#ifndef VFIOTRACE_STORE_TABLES_ROWS_H
#define VFIOTRACE_STORE_TABLES_ROWS_H

#include "store/store_private.h"

enum table_kind {
	TABLE_CLASSES,
	TABLE_OBJECTS,
	TABLE_INSTANCES,
	TABLE_TASKS,
	TABLE_STACKS,
	TABLE_VARIABLES,
	TABLE_CHAINS,
	TABLE_TASK_CHAINS,
	TABLE_PATH_EVENTS,
	TABLE_DURATIONS,
	TABLE_BAD_RELEASES,
	TABLE_FACTS,
	TABLE_KINDS,
};

struct redactor;
struct sending {
	struct queue *queue;
	struct redactor *redactor; /* NULL: as it is */
};

struct table_row {
	uint32_t (*count)(const struct model *m);
	uint64_t (*print)(const struct model *m, uint32_t id); /* NULL: rows never change */
	bool (*send)(const struct sending *to, const struct model *m, uint32_t id, bool again);
};
extern const struct table_row table_rows[TABLE_KINDS];

#endif
