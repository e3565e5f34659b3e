/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redact.h - pseudonyms: the same name or address always becomes the same one within an output.
 * NULL as the redactor passes everything through, so that callers need no two ways.
 */
#ifndef VFIOTRACE_STORE_REDACT_H
#define VFIOTRACE_STORE_REDACT_H

#include "store/store_private.h"

struct redactor;
struct redactor *redactor__new(void);
void redactor__free(struct redactor *r);
/* Results live as long as the redactor; NULL stays NULL. */
const char *redact_comm(struct redactor *r, const char *comm);
const char *redact_object_name(struct redactor *r, enum object_kind kind, const char *name);
const char *redact_object_detail(struct redactor *r, enum object_kind kind, const char *detail);
const char *redact_path(struct redactor *r, const char *path); /* the last part stays */
const char *redact_fact(struct redactor *r, const char *key, const char *value);
/* Free text: every name given a pseudonym so far, and every long hex number, is replaced. */
const char *redact_text(struct redactor *r, const char *text);
const char *redact_instance_name(struct redactor *r, const struct model *m,
				 const struct lock_instance *instance);
/* A copy, freed with free(); NULL: no memory. */
struct frame *redact_frames(struct redactor *r, const struct frame *frames, uint32_t count);
/* The texts of *f; f->schedule becomes a copy that the caller frees. False: no memory. */
bool redact_finding(struct redactor *r, struct finding *f);
uint64_t redact_address(struct redactor *r, uint64_t address); /* 0 stays 0 */

#endif
