/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binding values of records to statements, shared by the files that write rows. */
#ifndef VFIOTRACE_STORE_ROWS_H
#define VFIOTRACE_STORE_ROWS_H

#include "store/store_private.h"

void bind_id(sqlite3_stmt *s, int at, uint32_t id); /* NO_ID: NULL */
void bind_number(sqlite3_stmt *s, int at, uint64_t number);
void bind_text(sqlite3_stmt *s, int at, const char *raw);  /* encoded; NULL stays NULL */
void bind_word(sqlite3_stmt *s, int at, const char *word); /* ours, or encoded already */
int run_statement(sqlite3_stmt *s);

int write_chain(struct row_context *c, const void *payload);
int write_chain_count(struct row_context *c, const void *payload);
int write_task_chain(struct row_context *c, const void *payload);
int write_duration(struct row_context *c, const void *payload);
int write_path(struct row_context *c, const void *payload);
int write_coverage(struct row_context *c, const void *payload);
int write_loss(struct row_context *c, const void *payload);
int write_finding(struct row_context *c, const void *payload);
int replace_findings(struct row_context *c, const void *payload);
int write_event(struct row_context *c, const void *payload);
int write_events(struct row_context *c, const void *payload);
int write_bad_release(struct row_context *c, const void *payload);
int write_fired(struct row_context *c, const void *payload);

#endif
