// SPDX-License-Identifier: GPL-2.0-or-later
/* Which format a file has, and the one entry for all of them. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis.h"
#include "import/klog.h"
#include "import/other_text.h"
#include "import/report_start.h"
#include "import/text_bytes.h"
#include "import/trace_text.h"
#include "import/unpack.h"
#include "store.h"
#include "util/input.h"

#define HEAD_BYTES (256U << 10)
#define STREAM_BUFFER_BYTES (1U << 20)
/* No log is longer; a pipe may have no end. Less where nothing says that it is a log at all. */
#define TEXT_BYTES_MAX (64ULL << 30)
#define UNKNOWN_BYTES_MAX (1ULL << 30)

const char *const import_format_names[IMPORT_FORMATS] = {
	[IMPORT_AUTO] = "auto",		  [IMPORT_RECORDING] = "recording", [IMPORT_STD] = "std",
	[IMPORT_SPLAT] = "splat",	  [IMPORT_HUNG] = "hung",	    [IMPORT_PERF] = "perf",
	[IMPORT_TRACE_CMD] = "trace-cmd",
};

struct import_source {
	char *path;
	enum import_format format;
	bool guessed;
	bool unknown; /* nothing at the start tells the format: read as a log, to see */
	struct unpack *file;
	struct text_bytes text;
	uint64_t bytes;
	const char *trouble; /* why not all was read; NULL: it was */
	char *head;	     /* read to detect the format, given to the importer first */
	size_t head_length, head_at;
	FILE *stream;
	char *stream_buffer;
};

/* "thread|op(operand)|loc" */
static bool is_std_line(const char *line, size_t length)
{
	static const char *const ops[] = {"acq(",    "rel(", "racq(", "rrel(", "rracq(",
					  "tryacq(", "req(", "rreq(", "fork(", "join(",
					  "r(",	     "w(",   "begin", "end"};
	const char *bar = memchr(line, '|', length);

	if (!bar)
		return false;
	length -= (size_t)(bar + 1 - line);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (length >= strlen(ops[i]) && !memcmp(bar + 1, ops[i], strlen(ops[i])))
			return true;
	return false;
}

static bool contains(const char *head, size_t length, const char *needle)
{
	return memmem(head, length, needle, strlen(needle)) != NULL;
}

static bool has_event_name(const char *line)
{
	return strstr(line, "lock_") || strstr(line, "contention_");
}

/* perf names the subsystem ("lock:lock_acquire:") and sets the tid apart from the name. */
static enum import_format detect_line(const char *line)
{
	struct lock_event event;
	const char *body;

	if (trace_text__header(line, TRACE_CMD, &event, &body) && strncmp(body, "lock:", 5))
		return IMPORT_TRACE_CMD;
	if (trace_text__header(line, TRACE_PERF, &event, &body))
		return IMPORT_PERF;
	return IMPORT_AUTO;
}

static enum import_format detect_lines(const char *head, size_t length)
{
	const char *end = head + length;
	enum import_format likely = IMPORT_AUTO;

	for (const char *p = head; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t size = (size_t)((stop ? stop : end) - p);
		enum import_format format = IMPORT_AUTO;
		char line[1024];

		if (is_std_line(p, size))
			return IMPORT_STD;
		if (size < sizeof(line)) {
			memcpy(line, p, size);
			line[size] = '\0';
			for (char *c = line; *c; c++)
				*c = *c == '\t' ? ' ' : *c;
			format = detect_line(line);
			if (format != IMPORT_AUTO && has_event_name(line))
				return format;
			if (likely == IMPORT_AUTO)
				likely = format;
		}
		p = stop ? stop + 1 : end;
	}
	return likely;
}

static bool is_kernel_log(const char *head, size_t length)
{
	return contains(head, length, " kernel: ") || contains(head, length, "] Linux version ") ||
	       contains(head, length, "[    0.000000]") || contains(head, length, "Call Trace:");
}

enum import_format import_detect(const char *head, size_t length)
{
	static const char *const splat_marks[] = {
		"possible circular locking dependency detected",
		"possible recursive locking detected",
		"inconsistent lock state",
		"irq lock inversion dependency detected",
		"-unsafe lock order detected",
		"lock held when returning to user space",
		"still has locks held",
		"bad unlock balance detected",
	};
	static const char *const hung_marks[] = {
		"blocked for more than",      "Showing all locks held in the system",
		"likely owned by task",	      "sysrq: Show Blocked State",
		"SysRq : Show Blocked State", "sysrq: Show State",
		"SysRq : Show State",
	};
	enum import_format format;

	if (length >= 16 && !memcmp(head, "SQLite format 3", 16))
		return IMPORT_RECORDING;
	for (size_t i = 0; i < sizeof(splat_marks) / sizeof(splat_marks[0]); i++)
		if (contains(head, length, splat_marks[i]))
			return IMPORT_SPLAT;
	for (size_t i = 0; i < sizeof(hung_marks) / sizeof(hung_marks[0]); i++)
		if (contains(head, length, hung_marks[i]))
			return IMPORT_HUNG;
	format = detect_lines(head, length);
	if (format == IMPORT_AUTO && is_kernel_log(head, length))
		return IMPORT_SPLAT;
	return format;
}

/* --- one source ----------------------------------------------------------------------------------
 */

/* Text of the file, whatever it was packed and encoded in. */
static ssize_t read_text(struct import_source *source, char *buffer, size_t size)
{
	uint64_t most = source->unknown ? UNKNOWN_BYTES_MAX : TEXT_BYTES_MAX;
	ssize_t got;

	if (size <= TEXT_BYTES_ROOM)
		return -EINVAL;
	do {
		if (source->bytes > most) {
			source->trouble = "the input does not end; reading stopped; cut the part "
					  "with the report out of it";
			return 0;
		}
		got = unpack__read(source->file, buffer, size - TEXT_BYTES_ROOM);
		if (got <= 0)
			break;
		source->bytes += (uint64_t)got;
		/* a piece of a web page may be nothing but tags */
		got = (ssize_t)text_bytes__convert(&source->text, buffer, (size_t)got);
	} while (!got);
	if (!source->trouble)
		source->trouble = unpack__trouble(source->file);
	return got;
}

static ssize_t read_source(void *cookie, char *buffer, size_t size)
{
	struct import_source *source = cookie;
	size_t left = source->head_length - source->head_at;
	ssize_t got;

	if (left) {
		size = size < left ? size : left;
		memcpy(buffer, source->head + source->head_at, size);
		source->head_at += size;
		return (ssize_t)size;
	}
	got = read_text(source, buffer, size);
	if (got < 0) {
		errno = (int)-got;
		return -1;
	}
	return got;
}

/* A database is no text: its bytes stay as they are. */
static int read_head(struct import_source *source)
{
	ssize_t got = 1;

	source->head = malloc(HEAD_BYTES + TEXT_BYTES_ROOM);
	if (!source->head)
		return -ENOMEM;
	while (got > 0 && source->head_length < HEAD_BYTES) {
		got = read_text(source, source->head + source->head_length,
				HEAD_BYTES + TEXT_BYTES_ROOM - source->head_length);
		if (got > 0)
			source->head_length += (size_t)got;
	}
	return got < 0 && !source->head_length ? (int)got : 0;
}

static int open_stream(struct import_source *source)
{
	static const cookie_io_functions_t functions = {.read = read_source};

	source->stream = fopencookie(source, "r", functions);
	if (!source->stream)
		return -ENOMEM;
	source->stream_buffer = malloc(STREAM_BUFFER_BYTES);
	if (source->stream_buffer)
		setvbuf(source->stream, source->stream_buffer, _IOFBF, STREAM_BUFFER_BYTES);
	return 0;
}

static int open_file(struct import_source *source, const char *path, char *why, size_t why_size)
{
	int fd = strcmp(path, "-") ? input_open(path, INPUT_STREAM, why, why_size)
				   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return strcmp(path, "-") ? fd : -errno;
	source->file = unpack__open(fd);
	return source->file ? 0 : -ENOMEM;
}

struct import_source *import_source__open(const char *path, enum import_format format, int *error,
					  char *why, size_t why_size)
{
	struct import_source *source = calloc(1, sizeof(*source));

	*error = -ENOMEM;
	*why = '\0';
	if (!source)
		goto fail;
	source->path = strdup(strcmp(path, "-") ? path : "standard input");
	if (source->path)
		*error = open_file(source, path, why, why_size);
	if (!*error)
		*error = read_head(source);
	if (!*error)
		*error = open_stream(source);
	if (*error)
		goto fail;
	source->format = format;
	if (format == IMPORT_AUTO) {
		source->guessed = true;
		source->format = import_detect(source->head, source->head_length);
		source->unknown = source->format == IMPORT_AUTO && source->head_length;
		/* what comes first may be anything: only the end tells that there is no report */
		if (source->unknown)
			source->format = IMPORT_SPLAT;
	}
	return source;
fail:
	if (!*why)
		snprintf(why, why_size, "%s", strerror(-*error));
	import_source__close(source);
	return NULL;
}

void import_source__close(struct import_source *source)
{
	if (!source)
		return;
	if (source->stream)
		fclose(source->stream);
	unpack__close(source->file);
	free(source->stream_buffer);
	free(source->head);
	free(source->path);
	free(source);
}

enum import_format import_source__format(const struct import_source *source)
{
	return source->format;
}

static void complain(const struct import_source *source, const struct import_options *options,
		     const char *message)
{
	if (options->complain)
		options->complain(options->complain_context, source->path, 0, message);
}

static int read_recording(struct import_source *source, struct model *m,
			  const struct import_options *options)
{
	struct store_read_options read = {.events = true};
	char error[512] = "";
	int err;

	if (!unpack__is_plain(source->file) || !strcmp(source->path, "standard input")) {
		complain(source, options,
			 "a recording is a database and must be a plain file; unpack it and give "
			 "its name");
		return -EINVAL;
	}
	err = store__read(source->path, m, options->analysis, &read, error, sizeof(error));
	if (err)
		complain(source, options, *error ? error : strerror(-err));
	return err;
}

static int read_log(struct import_source *source, struct model *m,
		    const struct import_options *options)
{
	const char *name = source->path, *other;
	int err;

	/* a log may hold both; who names a format wants that one */
	if (!source->guessed)
		return source->format == IMPORT_SPLAT
			       ? import_splat(m, source->stream, name, options)
			       : import_hung(m, source->stream, name, options);
	err = klog__import(m, source->stream, name, options,
			   source->unknown ? 0 : KLOG_SPLATS | KLOG_HUNG_TASKS);
	other = other_text__words(source->head, source->head_length);
	if (err == -EINVAL && source->unknown)
		complain(source, options,
			 other ? other
			       : "the format is not recognised; expected a recording, an STD "
				 "trace, a "
				 "kernel log with a lockdep, hung-task or sysrq report, or the "
				 "text of "
				 "perf script or trace-cmd report; see --formats, or name it with "
				 "-f");
	return err;
}

static int read_format(struct import_source *source, struct model *m,
		       const struct import_options *options)
{
	const char *name = source->path;
	FILE *in = source->stream;

	switch (source->format) {
	case IMPORT_RECORDING:
		return read_recording(source, m, options);
	case IMPORT_STD:
		return import_std(m, in, name, options);
	case IMPORT_SPLAT:
	case IMPORT_HUNG:
		return read_log(source, m, options);
	case IMPORT_PERF:
		return import_perf(m, in, name, options);
	case IMPORT_TRACE_CMD:
		return import_trace_cmd(m, in, name, options);
	case IMPORT_AUTO:
	case IMPORT_FORMATS:
		break;
	}
	complain(source, options, "the file is empty");
	return -EINVAL;
}

int import_source__read(struct import_source *source, struct model *m,
			const struct import_options *options)
{
	int err = read_format(source, m, options);

	if (source->trouble) {
		complain(source, options, source->trouble);
		model__add_loss(m, LOSS_PARSE, 1);
	}
	return err;
}

int import_file(struct model *m, const char *path, const struct import_options *options)
{
	struct import_source *source;
	char why[200];
	int err;

	source = import_source__open(path, options->format, &err, why, sizeof(why));
	if (!source) {
		if (options->complain)
			options->complain(options->complain_context, path, 0, why);
		return err;
	}
	err = import_source__read(source, m, options);
	import_source__close(source);
	return err;
}
