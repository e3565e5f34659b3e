/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * escape.h - one writer per sink for text that somebody else chose.
 *
 * Process, device and VM names, symbols of imported files and labels of traces are raw bytes. Every
 * renderer passes them through the function of its sink, or through text_safe() of util/text.h;
 * what comes out is valid UTF-8 that cannot leave the place it was written to. NULL is written as
 * "".
 */
#ifndef VFIOTRACE_REPORT_ESCAPE_H
#define VFIOTRACE_REPORT_ESCAPE_H

#include <stdio.h>

void write_html(FILE *out, const char *raw);	    /* element content and quoted attributes */
void write_dot(FILE *out, const char *raw);	    /* inside a double-quoted DOT string */
void write_mermaid(FILE *out, const char *raw);	    /* inside a double-quoted Mermaid label */
void write_markdown(FILE *out, const char *raw);    /* running text and table cells */
void write_code(FILE *out, const char *raw);	    /* a line inside a fenced code block */
void write_json_string(FILE *out, const char *raw); /* with the quotes; safe inside <script> too */

#endif
