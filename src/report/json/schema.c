// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The schema that --json-schema prints: schema.json as it is, so that editors and validators can
 * open the same file. tests/cli/schema.t holds every record against it.
 */
#include "report.h"

__asm__(".pushsection .rodata\n"
	".global json_schema_text\n"
	"json_schema_text:\n"
	".incbin \"report/json/schema.json\"\n"
	".byte 0\n"
	".popsection\n");
