/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redact.h - what leaves in a redacted recording: what is on the lists of redact_allowed.c, class
 * names as the kernel's source has them, symbols of the kernel and its own modules, and numbers.
 * Everything else becomes a pseudonym (the same thing the same one within an output) or goes. NULL
 * as the redactor passes everything through, so that callers need no two ways.
 */
#ifndef VFIOTRACE_STORE_REDACT_H
#define VFIOTRACE_STORE_REDACT_H

#include "store/store_private.h"

/* The fact that says so: addresses and names are those of this recording alone. */
#define REDACTED_FACT "recording.redacted"

struct redactor;
struct redactor *redactor__new(void);
void redactor__free(struct redactor *r);
/* Results live as long as the redactor; NULL stays NULL. */
const char *redact_comm(struct redactor *r, const char *comm);
const char *redact_object_name(struct redactor *r, enum object_kind kind, const char *name);
const char *redact_object_detail(struct redactor *r, enum object_kind kind, const char *detail);
/* One that the kernel can have stays, and its words are words that free text may have; else
 * CLASS_REDACTED is set. */
const char *redact_class(struct redactor *r, const char *name, uint32_t *flags);
const char *redact_variable(struct redactor *r, const char *name);
/* NULL: neither the key nor the value may stay. */
const char *redact_fact(struct redactor *r, const char *key, const char *value);
void redact_coverage(struct redactor *r, struct coverage *coverage);
/* Free text: names that have a pseudonym get it, words that are on no list become "(...)". */
const char *redact_text(struct redactor *r, const char *text);
const char *redact_instance_name(struct redactor *r, const struct model *m,
				 const struct lock_instance *instance);
/* A copy, freed with free(); NULL: no memory. */
struct frame *redact_frames(struct redactor *r, uint8_t kind, const struct frame *frames,
			    uint32_t count);
/* The texts of *f; f->schedule becomes a copy that the caller frees. False: no memory. */
bool redact_finding(struct redactor *r, struct finding *f);
/* Where a task waits, see struct task_wait. */
const char *redact_site(struct redactor *r, const char *site);
uint64_t redact_address(struct redactor *r, uint64_t address); /* 0 stays 0 */

/* --- redact_allowed.c */
enum fact_rule { FACT_GOES, FACT_STAYS, FACT_IS_TEXT, FACT_IS_BOOT, FACT_IS_MODULE };
enum fact_rule allowed__fact(const char *key);
bool allowed__module(const char *name); /* of the kernel's own tree */
bool allowed__word(const char *word, size_t length);

#endif
