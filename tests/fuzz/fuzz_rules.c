// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules files and catalogues made of anything. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t complaints = 0;
	struct catalogue catalogue;
	struct rule_set *set = rule_set__parse("input", text, size, fuzz_complain, &complaints);

	if (!set && !complaints)
		abort();
	for (uint32_t i = 0; set && i < set->count; i++)
		rule__applies(&set->items[i], 6U << 16 | 1 << 8, 1700000000);
	rule_set__free(set);
	if (!catalogue__parse(&catalogue, "input", text, size, fuzz_complain, &complaints))
		catalogue__release(&catalogue);
	return 0;
}
