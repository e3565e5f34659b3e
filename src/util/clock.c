// SPDX-License-Identifier: GPL-2.0-or-later
/* See clock.h. */
#include "util/clock.h"

#include <time.h>

uint64_t clock_mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}
