// SPDX-License-Identifier: GPL-2.0-or-later
/* import_trace_cmd on anything. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_import(import_trace_cmd, true, data, size);
}
