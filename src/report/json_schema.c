// SPDX-License-Identifier: GPL-2.0-or-later
/* The schema that --json-schema prints; see json_records.c for the code that must match it. */
#include "report.h"

const char json_schema_text[] = "{}\n";
