// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * growth - how many steps reading, judging and writing take. The library is compiled with
 * -fsanitize-coverage=trace-pc, which calls a function at the start of each basic block: a count
 * that is the same on every machine, however busy it is.
 * usage: growth FORMAT <FILE   prints "NAME\tSTEPS" for each part, and the peak of memory in KiB
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "analysis.h"
#include "import.h"
#include "report.h"

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);
__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

static void part(const char *name)
{
	printf("%s\t%" PRIu64 "\n", name, steps);
	steps = 0;
}

static enum import_format format_of(const char *name)
{
	for (int i = 0; i < IMPORT_FORMATS; i++)
		if (!strcmp(name, import_format_names[i]))
			return (enum import_format)i;
	return IMPORT_AUTO;
}

static void write_all(const struct report_input *input)
{
	static const char *const formats[] = {"text",	  "splat", "json",    "dot",  "mermaid",
					      "markdown", "html",  "metrics", "trace"};
	struct report_options options = {0};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		FILE *out = fopen("/dev/null", "w");
		int format = report_format__parse(formats[i]);

		steps = 0;
		if (out && format >= 0)
			report_write(out, (enum report_format)format, input, &options);
		if (out)
			fclose(out);
		part(formats[i]);
	}
}

int main(int argc, char **argv)
{
	struct import_options import = {.format = format_of(argc > 1 ? argv[1] : "std")};
	struct analysis_options options = {.live_kernel = import.format != IMPORT_STD,
					   .predict = true};
	struct import_source *source;
	struct report_input input = {0};
	struct model *m = model__new();
	struct rusage usage;
	char why[256];
	int error;

	model__keep_events(m, import.format == IMPORT_STD);
	import.analysis = analysis__new(m, &options);
	source = import_source__open("-", import.format, &error, why, sizeof(why));
	if (!source || !import.analysis)
		return 1;
	steps = 0;
	import_source__read(source, m, &import);
	part("read");
	analysis__finish(import.analysis);
	part("judge");
	input.model = m;
	input.findings = analysis__findings(import.analysis);
	write_all(&input);
	getrusage(RUSAGE_SELF, &usage);
	printf("memory\t%ld\n", usage.ru_maxrss);
	printf("findings\t%u\n", input.findings->count);
	import_source__close(source);
	analysis__free(import.analysis);
	model__free(m);
	return 0;
}
