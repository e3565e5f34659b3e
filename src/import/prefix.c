// SPDX-License-Identifier: GPL-2.0-or-later
/* Prefixes of a kernel log's lines, known and learnt, see prefix.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "import/prefix.h"

#define PREFIX_LAYERS 24
#define PREFIX_MAX 160

static bool is_digit(char c)
{
	return isdigit((unsigned char)c);
}

/* --- known forms -------------------------------------------------------------------------------
 */

/* "> > > text", "| text", ": text": each mark of a quotation */
static const char *skip_quote(const char *p)
{
	if (*p == '>')
		return p + 1;
	return (*p == '|' || *p == ':') && (p[1] == ' ' || !p[1]) ? p + 1 : p;
}

/* "<6>": printk level */
static const char *skip_level(const char *p)
{
	const char *at = p + 1;

	if (*p != '<' || !is_digit(*at))
		return p;
	while (is_digit(*at))
		at++;
	return *at == '>' ? at + 1 : p;
}

/* A host name and a date hold no brackets; a kernel message before the tag would. Except for a
 * journal's cursor, "[s=…;i=…]". */
static bool may_be_host(const char *p, const char *end)
{
	for (const char *at = p; at < end; at++) {
		if (!strncmp(at, "[s=", 3)) {
			at = memchr(at, ']', (size_t)(end - at));
			if (!at)
				return false;
		} else if (strchr("()[]{}#", *at)) {
			return false;
		}
	}
	return true;
}

/* "May 31 22:34:22 host kernel: ", "2016-03-26T20:52:22+00:00 host kernel: ", "host kernel: " */
static const char *skip_syslog(const char *p)
{
	const char *tag = strstr(p, "kernel: ");

	if (!tag)
		tag = strstr(p, "kernel:[");
	if (!tag && (tag = strstr(p, "kernel:")) && tag[7])
		tag = NULL; /* a line that was empty */
	if (!tag || tag - p > PREFIX_MAX || (tag > p && tag[-1] != ' ' && tag[-1] != '/'))
		return p;
	if (!may_be_host(p, tag))
		return p;
	return tag + 7;
}

static uint64_t parse_seconds(const char *p, const char *end)
{
	uint64_t seconds = 0, ns = 0, scale = 100000000;

	while (p < end && is_digit(*p)) {
		if (seconds > 1000000000)
			return 0;
		seconds = seconds * 10 + (uint64_t)(*p++ - '0');
	}
	if (p < end && *p == '.')
		for (p++; p < end && is_digit(*p); p++, scale /= 10)
			ns += (uint64_t)(*p - '0') * scale;
	return seconds * 1000000000 + ns;
}

static void set_context(struct prefix *prefix, const char *text, size_t length)
{
	if (length >= sizeof(prefix->context))
		return;
	memcpy(prefix->context, text, length);
	prefix->context[length] = '\0';
}

/* "[Mon Jan  1 12:00:00 2024]", "[Apr 8 22:31]" */
static bool is_date(const char *start, const char *end)
{
	const char *at = start;

	if (!isupper((unsigned char)*at) || end - at < 10 || !memchr(at, ':', (size_t)(end - at)))
		return false;
	return isalpha((unsigned char)at[1]) && isalpha((unsigned char)at[2]) && at[3] == ' ';
}

/* "[  +0.000003]", "[<    0.000001>]", "[2026-01-02 03:04:05.678]", "[]" */
static bool is_time_of_other_kind(const char *start, const char *end)
{
	bool mark = start == end;

	for (const char *at = start; at < end; at++) {
		mark |= *at == ':' || *at == '.' || *at == '+';
		if (!is_digit(*at) && !strchr(":.,+-/ TZ<>", *at))
			return false;
	}
	return mark;
}

/* "[   12.345678]", "[   12.345678 <    0.000003>]", "[ T4711]", "[    C0]" and the above */
static const char *skip_bracket(const char *p, struct prefix *prefix)
{
	const char *start = p + 1, *end, *at;
	size_t length;

	if (*p != '[' || !(end = strchr(p, ']')) || end - p > 48)
		return p;
	start += strspn(start, " ");
	length = (size_t)(end - start);
	if ((*start == 'T' || *start == 'C') && is_digit(start[1]) &&
	    strspn(start + 1, "0123456789") == length - 1) {
		set_context(prefix, start, length);
		return end + 1;
	}
	at = start + strspn(start, "0123456789");
	if (at > start && *at == '.' && is_digit(at[1])) {
		const char *stop = at + 1 + strspn(at + 1, "0123456789");
		const char *rest = stop + strspn(stop, " ");

		if (stop != end && *rest != '<')
			return p;
		prefix->time = parse_seconds(start, stop);
		prefix->has_time = true;
		return end + 1;
	}
	return is_date(start, end) || is_time_of_other_kind(start, end) ? end + 1 : p;
}

/* "2026-01-02T03:04:05,000001+01:00 " */
static const char *skip_iso_time(const char *p)
{
	static const char form[] = "0000-00-00T00:00:00";
	const char *at = p;

	for (size_t i = 0; form[i]; i++, at++)
		if (form[i] == '0' ? !is_digit(*at)
				   : *at != form[i] && !(form[i] == 'T' && *at == ' '))
			return p;
	if ((*at == '.' || *at == ',') && is_digit(at[1]))
		at += 1 + strspn(at + 1, "0123456789");
	if (*at == 'Z')
		at++;
	else if ((*at == '+' || *at == '-') && is_digit(at[1]))
		at += 1 + strspn(at + 1, "0123456789:");
	return *at == ' ' || !*at || *at == ':' ? at + (*at == ':') : p;
}

/* "4,1001,5001,-;text" of /dev/kmsg, "6,2906,100000003,-,caller=T123;text" */
static const char *skip_record(const char *p, struct prefix *prefix)
{
	uint64_t numbers[3];
	const char *end, *caller;
	char *at = (char *)p;

	for (int i = 0; i < 3; i++) {
		if (!is_digit(*at))
			return p;
		numbers[i] = strtoull(at, &at, 10);
		if (*at++ != ',')
			return p;
	}
	end = strchr(at, ';');
	if (!end || end - at > 96 || numbers[0] > 1023 || memchr(at, ' ', (size_t)(end - at)))
		return p;
	prefix->time = numbers[2] * 1000;
	prefix->has_time = true;
	caller = strstr(at, "caller=");
	if (caller && caller < end)
		set_context(prefix, caller + 7, strcspn(caller + 7, ",;"));
	return end + 1;
}

/* The same behind a host name: extended netconsole in a syslog. */
static const char *skip_host_and_record(const char *p, struct prefix *prefix)
{
	const char *end = strchr(p, ';'), *start, *at;

	if (!end || end - p > PREFIX_MAX || !may_be_host(p, end))
		return p;
	for (start = end; start > p && start[-1] != ' ';)
		start--;
	at = skip_record(start, prefix);
	return at == start ? p : at;
}

/* "kern  :warn  : " of dmesg -x */
static const char *skip_decoded_level(const char *p)
{
	static const char *const levels[] = {"emerg", "alert",	"crit", "err",
					     "warn",  "notice", "info", "debug"};
	const char *at = p + strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789");

	if (at == p || at - p > 10)
		return p;
	at += strspn(at, " ");
	if (*at != ':')
		return p;
	at++;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		size_t length = strlen(levels[i]);

		if (strncmp(at, levels[i], length) || at[length] != ' ')
			continue;
		at += length + strspn(at + length, " ");
		return *at == ':' ? at + 1 : p;
	}
	return p;
}

/* "host login: [  123.456789] ", "ttyS0| [ …", "KERNEL: [ …": the kernel's own stamp, to the
 * microsecond, behind anything */
static const char *skip_to_stamp(const char *p, const struct prefix *prefix)
{
	const char *limit = p + strnlen(p, PREFIX_MAX);

	if (prefix->has_time)
		return p;
	for (const char *at = p; (at = memchr(at, '[', (size_t)(limit - at))); at++) {
		const char *start = at + 1 + strspn(at + 1, " ");
		size_t seconds = strspn(start, "0123456789");

		if (seconds && start[seconds] == '.' &&
		    strspn(start + seconds + 1, "0123456789") == 6 && start[seconds + 7] == ']')
			return at;
	}
	return p;
}

static const char *skip_known(const char *p, struct prefix *prefix)
{
	const char *at;

	if ((at = skip_level(p)) != p || (at = skip_bracket(p, prefix)) != p ||
	    (at = skip_iso_time(p)) != p || (at = skip_record(p, prefix)) != p ||
	    (at = skip_decoded_level(p)) != p || (at = skip_syslog(p)) != p ||
	    (at = skip_host_and_record(p, prefix)) != p || (at = skip_to_stamp(p, prefix)) != p)
		prefix->any = true;
	return at;
}

/* --- learnt forms ------------------------------------------------------------------------------
 */

/* One token of `p`; blanks before it are skipped. '\0' at the end. */
static char token(const char **p)
{
	const char *at = *p + strspn(*p, " ");
	bool digit = false;
	char kind = *at;

	while (isalnum((unsigned char)*at) || *at == '_') {
		digit |= is_digit(*at);
		kind = digit ? '0' : 'a';
		at++;
	}
	if (kind && kind != 'a' && kind != '0')
		at++;
	*p = at;
	return kind;
}

bool prefix_shape__of(struct prefix_shape *shape, const char *text, size_t length)
{
	const char *p = text, *end = text + length;
	bool tells = false;

	memset(shape, 0, sizeof(*shape));
	while (p < end && shape->count < PREFIX_TOKENS) {
		char kind = token(&p);

		if (!kind || p > end)
			break;
		shape->tokens[shape->count++] = kind;
		tells |= kind != 'a';
	}
	return tells && p + strspn(p, " ") >= end;
}

const char *prefix_shape__match(const struct prefix_shape *shape, const char *text)
{
	for (uint32_t i = 0; i < shape->count; i++)
		if (token(&text) != shape->tokens[i])
			return NULL;
	return text;
}

void prefix_shapes__add(struct prefix_shapes *shapes, const struct prefix_shape *shape)
{
	shapes->items[shapes->count++ % PREFIX_SHAPES] = *shape;
}

static const char *skip_learnt(const struct prefix_shapes *shapes, const char *p)
{
	uint32_t count = shapes->count < PREFIX_SHAPES ? shapes->count : PREFIX_SHAPES;

	for (uint32_t i = 0; i < count; i++) {
		const char *at = prefix_shape__match(&shapes->items[i], p);

		if (at)
			return at;
	}
	return p;
}

const char *prefix__skip(const struct prefix_shapes *shapes, const char *text,
			 struct prefix *prefix)
{
	const char *p = text;
	bool learnt = false;

	memset(prefix, 0, sizeof(*prefix));
	for (int i = 0; i < PREFIX_LAYERS; i++) {
		const char *start = p + strspn(p, " "), *at = skip_quote(start);

		if (at == start)
			at = skip_known(start, prefix);
		if (at == start && shapes && !learnt) {
			at = skip_learnt(shapes, start);
			learnt = at != start;
			prefix->any |= learnt;
		}
		/* blanks before a prefix belong to it, blanks before text are indentation */
		if (at == start)
			break;
		p = at;
	}
	return p;
}
