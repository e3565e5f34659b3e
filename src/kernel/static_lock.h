/* SPDX-License-Identifier: GPL-2.0-or-later */
/* static_lock.h - what a lock that lies in a variable of the kernel or a module is called. */
#ifndef VFIOTRACE_KERNEL_STATIC_LOCK_H
#define VFIOTRACE_KERNEL_STATIC_LOCK_H

#include <stddef.h>

#include "kernel.h"

/* Its symbol, or the member of a static structure; `out` or NULL: not in a variable. */
const char *static_lock__name(const struct kernel *k, uint64_t lock, char *out, size_t size);

#endif
