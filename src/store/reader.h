/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of reading: one row function per table. */
#ifndef VFIOTRACE_STORE_READER_H
#define VFIOTRACE_STORE_READER_H

#include "store/store_private.h"

struct reader {
	struct store_file file;
	sqlite3 *db; /* the file's */
	struct model *model;
	struct analysis *findings;
	struct store_maps maps;
	sqlite3_stmt *held;		   /* runs along with the chains */
	int64_t held_chain, held_position; /* of its last row */
	bool held_ready;		   /* it stands on a row that was not used yet */
	bool closed;
	int64_t events_dropped;
	const struct store_read_options *options;
	const char *table; /* being read, for messages */
	int64_t row, id;   /* of it; id: the last that `#` saw */
};

typedef int (*row_fn)(struct reader *r, sqlite3_stmt *row);

/* Column values; -EBADMSG for what does not fit is left to the caller through NO_ID or -1. */
uint64_t column_number(sqlite3_stmt *row, int column);
uint32_t column_id(sqlite3_stmt *row, int column, const struct id_table *map);	 /* NULL: NO_ID */
bool column_is_known(sqlite3_stmt *row, int column, const struct id_table *map); /* or NULL */
const char *column_text(struct reader *r, sqlite3_stmt *row, int column); /* interned, decoded */
int column_word(sqlite3_stmt *row, int column, const char *const *names, int count);

/*
 * What each column of a row must be, a letter for each: i integer, t text (both: I and T, or NULL),
 * * anything, # an integer that is not negative and greater than that of the row before. A row that
 * fits belongs to nobody else: pages that are used twice do not make a table without end.
 */
bool row_fits(const struct reader *r, sqlite3_stmt *row, const char *columns);
int read_rows(struct reader *r, const char *table, const char *columns, const char *query,
	      row_fn each);
int read_entities(struct reader *r);
int read_order(struct reader *r);
int read_happenings(struct reader *r);

#endif
