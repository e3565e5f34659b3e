// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules files: declared orders, suppressions, instance-only classes. Format: vfiotrace-rules(7). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rules/block_file.h"
#include "util/input.h"

#define DAY_SECONDS 86400
#define RULES_MAX_BYTES (16U << 20)

static const char *const rule_keywords[] = {"order", "suppress", "instance-only", "suppress-hang"};

uint32_t kernel_version__parse(const char *release)
{
	unsigned long part[3] = {0};
	const char *p = release;
	char *end;

	for (int i = 0; i < 3; i++) {
		if (*p < '0' || *p > '9')
			return 0;
		part[i] = strtoul(p, &end, 10);
		if (part[i] > 255)
			part[i] = 255;
		p = end;
		if (*p != '.')
			break;
		p++;
		if (i < 2 && (*p < '0' || *p > '9'))
			break;
	}
	return (uint32_t)(part[0] << 16 | part[1] << 8 | part[2]);
}

bool rule__applies(const struct rule *rule, uint32_t kernel_version, int64_t now_seconds)
{
	if (rule->expires && now_seconds >= rule->expires)
		return false;
	/* a rule for some kernels says nothing about a kernel that is not known */
	if (!kernel_version)
		return !rule->kernel_from && !rule->kernel_until;
	return kernel_version >= rule->kernel_from &&
	       (!rule->kernel_until || kernel_version < rule->kernel_until);
}

/* "6.1 - 6.3", "6.2 -", "- 6.2", "6.1": from inclusive, until exclusive */
static bool parse_kernel_range(const char *value, struct rule *rule)
{
	char from[32] = "", until[32] = "";
	const char *dash = strchr(value, '-');

	if (!dash)
		return false;
	snprintf(from, sizeof(from), "%.*s", (int)(dash - value), value);
	snprintf(until, sizeof(until), "%s", dash + 1);
	for (char *p = from + strlen(from); p > from && p[-1] == ' ';)
		*--p = '\0';
	value = until + strspn(until, " \t");
	if (*from && !(rule->kernel_from = kernel_version__parse(from)))
		return false;
	if (*value && !(rule->kernel_until = kernel_version__parse(value)))
		return false;
	if (!*from && !*value)
		return false;
	return !rule->kernel_until || rule->kernel_from < rule->kernel_until;
}

/* The last second of the named UTC day still counts. */
static bool parse_expiry(const char *value, int64_t *expires)
{
	struct tm day = {0};
	char *end = strptime(value, "%Y-%m-%d", &day);

	if (!end || *end)
		return false;
	*expires = (int64_t)timegm(&day) + DAY_SECONDS;
	return *expires > 0;
}

static bool take_pattern(struct block_file *file, const struct block_field *field,
			 const char **pattern)
{
	if (!*field->value || *pattern) {
		block_file__complain(file, field->line,
				     "%s takes one pattern as in the shell, and stands once",
				     field->key);
		return false;
	}
	*pattern = strdup(field->value);
	return *pattern;
}

static bool parse_attribute(struct block_file *file, const struct block_field *field,
			    struct rule *rule)
{
	if (!strcmp(field->key, "reason")) {
		rule->reason = *field->value ? strdup(field->value) : NULL;
		if (rule->reason)
			return true;
		block_file__complain(file, field->line, "reason is empty; say why in a few words");
	} else if (rule->kind == RULE_SUPPRESS_HANG && !strcmp(field->key, "site")) {
		return take_pattern(file, field, &rule->site);
	} else if (rule->kind == RULE_SUPPRESS_HANG && !strcmp(field->key, "comm")) {
		return take_pattern(file, field, &rule->comm);
	} else if (!strcmp(field->key, "kernel")) {
		if (parse_kernel_range(field->value, rule))
			return true;
		block_file__complain(file, field->line,
				     "kernel takes \"FROM - UNTIL\" (either may be left out, UNTIL "
				     "is excluded), as in \"6.1 - 6.2\", not \"%s\"",
				     field->value);
	} else if (!strcmp(field->key, "expires")) {
		if (parse_expiry(field->value, &rule->expires))
			return true;
		block_file__complain(file, field->line,
				     "expires takes a day as YYYY-MM-DD, not \"%s\"", field->value);
	} else {
		block_file__complain(file, field->line,
				     "\"%s\" is an unknown attribute of %s; expected reason, "
				     "kernel%s or expires",
				     field->key, rule_keywords[rule->kind],
				     rule->kind == RULE_SUPPRESS_HANG ? ", site, comm" : "");
	}
	return false;
}

static void free_rule(struct rule *rule)
{
	block_free_classes(rule->classes, rule->class_count);
	free((char *)rule->site);
	free((char *)rule->comm);
	free((char *)rule->reason);
	free((char *)rule->source);
}

static bool is_suppression(const struct rule *rule)
{
	return rule->kind == RULE_SUPPRESS || rule->kind == RULE_SUPPRESS_HANG;
}

static bool check_rule(struct block_file *file, const struct block *block, struct rule *rule)
{
	if (!rule->reason) {
		block_file__complain(file, block->head.line,
				     "%s without a reason; add an indented line \"reason …\"",
				     block->head.key);
		return false;
	}
	if (rule->kind == RULE_ORDER && rule->class_count < 2) {
		block_file__complain(file, block->head.line,
				     "order takes at least two classes, outermost first: order "
				     "kvm.lock > kvm.slots_lock");
		return false;
	}
	if (rule->kind == RULE_SUPPRESS_HANG && !rule->class_count && !rule->site && !rule->comm) {
		block_file__complain(file, block->head.line,
				     "suppress-hang takes a lock's class, or indented lines \"site "
				     "FUNCTION\" or \"comm NAME\"");
		return false;
	}
	if (rule->kind == RULE_SUPPRESS_HANG && rule->class_count > 1) {
		block_file__complain(file, block->head.line,
				     "suppress-hang takes one class, that of the lock waited for");
		return false;
	}
	if (is_suppression(rule) && rule->expires && time(NULL) >= rule->expires) {
		block_file__complain(file, block->head.line,
				     "this suppression has expired and no longer counts; renew its "
				     "\"expires\" line or remove it");
		return false;
	}
	return true;
}

static bool parse_rule(struct block_file *file, const struct block *block, struct rule *rule)
{
	bool good = !block->broken;
	uint32_t kind = 0;

	memset(rule, 0, sizeof(*rule));
	while (kind < RULE_KINDS && strcmp(block->head.key, rule_keywords[kind]))
		kind++;
	if (kind == RULE_KINDS) {
		block_file__complain(file, block->head.line,
				     "\"%s\" is an unknown statement; expected order, suppress, "
				     "suppress-hang or instance-only",
				     block->head.key);
		return false;
	}
	rule->kind = (enum rule_kind)kind;
	rule->line = block->head.line;
	rule->source = strdup(file->name);
	if (*block->head.value)
		rule->class_count = block_split_classes(block->head.value, &rule->classes);
	if (!rule->class_count && (*block->head.value || rule->kind != RULE_SUPPRESS_HANG)) {
		block_file__complain(file, block->head.line,
				     "expected class names with \">\" between them after \"%s\"",
				     block->head.key);
		good = false;
	}
	for (uint32_t i = 0; i < block->attribute_count; i++)
		good = parse_attribute(file, &block->attributes[i], rule) && good;
	good = good && rule->source && check_rule(file, block, rule);
	if (!good)
		free_rule(rule);
	return good;
}

struct rule_set *rule_set__parse(const char *file_name, const char *text, size_t length,
				 complain_fn complain, void *context)
{
	struct rule_set *set = calloc(1, sizeof(*set));
	struct block_file file;

	if (!set)
		return NULL;
	if (block_file__parse(&file, file_name, text, length, complain, context)) {
		free(set);
		return NULL;
	}
	set->items = calloc(file.count + 1, sizeof(*set->items));
	for (uint32_t i = 0; set->items && i < file.count; i++)
		if (parse_rule(&file, &file.blocks[i], &set->items[set->count]))
			set->count++;
	/* an empty file is a valid one; a file in which nothing was usable is not */
	if (!set->items || (!set->count && file.refused)) {
		rule_set__free(set);
		set = NULL;
	}
	block_file__free(&file);
	return set;
}

struct rule_set *rule_set__load(const char *path, complain_fn complain, void *context)
{
	struct rule_set *set = NULL;
	char *text = malloc(RULES_MAX_BYTES + 1);
	char message[256], why[200] = "out of memory";
	int fd = input_open(path, INPUT_TRUSTED, why, sizeof(why));
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	size_t length;

	if (!text || !in) {
		snprintf(message, sizeof(message), "cannot be read: %s", why);
		if (complain)
			complain(context, path, 0, message);
		goto cleanup;
	}
	length = fread(text, 1, RULES_MAX_BYTES + 1, in);
	if (ferror(in) || length > RULES_MAX_BYTES) {
		if (complain)
			complain(context, path, 0,
				 ferror(in) ? "cannot be read; is it a file?"
					    : "longer than 16 MiB: too large for a rules file");
		goto cleanup;
	}
	set = rule_set__parse(path, text, length, complain, context);
cleanup:
	if (in)
		fclose(in);
	else if (fd >= 0)
		close(fd);
	free(text);
	return set;
}

void rule_set__free(struct rule_set *set)
{
	if (!set)
		return;
	for (uint32_t i = 0; i < set->count; i++)
		free_rule(&set->items[i]);
	free(set->items);
	free(set);
}

int rule_set__append(struct rule_set *set, struct rule_set *more)
{
	struct rule *grown;

	if (!more)
		return 0;
	grown = reallocarray(set->items, set->count + more->count + 1, sizeof(*grown));
	if (!grown) {
		rule_set__free(more);
		return -ENOMEM;
	}
	set->items = grown;
	memcpy(&grown[set->count], more->items, more->count * sizeof(*grown));
	set->count += more->count;
	free(more->items);
	free(more);
	return 0;
}
