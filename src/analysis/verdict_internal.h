/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict_internal.h - what verdict.c and verdict_baseline.c share. */
#ifndef VERDICT_INTERNAL_H
#define VERDICT_INTERNAL_H

#include "verdict.h"

char *verdict__words(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "a -> b -> a" of a finding; caller frees. */
char *verdict__cycle_words(const struct model *m, const struct finding *f);
/* A lock of a class that matches (fnmatch) was taken or wanted. */
bool verdict__saw_class(const struct model *m, const char *pattern);
/* Fill v->cycles from the baseline. 0 or -ENOMEM. */
int verdict__compare(struct verdict *v, const struct model *m,
		     const struct verdict_options *options);

#endif
