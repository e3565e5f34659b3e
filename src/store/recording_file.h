/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording_file.h - the bytes of a recording that may come from anyone.
 *
 * SQLite itself never touches the file system when a recording is read: it would follow what lies
 * beside the file, and a journal planted there has it write the file and delete any other. We open
 * the file, and the journal beside it only when it is one that a crashed writer of ours left: then
 * the pages it saved are read in place of those that the crash left half changed. Nothing is
 * written, anywhere; write-ahead logs and shared memory are never looked at.
 */
#ifndef VFIOTRACE_STORE_RECORDING_FILE_H
#define VFIOTRACE_STORE_RECORDING_FILE_H

#include "store/store_private.h"

struct recording_file {
	int fd, journal; /* journal: -1 without one */
	uint32_t page_size, page_count;
	uint64_t size;	 /* as it was before a transaction that did not end */
	uint64_t *saved; /* where the journal has each page, 0: it does not; NULL without one */
};

/* Waits at most 5 s for a writer to end its transaction, and keeps writers out until it is closed.
 */
int recording_file__open(const char *path, struct recording_file **file,
			 const struct store_message *message);
void recording_file__close(struct recording_file *file);
/* Like pread: fewer bytes at the end, -1 on an error. */
ssize_t recording_file__read(const struct recording_file *file, void *buffer, size_t size,
			     uint64_t offset);

bool recording_file__has_writer(const struct recording_file *file); /* a transaction is going on */

/* journal.c: fills in what of `file` is the journal's, where one was left by a crash. */
int recording_journal__open(const char *path, struct recording_file *file,
			    const struct store_message *message);

/* vfs.c: `file` belongs to the database from here on, also when this fails. */
int recording_vfs__open(struct recording_file *file, sqlite3 **db);

/* schema_check.c: tables, indexes and views are those that schema `version` has, no more, no less.
 */
int recording_schema__check(sqlite3 *db, const char *path, int version,
			    const struct store_message *message);

#endif
