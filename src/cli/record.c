// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace record: watch into a file that has to be named; the file has the details. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "cli/watch_filter.h"
#include "report.h"
#include "report/graph/render.h"
#include "util/message.h"
#include "util/text.h"

void record_note_start(const struct session *s)
{
	log_info("recording to %s with %s, started in %.1f s; reproduce the problem now%s",
		 text_safe(s->settings.output), attach_level_names[capture__level(s->capture)],
		 (double)s->start.whole / 1e9,
		 s->settings.duration_ns ? "" : ", Ctrl-C ends the recording");
	if (s->settings.trigger)
		log_info("events are kept in memory and written on %s", s->settings.trigger);
}

void record_note_finding(const struct model *m, const struct finding *finding)
{
	char *sentence = render_sentence(m, finding);

	log_info("%s: %s", finding_grade_names[finding->grade], sentence ? sentence : "");
	free(sentence);
}

void record_note_end(const struct session *s, const struct report_input *input)
{
	const char *file = s->settings.output;
	char *verdict = render_verdict(input);
	struct stat status;

	log_info("%s", verdict ? verdict : "");
	free(verdict);
	if (stat(file, &status)) /* a trigger that never came */
		log_info("%s was not written", text_safe(file));
	else
		log_info("%s: %.1f KiB; next: vfiotrace report %s, or vfiotrace report -o "
			 "page.html %s",
			 text_safe(file), (double)status.st_size / 1024, text_safe(file),
			 text_safe(file));
}

static bool is_named(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strncmp(argv[i], "-o", 2) || !strncmp(argv[i], "--o", 3))
			return true;
		/* what prints and ends needs no file; the short ones may be grouped: -qo FILE */
		if (!strncmp(argv[i], "--help", 3) || !strcmp(argv[i], "--usage") ||
		    !strcmp(argv[i], "-?"))
			return true;
		if (argv[i][0] == '-' && argv[i][1] != '-' && strchr(argv[i], 'o'))
			return true;
	}
	return false;
}

int record_main(int argc, char **argv)
{
	if (is_named(argc, argv))
		return watch_into_file(argc, argv);
	log_error("record: missing -o FILE");
	return EXIT_USAGE;
}
