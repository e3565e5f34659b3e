// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of formats. */
#include <errno.h>
#include <string.h>

#include "metrics.h"
#include "report/outputs.h"
#include "report/text/text_private.h"

const char *const report_format_names[REPORT_FORMATS] = {
	[REPORT_TEXT] = "text",		[REPORT_SPLAT] = "splat", [REPORT_JSON] = "json",
	[REPORT_DOT] = "dot",		[REPORT_SVG] = "svg",	  [REPORT_MERMAID] = "mermaid",
	[REPORT_MARKDOWN] = "markdown", [REPORT_HTML] = "html",	  [REPORT_METRICS] = "metrics",
	[REPORT_TRACE] = "trace",
};

typedef int (*render_fn)(FILE *out, const struct report_input *input,
			 const struct report_options *options);

static int report_text_all(FILE *out, const struct report_input *input,
			   const struct report_options *options)
{
	report_text(out, input, options);
	return 0;
}

static int report_openmetrics(FILE *out, const struct report_input *input,
			      const struct report_options *options)
{
	(void)options;
	return report_metrics(out, input, NULL, METRICS_OPENMETRICS);
}

static const render_fn renderers[REPORT_FORMATS] = {
	[REPORT_TEXT] = report_text_all,
	[REPORT_SPLAT] = report_splat,
	[REPORT_JSON] = report_json,
	[REPORT_DOT] = report_dot,
	[REPORT_SVG] = report_svg,
	[REPORT_MERMAID] = report_mermaid,
	[REPORT_MARKDOWN] = report_markdown,
	[REPORT_HTML] = report_html,
	[REPORT_METRICS] = report_openmetrics,
	[REPORT_TRACE] = report_trace,
};

int report_format__parse(const char *name)
{
	for (int i = 0; i < REPORT_FORMATS; i++)
		if (!strcmp(name, report_format_names[i]))
			return i;
	return -1;
}

int report_write(FILE *out, enum report_format format, const struct report_input *input,
		 const struct report_options *options)
{
	static const struct report_options defaults;
	int status;

	if ((unsigned int)format >= REPORT_FORMATS)
		return -EINVAL;
	status = renderers[format](out, input, options ? options : &defaults);
	if (!status && (fflush(out) || ferror(out)))
		status = errno ? -errno : -EIO;
	return status;
}
