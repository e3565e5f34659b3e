/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steady.h - which owners stay (now --wait-for): the (lock, task) pairs every look has shown.
 *
 * Life cycle: steady__new, steady__keep per look, steady__filter on the last one, steady__free.
 */
#ifndef VFIOTRACE_CLI_STEADY_H
#define VFIOTRACE_CLI_STEADY_H

#include "census.h"

struct steady;

struct steady *steady__new(void);
void steady__free(struct steady *s);
int steady__keep(struct steady *s, const struct model *m, const struct census *c);
/* Take out of `c` the locks whose owner was not there every time. */
int steady__filter(struct steady *s, const struct model *m, struct census *c);

#endif
