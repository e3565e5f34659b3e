// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text in the file: plain `sqlite3` prints it to a terminal as it is, so names that a process chose
 * are stored with everything that could disturb one written as \xNN. Lossless: a backslash is \x5c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"

/* Bytes of the harmless UTF-8 character at `s`, 0 if it has to be escaped. */
static size_t harmless(const unsigned char *s)
{
	uint32_t code;
	size_t length;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f && s[0] != '\\';
	length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	code = s[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if ((length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	if ((code >= 0xd800 && code <= 0xdfff) || code < 0xa0) /* surrogates, C1 controls */
		return 0;
	if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0xfeff)
		return 0; /* invisible, bidirectional overrides */
	return length;
}

char *store_text__encode(const char *raw)
{
	const unsigned char *in = (const unsigned char *)raw;
	char *text = malloc(strlen(raw) * 4 + 1), *out = text;

	if (!text)
		return NULL;
	while (*in) {
		size_t length = harmless(in);

		if (!length) {
			out += sprintf(out, "\\x%02x", *in++);
			continue;
		}
		memcpy(out, in, length);
		out += length;
		in += length;
	}
	*out = '\0';
	return text;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *store_text__decode(const char *text)
{
	char *raw = malloc(strlen(text) + 1), *out = raw;

	if (!raw)
		return NULL;
	while (*text) {
		if (text[0] == '\\' && text[1] == 'x' && hex_digit(text[2]) >= 0 &&
		    hex_digit(text[3]) >= 0 && (text[2] != '0' || text[3] != '0')) {
			*out++ = (char)(hex_digit(text[2]) << 4 | hex_digit(text[3]));
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
	return raw;
}
