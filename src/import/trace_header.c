// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who, where and when of a trace line. Read from the time stamp to the left, because a task's name
 * may hold anything.
 */
#include <ctype.h>
#include <string.h>

#include "import/trace_text.h"

/* "12.345678:" */
static bool parse_time(const char *token, size_t length, uint64_t *time)
{
	uint64_t seconds = 0, ns = 0, scale = 100000000;
	size_t i = 0;

	for (; i < length && isdigit((unsigned char)token[i]); i++) {
		if (seconds > 1000000000)
			return false;
		seconds = seconds * 10 + (uint64_t)(token[i] - '0');
	}
	if (!i || i >= length || token[i] != '.' || token[length - 1] != ':' || i + 2 >= length)
		return false;
	for (i++; i < length - 1; i++, scale /= 10) {
		if (!isdigit((unsigned char)token[i]))
			return false;
		ns += (uint64_t)(token[i] - '0') * scale;
	}
	*time = seconds * 1000000000 + ns;
	return true;
}

/* The token that ends at *end; *end moves in front of it. */
static const char *token_before(const char *line, const char **end, size_t *length)
{
	const char *stop = *end, *start;

	while (stop > line && stop[-1] == ' ')
		stop--;
	start = stop;
	while (start > line && start[-1] != ' ')
		start--;
	*length = (size_t)(stop - start);
	*end = start;
	return *length ? start : NULL;
}

static bool parse_number(const char *p, size_t length, uint32_t *value)
{
	uint64_t n = 0;

	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)p[i]) || n > UINT32_MAX)
			return false;
		n = n * 10 + (uint64_t)(p[i] - '0');
	}
	*value = (uint32_t)n;
	return length && n <= UINT32_MAX;
}

static void copy_comm(struct lock_event *out, const char *from, const char *end)
{
	size_t length;

	from += strspn(from, " ");
	while (end > from && end[-1] == ' ')
		end--;
	length = end > from ? (size_t)(end - from) : 0;
	if (length >= sizeof(out->comm))
		length = sizeof(out->comm) - 1;
	memcpy(out->comm, from, length);
	out->comm[length] = '\0';
}

/* "comm  4711" or "comm  4711/4712" */
static bool perf_task(const char *line, const char *end, struct lock_event *out)
{
	size_t length;
	const char *token = token_before(line, &end, &length);
	const char *slash = token ? memchr(token, '/', length) : NULL;

	if (!token)
		return false;
	if (slash) {
		size_t first = (size_t)(slash - token);

		if (!parse_number(token, first, &out->pid) ||
		    !parse_number(slash + 1, length - first - 1, &out->tid))
			return false;
	} else {
		if (!parse_number(token, length, &out->tid))
			return false;
		out->pid = out->tid;
	}
	copy_comm(out, line, end);
	return true;
}

/* "comm-4712", in the kernel's own file followed by "(   4711)" */
static bool trace_cmd_task(const char *line, const char *end, struct lock_event *out)
{
	const char *start;

	while (end > line && end[-1] == ' ')
		end--;
	out->pid = 0;
	if (end > line && end[-1] == ')') {
		const char *open = end - 1;

		while (open > line && *open != '(')
			open--;
		start = open + 1 + strspn(open + 1, " ");
		if (start < end - 1)
			parse_number(start, (size_t)(end - 1 - start), &out->pid);
		end = open;
		while (end > line && end[-1] == ' ')
			end--;
	}
	start = end;
	while (start > line && isdigit((unsigned char)start[-1]))
		start--;
	if (start == line || start[-1] != '-' ||
	    !parse_number(start, (size_t)(end - start), &out->tid))
		return false;
	if (!out->pid)
		out->pid = out->tid;
	copy_comm(out, line, start - 1);
	return true;
}

static char context_of(const char *flags, size_t length)
{
	/* irqs-off, need-resched, hardirq/softirq, preempt-depth */
	if (length < 4)
		return 0;
	if (flags[2] == 'h' || flags[2] == 'H' || flags[2] == 'z' || flags[2] == 'Z')
		return 'h';
	return flags[2] == 's' ? 's' : 0;
}

static bool parse_left(const char *line, const char *end, enum trace_dialect dialect,
		       struct lock_event *out)
{
	size_t length;
	const char *before = end, *token = token_before(line, &before, &length);

	if (token && *token != '[' && dialect == TRACE_CMD && length >= 4 && length <= 10) {
		out->context = context_of(token, length);
		end = before;
		token = token_before(line, &before, &length);
	}
	if (token && *token == '[' && token[length - 1] == ']' &&
	    parse_number(token + 1, length - 2, &out->cpu))
		end = before;
	else if (dialect == TRACE_CMD)
		return false;
	return dialect == TRACE_PERF ? perf_task(line, end, out) : trace_cmd_task(line, end, out);
}

bool trace_text__header(const char *line, enum trace_dialect dialect, struct lock_event *out,
			const char **event)
{
	for (const char *p = line; *(p += strspn(p, " "));) {
		size_t length = strcspn(p, " ");

		if (p > line && parse_time(p, length, &out->time)) {
			memset(out->comm, 0, sizeof(out->comm));
			out->context = 0;
			out->cpu = 0;
			*event = p + length + strspn(p + length, " ");
			/* a name may look like a time; then what is left of it makes no sense */
			if (parse_left(line, p, dialect, out))
				return true;
		}
		p += length;
	}
	return false;
}
