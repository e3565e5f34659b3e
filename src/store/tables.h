/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rows of the model were sent to the writing thread, and in which state. */
#ifndef VFIOTRACE_STORE_TABLES_H
#define VFIOTRACE_STORE_TABLES_H

#include "store/store_private.h"

struct tables;
struct redactor;
/* With a redactor (the caller's, NULL: none) no name and no address leaves as it is. */
struct tables *tables__new(struct redactor *redactor);
void tables__free(struct tables *t);
/* Both stop, return false, and go on the next time when the queue is full. */
bool tables__send_new(struct tables *t, const struct model *m, struct queue *q);
bool tables__send_changed(struct tables *t, const struct model *m, struct queue *q);
void tables__reset(struct tables *t); /* send everything again */

#endif
