/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of its own for the tests of recordings, and what they open there. */
#ifndef VFIOTRACE_TEST_STORE_FILES_H
#define VFIOTRACE_TEST_STORE_FILES_H

#include "store_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "store.h"
#include "store/store_private.h"

static char directory[] = "/tmp/vfiotrace-store-XXXXXX";

static inline const char *file(const char *name)
{
	static char paths[16][128];
	static int next;
	char *path = paths[next++ % 16];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

struct opened {
	struct model *m;
	struct analysis *findings;
};

static inline int open_recording(const char *path, struct opened *out, bool events, char *error)
{
	const struct store_read_options options = {.events = events};
	static const struct analysis_options none;

	out->m = model__new();
	out->findings = analysis__new(out->m, &none);
	return store__read(path, out->m, out->findings, &options, error, 512);
}

static inline void close_recording(struct opened *o)
{
	analysis__free(o->findings);
	model__free(o->m);
}

static inline const struct finding *find_key(const struct finding_list *list, const char *key)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i]->key && !strcmp(list->items[i]->key, key))
			return list->items[i];
	return NULL;
}

static inline void write_text(const char *path, const void *text, size_t length)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, length, out), length);
	fclose(out);
}

static inline char *read_bytes(const char *path, size_t *length)
{
	FILE *in = fopen(path, "r");
	struct stat info;
	char *bytes;

	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &info), 0);
	*length = (size_t)info.st_size;
	bytes = malloc(*length + 1);
	assert_int_equal(fread(bytes, 1, *length, in), *length);
	fclose(in);
	return bytes;
}

static inline int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static inline int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

#endif
