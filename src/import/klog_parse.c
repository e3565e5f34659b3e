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

/* "){+.+.}-{2:2}": what waits inside may not sleep */
static bool is_spin_type(const char *close)
{
	const char *type = strstr(close, "}-{");

	return type && type[3] == '2' && (type[4] == ':' || type[4] == '}');
}

bool klog_parse__lock(struct model *m, const char *text, struct klog_lock *lock)
{
	const char *p = text, *close, *at;
	bool reliable;

	memset(lock, 0, sizeof(*lock));
	lock->index = -1;
	if (*p == '#') {
		char *end;

		lock->index = (int)strtoul(p + 1, &end, 10);
		if (end == p + 1 || end - p > 6 || *end != ':')
			return false;
		p = end + 1;
		p += strspn(p, " ");
	}
	at = skip_address(p, &lock->address);
	if (at)
		p = at;
	if (*p != '(' || !(close = strstr(p, "){")) || close == p + 1)
		return false;
	lock->name = model__intern_n(m, p + 1, (size_t)(close - p - 1));
	lock->is_spin = is_spin_type(close);
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

/* "[<ffffffff8126ca7d>] ", "[c000201a8690f8d0] [c00000000001fdf4] ", "([<000000000011265a>] " */
static const char *skip_addresses(const char *p, uint64_t *ip)
{
	for (;;) {
		const char *at = p + (p[0] == '(' && p[1] == '['), *digits;
		bool marked;
		char *end;

		if (*at != '[')
			return p;
		marked = at[1] == '<';
		digits = at + 1 + marked;
		if (!isxdigit((unsigned char)*digits))
			return p;
		*ip = strtoull(digits, &end, 16);
		if (marked ? strncmp(end, ">]", 2) : *end != ']' || end - digits < 8)
			return p;
		p = end + 1 + marked;
		p += strspn(p, " ");
	}
}

/* "(fs/pipe.c:92 include/x.h:5)", "(fs/pipe.c:92 (discriminator 3))": the innermost place */
static const char *parse_places(struct model *m, const char *p, struct frame *frame)
{
	const char *open = p + 1, *colon = strpbrk(open, ": )");
	int depth = 0;

	if (!colon || *colon != ':' || !isdigit((unsigned char)colon[1]) || colon == open)
		return NULL;
	if (!frame->file) {
		frame->file = model__intern_n(m, open, (size_t)(colon - open));
		frame->line = (uint32_t)strtoul(colon + 1, NULL, 10);
	}
	for (; *p; p++) {
		depth += (*p == '(') - (*p == ')');
		if (!depth)
			return p + 1;
	}
	return p;
}

static bool is_module_name(const char *p, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)p[i]) && p[i] != '_' && p[i] != '-')
			return false;
	return length > 0;
}

struct frame_marks {
	bool is_inline, is_decoded, unreliable;
};

/* " [vfio]", " [vfio 0123ab]", " fs/pipe.c:92", " (fs/pipe.c:92) vfio", " [inline]", " (T)",
 * " (unreliable)", " at ffffffff81234567" after the symbol, in any order */
static void parse_frame_tail(struct model *m, const char *p, struct frame *frame,
			     struct frame_marks *marks)
{
	while (*(p += strspn(p, " "))) {
		size_t length = strcspn(p, " ");
		const char *colon = memchr(p, ':', length), *end = strchr(p, ']'), *behind;

		if (!strncmp(p, "(unreliable)", 12)) {
			marks->unreliable = true;
		} else if (*p == '(' && (behind = parse_places(m, p, frame))) {
			marks->is_decoded = true;
			length = (size_t)(behind - p);
		} else if (length == 8 && !memcmp(p, "[inline]", 8)) {
			marks->is_inline = true;
		} else if (*p == '[' && end && end > p + 1) {
			frame->module = model__intern_n(m, p + 1, (size_t)(end - p - 1));
			length = (size_t)(end - p) + 1;
		} else if (colon && colon > p && isdigit((unsigned char)colon[1]) && !frame->file) {
			frame->file = model__intern_n(m, p, (size_t)(colon - p));
			frame->line = (uint32_t)strtoul(colon + 1, NULL, 10);
		} else if (marks->is_decoded && !frame->module && is_module_name(p, length)) {
			frame->module = model__intern_n(m, p, length);
		}
		p += length;
	}
}

/* One function with what stands behind it; NULL: none. */
static const char *parse_symbol(struct model *m, const char *p, struct frame *frame,
				bool *has_offset)
{
	size_t length;
	char *end;

	length = symbol_length(p);
	if (!length || length > 255 || isdigit((unsigned char)*p))
		return NULL;
	frame->symbol = model__intern_n(m, p, length);
	p += length;
	if (!strncmp(p, "+0x", 3)) {
		*has_offset = true;
		frame->offset = (uint32_t)strtoul(p + 3, &end, 16);
		if (*end == '/')
			strtoul(end + 1, &end, 16);
		p = end;
	}
	return frame->symbol ? p : NULL;
}

/* "(f) from [<addr>] (g+0x1/0x2 [m])", "f from g+0x1/0x2 [m]" */
static uint32_t parse_arm(struct model *m, const char *p, struct frame frames[2])
{
	const char *from = strstr(p, " from ");
	struct frame_marks marks = {0};
	bool has_offset = false;
	char tail[256];

	if (!from || !parse_symbol(m, p + (*p == '('), &frames[0], &has_offset))
		return 0;
	memset(&frames[1], 0, sizeof(frames[1]));
	p = skip_addresses(from + 6 + strspn(from + 6, " "), &frames[1].ip);
	has_offset = false;
	p = parse_symbol(m, p + (*p == '('), &frames[1], &has_offset);
	if (!p || !has_offset || strlen(p) >= sizeof(tail))
		return 0;
	strcpy(tail, p);
	tail[strcspn(tail, ")")] = '\0';
	parse_frame_tail(m, tail, &frames[1], &marks);
	return 2;
}

/* "#3 [ffffb2c0c0a3fd20] " of crash, "#3  " of drgn */
static const char *skip_frame_number(const char *p, bool *numbered)
{
	const char *at = p;

	if (*at != '#' || !isdigit((unsigned char)at[1]))
		return p;
	at += 1 + strspn(at + 1, "0123456789");
	if (*at != ' ')
		return p;
	*numbered = true;
	return at + strspn(at, " ");
}

uint32_t klog_parse__frames(struct model *m, const char *text, struct frame frames[2],
			    bool *reliable)
{
	bool has_offset = false, numbered = false;
	struct frame_marks marks = {0};
	struct frame *frame = &frames[0];
	const char *p;

	memset(frame, 0, sizeof(*frame));
	*reliable = true;
	p = skip_addresses(skip_frame_number(text, &numbered), &frame->ip);
	if (*p == '?' && p[1] == ' ') {
		*reliable = false;
		p += 2;
	}
	if (strstr(p, " from ")) {
		uint32_t count = parse_arm(m, p, frames);

		if (count)
			return count;
	}
	/* 32-bit Arm alone: "(schedule+0x1/0x2)" */
	p = parse_symbol(m, p + (*p == '('), frame, &has_offset);
	if (!p)
		return 0;
	if (*p == ')')
		return has_offset || frame->ip;
	if (*p && *p != ' ')
		return 0;
	parse_frame_tail(m, p, frame, &marks);
	if (marks.unreliable)
		*reliable = false;
	return has_offset || marks.is_inline || marks.is_decoded || (frame->ip && !*p) ||
	       (frame->ip && frame->module) || (numbered && strstr(p, " at "));
}

bool klog_parse__frame(struct model *m, const char *text, struct frame *frame, bool *reliable)
{
	struct frame frames[2];
	bool any = klog_parse__frames(m, text, frames, reliable) > 0;

	*frame = frames[0];
	return any;
}

void klog_stack__add_line(struct klog_stack *stack, const struct frame frames[2], uint32_t count)
{
	const struct frame *last = stack->count ? &stack->frames[stack->count - 1] : NULL;
	bool known = count == 2 && last && last->symbol == frames[0].symbol;

	for (uint32_t i = known; i < count; i++)
		klog_stack__add(stack, &frames[i]);
}

void klog_frame__print(const struct frame *frame, char *out, size_t size)
{
	int used = snprintf(out, size, "%s", frame->symbol);

	if (frame->offset && (size_t)used < size)
		used += snprintf(out + used, size - (size_t)used, "+0x%x", frame->offset);
	if (frame->module && (size_t)used < size)
		snprintf(out + used, size - (size_t)used, " [%s]", frame->module);
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
	while (skip + 1 < stack->count && wait_function__is_internal(stack->frames[skip].symbol))
		skip++;
	if (!stack->count)
		return NO_ID;
	return model__add_stack(m, STACK_FULL, stack->frames + skip, stack->count - skip);
}

uint32_t klog_site__store(struct model *m, const struct klog_lock *lock)
{
	return lock->has_site ? model__add_stack(m, STACK_SITE, &lock->site, 1) : NO_ID;
}

struct wait_place klog_stack__place(const struct klog_stack *stack)
{
	return wait_place__of(stack->frames, stack->count);
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
