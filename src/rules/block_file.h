/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block_file.h - the shape that rules files and the catalogue share.
 *
 *	# comment, also after a statement
 *	order kvm.lock > kvm.slots_lock
 *		reason Documentation/virt/kvm/locking.rst
 *		kernel 5.10 - 6.2
 *
 * A statement starts in column 0: a keyword and its argument. Lines that start with white space are
 * attributes of the statement above. Class names that hold blanks stand in double quotes.
 *
 * Life cycle: block_file__parse, read the fields, block_file__free. Strings live in the object.
 */
#ifndef VFIOTRACE_RULES_BLOCK_FILE_H
#define VFIOTRACE_RULES_BLOCK_FILE_H

#include "rules.h"

#define BLOCK_ATTRIBUTES 12

struct block_field {
	const char *key, *value; /* value is "" when there is none */
	uint32_t line;
};

struct block {
	struct block_field head;
	struct block_field attributes[BLOCK_ATTRIBUTES];
	uint32_t attribute_count;
	bool broken; /* something in it was refused: the block must not be used */
};

struct block_file {
	const char *name;
	struct block *blocks;
	uint32_t count;
	uint32_t refused; /* messages given */
	char *text;
	complain_fn complain;
	void *context;
};

int block_file__parse(struct block_file *file, const char *name, const char *text, size_t length,
		      complain_fn complain, void *context);
void block_file__free(struct block_file *file);
/* Report something about this file; counts. */
void block_file__complain(struct block_file *file, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The value of an attribute, NULL when it is absent. */
const struct block_field *block__find(const struct block *block, const char *key);
/* Split "a > b > c" (or "->") into copies of the names. Returns the count, 0 when malformed. */
uint32_t block_split_classes(const char *value, const char ***classes);
void block_free_classes(const char **classes, uint32_t count);

#endif
