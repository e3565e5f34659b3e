// SPDX-License-Identifier: GPL-2.0-or-later
/* Detection of the format, and the importer it names. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	switch (import_detect((const char *)data, size)) {
	case IMPORT_STD:
		return fuzz_import(import_std, false, data, size);
	case IMPORT_SPLAT:
		return fuzz_import(import_splat, true, data, size);
	case IMPORT_HUNG:
		return fuzz_import(import_hung, true, data, size);
	case IMPORT_PERF:
		return fuzz_import(import_perf, true, data, size);
	case IMPORT_TRACE_CMD:
		return fuzz_import(import_trace_cmd, true, data, size);
	default:
		return 0;
	}
}
