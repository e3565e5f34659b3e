/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text_bytes.h - bytes of a text file as the plain text that somebody saw: UTF-16 becomes UTF-8, a
 * byte order mark goes away, of a web page the tags go and its line ends and characters stay.
 *
 * Invariants: the result of a piece is at most TEXT_BYTES_ROOM longer than the piece; everything
 * happens in place.
 * Life cycle: zero-initialised is new; text_bytes__convert for each piece, in order.
 */
#ifndef VFIOTRACE_IMPORT_TEXT_BYTES_H
#define VFIOTRACE_IMPORT_TEXT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_BYTES_ROOM 32

struct html_state {
	char name[12]; /* of the tag that is being read, or the character reference */
	uint8_t length;
	uint8_t in; /* what is being read: 0 text */
	bool named; /* the tag's name is complete */
	bool skip;  /* inside <script> or <style> */
	char quote; /* inside an attribute's value */
};

struct text_bytes {
	bool began, is_html;
	uint8_t wide;	 /* 0: bytes, 1: UTF-16 little endian, 2: big endian */
	uint8_t carried; /* bytes of carry[] */
	unsigned char carry[4];
	uint32_t high; /* first half of a surrogate pair */
	struct html_state html;
};

/* Both give the new length. `bytes` has room for `length` + TEXT_BYTES_ROOM. */
size_t text_bytes__convert(struct text_bytes *t, char *bytes, size_t length);
size_t html__to_text(struct html_state *h, char *bytes, size_t length);
/* "&lt;", "&amp;", "&#39;" in place, once. */
void html__unescape(char *text);
/* What a web page begins with. */
bool html__is_page(const char *head, size_t length);

#endif
