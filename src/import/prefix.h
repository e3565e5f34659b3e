/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prefix.h - what stands before the kernel's words in a line: quote marks, dates, host names,
 * levels, time stamps, whatever a collector of logs put there.
 *
 * Known forms are taken off first, because they say the time and who printed the line. What is left
 * before the sentence that begins a report is a form that is not known yet: if the lines after it
 * begin in the same way, its shape (words, numbers and marks, not their values) is learnt and taken
 * off from then on.
 */
#ifndef VFIOTRACE_IMPORT_PREFIX_H
#define VFIOTRACE_IMPORT_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREFIX_TOKENS 48
#define PREFIX_SHAPES 8

/* What the prefix of one line said. */
struct prefix {
	uint64_t time; /* ns since boot, 0 unknown */
	bool has_time;
	bool any;	  /* there was one, quote marks do not count */
	char context[16]; /* "T4711", "C2": who printed it (CONFIG_PRINTK_CALLER), or "" */
};

struct prefix_shape {
	uint8_t count;
	char tokens[PREFIX_TOKENS]; /* 'a' a word, '0' a word with digits, else the mark itself */
};

struct prefix_shapes {
	struct prefix_shape items[PREFIX_SHAPES];
	uint32_t count;
};

/* Behind all known and learnt prefixes of `text`. `shapes` may be NULL. */
const char *prefix__skip(const struct prefix_shapes *shapes, const char *text,
			 struct prefix *prefix);
/* The shape of the `length` bytes before a sentence; false: too little in it to tell it by. */
bool prefix_shape__of(struct prefix_shape *shape, const char *text, size_t length);
/* Behind what has this shape at the start of `text`, NULL: it begins otherwise. */
const char *prefix_shape__match(const struct prefix_shape *shape, const char *text);
void prefix_shapes__add(struct prefix_shapes *shapes, const struct prefix_shape *shape);

#endif
