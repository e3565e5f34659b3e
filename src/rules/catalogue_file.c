// SPDX-License-Identifier: GPL-2.0-or-later
/* The catalogue of known bugs as a file: one "bug COMMIT" statement each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/block_file.h"

static const char *const evidence_verbs[] = {"btf-member ",   "symbol ", "no-symbol ",
					     "btf-function ", "unknown", NULL};

static bool known_evidence(const char *text)
{
	for (const char *const *verb = evidence_verbs; *verb; verb++)
		if (!strncmp(text, *verb, strlen(*verb)))
			return true;
	return false;
}

static void free_row(struct catalogue_row *row)
{
	free((char *)row->commit);
	free((char *)row->title);
	free((char *)row->fixed_in);
	free((char *)row->evidence);
	free((char *)row->architectures);
	free((char *)row->kinds);
	block_free_classes(row->classes, row->class_count);
	block_free_classes(row->stack, row->stack_count);
}

static char *take(const struct block *block, const char *key)
{
	const struct block_field *field = block__find(block, key);

	return field && *field->value ? strdup(field->value) : NULL;
}

static bool parse_row(struct block_file *file, const struct block *block, struct catalogue_row *row)
{
	const struct block_field *classes = block__find(block, "classes");
	const struct block_field *stack = block__find(block, "stack");

	memset(row, 0, sizeof(*row));
	if (strcmp(block->head.key, "bug") || !*block->head.value) {
		block_file__complain(file, block->head.line, "expected \"bug COMMIT\"");
		return false;
	}
	row->commit = strdup(block->head.value);
	row->title = take(block, "title");
	row->fixed_in = take(block, "fixed-in");
	row->evidence = take(block, "evidence");
	row->architectures = take(block, "architectures");
	row->kinds = take(block, "kinds");
	if (classes)
		row->class_count = block_split_classes(classes->value, &row->classes);
	if (stack)
		row->stack_count = block_split_classes(stack->value, &row->stack);
	if (!block->broken && (!stack || row->stack_count) && row->commit && row->title &&
	    row->fixed_in && row->evidence && known_evidence(row->evidence) && row->class_count)
		return true;
	block_file__complain(file, block->head.line,
			     "bug %s needs title, fixed-in, classes (\"a > b\") and evidence "
			     "(btf-member, symbol, no-symbol, btf-function or unknown)",
			     block->head.value);
	free_row(row);
	return false;
}

int catalogue__parse(struct catalogue *catalogue, const char *file_name, const char *text,
		     size_t length, complain_fn complain, void *context)
{
	struct block_file file;
	int err = block_file__parse(&file, file_name, text, length, complain, context);

	memset(catalogue, 0, sizeof(*catalogue));
	if (err)
		return err;
	catalogue->rows = calloc(file.count + 1, sizeof(*catalogue->rows));
	if (!catalogue->rows)
		err = -ENOMEM;
	for (uint32_t i = 0; !err && i < file.count; i++)
		if (parse_row(&file, &file.blocks[i], &catalogue->rows[catalogue->count]))
			catalogue->count++;
	if (!err && !catalogue->count)
		err = -EINVAL;
	if (err)
		catalogue__release(catalogue);
	block_file__free(&file);
	return err;
}

void catalogue__release(struct catalogue *catalogue)
{
	for (uint32_t i = 0; catalogue->rows && i < catalogue->count; i++)
		free_row(&catalogue->rows[i]);
	free(catalogue->rows);
	memset(catalogue, 0, sizeof(*catalogue));
}
