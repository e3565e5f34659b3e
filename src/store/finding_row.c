// SPDX-License-Identifier: GPL-2.0-or-later
/* A finding as a row of the file: its body, and the columns that people query. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/writer.h"
#include "util/memory.h"

static char *copy_encoded(const char *raw)
{
	return raw ? store_text__encode(raw) : NULL;
}

/* "A -> B -> A" */
static char *cycle_text(const struct model *m, const struct finding *f)
{
	char *text = NULL, *encoded;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (uint32_t i = 0; f->classes && i < f->length; i++)
		fprintf(out, "%s%s", i ? " -> " : "", model__lock_class(m, f->classes[i])->name);
	if (f->classes && f->length && f->kind <= FINDING_CYCLE)
		fprintf(out, " -> %s", model__lock_class(m, f->classes[0])->name);
	fclose(out);
	encoded = text ? store_text__encode(text) : NULL;
	free(text);
	return encoded;
}

bool row_finding__encode(const struct model *m, const struct finding *f, struct row_finding *row)
{
	*row = (struct row_finding){
		.body = store_finding__encode(f),
		.cycle = cycle_text(m, f),
		.note = copy_encoded(f->note),
		.suppressed = copy_encoded(f->suppressed),
		.kind = f->kind,
		.code = f->code,
		.grade = f->grade,
		.first = f->first,
		.last = f->last,
		.count = f->count,
	};
	row->key = f->key ? store_text__encode(f->key) : (row->cycle ? strdup(row->cycle) : NULL);
	if (row->body && row->cycle && row->key)
		return true;
	row_finding__release(row);
	return false;
}

void row_finding__release(struct row_finding *row)
{
	free(row->body);
	free(row->cycle);
	free(row->key);
	free(row->note);
	free(row->suppressed);
}

/* --- lists ------------------------------------------------------------------------------- */

void findings__drop(struct finding_rows *rows, const char *key)
{
	for (uint64_t i = 0; i < rows->count; i++) {
		if (strcmp(rows->items[i].key, key))
			continue;
		row_finding__release(&rows->items[i]);
		rows->items[i] = rows->items[--rows->count];
		return;
	}
}

bool findings__keep(struct finding_rows *rows, const struct row_finding *row)
{
	findings__drop(rows, row->key);
	return vector_push(rows, *row);
}

void findings__release(struct finding_rows *rows)
{
	for (uint64_t i = 0; i < rows->count; i++)
		row_finding__release(&rows->items[i]);
	free(rows->items);
	*rows = (struct finding_rows){0};
}
