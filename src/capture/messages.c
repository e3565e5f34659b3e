// SPDX-License-Identifier: GPL-2.0-or-later
/* What went wrong in words, and libbpf's own messages: shown with -v, remembered always. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "capture/capture_private.h"

static char error_text[512];
static char complaint[512];
static int shown_verbosity;

void capture__set_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error_text, sizeof(error_text), format, arguments);
	va_end(arguments);
}

const char *capture__error(void)
{
	return error_text;
}

const char *capture__libbpf_error(void)
{
	return complaint;
}

void capture__clear_error(void)
{
	complaint[0] = 0;
}

/* libbpf names the program that failed in a line "prog 'NAME': BPF program load failed: …" */
static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char text[512];
	va_list again;

	if (level == LIBBPF_WARN && !complaint[0]) {
		va_copy(again, arguments);
		vsnprintf(text, sizeof(text), format, again);
		va_end(again);
		if (strstr(text, "prog '") && strstr(text, "fail"))
			snprintf(complaint, sizeof(complaint), "%.*s", (int)strcspn(text, "\n"),
				 text);
	}
	if (level == LIBBPF_DEBUG ? shown_verbosity > 1 : shown_verbosity > 0)
		return vfprintf(stderr, format, arguments);
	return 0;
}

void capture__capture_libbpf_log(int verbosity)
{
	shown_verbosity = verbosity;
	libbpf_set_print(on_libbpf_message);
}
