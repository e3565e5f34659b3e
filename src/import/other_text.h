/* SPDX-License-Identifier: GPL-2.0-or-later */
/* other_text.h - texts about locks that hold nothing to judge: what they are, what to give instead.
 */
#ifndef VFIOTRACE_IMPORT_OTHER_TEXT_H
#define VFIOTRACE_IMPORT_OTHER_TEXT_H

#include <stddef.h>

/* In words with the remedy, by the beginning of a file; NULL: no such text. */
const char *other_text__words(const char *head, size_t length);

#endif
