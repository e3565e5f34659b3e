// SPDX-License-Identifier: GPL-2.0-or-later
/* Bounded line reader of the text importers. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "import/lines.h"
#include "util/clock.h"

#define BUFFER_BYTES 65536
#define PROGRESS_INTERVAL_NS 100000000ULL

int line_reader__open(struct line_reader *r, struct model *m, FILE *in, const char *name,
		      const struct import_options *options)
{
	memset(r, 0, sizeof(*r));
	r->m = m;
	r->in = in;
	r->name = name;
	r->options = options;
	r->text = malloc(LINE_MAX_BYTES + 1);
	r->buffer = malloc(BUFFER_BYTES);
	if (r->text && r->buffer)
		return 0;
	line_reader__close(r);
	return -ENOMEM;
}

void line_reader__close(struct line_reader *r)
{
	free(r->text);
	free(r->buffer);
	r->text = NULL;
	r->buffer = NULL;
}

static void report_progress(struct line_reader *r)
{
	uint64_t ns;

	if (!r->options || !r->options->progress)
		return;
	ns = clock_mono_ns();
	if (ns < r->progress_due)
		return;
	r->progress_due = ns + PROGRESS_INTERVAL_NS;
	r->options->progress(r->options->progress_context, r->bytes, 0);
}

static bool fill(struct line_reader *r)
{
	r->at = 0;
	r->filled = fread(r->buffer, 1, BUFFER_BYTES, r->in);
	r->bytes += r->filled;
	if (!r->filled && ferror(r->in))
		r->error = errno ? -errno : -EIO;
	report_progress(r);
	return r->filled > 0;
}

static void take(struct line_reader *r, const char *bytes, size_t count)
{
	if (r->length + count > LINE_MAX_BYTES) {
		r->too_long = true;
		count = LINE_MAX_BYTES - r->length;
	}
	memcpy(r->text + r->length, bytes, count);
	r->length += count;
}

static void replace_nul(struct line_reader *r)
{
	char *nul;

	r->text[r->length] = '\0';
	while ((nul = memchr(r->text, '\0', r->length))) {
		*nul = '?';
		r->had_nul = true;
	}
}

bool line_reader__next(struct line_reader *r)
{
	bool any = false, ended = false;

	r->length = 0;
	r->too_long = r->had_nul = r->cut = false;
	while (!ended) {
		const char *start, *end;

		if (r->at == r->filled && !fill(r))
			break;
		any = true;
		start = r->buffer + r->at;
		end = memchr(start, '\n', r->filled - r->at);
		ended = end != NULL;
		take(r, start, ended ? (size_t)(end - start) : r->filled - r->at);
		r->at = ended ? (size_t)(end - r->buffer) + 1 : r->filled;
	}
	if (!any)
		return false;
	r->cut = !ended;
	r->number++;
	if (r->length && r->text[r->length - 1] == '\r')
		r->length--;
	replace_nul(r);
	return true;
}

void line_reader__complain(struct line_reader *r, uint32_t line, const char *format, ...)
{
	char text[512];
	va_list arguments;

	r->complaints++;
	model__add_loss(r->m, LOSS_PARSE, 1);
	if (!r->options || !r->options->complain)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	r->options->complain(r->options->complain_context, r->name, line, text);
}

void line_reader__complain_mended(struct line_reader *r)
{
	if (r->too_long)
		line_reader__complain(r, r->number,
				      "line longer than %d bytes: only its beginning was looked at",
				      LINE_MAX_BYTES);
	else if (r->had_nul)
		line_reader__complain(r, r->number,
				      "a NUL byte in a text file; is the file damaged?");
}
