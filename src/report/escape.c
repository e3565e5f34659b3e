// SPDX-License-Identifier: GPL-2.0-or-later
/* Escaping of hostile text, one function per sink. */
#include "report/escape.h"

#include <string.h>

#include "util/text.h"

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
