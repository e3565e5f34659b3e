/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - CLOCK_MONOTONIC as one number, the clock of the kernel's own records. */
#ifndef VFIOTRACE_UTIL_CLOCK_H
#define VFIOTRACE_UTIL_CLOCK_H

#include <stdint.h>

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

uint64_t clock_mono_ns(void);

#endif
