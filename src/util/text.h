/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - text that somebody else chose: is it UTF-8, and can it be shown.
 *
 * Process, device and VM names, symbols of imported files and labels of traces are raw bytes. What
 * is harmless is decided here, for every sink alike; how the rest is written is the sink's matter.
 */
#ifndef VFIOTRACE_UTIL_TEXT_H
#define VFIOTRACE_UTIL_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of the well-formed UTF-8 sequence at `bytes` (1 to 4; RFC 3629: not overlong, no
 * surrogates), 0 if there is none or the text ends here. `code`, if not NULL, gets the code point.
 */
size_t utf8_length(const char *bytes, uint32_t *code);
/*
 * The same, and 0 as well when it has to be escaped: control characters, line separators, invisible
 * characters and the marks that reorder text on screen are not harmless.
 */
size_t safe_sequence(const char *bytes);
/*
 * `raw` for a terminal or a message: what is not harmless as \xNN. One of 16 buffers of 1 KiB per
 * thread, used in turn; NULL is "".
 */
const char *text_safe(const char *raw);

#endif
