/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format_name.h - "page.html" is HTML: the format that an output file's name asks for. */
#ifndef VFIOTRACE_CLI_FORMAT_NAME_H
#define VFIOTRACE_CLI_FORMAT_NAME_H

#include "report.h"

int format_of_name(const char *path); /* enum report_format, -1: the name does not say */
/* The ending when it is that of files which no report is (.pdf, .vfiotrace), else NULL. */
const char *ending_of_no_report(const char *path);

#endif
