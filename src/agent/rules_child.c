// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules and suppressions read by a child without privileges. It prints rows of strings that end
 * with NUL; the agent rebuilds the set from them and validates every field.
 *   "R" kind kernel_from kernel_until expires line class_count class… site comm reason source
 *   "C" line message
 *   "E"                      the end: without it the answer is cut
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "rules.h"

#define FILE_MAX (1u << 20)
#define CLASSES_MAX 64

struct request {
	const char *name;
	FILE *out;
};

static void put(FILE *out, const char *text)
{
	fputs(text, out);
	fputc(0, out);
}

static void put_number(FILE *out, int64_t number)
{
	fprintf(out, "%" PRId64, number);
	fputc(0, out);
}

static void put_error(void *context, const char *file, uint32_t line, const char *message)
{
	struct request *r = context;

	(void)file;
	put(r->out, "C");
	put_number(r->out, line);
	put(r->out, message);
}

static void put_rule(FILE *out, const struct rule *rule)
{
	put(out, "R");
	put_number(out, rule->kind);
	put_number(out, rule->kernel_from);
	put_number(out, rule->kernel_until);
	put_number(out, rule->expires);
	put_number(out, rule->line);
	put_number(out, rule->class_count);
	for (uint32_t i = 0; i < rule->class_count; i++)
		put(out, rule->classes[i]);
	put(out, rule->site ? rule->site : "");
	put(out, rule->comm ? rule->comm : "");
	put(out, rule->reason ? rule->reason : "");
	put(out, rule->source ? rule->source : "");
}

static int parse_in_child(void *context, int in, int out)
{
	struct request *r = context;
	char *text = malloc(FILE_MAX);
	struct rule_set *set;
	size_t used = 0;
	ssize_t got;

	r->out = fdopen(out, "w");
	if (!r->out || !text)
		return -ENOMEM;
	while (used < FILE_MAX && (got = read(in, text + used, FILE_MAX - used)) > 0)
		used += (size_t)got;
	set = rule_set__parse(r->name, text, used, put_error, r);
	for (uint32_t i = 0; set && i < set->count; i++)
		put_rule(r->out, &set->items[i]);
	put(r->out, set ? "E" : "N");
	return fclose(r->out) ? -EIO : 0;
}

/* --- the agent's side ------------------------------------------------------------------------- */

struct reader {
	const char *at, *end;
	bool bad;
};

static const char *take(struct reader *r)
{
	const char *start = r->at;
	const char *stop = r->bad ? NULL : memchr(start, 0, (size_t)(r->end - start));

	if (!stop) {
		r->bad = true;
		return "";
	}
	r->at = stop + 1;
	return start;
}

static int64_t take_number(struct reader *r, int64_t lowest, int64_t highest)
{
	const char *text = take(r);
	char *rest;
	int64_t number = strtoll(text, &rest, 10);

	if (rest == text || *rest || number < lowest || number > highest)
		r->bad = true;
	return r->bad ? 0 : number;
}

/* No pattern is empty: an empty one is none. */
static const char *take_optional(struct reader *r)
{
	const char *text = take(r);

	return *text ? strdup(text) : NULL;
}

static void take_rule(struct reader *r, struct rule_set *set)
{
	struct rule *items = realloc(set->items, (set->count + 1) * sizeof(*items));
	struct rule *rule;
	uint32_t count;

	if (!items) {
		r->bad = true;
		return;
	}
	set->items = items;
	rule = &items[set->count];
	memset(rule, 0, sizeof(*rule));
	rule->kind = (enum rule_kind)take_number(r, 0, RULE_KINDS - 1);
	rule->kernel_from = (uint32_t)take_number(r, 0, UINT32_MAX);
	rule->kernel_until = (uint32_t)take_number(r, 0, UINT32_MAX);
	rule->expires = take_number(r, 0, INT64_MAX);
	rule->line = (uint32_t)take_number(r, 0, UINT32_MAX);
	count = (uint32_t)take_number(r, rule->kind != RULE_SUPPRESS_HANG, CLASSES_MAX);
	if (r->bad || !(rule->classes = calloc(count + 1ULL, sizeof(*rule->classes))))
		return;
	set->count++; /* from here on rule_set__free takes care of it */
	for (; rule->class_count < count && !r->bad; rule->class_count++)
		rule->classes[rule->class_count] = strdup(take(r));
	rule->site = take_optional(r);
	rule->comm = take_optional(r);
	rule->reason = strdup(take(r));
	rule->source = strdup(take(r));
}

static struct rule_set *rebuild(struct reader *r, const char *path, uint32_t *complaints,
				complain_fn complain, void *context)
{
	struct rule_set *set = calloc(1, sizeof(*set));

	while (set && !r->bad && r->at < r->end) {
		const char *kind = take(r);

		if (!strcmp(kind, "R")) {
			take_rule(r, set);
		} else if (!strcmp(kind, "C")) {
			uint32_t line = (uint32_t)take_number(r, 0, UINT32_MAX);
			const char *message = take(r);

			(*complaints)++;
			if (complain && !r->bad)
				complain(context, path, line, message);
		} else if (!strcmp(kind, "E") && r->at == r->end) {
			return set;
		} else {
			break;
		}
	}
	rule_set__free(set);
	return NULL;
}

struct rule_set *rules_load_unprivileged(const char *path, uint32_t *complaints,
					 complain_fn complain, void *context)
{
	struct request request = {.name = path};
	struct reader reader = {0};
	struct rule_set *set;
	char *text = NULL, message[160];
	size_t length = 0;
	int status = parse_unprivileged(path, FILE_MAX, parse_in_child, &request, &text, &length);

	if (status) {
		snprintf(message, sizeof(message), "cannot be read: %s",
			 status == -EBADMSG ? "its parser crashed, hung or was cut"
			 : status == -ELOOP ? "it is a link"
			 : status == -EPERM
				 ? "others than root may write it, and root does what it "
				   "says; chown root it, chmod go-w it"
			 : status == -EFBIG ? "longer than 1 MiB"
					    : strerror(-status));
		(*complaints)++;
		if (complain)
			complain(context, path, 0, message);
		return NULL;
	}
	reader.at = text;
	reader.end = text + length;
	set = rebuild(&reader, path, complaints, complain, context);
	free(text);
	return set;
}
