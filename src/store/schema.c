// SPDX-License-Identifier: GPL-2.0-or-later
/* schema.sql, compiled in as it is. */
#include "store/store_private.h"

__asm__(".pushsection .rodata\n"
	".global store_schema\n"
	"store_schema:\n"
	".incbin \"store/schema.sql\"\n"
	".byte 0\n"
	".popsection\n");
