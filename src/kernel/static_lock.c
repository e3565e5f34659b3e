// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of static locks, for the live names and for the census, see static_lock.h. */
#include <stdio.h>
#include <string.h>

#include "kernel/static_lock.h"

#define LARGEST_VARIABLE (1U << 16)

/* Variables that start with their lock, by the names that lockdep and the catalogue give it. */
static const struct {
	const char *variable, *lock;
} first_members[] = {
	{"pm_chain_head", "pm_chain_head.rwsem"}, /* struct blocking_notifier_head */
};

static const char *name_at_start(const char *variable)
{
	for (size_t i = 0; i < sizeof(first_members) / sizeof(first_members[0]); i++)
		if (!strcmp(variable, first_members[i].variable))
			return first_members[i].lock;
	return variable;
}

/* Variables of one name in several files are different locks: which one, in the order of kallsyms.
 */
static uint32_t among_its_namesakes(const struct kernel *k, const struct kernel_symbol *symbol)
{
	uint64_t addresses[16];
	uint32_t count = kernel__symbols(k, symbol->name, addresses, 16), before = 0;

	for (uint32_t i = 0; i < count && i < 16; i++)
		before += addresses[i] < symbol->address;
	return before;
}

const char *static_lock__name(const struct kernel *k, uint64_t lock, char *out, size_t size)
{
	struct kernel_symbol symbol;
	const char *member;
	uint32_t offset, nth;

	if (!kernel__resolve(k, lock, &symbol, &offset))
		return NULL;
	/* 7.2 lists what is read-only after init (cpu_hotplug_lock) as text: exact matches need no
	 * type
	 */
	if (!offset) {
		snprintf(out, size, "%s", name_at_start(symbol.name));
		return out;
	}
	if (!strchr("dDbBrR", symbol.type) || offset > LARGEST_VARIABLE)
		return NULL;
	/* `vfio` is a struct vfio in a variable of the same name, and so are others */
	member = kernel__member_at(k, symbol.name, offset);
	nth = member ? 0 : among_its_namesakes(k, &symbol);
	if (member)
		snprintf(out, size, "%s", member);
	else if (nth)
		snprintf(out, size, "%s.%u+0x%x", symbol.name, nth + 1, offset);
	else
		snprintf(out, size, "%s+0x%x", symbol.name, offset);
	return out;
}
