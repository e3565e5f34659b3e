/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_text.h - the kernel's words out of a line of JSON: a journal, a container's log, whatever a
 * collector of logs writes.
 */
#ifndef VFIOTRACE_IMPORT_JSON_TEXT_H
#define VFIOTRACE_IMPORT_JSON_TEXT_H

/*
 * If `line` is a JSON object (or one field of one printed over several lines), the message in it,
 * unescaped in place, with line ends where it had them; NULL if it has none. Else `line` itself.
 */
char *json_text__message(char *line);

#endif
