/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals.h - what signals ask of a run; they are only noted, the loop acts between two turns. */
#ifndef VFIOTRACE_SESSION_SIGNALS_H
#define VFIOTRACE_SESSION_SIGNALS_H

#include <stdbool.h>

/* SIGINT/SIGTERM: first asks to stop, second ends at once. SIGUSR1 asks for a snapshot. */
int signals__install(void);
/*
 * For a program that still loads: SIGUSR1 and SIGHUP, which would end it, are noted; SIGINT and
 * SIGTERM end it, with a message, unless they are handled already.
 */
int signals__install_requests(void);
bool signals__stop(void);
bool signals__take_snapshot(void); /* true once per SIGUSR1 */
bool signals__take_reload(void);   /* true once per SIGHUP */

#endif
