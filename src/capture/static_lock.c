// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of static locks, for the live names and for the census, see static_lock.h. */
#include <stdio.h>
#include <string.h>

#include "capture/static_lock.h"

#define LARGEST_VARIABLE (1U << 16)

const char *static_lock__name(const struct kernel *k, uint64_t lock, char *out, size_t size)
{
	struct kernel_symbol symbol;
	const char *member;
	uint32_t offset;

	if (!kernel__resolve(k, lock, &symbol, &offset))
		return NULL;
	/* 7.2 lists what is read-only after init (cpu_hotplug_lock) as text: exact matches need no
	 * type
	 */
	if (!offset) {
		snprintf(out, size, "%s", symbol.name);
		return out;
	}
	if (!strchr("dDbBrR", symbol.type) || offset > LARGEST_VARIABLE)
		return NULL;
	/* `vfio` is a struct vfio in a variable of the same name, and so are others */
	member = kernel__member_at(k, symbol.name, offset);
	if (member)
		snprintf(out, size, "%s", member);
	else
		snprintf(out, size, "%s+0x%x", symbol.name, offset);
	return out;
}
