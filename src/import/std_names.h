/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * std_names.h - the words of an STD trace (threads, locks, variables, locations) and what they
 * stand for, found again in constant time: ten million lines repeat a few thousand words.
 */
#ifndef VFIOTRACE_IMPORT_STD_NAMES_H
#define VFIOTRACE_IMPORT_STD_NAMES_H

#include "model.h"
#include "util/idmap.h"
#include "util/memory.h"

struct token {
	const char *text;
	size_t length;
};

/* What a token of one kind (thread, lock, variable, location) stands for. */
struct meaning {
	const char *text; /* of tokens too long for an exact key */
	uint32_t id;
	uint8_t subclass;
};

struct names {
	struct idmap exact; /* short tokens without subclass: straight to the id */
	struct idmap ids;   /* all others: index into items */
	VECTOR(struct meaning) items;
};

/* --- operations ------------------------------------------------------------------------------- */

enum operand_kind { OPERAND_LOCK, OPERAND_THREAD, OPERAND_VARIABLE, OPERAND_ANY };

/* Operations beyond those of the model's event stream. */
enum wait_op {
	NO_WAIT,
	WAIT_SYNC,     /* synchronize_srcu: waits for the readers of an SRCU domain */
	WAIT_FLUSH,    /* flush_work, flush_workqueue: waits for what a worker holds */
	WAIT_FAULT,    /* a page fault of the kernel: wants mmap_lock to read */
	WAIT_DONE,     /* wait_for_completion */
	WAIT_COMPLETE, /* complete: what this task took since it began, the completion waits for */
};

struct op {
	const char *name;
	uint8_t op, mode;
	enum operand_kind operand;
	enum wait_op wait;
};

extern const char std_ops_expected[]; /* for messages */
const struct op *std_op__find(struct token name);

/* --- words --------------------------------------------------------------------------------- */

/* false: not known yet, and *key is where std_names__add puts it. */
bool std_names__find(const struct names *names, struct token token, uint64_t *key,
		     struct meaning *found);
/* false: no memory, or the id is NO_ID. */
bool std_names__add(struct names *names, struct model *m, struct token token, uint64_t key,
		    const struct meaning *fresh);
void std_names__release(struct names *names);

#endif
