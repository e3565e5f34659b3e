// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines that were broken: by a mail program, by a terminal's width, or by the kernel itself, which
 * up to 4.9 printed some of them in pieces.
 */
#include <ctype.h>
#include <string.h>

#include "import/report_start.h"
#include "import/unwrap.h"

/* No mail program breaks lines that are shorter. */
#define WRAP_COLUMNS_MIN 66

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), n = strlen(end);

	return length >= n && !strcmp(text + length - n, end);
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Where mail programs break the sentences of a report: nothing else follows these words. */
static const char *const open_ends[] = {
	", at:",
	" at: ",
	"}, at",
	"is trying to acquire",
	"is trying to",
	"is trying",
	"is trying to release",
	"is trying to release lock",
	"but task is",
	"but task is already",
	"but task is already holding",
	"and this task is already",
	"and this task is already holding",
	"just changed the state of",
	"just changed the state",
	"locks held",
	"lock held",
	"locks held by",
	"lock held by",
	"likely owned by",
	"likely last held by",
	"likely last held by task",
	"blocked on a",
	"blocked on an",
	"blocked on a mutex",
	"blocked on a mutex likely",
	"blocked on an rw-semaphore",
	"blocked on an rw-semaphore likely",
	"blocked on a semaphore",
	"blocked on a semaphore likely",
	"likely owned",
	"by task",
	"likely owned by task",
	"blocked for more",
	"blocked for more than",
	"WARNING: possible",
	"WARNING: possible circular",
	"possible circular locking",
	"possible circular locking dependency",
	"possible recursive locking",
	"Showing all locks held",
	"Showing all locks held in",
	"Showing all locks held in the",
	"dependency chain (in reverse",
	"dependency chain (in",
};

static bool is_number(const char *text, size_t length)
{
	return length && strspn(text, "0123456789") >= length;
}

static size_t hex_length(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

/* "#3: ffff888100000100", "-> #3", "ffff888100000100": its class must follow */
static bool wants_class(const char *text)
{
	size_t digits;

	if (starts_with(text, "-> #"))
		return is_number(text + 4, strlen(text + 4));
	if (*text == '#') {
		digits = strspn(text + 1, "0123456789");
		if (!digits || text[1 + digits] != ':')
			return false;
		text += 2 + digits;
		text += strspn(text, " ");
		if (!*text)
			return true;
	}
	digits = hex_length(text);
	return digits >= 8 && digits <= 16 && !text[digits];
}

/* "[<ffffffff8126ca7d>]", "[c000201a8690f930] [c000000000f8a178]": a frame without its function */
static bool wants_function(const char *text)
{
	bool any = false;

	while (*text == '[') {
		const char *at = text + 1 + (text[1] == '<');
		size_t digits = hex_length(at);

		at += digits + (at[digits] == '>');
		if (digits < 8 || *at != ']')
			return false;
		any = true;
		text = at + 1 + strspn(at + 1, " ");
	}
	if (any && starts_with(text, "("))
		return ends_with(text, ") from");
	return any && !*text;
}

static bool starts_frame(const char *text)
{
	size_t length;

	if (starts_with(text, "? "))
		text += 2;
	length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$");
	return length && starts_with(text + length, "+0x");
}

static bool is_task_line_rest(const char *next)
{
	static const char *const fields[] = {
		"stack:", "pid:", "tgid:", "ppid:", "flags:", "state:", "task_flags:", "0x"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (starts_with(next, fields[i]))
			return true;
	return false;
}

/* The grammar of reports says that the line is not complete and that `next` completes it. */
static bool completes(const char *text, const char *next)
{
	size_t length = strlen(next);

	for (size_t i = 0; i < sizeof(open_ends) / sizeof(open_ends[0]); i++)
		if (ends_with(text, open_ends[i]))
			return true;
	/* "… at: [<ffffffff8126ca7d>]" and its function on the next line */
	if (ends_with(text, ">]") && strstr(text, "at: [<"))
		return true;
	if (starts_with(text, "INFO: task ") && !strstr(text, " blocked"))
		return starts_with(next, "blocked") || starts_with(next, "is blocked") ||
		       (*next == '<' && strstr(next, "> blocked"));
	if (starts_with(text, "INFO: task ") && isdigit((unsigned char)text[strlen(text) - 1]))
		return starts_with(next, "seconds");
	if (wants_class(text))
		return *next == '(' || (!hex_length(text) && hex_length(next) >= 8);
	if (starts_with(next, "at: ") || starts_with(next, ", at: "))
		return strstr(text, "){") != NULL;
	if (wants_function(text))
		return starts_frame(next) || *next == '(';
	/* a frame's module */
	if (*next == '[' && length < 64 && next[length - 1] == ']' &&
	    isalpha((unsigned char)next[1]))
		return strstr(text, "+0x") != NULL && text[strlen(text) - 1] != ']';
	return starts_with(text, "task:") && is_task_line_rest(next);
}

static bool is_lock_start(const char *text)
{
	return starts_with(text, "-> #") || starts_with(text, "#") || strstr(text, " (") ||
	       *text == '(';
}

/* "-> #3 (", "sb_writers#6", "){.+.+}-{0:0}:" */
static bool is_in_pieces(const char *text, const char *next)
{
	const char *open = strrchr(text, '(');

	if (open && !open[1] && is_lock_start(text))
		return true;
	return starts_with(next, "){") && open && !strchr(open, ')');
}

static bool begins_something(const char *next)
{
	return *next == '#' || *next == '=' || *next == '-' || *next == '<' || *next == '[' ||
	       *next == '.' || starts_frame(next) || strstr(next, "Trace:") ||
	       starts_with(next, "lock(") || report_start__find(next).kind != REPORT_NONE;
}

enum unwrap unwrap__joins(const struct klog_line *line, const struct klog_line *next)
{
	if (!*line->text || !*next->text)
		return UNWRAP_NO;
	if (is_in_pieces(line->text, next->text))
		return UNWRAP_GLUED;
	if (next->has_prefix)
		return UNWRAP_NO;
	if (completes(line->text, next->text))
		return UNWRAP_BLANK;
	/* every line has a stamp but this one, and its first word did not fit before it */
	if (line->has_prefix && !begins_something(next->text) &&
	    line->width + 1 + strcspn(next->text, " ") >= WRAP_COLUMNS_MIN)
		return UNWRAP_BLANK;
	return UNWRAP_NO;
}
