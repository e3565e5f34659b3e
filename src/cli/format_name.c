// SPDX-License-Identifier: GPL-2.0-or-later
/* What the name of an output file says about its format. */
#include <stdbool.h>
#include <string.h>

#include "cli/format_name.h"

static bool ends_with(const char *path, const char *ending)
{
	size_t length = path ? strlen(path) : 0, used = strlen(ending);

	return length > used && !strcmp(path + length - used, ending);
}

int format_of_name(const char *path)
{
	static const struct {
		const char *suffix;
		enum report_format format;
	} suffixes[] = {
		{".txt", REPORT_TEXT},	 {".splat", REPORT_SPLAT}, {".ndjson", REPORT_JSON},
		{".jsonl", REPORT_JSON}, {".dot", REPORT_DOT},	   {".gv", REPORT_DOT},
		{".svg", REPORT_SVG},	 {".mmd", REPORT_MERMAID}, {".md", REPORT_MARKDOWN},
		{".html", REPORT_HTML},	 {".htm", REPORT_HTML},	   {".prom", REPORT_METRICS},
		{".om", REPORT_METRICS}, {".trace", REPORT_TRACE}, {".trace.json", REPORT_TRACE},
		{".json", REPORT_JSON},
	};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (ends_with(path, suffixes[i].suffix))
			return suffixes[i].format;
	return -1;
}

const char *ending_of_no_report(const char *path)
{
	static const char *const endings[] = {
		".pdf",	 ".png", ".jpg", ".jpeg", ".gif",  ".ps",  ".csv", ".xml", ".doc",
		".docx", ".odt", ".rtf", ".tex",  ".yaml", ".yml", ".zip", ".gz",  ".vfiotrace"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (ends_with(path, endings[i]))
			return endings[i];
	return NULL;
}
