// SPDX-License-Identifier: GPL-2.0-or-later
/* See suggest.h. */
#include "cli/suggest.h"

#include <string.h>

#define LONGEST 32

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Letters put in, left out, changed, or swapped with their neighbour (optimal string alignment). */
static uint32_t distance(const char *a, const char *b)
{
	uint32_t rows[LONGEST + 1][LONGEST + 1];
	size_t length_a = strnlen(a, LONGEST), length_b = strnlen(b, LONGEST);

	for (size_t i = 0; i <= length_a; i++)
		rows[i][0] = (uint32_t)i;
	for (size_t j = 0; j <= length_b; j++)
		rows[0][j] = (uint32_t)j;
	for (size_t i = 1; i <= length_a; i++)
		for (size_t j = 1; j <= length_b; j++) {
			uint32_t changed = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			rows[i][j] = least(changed, least(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	return rows[length_a][length_b];
}

void suggestion__try(struct suggestion *s, const char *candidate)
{
	uint32_t near = distance(s->word, candidate);

	/* a third of the letters wrong is another word */
	if (near > 1 && near * 3 > strlen(s->word))
		return;
	if (s->best && near >= s->distance)
		return;
	s->best = candidate;
	s->distance = near;
}
