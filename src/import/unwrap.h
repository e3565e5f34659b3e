/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwrap.h - does a line of a kernel log go on in the next one? */
#ifndef VFIOTRACE_IMPORT_UNWRAP_H
#define VFIOTRACE_IMPORT_UNWRAP_H

#include "import/klog_line.h"

enum unwrap { UNWRAP_NO, UNWRAP_GLUED, UNWRAP_BLANK };

/* Whether `next` is the rest of `line`, and what stood between them. */
enum unwrap unwrap__joins(const struct klog_line *line, const struct klog_line *next);

#endif
