// SPDX-License-Identifier: GPL-2.0-or-later
/* Which texts of each record stay, which get a pseudonym, which go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/redact_private.h"

const char *redact_comm(struct redactor *r, const char *comm)
{
	return r && comm && *comm ? redact__pseudonym(r, comm, "task", &r->comms) : comm;
}

const char *redact_class(struct redactor *r, const char *name, uint32_t *flags)
{
	if (r && name && !redact__is_kernel_class(name)) {
		*flags |= CLASS_REDACTED;
		return redact__pseudonym(r, name, "class", &r->classes);
	}
	for (const char *part = name; r && part && *part;) { /* whole, and after each point */
		redact__allow(r, part);
		part = strchr(part, '.');
		part = part ? part + 1 : NULL;
	}
	return name;
}

const char *redact_variable(struct redactor *r, const char *name)
{
	return r && name ? redact__pseudonym(r, name, "variable", &r->variables) : name;
}

/* "group 12": the number says nothing about the host. */
static bool is_group_name(const char *name)
{
	return !strncmp(name, "group ", 6) && name[6] && !name[6 + strspn(name + 6, "0123456789")];
}

const char *redact_object_name(struct redactor *r, enum object_kind kind, const char *name)
{
	if (!r || !name || (kind == OBJECT_GROUP && is_group_name(name)))
		return name;
	if (kind == OBJECT_DEVICE)
		return redact__pseudonym(r, name, "device", &r->devices);
	return redact__pseudonym(r, name, kind == OBJECT_VM ? "vm" : "object", &r->objects);
}

/* Of a device its driver, if that is one of the kernel's own. */
const char *redact_object_detail(struct redactor *r, enum object_kind kind, const char *detail)
{
	char module[64];

	if (!r || !detail)
		return detail;
	snprintf(module, sizeof(module), "%s", detail);
	for (char *at = module; (at = strchr(at, '-'));)
		*at = '_';
	return kind == OBJECT_DEVICE && allowed__module(module) ? detail : NULL;
}

/* "module.NAME": the name is in the key, and what is built elsewhere may be its owner's. */
const char *redact_fact(struct redactor *r, const char *key, const char *value)
{
	if (!r)
		return value;
	switch (allowed__fact(key)) {
	case FACT_STAYS:
		return value;
	case FACT_IS_TEXT:
		return redact_text(r, value);
	case FACT_IS_BOOT:
		return redact__pseudonym(r, value, "boot", &r->boots);
	case FACT_IS_MODULE:
		return allowed__module(key + strlen("module.")) ? value : NULL;
	default:
		return NULL;
	}
}

void redact_coverage(struct redactor *r, struct coverage *coverage)
{
	coverage->probe = redact_text(r, coverage->probe);
	coverage->reason = redact_text(r, coverage->reason);
}

const char *redact_instance_name(struct redactor *r, const struct model *m,
				 const struct lock_instance *instance)
{
	const struct object *owner =
		instance->object == NO_ID ? NULL : model__object(m, instance->object);

	if (!r || !instance->name)
		return instance->name;
	if (!owner)
		return redact__pseudonym(r, instance->name, "lock", &r->locks);
	return redact_object_name(r, owner->kind, owner->name ? owner->name : instance->name);
}

/* --- frames ------------------------------------------------------------------------------ */

/* The upper half is the kernel's, and what has no address and no module (a log). */
static bool is_user(const struct frame *f)
{
	return f->module && !(f->ip >> 63) && !allowed__module(f->module);
}

/* Symbols of the kernel and of its own modules stay, and the last part of their source's name. */
static void redact_frame(struct redactor *r, uint8_t kind, struct frame *f)
{
	const char *last = f->file ? strrchr(f->file, '/') : NULL;

	if (kind == STACK_LOCATION) {
		f->symbol = f->symbol ? redact__pseudonym(r, f->symbol, "place", &r->places) : NULL;
		f->module = f->file = NULL;
	} else if (is_user(f)) {
		f->module = redact__pseudonym(r, f->module, "program", &r->programs);
		f->symbol = f->file = NULL;
	} else if (f->module && !allowed__module(f->module)) {
		f->module = redact__pseudonym(r, f->module, "module", &r->modules);
		f->symbol = f->symbol ? redact__pseudonym(r, f->symbol, "function", &r->functions)
				      : NULL;
		f->file = NULL;
	} else {
		redact__allow(r, f->symbol);
		redact__allow(r, f->module);
		f->file = last ? last + 1 : f->file;
	}
	f->ip = redact_address(r, f->ip);
}

struct frame *redact_frames(struct redactor *r, uint8_t kind, const struct frame *frames,
			    uint32_t count)
{
	struct frame *copy = calloc(count + 1ULL, sizeof(*copy));

	for (uint32_t i = 0; copy && i < count; i++) {
		copy[i] = frames[i];
		if (r)
			redact_frame(r, kind, &copy[i]);
	}
	return copy;
}

/* --- findings ---------------------------------------------------------------------------- */

/* Of classes, modes and task ids it stays; else it is as good a key under another name. */
static const char *redact_key(struct redactor *r, const char *key)
{
	for (const char *at = key; r && key && *at;) {
		size_t length = 0;

		while (redact__is_word(at[length]))
			length++;
		if (length && !redact__may_stay(r, at, length))
			return redact__pseudonym(r, key, "finding", &r->findings);
		at += length ? length : 1;
	}
	return key;
}

/* "FUNCTION+0xOFFSET [MODULE]", as redact_frame has the two. */
const char *redact_site(struct redactor *r, const char *site)
{
	const char *open = site ? strchr(site, '[') : NULL;
	size_t function = site ? strcspn(site, "+ ") : 0;
	size_t length = open ? strcspn(open + 1, " ]") : 0;
	char module[64];

	if (!r || !site)
		return site;
	snprintf(module, sizeof(module), "%.*s", (int)length, open ? open + 1 : "");
	if (open && !allowed__module(module))
		return redact__pseudonym(r, site, "place", &r->places);
	char *name = strndup(site, function);

	redact__allow(r, name);
	redact__allow(r, *module ? module : NULL);
	free(name);
	return redact_text(r, site);
}

static const char *redact_commit(struct redactor *r, const char *commit)
{
	size_t digits = commit ? strspn(commit, "0123456789abcdef") : 0;

	return digits >= 8 && !commit[digits] ? commit : redact_text(r, commit);
}

bool redact_finding(struct redactor *r, struct finding *f)
{
	const char **schedule = calloc(f->schedule_count + 1ULL, sizeof(*schedule));

	if (!schedule)
		return false;
	for (uint32_t i = 0; i < f->schedule_count; i++)
		schedule[i] = redact_text(r, f->schedule[i]);
	f->schedule = schedule;
	/* a task's name may be a word that may stay elsewhere */
	f->key = r && f->key && f->kind == FINDING_HANG
			 ? redact__pseudonym(r, f->key, "finding", &r->findings)
			 : redact_key(r, f->key);
	f->note = redact_text(r, f->note);
	f->prediction_note = redact_text(r, f->prediction_note);
	f->ordered_by = redact_text(r, f->ordered_by);
	f->rule = redact_text(r, f->rule);
	f->missing = redact_text(r, f->missing);
	f->suppressed = redact_text(r, f->suppressed);
	for (uint32_t i = 0; i < f->known_count; i++) {
		f->known[i].commit = redact_commit(r, f->known[i].commit);
		f->known[i].title = redact_text(r, f->known[i].title);
		f->known[i].state = redact_text(r, f->known[i].state);
	}
	return true;
}
