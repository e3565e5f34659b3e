// SPDX-License-Identifier: GPL-2.0-or-later
/* Logical lines of a kernel log: prefixes off, broken lines joined. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "import/klog_line.h"
#include "import/report_start.h"
#include "import/unwrap.h"

/* How many of the lines ahead must begin like a line for its beginning to be a prefix. */
#define SHAPE_MATCHES 2

/* Copy without terminal escapes, control characters and "^M". */
static void copy_plain(char *to, const char *from)
{
	const char *start = to;

	while (*from) {
		if ((*from == '\033' && from[1] == '[') || !strncmp(from, "^[[", 3)) {
			from += *from == '^' ? 3 : 2;
			while (*from && !isalpha((unsigned char)*from))
				from++;
			from += *from != '\0';
		} else if ((unsigned char)*from < ' ' && *from != '\t') {
			from++;
		} else if (from[0] == '\xc2' && from[1] == '\xa0') { /* a no-break space */
			*to++ = ' ';
			from += 2;
		} else {
			*to++ = *from == '\t' ? ' ' : *from;
			from++;
		}
	}
	while (to - start >= 2 && !memcmp(to - 2, "^M", 2))
		to -= 2;
	*to = '\0';
}

static void trim(char *text)
{
	size_t skip = strspn(text, " "), length = strlen(text + skip);

	memmove(text, text + skip, length + 1);
	while (length && text[length - 1] == ' ')
		text[--length] = '\0';
}

static void parse(struct klog_line *line, const char *raw, uint32_t number,
		  const struct prefix_shapes *shapes)
{
	struct prefix prefix;
	const char *p;

	line->number = number;
	copy_plain(line->text, raw);
	line->width = (uint32_t)strlen(line->text);
	p = prefix__skip(shapes, line->text, &prefix);
	line->time = prefix.time;
	line->has_time = prefix.has_time;
	line->has_prefix = prefix.any;
	memcpy(line->context, prefix.context, sizeof(line->context));
	memmove(line->text, p, strlen(p) + 1);
	trim(line->text);
}

void klog_line__parse(struct klog_line *line, const char *raw, uint32_t number)
{
	parse(line, raw, number, NULL);
}

struct klog_reader *klog_reader__new(struct model *m, FILE *in, const char *name,
				     const struct import_options *options)
{
	struct klog_reader *r = calloc(1, sizeof(*r));
	bool complete;

	if (!r)
		return NULL;
	complete = !line_reader__open(&r->lines, m, in, name, options);
	r->decoder = complete ? decoder__new(&r->lines) : NULL;
	r->pair = calloc(2, sizeof(*r->pair));
	complete = r->decoder && r->pair;
	for (size_t i = 0; i < KLOG_AHEAD; i++) {
		r->ahead[i].text = malloc(LINE_MAX_BYTES + 1);
		complete = complete && r->ahead[i].text;
	}
	if (!complete) {
		klog_reader__free(r);
		return NULL;
	}
	r->current = &r->pair[0];
	r->next = &r->pair[1];
	return r;
}

void klog_reader__free(struct klog_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < KLOG_AHEAD; i++)
		free(r->ahead[i].text);
	free(r->pair);
	decoder__free(r->decoder);
	line_reader__close(&r->lines);
	free(r);
}

static struct klog_raw *ahead(struct klog_reader *r, uint32_t i)
{
	return &r->ahead[(r->ahead_at + i) % KLOG_AHEAD];
}

static void fill_ahead(struct klog_reader *r)
{
	while (!r->over && r->ahead_count < KLOG_AHEAD) {
		struct klog_raw *raw = ahead(r, r->ahead_count);
		char *text = decoder__next(r->decoder, &raw->number);

		r->over = !text;
		if (!text)
			break;
		memcpy(raw->text, text, strlen(text) + 1);
		r->ahead_count++;
	}
}

/* The sentence at `anchor` begins a report: is what stands before it on the next lines as well? */
static bool learn(struct klog_reader *r, const char *text, const char *anchor)
{
	struct prefix_shape shape;
	uint32_t matches = 0;

	if (!prefix_shape__of(&shape, text, (size_t)(anchor - text)))
		return false;
	for (uint32_t i = 0; i < r->ahead_count; i++) {
		struct prefix prefix;
		const char *p = prefix__skip(NULL, ahead(r, i)->text, &prefix);

		matches += prefix_shape__match(&shape, p) != NULL;
	}
	if (matches < SHAPE_MATCHES)
		return false;
	prefix_shapes__add(&r->shapes, &shape);
	return true;
}

static bool read_next(struct klog_reader *r)
{
	const struct klog_raw *raw;
	const char *anchor;

	fill_ahead(r);
	r->has_next = r->ahead_count > 0;
	if (!r->has_next)
		return false;
	raw = ahead(r, 0);
	r->ahead_at = (r->ahead_at + 1) % KLOG_AHEAD;
	r->ahead_count--;
	parse(r->next, raw->text, raw->number, &r->shapes);
	anchor = report_start__find(r->next->text).kind == REPORT_NONE
			 ? report_start__anchor(r->next->text)
			 : NULL;
	if (anchor && learn(r, r->next->text, anchor))
		parse(r->next, raw->text, raw->number, &r->shapes);
	return true;
}

const struct klog_line *klog_reader__next(struct klog_reader *r)
{
	struct klog_line *line;
	enum unwrap how;

	if (!r->has_next && !read_next(r))
		return NULL;
	line = r->next;
	r->next = r->current;
	r->current = line;
	while (read_next(r) && (how = unwrap__joins(line, r->next)) != UNWRAP_NO) {
		size_t used = strlen(line->text), more = strlen(r->next->text);

		if (used + more + 2 > sizeof(line->text))
			break;
		if (how == UNWRAP_BLANK)
			line->text[used++] = ' ';
		memcpy(line->text + used, r->next->text, more + 1);
		line->width = r->next->width;
	}
	return line;
}
