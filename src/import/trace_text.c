// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * perf script:       "   comm  4711/4712 [001]  12.345678: lock:lock_acquire: 0x… &kvm->lock"
 * trace-cmd report:  "   comm-4712  [001] d..1.  12.345678: lock_acquire: 0x… &kvm->lock"
 * Stacks follow, one frame a line.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/trace_text.h"

struct trace_text {
	struct line_reader lines;
	struct lock_stream *stream;
	enum trace_dialect dialect;
	struct lock_event event;
	struct klog_stack stack;
	bool has_event, in_stack;
	uint64_t events, acquisitions;
};

static const struct {
	const char *name;
	enum lock_event_type type;
} event_names[] = {
	{"lock_acquire:", LOCK_EVENT_ACQUIRE},	 {"lock_release:", LOCK_EVENT_RELEASE},
	{"lock_acquired:", LOCK_EVENT_ACQUIRED}, {"lock_contended:", LOCK_EVENT_CONTENDED},
	{"contention_begin:", LOCK_EVENT_BEGIN}, {"contention_end:", LOCK_EVENT_END},
};

/* perf may print a period in front: "1 lock:lock_acquire: …" */
static const char *skip_event_prefix(const char *p)
{
	if (isdigit((unsigned char)*p))
		p += strspn(p, "0123456789 ");
	return strncmp(p, "lock:", 5) ? p : p + 5;
}

/* 1: a lock event, 0: some other event, -EINVAL: a lock event that cannot be read */
static int parse_event(const char *text, struct lock_event *out)
{
	const char *p = skip_event_prefix(text);
	char *end;
	size_t i = 0;

	while (i < sizeof(event_names) / sizeof(event_names[0]) &&
	       strncmp(p, event_names[i].name, strlen(event_names[i].name)))
		i++;
	if (i == sizeof(event_names) / sizeof(event_names[0]))
		return 0;
	out->type = event_names[i].type;
	p += strlen(event_names[i].name);
	p += strspn(p, " ");
	errno = 0;
	out->address = strtoull(p, &end, 16);
	if (end == p || errno || (*end && *end != ' '))
		return -EINVAL;
	p = end + strspn(end, " ");
	out->is_try = out->is_read = false;
	out->name[0] = '\0';
	if (out->type == LOCK_EVENT_BEGIN || out->type == LOCK_EVENT_END) {
		out->is_read = strstr(p, "READ") != NULL;
		out->is_mutex = strstr(p, "MUTEX") != NULL;
		out->is_percpu = strstr(p, "PERCPU") != NULL;
		out->is_rt = strstr(p, "RT") != NULL;
		out->is_spin = strstr(p, "SPIN") != NULL;
		return 1;
	}
	if (!strncmp(p, "try ", 4)) {
		out->is_try = true;
		p += 4;
	}
	if (!strncmp(p, "read ", 5)) {
		out->is_read = true;
		p += 5;
	}
	for (i = 0; p[i] && i < sizeof(out->name) - 1; i++)
		out->name[i] = p[i];
	while (i && out->name[i - 1] == ' ')
		i--;
	out->name[i] = '\0';
	return i ? 1 : -EINVAL;
}

static int flush(struct trace_text *t)
{
	int err = t->has_event ? lock_stream__add(t->stream, &t->event, &t->stack) : 0;

	t->events += t->has_event;
	t->acquisitions += t->has_event && t->event.type == LOCK_EVENT_ACQUIRE;
	t->has_event = false;
	t->in_stack = false;
	t->stack.count = 0;
	return err;
}

/* perf: "\tffffffff81 f+0x12 ([kvm])"; trace-cmd: "=> f+0x12 [kvm] (ffffffff81)" */
static bool stack_line(struct trace_text *t, const char *text)
{
	struct frame frame;
	char cleaned[512];
	uint64_t ip = 0;
	bool reliable;
	char *end, *open;

	text += strspn(text, " ");
	if (!strncmp(text, "=>", 2)) {
		text += 2 + strspn(text + 2, " ");
	} else {
		ip = strtoull(text, &end, 16);
		if (end - text < 4 || *end != ' ')
			return false;
		text = end + strspn(end, " ");
	}
	if (strlen(text) >= sizeof(cleaned))
		return false;
	strcpy(cleaned, text);
	open = strrchr(cleaned, '(');
	if (open && open[1] == '[') {
		/* "([kvm])": what perf calls the map is the module */
		memmove(open, open + 1, strlen(open));
		open[strcspn(open, ")")] = '\0';
		if (!strncmp(open, "[kernel", 7))
			*open = '\0';
	} else if (open) {
		*open = '\0';
	}
	if (!strstr(cleaned, "+0x")) {
		size_t used = strcspn(cleaned, " ");

		if (used + 4 < sizeof(cleaned) && !cleaned[used + strspn(cleaned + used, " ")])
			strcpy(cleaned + used, "+0x0");
	}
	/* user-space frames have no such shape and end the kernel's part */
	if (klog_parse__frame(t->lines.m, cleaned, &frame, &reliable) && t->has_event) {
		frame.ip = ip ? ip : frame.ip;
		klog_stack__add(&t->stack, &frame);
	}
	return true;
}

/* "# entries-in-buffer/entries-written: 10/2000": the ring was too small for the other 1,990. */
static bool was_overwritten(const char *text)
{
	const char *at = strstr(text, "entries-in-buffer/entries-written:");
	unsigned long long kept, written;

	return at &&
	       sscanf(at + strlen("entries-in-buffer/entries-written:"), " %llu/%llu", &kept,
		      &written) == 2 &&
	       kept < written;
}

/*
 * A line that is no event and speaks of lost ones: "CPU:0 [LOST 15 EVENTS]", "[EVENTS DROPPED]",
 * "LOST 3 events!", with its number of chunks or samples elsewhere.
 */
static bool says_lost(const char *text)
{
	return was_overwritten(text) ||
	       ((strcasestr(text, "lost ") || strcasestr(text, " dropped")) &&
		(strcasestr(text, "event") || strcasestr(text, "sample") ||
		 strcasestr(text, "chunk")));
}

static bool is_chatter(const char *text)
{
	static const char *const prefixes[] = {"#",    "cpus=",	    "version",
					       "CPU ", "trace-cmd", "tracer:"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(text, prefixes[i], strlen(prefixes[i])))
			return true;
	return strstr(text, "<stack trace") != NULL;
}

static int event_line(struct trace_text *t, struct lock_event *event, const char *body)
{
	struct model_clock *clock = model__clock(t->lines.m);
	int known, err;

	if (!strncmp(body, "kernel_stack:", 13) || !strncmp(body, "stack_trace:", 12))
		return 0;
	err = flush(t);
	if (err)
		return err;
	/* PERF_RECORD_LOST and PERF_RECORD_LOST_SAMPLES are printed like events */
	if (!strncmp(body, "PERF_RECORD_LOST", 16))
		return lock_stream__cut(t->stream);
	clock->has_time = true;
	clock->start = clock->start ? clock->start : event->time;
	clock->end = event->time;
	known = parse_event(body, event);
	if (known < 0) {
		line_reader__complain(
			&t->lines, t->lines.number,
			"expected \"ADDRESS NAME\" or \"ADDRESS (flags=…)\" after the "
			"event's name");
		return 0;
	}
	t->event = *event;
	t->has_event = known > 0;
	return 0;
}

static int one_line(struct trace_text *t)
{
	struct lock_event event = {0};
	char *text = t->lines.text;
	const char *body;

	line_reader__complain_mended(&t->lines);
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = ' ';
	if (!text[strspn(text, " ")])
		return t->dialect == TRACE_PERF ? flush(t) : 0;
	if (trace_text__header(text, t->dialect, &event, &body))
		return event_line(t, &event, body);
	if (says_lost(text))
		return lock_stream__cut(t->stream);
	if (is_chatter(text + strspn(text, " ")) || stack_line(t, text))
		return 0;
	line_reader__complain(&t->lines, t->lines.number,
			      t->dialect == TRACE_PERF
				      ? "expected \"COMM TID [CPU] TIME: EVENT: …\" as perf script "
					"prints it"
				      : "expected \"COMM-TID [CPU] TIME: EVENT: …\" as trace-cmd "
					"report prints it");
	return 0;
}

static void say_waiting(void *context, const char *text)
{
	struct trace_text *t = context;

	line_reader__complain(&t->lines, t->lines.number, "%s", text);
}

int trace_text__import(struct model *m, FILE *in, const char *name,
		       const struct import_options *options, enum trace_dialect dialect)
{
	struct trace_text *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	if (!t)
		return err;
	t->dialect = dialect;
	t->stream = lock_stream__new(m);
	if (!t->stream || line_reader__open(&t->lines, m, in, name, options))
		goto cleanup;
	err = 0;
	while (!err && line_reader__next(&t->lines))
		err = one_line(t);
	if (!err)
		err = flush(t);
	if (!err)
		err = lock_stream__end(t->stream);
	if (!err)
		err = t->lines.error;
	if (!err && !t->events) {
		line_reader__complain(&t->lines, t->lines.number,
				      "no lock event in this file; record lock:lock_acquire and "
				      "lock:lock_release, or lock:contention_begin and "
				      "lock:contention_end");
		err = -EINVAL;
	} else if (!err && !t->acquisitions) {
		/* as for the capture that has nothing else: never a clean verdict */
		line_reader__complain(
			&t->lines, t->lines.number,
			"only contention events: who waits is seen, what is held is not; "
			"for the order record lock:lock_acquire and lock:lock_release");
		lock_stream__each_waiting(t->stream, say_waiting, t);
	}
	line_reader__close(&t->lines);
cleanup:
	lock_stream__free(t->stream);
	free(t);
	return err;
}

int import_perf(struct model *m, FILE *in, const char *name, const struct import_options *options)
{
	return trace_text__import(m, in, name, options, TRACE_PERF);
}

int import_trace_cmd(struct model *m, FILE *in, const char *name,
		     const struct import_options *options)
{
	return trace_text__import(m, in, name, options, TRACE_CMD);
}
