/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mail.h - the lines of a mail's body: transfer encodings are undone, attachments that are no text
 * are left out. What is no mail passes through untouched.
 */
#ifndef VFIOTRACE_IMPORT_MAIL_H
#define VFIOTRACE_IMPORT_MAIL_H

#include "import/text_bytes.h"

#define MAIL_BOUNDARIES 4
#define MAIL_BOUNDARY_MAX 80

enum mail_encoding { MAIL_PLAIN, MAIL_QUOTED, MAIL_BASE64 };

struct mail {
	enum mail_encoding encoding,
		announced; /* of this part; of the one whose headers these are */
	bool in_headers, is_mime;
	bool announced_html, announced_other; /* "Content-Type:" of the part to come */
	bool is_html, is_other;
	char boundaries[MAIL_BOUNDARIES][MAIL_BOUNDARY_MAX];
	uint32_t boundary_count;
	struct html_state html;
	uint32_t bits, bit_count; /* base64 that makes no whole byte yet */
};

enum mail_line {
	MAIL_WHOLE, /* the text is a line */
	MAIL_PART,  /* the text goes on with the next one: no line end here */
	MAIL_NONE,  /* nothing to read in it */
};

/* Decode `text` in place; there is room for *length + TEXT_BYTES_ROOM + 1. Text that was base64 may
 * hold line ends. */
enum mail_line mail__line(struct mail *mail, char *text, size_t *length);

#endif
