/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suggest.h - "did you mean": the known word that a mistyped one is nearest to.
 */
#ifndef VFIOTRACE_CLI_SUGGEST_H
#define VFIOTRACE_CLI_SUGGEST_H

#include <stdint.h>

/* The best word so far. Start with {.word = what was typed}. */
struct suggestion {
	const char *word;
	const char *best; /* NULL: none is near */
	uint32_t distance;
};

/* Candidates one after the other; the first of equally near ones stays. */
void suggestion__try(struct suggestion *s, const char *candidate);

#endif
