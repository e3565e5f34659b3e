// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Older schemas. Opening a file never changes it: an older one is copied into memory and brought up
 * to date there. store_migrations[i] holds the SQL that leads from schema i + 1 to schema i + 2.
 */
#include <errno.h>
#include <stdio.h>

#include "store/store_private.h"

const char *const store_migrations[STORE_SCHEMA_VERSION] = {NULL};

int store_migrate(sqlite3 *db, int from, int to, const char *const *steps)
{
	char version[64];

	if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL))
		return -EBADMSG;
	for (int step = from; step < to; step++) {
		snprintf(version, sizeof(version), "PRAGMA user_version = %d", step + 1);
		if (sqlite3_exec(db, steps[step - 1], NULL, NULL, NULL) ||
		    sqlite3_exec(db, version, NULL, NULL, NULL)) {
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			return -EBADMSG;
		}
	}
	return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) ? -EBADMSG : 0;
}
