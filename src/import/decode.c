// SPDX-License-Identifier: GPL-2.0-or-later
/* What carries a kernel's lines, see decode.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "import/decode.h"
#include "import/json_text.h"
#include "import/mail.h"

/* What is left of lines that gave several. */
#define PENDING_BYTES (4 * LINE_MAX_BYTES)
#define JSON_DEPTH 3

struct decoder {
	struct line_reader *lines;
	struct mail mail;
	bool in_export;	   /* the journal's export format: only MESSAGE= matters */
	bool binary_field; /* the next line is a message with its length in front */
	char *pending;
	size_t at, filled;
	bool whole;	 /* pending ends with a line end */
	uint32_t number; /* of the line that is pending */
	char *line;
};

struct decoder *decoder__new(struct line_reader *lines)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->lines = lines;
	d->pending = malloc(PENDING_BYTES);
	d->line = malloc(LINE_MAX_BYTES + TEXT_BYTES_ROOM + 2);
	if (d->pending && d->line)
		return d;
	decoder__free(d);
	return NULL;
}

void decoder__free(struct decoder *d)
{
	if (!d)
		return;
	free(d->pending);
	free(d->line);
	free(d);
}

/* --- pending text ------------------------------------------------------------------------------
 */

static void append(struct decoder *d, const char *text, size_t length)
{
	if (d->at) {
		memmove(d->pending, d->pending + d->at, d->filled - d->at);
		d->filled -= d->at;
		d->at = 0;
	}
	if (length > PENDING_BYTES - d->filled)
		length = PENDING_BYTES - d->filled;
	memcpy(d->pending + d->filled, text, length);
	d->filled += length;
}

/* What follows in a line that gave several comes before all that is pending. */
static void put_back(struct decoder *d, const char *text)
{
	size_t length = strlen(text);

	if (!length)
		return;
	if (d->at > length) {
		d->at -= length + 1;
		memcpy(d->pending + d->at, text, length);
		d->pending[d->at + length] = '\n';
		return;
	}
	append(d, text, length);
	append(d, "\n", 1);
}

/* A line out of what is pending; the last one only if `all`. */
static bool take(struct decoder *d, bool all)
{
	const char *start = d->pending + d->at;
	size_t left = d->filled - d->at, length = left;
	const char *end = memchr(start, '\n', left);

	if (!left || (!end && !all && left < LINE_MAX_BYTES))
		return false;
	if (end)
		length = (size_t)(end - start);
	if (length > LINE_MAX_BYTES)
		length = LINE_MAX_BYTES;
	memcpy(d->line, start, length);
	d->line[length] = '\0';
	d->at += length + (end == start + length);
	for (char *nul = d->line; (nul = memchr(nul, '\0', length - (size_t)(nul - d->line)));)
		*nul = '?';
	return true;
}

/* --- the journal's export format ---------------------------------------------------------------
 */

static size_t field_name(const char *text)
{
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return length && !isdigit((unsigned char)*text) ? length : 0;
}

/* The text of this line, NULL: it holds another field. */
static char *export_line(struct decoder *d, char *text)
{
	char *start = text + strspn(text, " \t");
	size_t name = field_name(start);

	if (d->binary_field) {
		d->binary_field = false;
		return strlen(text) > 8 ? text + 8 : NULL; /* its length, little endian */
	}
	if (name && start[name] == '=' &&
	    (!strncmp(start, "__CURSOR=", 9) || !strncmp(start, "__REALTIME_TIMESTAMP=", 21) ||
	     !strncmp(start, "_BOOT_ID=", 9) || !strncmp(start, "_TRANSPORT=", 11)))
		d->in_export = true;
	if (!d->in_export)
		return text;
	if (!strcmp(start, "MESSAGE")) {
		d->binary_field = true;
		return NULL;
	}
	if (!name || start[name] != '=')
		return *text && name != strlen(start) ? text : NULL;
	return strncmp(start, "MESSAGE=", 8) ? NULL : start + 8;
}

/* --- one line ----------------------------------------------------------------------------------
 */

/* syslog writes a line end inside a message as "#012", and a tab as "#011" */
static void expand_octal(char *text)
{
	char *to = strstr(text, "#01"), *from = to;

	while (from && *from) {
		bool end = !strncmp(from, "#012", 4);

		if (end || !strncmp(from, "#011", 4)) {
			*to++ = end ? '\n' : ' ';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	if (to)
		*to = '\0';
}

static char *decode_line(struct decoder *d, char *text)
{
	text = export_line(d, text);
	if (!text)
		return NULL;
	/* a collector may wrap what another one wrapped */
	for (int depth = 0; text && depth < JSON_DEPTH && strpbrk(text, "\"{}"); depth++) {
		char *inner = json_text__message(text);

		if (inner == text)
			break;
		text = inner;
	}
	if (text && strchr(text, '&')) {
		html__unescape(text);
		/* a page that was escaped twice */
		if (strstr(text, "&gt;") || strstr(text, "&lt;"))
			html__unescape(text);
	}
	if (text)
		expand_octal(text);
	return text;
}

static void begin_line(struct decoder *d)
{
	if (d->at == d->filled)
		d->number = d->lines->number;
}

/* The next line of the file: true if it can be given out as it is, else it is pending, or nothing.
 */
static bool next_raw(struct decoder *d, char **whole)
{
	char *text = d->line;
	enum mail_line kind;
	size_t length;

	memcpy(text, d->lines->text, d->lines->length + 1);
	length = d->lines->length;
	kind = mail__line(&d->mail, text, &length);
	text[length] = '\0';
	*whole = NULL;
	if (kind == MAIL_NONE)
		return false;
	if (kind == MAIL_PART || d->at < d->filled) {
		begin_line(d);
		append(d, text, length);
		if (kind == MAIL_WHOLE)
			append(d, "\n", 1);
		return false;
	}
	*whole = text;
	d->number = d->lines->number;
	return true;
}

char *decoder__next(struct decoder *d, uint32_t *number)
{
	char *text, *end;

	for (;;) {
		if (take(d, false)) {
			text = d->line;
		} else if (!line_reader__next(d->lines)) {
			if (!take(d, true))
				return NULL;
			text = d->line;
		} else {
			line_reader__complain_mended(d->lines);
			if (!next_raw(d, &text))
				continue;
		}
		*number = d->number;
		text = decode_line(d, text);
		if (!text)
			continue;
		end = strchr(text, '\n');
		if (!end)
			return text;
		*end = '\0';
		put_back(d, end + 1);
		return text;
	}
}
