// SPDX-License-Identifier: GPL-2.0-or-later
/* Locks, frames and tasks out of the lines of kernel reports. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/klog_parse.h"

static const char *skip_address(const char *p, uint64_t *address)
{
	char *end;
	size_t digits;

	if (!strncmp(p, "0x", 2))
		p += 2;
	digits = strspn(p, "0123456789abcdefABCDEF");
	/* 32-bit kernels print eight digits, 64-bit ones sixteen; more is no address */
	if (digits < 8 || digits > 16 || (p[digits] && p[digits] != ' '))
		return NULL;
	*address = strtoull(p, &end, 16);
	return end + strspn(end, " ");
}

bool klog_parse__lock(struct model *m, const char *text, struct klog_lock *lock)
{
	const char *p = text, *close, *at;
	bool reliable;

	memset(lock, 0, sizeof(*lock));
	if (*p == '#') {
		p += 1 + strspn(p + 1, "0123456789");
		if (*p != ':')
			return false;
		p++;
		p += strspn(p, " ");
	}
	at = skip_address(p, &lock->address);
	if (at)
		p = at;
	if (*p != '(' || !(close = strstr(p, "){")) || close == p + 1)
		return false;
	lock->name = model__intern_n(m, p + 1, (size_t)(close - p - 1));
	at = strstr(close, "at: ");
	if (at)
		lock->has_site = klog_parse__frame(m, at + 4, &lock->site, &reliable);
	return lock->name != NULL;
}

static size_t symbol_length(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '.' || p[n] == '$')
		n++;
	return n;
}

/* "[<ffffffff8126ca7d>] " in front of a frame */
static const char *skip_bracket_address(const char *p, uint64_t *ip)
{
	char *end;

	if (strncmp(p, "[<", 2))
		return p;
	*ip = strtoull(p + 2, &end, 16);
	if (strncmp(end, ">]", 2))
		return p;
	end += 2;
	return end + strspn(end, " ");
}

/* " [vfio]", " fs/pipe.c:92", " [inline]" after the symbol, in any order */
static void parse_frame_tail(struct model *m, const char *p, struct frame *frame, bool *is_inline)
{
	while (*(p += strspn(p, " "))) {
		size_t length = strcspn(p, " ");
		const char *colon = memchr(p, ':', length);

		if (length == 8 && !memcmp(p, "[inline]", 8))
			*is_inline = true;
		else if (*p == '[' && p[length - 1] == ']' && length > 2)
			frame->module = model__intern_n(m, p + 1, length - 2);
		else if (colon && colon > p && isdigit((unsigned char)colon[1]) && !frame->file) {
			frame->file = model__intern_n(m, p, (size_t)(colon - p));
			frame->line = (uint32_t)strtoul(colon + 1, NULL, 10);
		}
		p += length;
	}
}

bool klog_parse__frame(struct model *m, const char *text, struct frame *frame, bool *reliable)
{
	bool is_inline = false, has_offset = false;
	const char *p;
	size_t length;

	memset(frame, 0, sizeof(*frame));
	*reliable = true;
	p = skip_bracket_address(text, &frame->ip);
	if (*p == '?' && p[1] == ' ') {
		*reliable = false;
		p += 2;
	}
	if (*p == '(') /* 32-bit Arm: "[<8077>] (schedule) from …" */
		p++;
	length = symbol_length(p);
	if (!length || length > 255 || (isdigit((unsigned char)*p) && p[1] == 'x'))
		return false;
	frame->symbol = model__intern_n(m, p, length);
	p += length;
	if (!strncmp(p, "+0x", 3)) {
		char *end;

		has_offset = true;
		frame->offset = (uint32_t)strtoul(p + 3, &end, 16);
		if (*end == '/')
			strtoul(end + 1, &end, 16);
		p = end;
	}
	if (*p == ')')
		return true;
	if (*p && *p != ' ')
		return false;
	parse_frame_tail(m, p, frame, &is_inline);
	return frame->symbol && (has_offset || is_inline || frame->ip);
}

static bool parse_task(const char *text, const char *end, char separator, struct klog_task *task)
{
	const char *at = end;
	unsigned long pid;
	size_t length;

	memset(task, 0, sizeof(*task));
	while (at > text && isdigit((unsigned char)at[-1]))
		at--;
	if (at == end || at == text || at[-1] != separator || end - at > 10)
		return false;
	pid = strtoul(at, NULL, 10);
	length = (size_t)(at - 1 - text);
	if (length >= sizeof(task->comm) || pid > UINT32_MAX)
		return false;
	memcpy(task->comm, text, length);
	task->comm[length] = '\0';
	task->pid = (uint32_t)pid;
	task->known = true;
	return true;
}

bool klog_parse__task(const char *text, const char *end, struct klog_task *task)
{
	return parse_task(text, end, '/', task);
}

bool klog_parse__colon_task(const char *text, const char *end, struct klog_task *task)
{
	return parse_task(text, end, ':', task);
}

void klog_stack__add(struct klog_stack *stack, const struct frame *frame)
{
	if (stack->count < KLOG_STACK_MAX)
		stack->frames[stack->count++] = *frame;
}

uint32_t klog_stack__store(struct model *m, const struct klog_stack *stack)
{
	uint32_t skip = 0;

	/* lockdep's and the scheduler's own frames say nothing about who wanted the lock */
	while (skip + 1 < stack->count && lock_function__is_internal(stack->frames[skip].symbol))
		skip++;
	if (!stack->count)
		return NO_ID;
	return model__add_stack(m, STACK_FULL, stack->frames + skip, stack->count - skip);
}

uint32_t klog_site__store(struct model *m, const struct klog_lock *lock)
{
	return lock->has_site ? model__add_stack(m, STACK_SITE, &lock->site, 1) : NO_ID;
}

struct klog_acquire klog_stack__acquire(const struct klog_stack *stack)
{
	struct klog_acquire found = {NULL, stack->count};
	uint32_t i = 0;

	while (i < stack->count && !lock_function__find(stack->frames[i].symbol) &&
	       lock_function__is_internal(stack->frames[i].symbol))
		i++;
	/* the outermost of the lock functions says what the caller asked for */
	for (; i < stack->count; i++) {
		const struct lock_function *f = lock_function__find(stack->frames[i].symbol);

		if (f)
			found.function = f;
		else if (!lock_function__is_internal(stack->frames[i].symbol))
			break;
	}
	found.caller = i;
	return found;
}

void klog_symbol__plain(const char *symbol, char *plain, size_t size)
{
	snprintf(plain, size, "%.*s", (int)strcspn(symbol, "."), symbol);
}

bool klog_parse__release(const char *text, char *release, size_t size)
{
	const char *at = text;
	size_t length;

	if (!strncmp(at, "Not tainted ", 12))
		at += 12;
	else if (!strncmp(at, "Tainted:", 8))
		for (at += 8; *at && !(isdigit((unsigned char)*at) && strchr(at, '.')); at++)
			;
	length = strcspn(at, " ");
	if (!isdigit((unsigned char)*at) || !memchr(at, '.', length) || length >= size)
		return false;
	/* "6.1.0 #1 Not tainted", or after the taint as above */
	if (at == text && !strstr(at, "ainted"))
		return false;
	memcpy(release, at, length);
	release[length] = '\0';
	return true;
}
