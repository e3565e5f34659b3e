/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exit_code.h - exit statuses of every command; vfiotrace(8) EXIT STATUS says what they mean. */
#ifndef VFIOTRACE_EXIT_CODE_H
#define VFIOTRACE_EXIT_CODE_H

enum exit_code {
	EXIT_CLEAN = 0,
	EXIT_ERROR = 1,
	EXIT_FINDING = 2,
	EXIT_DEADLOCK = 3,
	EXIT_INCONCLUSIVE = 4,
	EXIT_USAGE = 64,
	EXIT_UNSUPPORTED = 77,
};

#endif
