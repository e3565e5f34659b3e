// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules and the catalogue that are compiled in. They are the same text files that are
 * installed for people to read and copy from; the assembler takes them in as they are.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/block_file.h"

#define INCLUDE_TEXT(symbol, path)                                                                 \
	__asm__(".section .rodata\n"                                                               \
		".global " #symbol "\n" #symbol ":\n"                                              \
		".incbin \"" path "\"\n"                                                           \
		".global " #symbol "_end\n" #symbol "_end:\n.byte 0\n"                             \
		".previous\n");                                                                    \
	extern const char symbol[], symbol##_end[]

INCLUDE_TEXT(vfiotrace_kvm_rules, "src/rules/builtin/kvm.rules");
INCLUDE_TEXT(vfiotrace_vfio_rules, "src/rules/builtin/vfio.rules");
INCLUDE_TEXT(vfiotrace_known_bugs, "src/rules/builtin/known-bugs.catalogue");

static void complain_loudly(void *context, const char *file, uint32_t line, const char *message)
{
	(void)context;
	fprintf(stderr, "vfiotrace: built-in %s:%u: %s\n", file, line, message);
}

struct rule_set *rule_set__builtin(void)
{
	struct rule_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	rule_set__append(set,
			 rule_set__parse("kvm.rules", vfiotrace_kvm_rules,
					 (size_t)(vfiotrace_kvm_rules_end - vfiotrace_kvm_rules),
					 complain_loudly, NULL));
	rule_set__append(set,
			 rule_set__parse("vfio.rules", vfiotrace_vfio_rules,
					 (size_t)(vfiotrace_vfio_rules_end - vfiotrace_vfio_rules),
					 complain_loudly, NULL));
	return set;
}

static struct catalogue builtin;

static void free_builtin(void)
{
	catalogue__release(&builtin);
}

const struct catalogue *catalogue__builtin(void)
{
	if (builtin.rows)
		return &builtin;
	if (catalogue__parse(&builtin, "known-bugs.catalogue", vfiotrace_known_bugs,
			     (size_t)(vfiotrace_known_bugs_end - vfiotrace_known_bugs),
			     complain_loudly, NULL))
		return NULL;
	atexit(free_builtin);
	return &builtin;
}
