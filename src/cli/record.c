// SPDX-License-Identifier: GPL-2.0-or-later
/* vfiotrace record: watch -q, into a file that has to be named. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "util/message.h"

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
	char **arguments;
	int status;

	if (!is_named(argc, argv)) {
		log_error("record: missing -o FILE");
		return EXIT_USAGE;
	}
	arguments = calloc((size_t)argc + 2, sizeof(*arguments));
	if (!arguments) {
		log_error("out of memory");
		return EXIT_ERROR;
	}
	arguments[0] = argv[0];
	arguments[1] = (char *)"-q";
	memcpy(arguments + 2, argv + 1, (size_t)(argc - 1) * sizeof(*argv));
	status = watch_main(argc + 1, arguments);
	free(arguments);
	return status;
}
