// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text in the file: plain `sqlite3` prints it to a terminal as it is, so names that a process chose
 * are stored with everything that could disturb one written as \xNN. Lossless: a backslash is \x5c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"
#include "util/text.h"

char *store_text__encode(const char *raw)
{
	const unsigned char *in = (const unsigned char *)raw;
	char *text = malloc(strlen(raw) * 4 + 1), *out = text;

	if (!text)
		return NULL;
	while (*in) {
		size_t length = *in == '\\' ? 0 : safe_sequence((const char *)in);

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
