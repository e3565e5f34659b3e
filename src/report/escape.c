// SPDX-License-Identifier: GPL-2.0-or-later
/* Escaping of hostile text, one function per sink. */
#include "report/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "report.h"

enum { SLOTS = 16, SLOT_SIZE = 1024, ESCAPED_SIZE = 4 };

/* Code points that change how neighbouring text is shown, or end a line for some reader. */
static bool is_harmless(uint32_t code)
{
	return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && code != 0x200e &&
	       code != 0x200f && !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2066 && code <= 0x2069) && code != 0xfeff && code != 0x061c &&
	       !(code >= 0xfff9 && code <= 0xfffb);
}

size_t safe_sequence(const char *bytes)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)bytes;
	size_t length;
	uint32_t code;

	if (p[0] < 0x80)
		return is_harmless(p[0]);
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		length = 2, code = p[0] & 0x1f;
	else if ((p[0] & 0xf0) == 0xe0)
		length = 3, code = p[0] & 0x0f;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		length = 4, code = p[0] & 0x07;
	else
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return is_harmless(code) ? length : 0;
}

const char *text_safe(const char *raw)
{
	static _Thread_local char slots[SLOTS][SLOT_SIZE];
	static _Thread_local unsigned int next;
	char *slot = slots[next++ % SLOTS];
	size_t used = 0;

	for (raw = raw ? raw : ""; *raw;) {
		size_t length = safe_sequence(raw);

		if (used + ESCAPED_SIZE + sizeof("...") > SLOT_SIZE) {
			used += (size_t)sprintf(slot + used, "...");
			break;
		}
		if (length) {
			memcpy(slot + used, raw, length);
			used += length;
			raw += length;
		} else {
			used += (size_t)sprintf(slot + used, "\\x%02x", (unsigned char)*raw++);
		}
	}
	slot[used] = '\0';
	return slot;
}

/*
 * The loop every sink shares: harmless sequences go to `special` first, which returns the
 * replacement of a character that means something to the sink, or NULL.
 */
static void write_escaped(FILE *out, const char *raw, const char *(*special)(char c),
			  const char *unsafe_format)
{
	const char *run = raw = raw ? raw : "";

	while (*raw) {
		size_t length = safe_sequence(raw);
		const char *replacement = length == 1 ? special(*raw) : NULL;

		if (length && !replacement) {
			raw += length;
			continue;
		}
		fwrite(run, 1, (size_t)(raw - run), out);
		if (replacement)
			fputs(replacement, out);
		else
			fprintf(out, unsafe_format, (unsigned char)*raw);
		run = ++raw;
	}
	fwrite(run, 1, (size_t)(raw - run), out);
}

static const char *html_special(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void write_html(FILE *out, const char *raw)
{
	write_escaped(out, raw, html_special, "\\x%02x");
}

static const char *dot_special(char c)
{
	return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
}

void write_dot(FILE *out, const char *raw)
{
	write_escaped(out, raw, dot_special, "\\\\x%02x");
}

/* Mermaid knows "#name;" and "#code;" entities; anything that can start markup becomes one. */
static const char *mermaid_special(char c)
{
	switch (c) {
	case '"':
		return "#quot;";
	case '#':
		return "#35;";
	case '<':
		return "#lt;";
	case '>':
		return "#gt;";
	case '&':
		return "#amp;";
	case '`':
		return "#96;";
	case ';':
		return "#59;";
	case '\\':
		return "#92;";
	default:
		return NULL;
	}
}

void write_mermaid(FILE *out, const char *raw)
{
	write_escaped(out, raw, mermaid_special, "#92;x%02x");
}

static const char *markdown_special(char c)
{
	static const char marks[] = "\\`*_{}[]#!|~$";
	static const char escaped[][3] = {"\\\\", "\\`", "\\*", "\\_", "\\{", "\\}", "\\[",
					  "\\]",  "\\#", "\\!", "\\|", "\\~", "\\$"};
	const char *found = strchr(marks, c);

	if (c == '@') /* no stranger is mentioned in a ticket */
		return "&#64;";
	return found ? escaped[found - marks] : html_special(c);
}

void write_markdown(FILE *out, const char *raw)
{
	write_escaped(out, raw, markdown_special, "\\\\x%02x");
}

/* A fence is only ended by a line of backquotes, so no character but control ones matters. */
static const char *code_special(char c)
{
	return c == '`' ? "'" : NULL;
}

void write_code(FILE *out, const char *raw)
{
	write_escaped(out, raw, code_special, "\\x%02x");
}

static const char *label_special(char c)
{
	return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
}

void write_label(FILE *out, const char *raw)
{
	write_escaped(out, raw, label_special, "\\\\x%02x");
}

static const char *json_special(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '<': /* neither </script> nor <!-- can appear in a page that embeds this */
		return "\\u003c";
	case '>':
		return "\\u003e";
	case '&':
		return "\\u0026";
	default:
		return NULL;
	}
}

void write_json_string(FILE *out, const char *raw)
{
	fputc('"', out);
	write_escaped(out, raw, json_special, "\\\\x%02x");
	fputc('"', out);
}
