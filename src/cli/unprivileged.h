/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unprivileged.h - commands that read other people's files need no rights for it.
 *
 * Started by root, report, analyze, merge and diff open their inputs and their output, and do the
 * rest in a child that is nobody: no capabilities, no new privileges, and a filter that lets it
 * make no file, reach no network, start no program and send no signal. What a hostile file could
 * make of a fault in a parser is a wrong report, not root. Everybody else has these commands run in
 * the process itself: with their own rights, which such a file's reader needs anyhow.
 */
#ifndef VFIOTRACE_CLI_UNPRIVILEGED_H
#define VFIOTRACE_CLI_UNPRIVILEGED_H

#include <stdbool.h>

/* A recording, a trace or a log (any of them may have a journal beside it); "-" is left alone. */
void unprivileged__input(const char *path);
void unprivileged__rules(const char *path); /* NULL: none was named */

/*
 * The exit status of `command`. `runs_programs`: it starts Graphviz's dot, which gets the same
 * filter but for that. Output files are open already and in `context`.
 */
int unprivileged__run(int (*command)(void *context), void *context, bool runs_programs);

#endif
