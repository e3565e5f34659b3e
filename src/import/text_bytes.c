// SPDX-License-Identifier: GPL-2.0-or-later
/* Encodings and web pages, see text_bytes.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/text_bytes.h"

enum { IN_TEXT, IN_TAG_START, IN_TAG, IN_COMMENT, IN_REFERENCE };

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* --- web pages ---------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	uint32_t character;
} references[] = {
	{"lt", '<'},	{"gt", '>'},   {"amp", '&'},  {"quot", '"'},
	{"apos", '\''}, {"nbsp", ' '}, {"#160", ' '}, {"#xa0", ' '},
};

/* Character of "amp", "#39", "#x27"; 0: none that is known */
static uint32_t reference(const char *name)
{
	char *end;
	unsigned long number;

	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
		if (!strcasecmp(name, references[i].name))
			return references[i].character;
	if (*name != '#')
		return 0;
	number = name[1] == 'x' || name[1] == 'X' ? strtoul(name + 2, &end, 16)
						  : strtoul(name + 1, &end, 10);
	return *end || number > 0x10ffff ? 0 : (uint32_t)number;
}

void html__unescape(char *text)
{
	char *to = strchr(text, '&'), *from = to;

	while (from && *from) {
		size_t length = *from == '&' ? strcspn(from + 1, "; &") : 0;
		char name[12];
		uint32_t c;

		if (length && length < sizeof(name) && from[1 + length] == ';') {
			memcpy(name, from + 1, length);
			name[length] = '\0';
			c = reference(name);
			if (c) {
				to += put_utf8(to, c);
				from += length + 2;
				continue;
			}
		}
		*to++ = *from++;
	}
	if (to)
		*to = '\0';
}

static bool ends_line(const char *name)
{
	static const char *const tags[] = {"br", "p",  "div", "tr", "li",	 "pre",
					   "h1", "h2", "h3",  "td", "blockquote"};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (!strcasecmp(name, tags[i]))
			return true;
	return false;
}

/* "<ffffffff8126ca7d>" in an old stack is no tag, nor is "<4>". */
static bool may_be_tag(const struct html_state *h)
{
	size_t skip = *h->name == '/';

	if (!h->length || *h->name == '!' || *h->name == '?')
		return true;
	if (!isalpha((unsigned char)h->name[skip]))
		return h->length <= skip;
	return h->length < 8 || strspn(h->name, "0123456789abcdef") != h->length;
}

static size_t end_tag(struct html_state *h, char *to)
{
	const char *name = h->name + (*h->name == '/');

	h->name[h->length] = '\0';
	h->in = IN_TEXT;
	if (!strcasecmp(name, "script") || !strcasecmp(name, "style"))
		h->skip = *h->name != '/';
	if (h->skip || !ends_line(name))
		return 0;
	*to = '\n';
	return 1;
}

static size_t give_back(struct html_state *h, char first, char *to)
{
	size_t length = h->length;

	h->in = IN_TEXT;
	if (h->skip)
		return 0;
	*to = first;
	memcpy(to + 1, h->name, length);
	return length + 1;
}

static size_t in_tag(struct html_state *h, char c, char *to)
{
	if (h->quote) {
		h->quote = c == h->quote ? '\0' : h->quote;
		return 0;
	}
	if (c == '>')
		return end_tag(h, to);
	if (h->length == 3 && !memcmp(h->name, "!--", 3)) {
		h->in = IN_COMMENT;
		h->length = 0;
		return 0;
	}
	if (isspace((unsigned char)c) || (c == '/' && h->length)) {
		h->named = true;
		return 0;
	}
	if (h->named) {
		h->quote = c == '"' || c == '\'' ? c : '\0';
		return 0;
	}
	if (h->length + 1U < sizeof(h->name))
		h->name[h->length++] = c;
	if (may_be_tag(h))
		return 0;
	return give_back(h, '<', to);
}

static size_t in_reference(struct html_state *h, char c, char *to)
{
	uint32_t character;
	size_t length;

	if (c != ';' && h->length + 1U < sizeof(h->name) &&
	    (isalnum((unsigned char)c) || c == '#')) {
		h->name[h->length++] = c;
		return 0;
	}
	h->name[h->length] = '\0';
	character = c == ';' ? reference(h->name) : 0;
	if (character) {
		h->in = IN_TEXT;
		return h->skip ? 0 : put_utf8(to, character);
	}
	length = give_back(h, '&', to);
	if (!h->skip)
		to[length++] = c;
	return length;
}

size_t html__to_text(struct html_state *h, char *bytes, size_t length)
{
	char *out = bytes;

	/* what the last piece left over comes before this one */
	memmove(bytes + TEXT_BYTES_ROOM, bytes, length);
	for (size_t i = 0; i < length; i++) {
		char c = bytes[TEXT_BYTES_ROOM + i], *to = out;
		char made[TEXT_BYTES_ROOM];
		size_t count = 0;

		if (h->in == IN_TEXT && (c == '<' || c == '&')) {
			h->in = c == '<' ? IN_TAG : IN_REFERENCE;
			h->length = 0;
			h->named = false;
			h->quote = '\0';
			continue;
		}
		if (h->in == IN_TAG)
			count = in_tag(h, c, made);
		else if (h->in == IN_REFERENCE)
			count = in_reference(h, c, made);
		else if (h->in == IN_COMMENT) {
			h->length = c == '-' ? (uint8_t)(h->length < 2 ? h->length + 1 : 2)
				    : c == '>' && h->length == 2 ? 3
								 : 0;
			h->in = h->length == 3 ? IN_TEXT : IN_COMMENT;
		} else if (!h->skip || c == '\n') {
			made[count++] = c;
		}
		memcpy(to, made, count);
		out += count;
	}
	return (size_t)(out - bytes);
}

bool html__is_page(const char *head, size_t length)
{
	char text[257];
	size_t at = 0;

	while (at < length && isspace((unsigned char)head[at]))
		at++;
	length = length - at < 256 ? length - at : 256;
	memcpy(text, head + at, length);
	text[length] = '\0';
	return *text == '<' && (strcasestr(text, "<!doctype html") || strcasestr(text, "<html") ||
				strcasestr(text, "<head"));
}

/* --- encodings ---------------------------------------------------------------------------------
 */

static size_t from_utf16(struct text_bytes *t, unsigned char *bytes, size_t length)
{
	char *out = (char *)bytes;

	memmove(bytes + TEXT_BYTES_ROOM, bytes, length);
	for (size_t i = 0; i < length; i++) {
		uint32_t c;

		t->carry[t->carried++] = bytes[TEXT_BYTES_ROOM + i];
		if (t->carried < 2)
			continue;
		t->carried = 0;
		c = t->wide == 1 ? (uint32_t)(t->carry[0] | t->carry[1] << 8)
				 : (uint32_t)(t->carry[1] | t->carry[0] << 8);
		if (c == 0xfeff)
			continue;
		if (c >= 0xd800 && c < 0xdc00) {
			t->high = c;
			continue;
		}
		if (c >= 0xdc00 && c < 0xe000 && t->high)
			c = 0x10000 + ((t->high - 0xd800) << 10) + (c - 0xdc00);
		t->high = 0;
		/* three bytes for two: kernel logs have none of these characters */
		if (c >= 0x800 && c < 0x10000)
			c = '?';
		out += put_utf8(out, c);
	}
	return (size_t)(out - (char *)bytes);
}

/* Every second byte of plain English in UTF-16 is zero. */
static uint8_t guess_wide(const unsigned char *bytes, size_t length)
{
	size_t zero[2] = {0};

	length = (length < 512 ? length : 512) & ~1UL;
	for (size_t i = 0; i < length; i++)
		zero[i & 1] += !bytes[i];
	if (length >= 32 && zero[1] > length / 2 * 9 / 10 && !zero[0])
		return 1;
	return length >= 32 && zero[0] > length / 2 * 9 / 10 && !zero[1] ? 2 : 0;
}

size_t text_bytes__convert(struct text_bytes *t, char *bytes, size_t length)
{
	unsigned char *raw = (unsigned char *)bytes;
	bool first = !t->began;

	t->began = true;
	if (first && length >= 2 && raw[0] == 0xff && raw[1] == 0xfe)
		t->wide = 1;
	else if (first && length >= 2 && raw[0] == 0xfe && raw[1] == 0xff)
		t->wide = 2;
	else if (first)
		t->wide = guess_wide(raw, length);
	if (t->wide)
		length = from_utf16(t, raw, length);
	if (first && length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
		memmove(bytes, bytes + 3, length -= 3);
	if (first)
		t->is_html = html__is_page(bytes, length);
	return t->is_html ? html__to_text(&t->html, bytes, length) : length;
}
