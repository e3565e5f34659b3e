// SPDX-License-Identifier: GPL-2.0-or-later
/* import_perf on anything. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_import(import_perf, true, data, size);
}
