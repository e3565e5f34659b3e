/* SPDX-License-Identifier: GPL-2.0-or-later */
/* redact_private.h - the redactor, for redact.c (pseudonyms, text) and redact_records.c (records).
 */
#ifndef VFIOTRACE_STORE_REDACT_PRIVATE_H
#define VFIOTRACE_STORE_REDACT_PRIVATE_H

#include <uthash.h>

#include "store/redact.h"
#include "util/memory.h"

struct secret {
	char *name, *pseudonym;
	UT_hash_handle hh;
};
struct address {
	uint64_t address, id;
	UT_hash_handle hh;
};
struct kept_text {
	struct kept_text *next;
	char text[];
};
/* All secrets as a tree of their characters, so that finding the one in a text asks for none. */
struct redact_node {
	uint32_t child, sibling; /* 0: none; the root is node 0 */
	const struct secret *secret;
	char c;
};
struct redactor {
	struct secret *secrets;
	VECTOR(struct redact_node) nodes;
	struct address *addresses;
	struct kept_text *texts;
	struct secret *allowed; /* classes, symbols, pseudonyms: words that may stay */
	uint32_t comms, objects, devices, modules, functions, programs, places, variables, boots,
		locks, findings, classes;
};

/* "PREFIX-N", the same for the same name; "" without memory, so that nothing is passed through. */
const char *redact__pseudonym(struct redactor *r, const char *name, const char *prefix,
			      uint32_t *counter);
/* The words of this text may stay from now on. */
void redact__allow(struct redactor *r, const char *text);
/* redact_class.c: an expression that the kernel's source can have, and the last of it is a lock. */
bool redact__is_kernel_class(const char *name);
bool redact__is_word(char c);
bool redact__may_stay(const struct redactor *r, const char *word, size_t length);

#endif
