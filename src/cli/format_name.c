// SPDX-License-Identifier: GPL-2.0-or-later
/* What the name of an output file says about its format. */
#include <string.h>

#include "cli/format_name.h"

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
	size_t length = path ? strlen(path) : 0;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t suffix = strlen(suffixes[i].suffix);

		if (length > suffix && !strcmp(path + length - suffix, suffixes[i].suffix))
			return suffixes[i].format;
	}
	return -1;
}
