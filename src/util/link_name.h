/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link_name.h - sysfs says what a device belongs to by links. */
#ifndef VFIOTRACE_UTIL_LINK_NAME_H
#define VFIOTRACE_UTIL_LINK_NAME_H

#include <stddef.h>

/* Last component of what a link points to; empty if there is no link. */
void link_name(const char *path, char *out, size_t size);

#endif
