// SPDX-License-Identifier: GPL-2.0-or-later
/* Does this kernel still have a function that another kernel's stacks named? */
#include <string.h>

#include "kernel/kernel_private.h"

/* "foo.isra.0" or "foo.cold" stand for foo: the compiler made it of foo, in this build so. */
static bool has_variant(const struct kernel *k, const char *function)
{
	const struct symbol_table *t = &k->symbols;
	size_t length = strlen(function);

	for (uint32_t i = 0; i < t->count; i++) {
		const char *name = t->strings + t->rows[i].name;

		if (!strncmp(name, function, length) && name[length] == '.')
			return true;
	}
	return false;
}

enum fix_state kernel__has_function(struct kernel *k, const char *function, const char *module)
{
	if (kernel__symbol(k, function) || kernel__function_known(k, function) ||
	    has_variant(k, function))
		return FIX_PRESENT;
	return kernel__would_see(k, module, true) ? FIX_MISSING : FIX_UNKNOWN;
}
