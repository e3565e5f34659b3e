// SPDX-License-Identifier: GPL-2.0-or-later
/* Pseudonyms for sharing a recording outside, and free text without what may not stay. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "store/redact_private.h"

struct redactor *redactor__new(void)
{
	return calloc(1, sizeof(struct redactor));
}

static void free_secrets(struct secret **table)
{
	struct secret *secret, *next;

	HASH_ITER(hh, *table, secret, next) {
		HASH_DEL(*table, secret);
		free(secret->name);
		free(secret->pseudonym);
		free(secret);
	}
}

void redactor__free(struct redactor *r)
{
	struct address *address, *next_address;

	if (!r)
		return;
	free_secrets(&r->secrets);
	free_secrets(&r->allowed);
	HASH_ITER(hh, r->addresses, address, next_address) {
		HASH_DEL(r->addresses, address);
		free(address);
	}
	free(r->nodes.items);
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

bool redact__is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

/* Each word of it; one that cannot be kept for want of memory will be missing, which is safe. */
void redact__allow(struct redactor *r, const char *text)
{
	while (text && *text) {
		size_t length = 0;
		struct secret *known;

		while (redact__is_word(text[length]))
			length++;
		if (!length) {
			text++;
			continue;
		}
		HASH_FIND(hh, r->allowed, text, length, known);
		if (!known && (known = calloc(1, sizeof(*known)))) {
			known->name = strndup(text, length);
			if (known->name)
				HASH_ADD_KEYPTR(hh, r->allowed, known->name, length, known);
			else
				free(known);
		}
		text += length;
	}
}

/* A name of more is nowhere found as a whole, and its words are on no list. */
#define SECRET_LENGTH_MAX 256

/* The child of `node` for `c`; 0: there is none. */
static uint32_t child_of(const struct redactor *r, uint32_t node, char c)
{
	for (node = r->nodes.count ? r->nodes.items[node].child : 0;
	     node && r->nodes.items[node].c != c;)
		node = r->nodes.items[node].sibling;
	return node;
}

static uint32_t add_child(struct redactor *r, uint32_t parent, char c)
{
	const uint32_t id = (uint32_t)r->nodes.count;

	if (!vector_push(&r->nodes,
			 (struct redact_node){.c = c, .sibling = r->nodes.items[parent].child}))
		return 0;
	r->nodes.items[parent].child = id;
	return id;
}

/* Without memory it is not found as a whole, and its words go. */
static void add_to_tree(struct redactor *r, const struct secret *secret)
{
	uint32_t node = 0;

	if (!*secret->name || strlen(secret->name) > SECRET_LENGTH_MAX)
		return;
	if (!r->nodes.count && !vector_push(&r->nodes, (struct redact_node){0}))
		return;
	for (const char *at = secret->name; *at; at++) {
		uint32_t next = child_of(r, node, *at);

		node = next ? next : add_child(r, node, *at);
		if (!node)
			return;
	}
	r->nodes.items[node].secret = secret;
}

/* Without memory the name is dropped, never passed through. */
const char *redact__pseudonym(struct redactor *r, const char *name, const char *prefix,
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
	redact__allow(r, secret->pseudonym);
	add_to_tree(r, secret);
	return secret->pseudonym;
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

/* The longest known name that stands at `at` as a word of its own. */
static const struct secret *secret_at(const struct redactor *r, const char *text, const char *at)
{
	const struct secret *best = NULL;
	uint32_t node = 0;

	if (at > text && redact__is_word(at[-1]) && redact__is_word(*at))
		return NULL;
	while (*at && (node = child_of(r, node, *at++))) {
		const struct secret *here = r->nodes.items[node].secret;

		if (here && !(redact__is_word(at[-1]) && redact__is_word(*at) &&
			      !(*at == '.' && !redact__is_word(at[1]))))
			best = here;
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

/* A number in a chain of them, as in 0000:3b:00.0, is a place of this host. */
static bool is_in_chain(const char *text, const char *at, size_t length)
{
	if (!isdigit((unsigned char)*at))
		return false;
	return (at > text + 1 && at[-1] == ':' && isxdigit((unsigned char)at[-2])) ||
	       (at[length] == ':' && isxdigit((unsigned char)at[length + 1]));
}

/* A point at the end belongs to the sentence. */
bool redact__may_stay(const struct redactor *r, const char *word, size_t length)
{
	struct secret *known;

	HASH_FIND(hh, r->allowed, word, length, known);
	if (!known && length > 1 && word[length - 1] == '.')
		return redact__may_stay(r, word, length - 1);
	return known || allowed__word(word, length);
}

/* Length of what stands at `at` and was written, or replaced. */
static size_t put_word(struct redactor *r, FILE *out, const char *text, const char *at)
{
	const struct secret *secret = secret_at(r, text, at);
	size_t length = 0;
	uint64_t value;

	if (secret) {
		fputs(secret->pseudonym, out);
		return strlen(secret->name);
	}
	length = address_at(at, &value);
	if (length) {
		fprintf(out, "0x%" PRIx64, redact_address(r, value));
		return length;
	}
	while (redact__is_word(at[length]))
		length++;
	if (!length) { /* signs stay, bytes that are none go */
		fputc(*at == '\n' || (*at >= ' ' && *at < 0x7f) ? *at : '?', out);
		return 1;
	}
	if (redact__may_stay(r, at, length) && !is_in_chain(text, at, length))
		fwrite(at, 1, length, out);
	else
		fputs("(...)", out);
	return length;
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
	for (const char *at = text; *at;)
		at += put_word(r, out, text, at);
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
