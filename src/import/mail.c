// SPDX-License-Identifier: GPL-2.0-or-later
/* Transfer encodings of mails, see mail.h (RFC 2045, 2046). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "import/mail.h"

static bool starts_with(const char *text, const char *start)
{
	return !strncasecmp(text, start, strlen(start));
}

/* --- headers -----------------------------------------------------------------------------------
 */

static void note_boundary(struct mail *mail, const char *text)
{
	const char *at = strcasestr(text, "boundary=");
	char *to = mail->boundaries[mail->boundary_count % MAIL_BOUNDARIES];
	size_t length;

	if (!at)
		return;
	at += strlen("boundary=");
	length = *at == '"' ? strcspn(++at, "\"") : strcspn(at, "; \t");
	if (!length || length >= MAIL_BOUNDARY_MAX)
		return;
	memcpy(to, at, length);
	to[length] = '\0';
	mail->boundary_count++;
	mail->is_mime = true;
}

static void note_type(struct mail *mail, const char *value)
{
	static const char *const others[] = {
		"image/",	    "audio/",	       "video/",	  "application/pdf",
		"application/pgp-", "application/zip", "application/gzip"};

	mail->announced_html = starts_with(value, "text/html");
	mail->announced_other = false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		mail->announced_other |= starts_with(value, others[i]);
}

static const char *header_value(const char *text, const char *name)
{
	if (!starts_with(text, name))
		return NULL;
	text += strlen(name);
	return text + strspn(text, " \t");
}

/* The header of a mail may stand anywhere: mailboxes and pasted mails. */
static bool note_header(struct mail *mail, const char *text)
{
	const char *value = header_value(text, "Content-Transfer-Encoding:");

	if (value) {
		mail->announced = starts_with(value, "quoted-printable") ? MAIL_QUOTED
				  : starts_with(value, "base64")	 ? MAIL_BASE64
									 : MAIL_PLAIN;
		return true;
	}
	value = header_value(text, "Content-Type:");
	if (value)
		note_type(mail, value);
	/* a boundary is long and often on a line of its own */
	if (value || mail->in_headers)
		note_boundary(mail, text);
	return value != NULL;
}

static void begin_body(struct mail *mail)
{
	mail->in_headers = false;
	mail->encoding = mail->announced;
	mail->is_html = mail->announced_html;
	mail->is_other = mail->announced_other;
	mail->announced = MAIL_PLAIN;
	mail->announced_html = mail->announced_other = false;
	memset(&mail->html, 0, sizeof(mail->html));
	mail->bits = mail->bit_count = 0;
}

static bool is_boundary(const struct mail *mail, const char *text)
{
	uint32_t count = mail->boundary_count;

	if (strncmp(text, "--", 2))
		return false;
	count = count < MAIL_BOUNDARIES ? count : MAIL_BOUNDARIES;
	for (uint32_t i = 0; i < count; i++) {
		size_t length = strlen(mail->boundaries[i]);
		const char *end = text + 2 + length;

		if (!strncmp(text + 2, mail->boundaries[i], length) &&
		    (!*end || isspace((unsigned char)*end) || !strncmp(end, "--", 2)))
			return true;
	}
	return false;
}

/* --- encodings ---------------------------------------------------------------------------------
 */

static int hex(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum mail_line decode_quoted(char *text, size_t *length)
{
	size_t end = *length, to = 0;
	bool soft;

	while (end && (text[end - 1] == ' ' || text[end - 1] == '\t'))
		end--;
	soft = end && text[end - 1] == '=';
	if (soft)
		end--;
	for (size_t i = 0; i < end; i++) {
		int high = text[i] == '=' && i + 2 < end + soft ? hex(text[i + 1]) : -1;
		int low = high >= 0 ? hex(text[i + 2]) : -1;

		if (low >= 0 && i + 2 < end) {
			text[to++] = (char)(high << 4 | low);
			i += 2;
		} else {
			text[to++] = text[i];
		}
	}
	*length = to;
	return soft ? MAIL_PART : MAIL_WHOLE;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (isdigit((unsigned char)c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_base64(const char *text, size_t length)
{
	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	while (length && text[length - 1] == '=')
		length--;
	for (size_t i = 0; i < length; i++)
		if (base64_value(text[i]) < 0)
			return false;
	return true;
}

static enum mail_line decode_base64(struct mail *mail, char *text, size_t *length)
{
	size_t to = 0;

	for (size_t i = 0; i < *length; i++) {
		int value = base64_value(text[i]);

		if (value < 0) {
			mail->bits = mail->bit_count = 0; /* padding: the end */
			continue;
		}
		mail->bits = mail->bits << 6 | (uint32_t)value;
		mail->bit_count += 6;
		if (mail->bit_count < 8)
			continue;
		mail->bit_count -= 8;
		text[to++] = (char)(mail->bits >> mail->bit_count);
		mail->bits &= (1U << mail->bit_count) - 1;
	}
	*length = to;
	return MAIL_PART;
}

/*
 * A body that was pasted without its headers: rows of "=" do not look like this else, nor does a
 * blank at the end of a line, unless a letter is before it: "irq=20" is a value.
 */
static bool looks_quoted(const char *text, size_t length)
{
	return strstr(text, "=3D=3D=3D") || (length > 3 && !strcmp(text + length - 3, "=20") &&
					     !isalpha((unsigned char)text[length - 4]));
}

enum mail_line mail__line(struct mail *mail, char *text, size_t *length)
{
	enum mail_line result = MAIL_WHOLE;

	if (mail->is_mime && is_boundary(mail, text)) {
		begin_body(mail);
		mail->in_headers = true;
		return MAIL_NONE;
	}
	if (starts_with(text, "From ") && strchr(text, '@') && mail->encoding != MAIL_PLAIN)
		begin_body(mail);
	if (mail->encoding == MAIL_BASE64 && !is_base64(text, *length))
		begin_body(mail);
	if (mail->encoding == MAIL_PLAIN || mail->in_headers) {
		if (note_header(mail, text))
			mail->in_headers = true;
		else if (mail->in_headers && !*length)
			begin_body(mail);
		else if (looks_quoted(text, *length))
			mail->encoding = MAIL_QUOTED;
	}
	if (mail->in_headers)
		return MAIL_WHOLE;
	if (mail->is_other)
		return MAIL_NONE;
	if (mail->encoding == MAIL_QUOTED)
		result = decode_quoted(text, length);
	else if (mail->encoding == MAIL_BASE64)
		result = decode_base64(mail, text, length);
	if (mail->is_html) {
		if (result == MAIL_WHOLE)
			text[(*length)++] = '\n';
		*length = html__to_text(&mail->html, text, *length);
		result = MAIL_PART;
	}
	return result;
}
