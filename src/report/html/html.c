// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page: one file, nothing loaded from outside. Template, style and script are separate source
 * files (html/), compiled in as they are; "@NAME@" in the template is where each part goes. The
 * text report is in the page too, for readers without scripts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/html/html_private.h"
#include "report/text/text_private.h"

#define EMBED(symbol, file)                                                                        \
	__asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"" file                              \
		"\"\n.byte 0\n.popsection\n");                                                     \
	extern const char symbol[] __attribute__((visibility("hidden")))

EMBED(html_page, "report/html/page/page.html");
EMBED(html_style, "report/html/page/page.css");
EMBED(html_start, "report/html/page/start.js");
EMBED(html_data, "report/html/page/data.js");
EMBED(html_figures, "report/html/page/figures.js");
EMBED(html_layout, "report/html/page/layout.js");
EMBED(html_graph, "report/html/page/graph.js");
EMBED(html_details, "report/html/page/details.js");
EMBED(html_sections, "report/html/page/sections.js");
EMBED(html_script, "report/html/page/page.js");

static void put_escaped_text(FILE *out, const struct report_input *input,
			     const struct report_options *options)
{
	struct report_options plain = *options;
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	char *line, *rest;

	if (!memory)
		return;
	plain.color = false;
	report_text(memory, input, &plain);
	fclose(memory);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		write_html(out, line);
		fputc('\n', out);
	}
	free(text);
}

/* The first sentence of the verdict is the page's headline, the others stand under it. */
static void put_sentences(FILE *out, const char *verdict, bool first)
{
	const char *end = verdict ? strstr(verdict, ". ") : NULL;
	char *head = end ? strndup(verdict, (size_t)(end - verdict) + 1) : NULL;

	if (first)
		write_html(out, head ? head : verdict);
	else if (end)
		write_html(out, end + 2);
	free(head);
}

static void put_script(FILE *out)
{
	static const char *const parts[] = {html_start, html_data,    html_figures,  html_layout,
					    html_graph, html_details, html_sections, html_script};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		fputs(parts[i], out);
}

static void put_part(FILE *out, const char *name, size_t length, const struct report_input *input,
		     const struct report_options *options, const char *verdict)
{
	if (!strncmp(name, "TITLE", length))
		write_html(out, options->title ? options->title : "Lock order report");
	else if (!strncmp(name, "VERDICT", length))
		put_sentences(out, verdict, true);
	else if (!strncmp(name, "MORE", length))
		put_sentences(out, verdict, false);
	else if (!strncmp(name, "STYLE", length))
		fputs(html_style, out);
	else if (!strncmp(name, "DATA", length))
		html_data_write(out, input, options, verdict);
	else if (!strncmp(name, "TEXT", length))
		put_escaped_text(out, input, options);
	else if (!strncmp(name, "SCRIPT", length))
		put_script(out);
}

int report_html(FILE *out, const struct report_input *input, const struct report_options *options)
{
	char *own = options->verdict ? NULL : render_verdict(input);
	const char *verdict = options->verdict ? options->verdict : own;
	const char *at = html_page, *mark;

	/* Marks are "@NAME@" in capitals; an @ of the style sheet is not in the template. */
	while ((mark = strchr(at, '@'))) {
		const char *end = strchr(mark + 1, '@');

		if (!end)
			break;
		fwrite(at, 1, (size_t)(mark - at), out);
		put_part(out, mark + 1, (size_t)(end - mark - 1), input, options, verdict);
		at = end + 1;
	}
	fputs(at, out);
	free(own);
	return 0;
}
