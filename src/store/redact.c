// SPDX-License-Identifier: GPL-2.0-or-later
/* Pseudonyms for sharing a recording outside: names, command lines, addresses. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "store/redact.h"

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
struct redactor {
	struct secret *secrets;
	struct address *addresses;
	struct kept_text *texts;
	uint32_t comms, objects;
};

struct redactor *redactor__new(void)
{
	return calloc(1, sizeof(struct redactor));
}

void redactor__free(struct redactor *r)
{
	struct secret *secret, *next_secret;
	struct address *address, *next_address;

	if (!r)
		return;
	HASH_ITER(hh, r->secrets, secret, next_secret) {
		HASH_DEL(r->secrets, secret);
		free(secret->name);
		free(secret->pseudonym);
		free(secret);
	}
	HASH_ITER(hh, r->addresses, address, next_address) {
		HASH_DEL(r->addresses, address);
		free(address);
	}
	while (r->texts) {
		struct kept_text *next = r->texts->next;

		free(r->texts);
		r->texts = next;
	}
	free(r);
}

static const char *keep(struct redactor *r, const char *text, size_t length)
{
	struct kept_text *kept = malloc(sizeof(*kept) + length + 1);

	if (!kept)
		return "";
	memcpy(kept->text, text, length);
	kept->text[length] = '\0';
	kept->next = r->texts;
	r->texts = kept;
	return kept->text;
}

/* Without memory the name is dropped, never passed through. */
static const char *pseudonym(struct redactor *r, const char *name, const char *prefix,
			     uint32_t *counter)
{
	struct secret *secret;

	HASH_FIND_STR(r->secrets, name, secret);
	if (secret)
		return secret->pseudonym;
	secret = calloc(1, sizeof(*secret));
	if (!secret)
		return "";
	secret->name = strdup(name);
	if (asprintf(&secret->pseudonym, "%s-%u", prefix, ++*counter) < 0)
		secret->pseudonym = NULL;
	if (!secret->name || !secret->pseudonym) {
		free(secret->name);
		free(secret->pseudonym);
		free(secret);
		return "";
	}
	HASH_ADD_KEYPTR(hh, r->secrets, secret->name, strlen(secret->name), secret);
	return secret->pseudonym;
}

const char *redact_comm(struct redactor *r, const char *comm)
{
	return r && comm && *comm ? pseudonym(r, comm, "task", &r->comms) : comm;
}

/* PCI addresses and group numbers say nothing about their owner and everything about the bug. */
static bool is_hardware(enum object_kind kind)
{
	return kind == OBJECT_GROUP || kind == OBJECT_DEVICE || kind == OBJECT_DEVICE_SET;
}

const char *redact_object_name(struct redactor *r, enum object_kind kind, const char *name)
{
	if (!r || !name || is_hardware(kind))
		return name;
	return pseudonym(r, name, kind == OBJECT_VM ? "vm" : "object", &r->objects);
}

const char *redact_object_detail(struct redactor *r, enum object_kind kind, const char *detail)
{
	return r && !is_hardware(kind) ? NULL : detail;
}

const char *redact_path(struct redactor *r, const char *path)
{
	const char *last = r && path ? strrchr(path, '/') : NULL;

	return last && path[0] == '/' ? last + 1 : path;
}

const char *redact_fact(struct redactor *r, const char *key, const char *value)
{
	static const char *const harmless[] = {
		"kernel.release",
		"kernel.version",
		"kernel.build_id",
		"kernel.tainted",
		"kernel.livepatches",
		"arch",
		"scope",
		"cpu.",
		"module.",
		"model.",
		"probe",
		"fix",
		"overhead.",
		"config.",
		"feature",
		"recording.",
		"host.boot_id",
		"levels",
	};

	if (!r)
		return value;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (!strncmp(key, harmless[i], strlen(harmless[i])))
			return redact_text(r, value);
	return "(redacted)";
}

uint64_t redact_address(struct redactor *r, uint64_t value)
{
	struct address *address;

	if (!r || !value)
		return value;
	HASH_FIND(hh, r->addresses, &value, sizeof(value), address);
	if (address)
		return address->id;
	address = calloc(1, sizeof(*address));
	if (!address)
		return 0;
	address->address = value;
	address->id = HASH_COUNT(r->addresses) + 1;
	HASH_ADD(hh, r->addresses, address, sizeof(address->address), address);
	return address->id;
}

/* --- free text --------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

/* The longest known name that stands at `at` as a word of its own. */
static const struct secret *secret_at(const struct redactor *r, const char *text, const char *at)
{
	const struct secret *best = NULL;
	size_t best_length = 0;

	if (at > text && is_word(at[-1]) && is_word(*at))
		return NULL;
	for (const struct secret *s = r->secrets; s; s = s->hh.next) {
		size_t length = strlen(s->name);

		if (length <= best_length || strncmp(at, s->name, length))
			continue;
		if (is_word(at[length - 1]) && is_word(at[length]) &&
		    !(at[length] == '.' && !is_word(at[length + 1])))
			continue;
		best = s;
		best_length = length;
	}
	return best;
}

/* "0x" and eight or more digits: an address. */
static size_t address_at(const char *at, uint64_t *value)
{
	size_t digits = 0;

	if (at[0] != '0' || at[1] != 'x')
		return 0;
	while (isxdigit((unsigned char)at[2 + digits]))
		digits++;
	*value = strtoull(at, NULL, 16);
	return digits >= 8 ? digits + 2 : 0;
}

const char *redact_text(struct redactor *r, const char *text)
{
	char *copy = NULL;
	const char *kept;
	size_t size = 0;
	FILE *out;

	if (!r || !text)
		return text;
	out = open_memstream(&copy, &size);
	if (!out)
		return "";
	for (const char *at = text; *at;) {
		const struct secret *secret = secret_at(r, text, at);
		uint64_t value;
		size_t length = secret ? strlen(secret->name) : address_at(at, &value);

		if (secret)
			fputs(secret->pseudonym, out);
		else if (length)
			fprintf(out, "0x%" PRIx64, redact_address(r, value));
		else
			fputc(*at, out);
		at += length ? length : 1;
	}
	fclose(out);
	kept = copy ? keep(r, copy, size) : "";
	free(copy);
	return kept;
}

int store__redact(const char *input, const char *output, char *error, size_t error_size)
{
	static const struct store_read_options everything = {.events = true};
	static const struct replay_options options = {.redact = true};
	struct model *from = model__new(), *to = model__new();
	struct analysis *recorded = NULL, *kept = NULL;
	int failed = -ENOMEM;

	if (!from || !to)
		goto cleanup;
	recorded = analysis__new(from, &(struct analysis_options){0});
	kept = analysis__new(to, &(struct analysis_options){0});
	if (!recorded || !kept)
		goto cleanup;
	failed = store__read(input, from, recorded, &everything, error, error_size);
	if (failed)
		goto cleanup;
	failed = model__replay(to, from, analysis__findings(recorded), kept, &options);
	if (!failed)
		failed = store__save(output, to, analysis__findings(kept),
				     model__fact(to, "recording.verdict"), error, error_size);
cleanup:
	analysis__free(recorded);
	analysis__free(kept);
	model__free(from);
	model__free(to);
	return failed;
}

const char *redact_instance_name(struct redactor *r, const struct model *m,
				 const struct lock_instance *instance)
{
	const struct object *owner =
		instance->object == NO_ID ? NULL : model__object(m, instance->object);

	if (!r || !owner || !instance->name)
		return redact_text(r, instance->name);
	return redact_object_name(r, owner->kind, owner->name ? owner->name : instance->name);
}

struct frame *redact_frames(struct redactor *r, const struct frame *frames, uint32_t count)
{
	struct frame *copy = calloc(count + 1ULL, sizeof(*copy));

	for (uint32_t i = 0; copy && i < count; i++) {
		copy[i] = frames[i];
		copy[i].ip = redact_address(r, frames[i].ip);
		copy[i].module = redact_path(r, frames[i].module);
		copy[i].file = redact_path(r, frames[i].file);
	}
	return copy;
}

bool redact_finding(struct redactor *r, struct finding *f)
{
	const char **schedule = calloc(f->schedule_count + 1ULL, sizeof(*schedule));

	if (!schedule)
		return false;
	for (uint32_t i = 0; i < f->schedule_count; i++)
		schedule[i] = redact_text(r, f->schedule[i]);
	f->schedule = schedule;
	f->key = (char *)redact_text(r, f->key);
	f->note = redact_text(r, f->note);
	f->prediction_note = redact_text(r, f->prediction_note);
	f->ordered_by = redact_text(r, f->ordered_by);
	f->rule = redact_text(r, f->rule);
	f->suppressed = redact_text(r, f->suppressed);
	return true;
}
