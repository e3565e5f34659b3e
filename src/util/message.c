// SPDX-License-Identifier: GPL-2.0-or-later
/* See message.h. */
#include "util/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool quiet;

void message__set_quiet(bool on)
{
	quiet = on;
}

static void say(const char *prefix, const char *format, va_list arguments)
{
	char text[2048];

	vsnprintf(text, sizeof(text), format, arguments);
	clear_progress();
	fprintf(stderr, "vfiotrace: %s%s\n", prefix, text);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("", format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("warning: ", format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	if (quiet)
		return;
	va_start(arguments, format);
	say("", format, arguments);
	va_end(arguments);
}

static bool progress_shown;

void log_progress(const char *format, ...)
{
	char text[256];
	va_list arguments;

	if (quiet || !isatty(STDERR_FILENO))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(stderr, "\r\033[K%s", text);
	fflush(stderr);
	progress_shown = true;
}

void clear_progress(void)
{
	if (!progress_shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress_shown = false;
}
