// SPDX-License-Identifier: GPL-2.0-or-later
/* Prefixes and broken lines of kernel logs. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "import/klog_line.h"

#define PREFIX_LAYERS 16
#define SYSLOG_PREFIX_MAX 160

/* "> > > text": each mark of a quotation */
static const char *skip_quote(const char *p)
{
	const char *at = p + strspn(p, " \t");

	if (*at != '>' || at - p > 2)
		return p;
	return at[1] == ' ' ? at + 2 : at + 1;
}

/* "<6>": printk level */
static const char *skip_level(const char *p)
{
	const char *at = p + 1;

	if (*p != '<' || !isdigit((unsigned char)*at))
		return p;
	while (isdigit((unsigned char)*at))
		at++;
	return *at == '>' ? at + 1 : p;
}

/* "May 31 22:34:22 host kernel: ", "2016-03-26T20:52:22+00:00 host kernel: ", "host kernel: " */
static const char *skip_syslog(const char *p)
{
	const char *tag = strstr(p, "kernel: ");

	if (!tag)
		tag = strstr(p, "kernel:[");
	if (!tag || tag == p || tag - p > SYSLOG_PREFIX_MAX || tag[-1] != ' ')
		return p;
	/* a host name and a date hold no brackets; a kernel message before the tag would */
	for (const char *at = p; at < tag; at++)
		if (strchr("()[]{}#", *at))
			return p;
	return tag + (tag[7] == ' ' ? 8 : 7);
}

static uint64_t parse_seconds(const char *p, const char *end)
{
	uint64_t seconds = 0, ns = 0, scale = 100000000;

	while (p < end && isdigit((unsigned char)*p)) {
		if (seconds > 1000000000)
			return 0;
		seconds = seconds * 10 + (uint64_t)(*p++ - '0');
	}
	if (p < end && *p == '.')
		for (p++; p < end && isdigit((unsigned char)*p); p++, scale /= 10)
			ns += (uint64_t)(*p - '0') * scale;
	return seconds * 1000000000 + ns;
}

/* "[   12.345678]", "[ T4711]", "[    C0]", "[Mon Jan  1 12:00:00 2024]" */
static const char *skip_bracket(const char *p, struct klog_line *line)
{
	const char *start = p + 1, *end, *at;

	if (*p != '[' || !(end = strchr(p, ']')) || end - p > 40)
		return p;
	start += strspn(start, " ");
	at = start;
	if ((*at == 'T' || *at == 'C') && isdigit((unsigned char)at[1])) {
		size_t length = (size_t)(end - start);

		if (strspn(at + 1, "0123456789") != length - 1 || length >= sizeof(line->context))
			return p;
		memcpy(line->context, start, length);
		line->context[length] = '\0';
	} else if (isdigit((unsigned char)*at)) {
		at += strspn(at, "0123456789");
		if (*at != '.' || at + 1 + strspn(at + 1, "0123456789") != end)
			return p;
		line->time = parse_seconds(start, end);
		line->has_time = true;
	} else if (!(isupper((unsigned char)at[0]) && strnlen(at, 12) == 12 && at[3] == ' ' &&
		     at[7] == ' ' && memchr(at, ':', (size_t)(end - at)))) {
		return p;
	}
	return end[1] == ' ' ? end + 2 : end + 1;
}

/* syslog writes a line feed inside a message as "#012" */
static const char *skip_escaped_newline(const char *p)
{
	return strncmp(p, "#012", 4) ? p : p + 4;
}

static const char *skip_one(const char *p, struct klog_line *line)
{
	const char *at;

	if ((at = skip_quote(p)) != p || (at = skip_level(p)) != p || (at = skip_syslog(p)) != p ||
	    (at = skip_bracket(p, line)) != p)
		return at;
	return skip_escaped_newline(p);
}

/* Copy without terminal escapes and control characters. */
static void copy_plain(char *to, const char *from)
{
	while (*from) {
		if (*from == '\033' && from[1] == '[') {
			from += 2;
			while (*from && !isalpha((unsigned char)*from))
				from++;
			from += *from != '\0';
		} else if ((unsigned char)*from < ' ' && *from != '\t') {
			from++;
		} else {
			*to++ = *from == '\t' ? ' ' : *from;
			from++;
		}
	}
	*to = '\0';
}

static void trim(char *text)
{
	size_t skip = strspn(text, " "), length = strlen(text + skip);

	memmove(text, text + skip, length + 1);
	while (length && text[length - 1] == ' ')
		text[--length] = '\0';
}

void klog_line__parse(struct klog_line *line, const char *raw, uint32_t number)
{
	const char *p;

	line->number = number;
	line->time = 0;
	line->has_time = false;
	line->context[0] = '\0';
	copy_plain(line->text, raw);
	p = line->text;
	for (int i = 0; i < PREFIX_LAYERS; i++) {
		const char *at = skip_one(p, line);

		/* blanks before a prefix belong to it, blanks before text are indentation */
		if (at == p && *p == ' ')
			at = skip_one(p + strspn(p, " "), line) != p + strspn(p, " ")
				     ? p + strspn(p, " ")
				     : p;
		if (at == p)
			break;
		p = at;
	}
	memmove(line->text, p, strlen(p) + 1);
	trim(line->text);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), n = strlen(end);

	return length >= n && !strcmp(text + length - n, end);
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Where mail programs break the sentences of a report. */
static const char *const open_ends[] = {
	", at:",
	" at: ",
	"is trying to acquire",
	"is trying to",
	"is trying",
	"but task is",
	"but task is already",
	"but task is already holding",
	"locks held",
	"lock held",
	"locks held by",
	"lock held by",
	"likely owned by",
	"blocked on a",
	"blocked on a mutex",
	"blocked on a mutex likely",
	"likely owned",
	"by task",
	"likely owned by task",
	"blocked for more",
	"blocked for more than",
};

static bool is_wrapped(const char *text)
{
	for (size_t i = 0; i < sizeof(open_ends) / sizeof(open_ends[0]); i++)
		if (ends_with(text, open_ends[i]))
			return true;
	/* "… at: [<ffffffff8126ca7d>]" and its function on the next line */
	return ends_with(text, ">]") && strstr(text, "at: [<");
}

static bool is_lock_start(const char *text)
{
	return starts_with(text, "-> #") || starts_with(text, "#") || strstr(text, " (") ||
	       *text == '(';
}

static bool joins(const struct klog_line *line, const char *next, bool *blank)
{
	const char *open = strrchr(line->text, '(');

	*blank = true;
	if (!*next || !*line->text)
		return false;
	if (is_wrapped(line->text))
		return true;
	if (starts_with(next, "at: ") && strstr(line->text, "){"))
		return true;
	/* "-> #3 (", "sb_writers#6", "){.+.+}-{0:0}:": the kernel itself broke it */
	*blank = false;
	if (open && !open[1] && is_lock_start(line->text))
		return true;
	return starts_with(next, "){") && open && !strchr(open, ')');
}

struct klog_reader *klog_reader__new(struct model *m, FILE *in, const char *name,
				     const struct import_options *options)
{
	struct klog_reader *r = calloc(1, sizeof(*r));

	if (r && line_reader__open(&r->lines, m, in, name, options)) {
		free(r);
		r = NULL;
	}
	if (r) {
		r->current = &r->pair[0];
		r->ahead = &r->pair[1];
	}
	return r;
}

void klog_reader__free(struct klog_reader *r)
{
	if (!r)
		return;
	line_reader__close(&r->lines);
	free(r);
}

static bool read_ahead(struct klog_reader *r)
{
	r->has_ahead = line_reader__next(&r->lines);
	if (!r->has_ahead)
		return false;
	line_reader__complain_mended(&r->lines);
	klog_line__parse(r->ahead, r->lines.text, r->lines.number);
	return true;
}

const struct klog_line *klog_reader__next(struct klog_reader *r)
{
	struct klog_line *line;
	bool blank;

	if (!r->has_ahead && !read_ahead(r))
		return NULL;
	line = r->ahead;
	r->ahead = r->current;
	r->current = line;
	while (read_ahead(r) && joins(line, r->ahead->text, &blank)) {
		size_t used = strlen(line->text), more = strlen(r->ahead->text);

		if (used + more + 2 > sizeof(line->text))
			break;
		if (blank)
			line->text[used++] = ' ';
		memcpy(line->text + used, r->ahead->text, more + 1);
	}
	return line;
}
