/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_picture.h - the dependencies of two runs drawn as one graph: added green, removed red,
 * changed amber; unchanged ones grey, and only where they join locks of changed ones.
 */
#ifndef VFIOTRACE_REPORT_GRAPH_DIFF_PICTURE_H
#define VFIOTRACE_REPORT_GRAPH_DIFF_PICTURE_H

#include "report/diff_output.h"

void diff_picture__dot(FILE *out, const struct diff *d, const struct diff_labels *labels);
void diff_picture__mermaid(FILE *out, const struct diff *d);
int diff_picture__svg(FILE *out, const struct diff *d, const struct diff_labels *labels);

#endif
