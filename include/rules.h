/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules.h - declared lock orders, suppressions, and the catalogue of known bugs.
 *
 * Purpose: small commented text files a person maintains. Parsing lives in src/rules/rules_file.c
 * and src/rules/catalogue_file.c (the built-in ones are compiled in); matching is pure.
 *
 * Units: kernel ranges are inclusive lower, exclusive upper, compared as (major << 16 | minor << 8
 * | patch, each capped); 0 is open. Expiry is a UTC day. Errors: a malformed line or an expired
 * suppression is reported as file:line: message.
 */
#ifndef VFIOTRACE_RULES_H
#define VFIOTRACE_RULES_H

#include "finding.h"

enum rule_kind { RULE_ORDER, RULE_SUPPRESS, RULE_INSTANCE_ONLY, RULE_SUPPRESS_HANG, RULE_KINDS };

struct rule {
	enum rule_kind kind;
	/* order: outermost first; suppress: cycle order, any rotation; suppress-hang: the lock, or
	 * none for all hangs */
	uint32_t class_count;
	const char **classes; /* fnmatch patterns on class names */
	const char *site;     /* suppress-hang: pattern of the function it waits in, NULL any */
	const char *comm;     /* suppress-hang: pattern of the task's name, NULL any */
	const char *reason;
	uint32_t kernel_from, kernel_until;
	int64_t expires;    /* seconds since the epoch, 0 never */
	const char *source; /* file name */
	uint32_t line;
};

struct rule_set {
	struct rule *items;
	uint32_t count;
};

/* A historical bug: how to recognise it in findings and how to see its fix on a kernel. */
struct catalogue_row {
	const char *commit, *title, *fixed_in; /* "v6.3" */
	const char *evidence; /* machine-readable: "btf-member vfio_group.kvm_ref_lock", "symbol X",
				 "no-symbol X", "btf-function X", "unknown" */
	const char *architectures; /* space separated, NULL all */
	const char *kinds;	   /* finding kinds it shows as, space separated, NULL any */
	uint32_t class_count;
	const char **classes; /* cycle order, fnmatch patterns */
	/* A hang is this bug too when all of these functions (patterns) are on the stack of the
	 * task, innermost first; none: when the task holds one class and wants the next. */
	uint32_t stack_count;
	const char **stack;
};

struct catalogue {
	struct catalogue_row *rows;
	uint32_t count;
};

/*
 * Both parse a file; messages go to `complain` (may be NULL). NULL only when nothing is usable.
 * Root loads only what nobody else can write: rules decide what is reported and what the exit
 * status is.
 */
typedef void (*complain_fn)(void *context, const char *file, uint32_t line, const char *message);
struct rule_set *rule_set__parse(const char *file_name, const char *text, size_t length,
				 complain_fn complain, void *context);
struct rule_set *rule_set__load(const char *path, complain_fn complain, void *context);
struct rule_set *rule_set__builtin(void);
void rule_set__free(struct rule_set *set);
/* Move the rules of `more` to the end of `set`; frees `more`, also on -ENOMEM. */
int rule_set__append(struct rule_set *set, struct rule_set *more);

/* The built-in one lives until the process ends. A parsed one is released by its owner. */
const struct catalogue *catalogue__builtin(void);
int catalogue__parse(struct catalogue *catalogue, const char *file_name, const char *text,
		     size_t length, complain_fn complain, void *context);
void catalogue__release(struct catalogue *catalogue);

uint32_t kernel_version__parse(const char *release); /* "6.1.0-53-amd64" -> 6<<16|1<<8|0; 0 bad */
bool rule__applies(const struct rule *rule, uint32_t kernel_version, int64_t now_seconds);

#endif
