// SPDX-License-Identifier: GPL-2.0-or-later
/* See text.h. */
#include "util/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS = 16, SLOT_SIZE = 1024, ESCAPED_SIZE = 4 };

size_t utf8_length(const char *bytes, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)bytes;
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t point = length > 1 ? p[0] & (0x7fu >> length) : p[0];

	if (!p[0] || !length || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	if (code)
		*code = point;
	return length;
}

static bool is_harmless(uint32_t code)
{
	return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && code != 0x061c &&
	       !(code >= 0x200b && code <= 0x200f) && !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2060 && code <= 0x206f) && code != 0xfeff &&
	       !(code >= 0xfff9 && code <= 0xfffb);
}

size_t safe_sequence(const char *bytes)
{
	uint32_t code;
	size_t length = utf8_length(bytes, &code);

	return length && is_harmless(code) ? length : 0;
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
