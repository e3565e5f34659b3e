// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chrome / Perfetto trace JSON: what each task waited for and held.
 *
 * With an event stream, waits are slices of the thread and holds are async slices (holds of one
 * thread need not nest). Without one, the first and the last occurrence of each chain are instants
 * that say so, and the tasks of a deadlock are slices from the begin of their wait. Source: "Trace
 * Event Format". Times there are microseconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/outputs.h"

struct tracer {
	FILE *out;
	const struct model *m;
	uint64_t start; /* first time shown, subtracted so that the view opens where things are */
	bool any;
	uint64_t next_id;
};

static void begin(struct tracer *t, char phase, uint32_t task)
{
	const struct task *who = task < model__task_count(t->m) ? model__task(t->m, task) : NULL;

	fprintf(t->out, "%s\n{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u", t->any ? "," : "", phase,
		who ? who->pid : 0, who ? who->tid ? who->tid : who->pid : 0);
	t->any = true;
}

static void put_time(struct tracer *t, const char *key, uint64_t ns)
{
	fprintf(t->out, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned int)(ns % 1000));
}

static uint64_t since_start(const struct tracer *t, uint64_t mono)
{
	return mono > t->start ? mono - t->start : 0;
}

static void put_name(struct tracer *t, const char *verb, uint32_t instance)
{
	char name[2 * RENDER_SIZE];
	uint32_t lock_class = instance < model__instance_count(t->m)
				      ? model__instance(t->m, instance)->lock_class
				      : NO_ID;

	snprintf(name, sizeof(name), "%s%.200s", verb, render_class_name(t->m, lock_class));
	fputs(",\"name\":", t->out);
	write_json_string(t->out, name);
}

static void put_details(struct tracer *t, uint32_t instance, uint8_t mode, uint32_t stack)
{
	struct stack s = model__stack(t->m, stack);
	char text[4 * RENDER_SIZE];

	fputs(",\"args\":{\"instance\":", t->out);
	write_json_string(t->out, render_instance(text, sizeof(text), t->m, instance));
	fprintf(t->out, ",\"mode\":\"%s\"", render_mode(mode));
	for (uint32_t i = 0; i < s.frame_count; i++) {
		fputs(i ? "," : ",\"stack\":[", t->out);
		write_json_string(t->out, render_frame(text, sizeof(text), &s.frames[i]));
	}
	fputs(s.frame_count ? "]}" : "}", t->out);
}

static void put_slice(struct tracer *t, const char *verb, uint32_t task, uint64_t from, uint64_t to,
		      uint32_t instance, uint8_t mode, uint32_t stack)
{
	begin(t, 'X', task);
	put_time(t, "ts", since_start(t, from));
	put_time(t, "dur", to > from ? to - from : 0);
	fputs(",\"cat\":\"wait\"", t->out);
	put_name(t, verb, instance);
	put_details(t, instance, mode, stack);
	fputc('}', t->out);
}

static void put_hold_edge(struct tracer *t, char phase, uint32_t task, uint64_t time, uint64_t id,
			  uint32_t instance, uint8_t mode, uint32_t stack)
{
	begin(t, phase, task);
	put_time(t, "ts", since_start(t, time));
	fprintf(t->out, ",\"cat\":\"hold\",\"id\":\"%" PRIu64 "\"", id);
	put_name(t, "", instance);
	if (phase == 'b')
		put_details(t, instance, mode, stack);
	fputc('}', t->out);
}

static void put_task_chain(struct tracer *t, const char *which, uint64_t time,
			   const struct chain *c, uint32_t task)
{
	char name[3 * RENDER_SIZE];
	const char *held =
		c->held_count
			? render_class_name(
				  t->m, model__instance(t->m, c->held[c->held_count - 1].instance)
						->lock_class)
			: "nothing";

	begin(t, 'i', task);
	put_time(t, "ts", since_start(t, time));
	snprintf(name, sizeof(name), "%s occurrence: %.200s -> %.200s", which, held,
		 render_class_name(t->m, model__instance(t->m, c->wanted.instance)->lock_class));
	fputs(",\"s\":\"t\",\"cat\":\"occurrence\",\"name\":", t->out);
	write_json_string(t->out, name);
	put_details(t, c->wanted.instance, c->wanted.mode, c->wanted.stack);
	fputc('}', t->out);
}

/* --- from the event stream
 * --------------------------------------------------------------------------- */

struct open_hold {
	uint32_t task, instance;
	uint64_t id;
	struct open_hold *next;
};

struct pending_wait {
	uint64_t time;
	uint32_t instance, stack;
	uint8_t mode;
};

static void open_hold(struct tracer *t, struct open_hold **holds, const struct trace_event *e)
{
	struct open_hold *hold = malloc(sizeof(*hold));

	if (!hold)
		return;
	*hold = (struct open_hold){e->task, e->operand, t->next_id++, *holds};
	*holds = hold;
	put_hold_edge(t, 'b', e->task, e->time, hold->id, e->operand, e->mode, e->stack);
}

static void close_hold(struct tracer *t, struct open_hold **holds, const struct trace_event *e)
{
	for (struct open_hold **at = holds; *at; at = &(*at)->next) {
		struct open_hold *hold = *at;

		if (hold->instance != e->operand)
			continue;
		put_hold_edge(t, 'e', e->task, e->time, hold->id, e->operand, e->mode, NO_ID);
		*at = hold->next;
		free(hold);
		return;
	}
}

static void put_event(struct tracer *t, struct open_hold **holds, struct pending_wait *wait,
		      const struct trace_event *e)
{
	switch (e->op) {
	case EVENT_REQUEST:
		*wait = (struct pending_wait){e->time, e->operand, e->stack, e->mode};
		break;
	case EVENT_ACQUIRE:
	case EVENT_TRY_ACQUIRE:
		if (wait->instance == e->operand)
			put_slice(t, "wait ", e->task, wait->time, e->time, e->operand, e->mode,
				  wait->stack);
		wait->instance = NO_ID;
		open_hold(t, holds, e);
		break;
	case EVENT_RELEASE:
		close_hold(t, holds, e);
		break;
	default:
		break;
	}
}

/* A trace without a clock is shown with one microsecond between events. */
static struct trace_event with_time(const struct trace_event *e, uint64_t i, bool has_time)
{
	struct trace_event timed = *e;

	if (!has_time || !e->time)
		timed.time = (i + 1) * 1000;
	return timed;
}

static int put_stream(struct tracer *t)
{
	uint64_t count = model__event_count(t->m), end = 0;
	uint32_t tasks = model__task_count(t->m);
	bool has_time = model__clock(t->m)->has_time;
	struct open_hold **holds = calloc(tasks + 1, sizeof(*holds));
	struct pending_wait *waits = calloc(tasks + 1, sizeof(*waits));

	for (uint32_t i = 0; waits && i < tasks; i++)
		waits[i].instance = NO_ID;
	if (!has_time)
		t->start = 0;
	for (uint64_t i = 0; holds && waits && i < count; i++) {
		struct trace_event e = with_time(&model__events(t->m)[i], i, has_time);

		end = e.time > end ? e.time : end;
		if (e.task < tasks)
			put_event(t, &holds[e.task], &waits[e.task], &e);
	}
	for (uint32_t i = 0; holds && waits && i < tasks; i++) {
		if (waits[i].instance != NO_ID)
			put_slice(t, "wait (never got) ", i, waits[i].time, end, waits[i].instance,
				  waits[i].mode, waits[i].stack);
		while (holds[i]) {
			struct open_hold *hold = holds[i];

			put_hold_edge(t, 'e', i, end, hold->id, hold->instance, 0, NO_ID);
			holds[i] = hold->next;
			free(hold);
		}
	}
	free(holds);
	free(waits);
	return holds && waits ? 0 : -ENOMEM;
}

/* --- without one
 * ---------------------------------------------------------------------------------------- */

static void put_task_chains(struct tracer *t)
{
	for (uint32_t i = 0; i < model__task_chain_count(t->m); i++) {
		const struct task_chain *pair = model__task_chain(t->m, i);
		const struct chain *c = model__chain(t->m, pair->chain);

		if (pair->first)
			put_task_chain(t, "first", pair->first, c, pair->task);
		if (pair->last > pair->first)
			put_task_chain(t, "last", pair->last, c, pair->task);
	}
}

static void put_deadlocks(struct tracer *t, const struct finding_list *list)
{
	for (uint32_t i = 0; list && i < list->count; i++) {
		const struct finding *f = list->items[i];
		uint64_t end = f->resolved && f->resolved_at ? f->resolved_at : f->last;

		for (uint32_t k = 0; f->kind == FINDING_DEADLOCK && k < f->task_count; k++)
			if (f->tasks[k].since)
				put_slice(t, "deadlocked, wants ", f->tasks[k].task,
					  f->tasks[k].since, end, f->tasks[k].wants,
					  f->tasks[k].wants_mode, f->tasks[k].kernel_stack);
	}
}

static void put_names(struct tracer *t)
{
	for (uint32_t i = 0; i < model__task_count(t->m); i++) {
		const struct task *task = model__task(t->m, i);

		for (int process = 0; process < 2; process++) {
			begin(t, 'M', i);
			fprintf(t->out, ",\"name\":\"%s_name\",\"args\":{\"name\":",
				process ? "process" : "thread");
			write_json_string(t->out, task->comm);
			fputs("}}", t->out);
		}
	}
}

/* A recording may hold marks (gaps, forks) without a single lock event. */
static bool has_stream(const struct model *m)
{
	for (uint64_t i = 0; i < model__event_count(m); i++)
		if (model__events(m)[i].op <= EVENT_REQUEST)
			return true;
	return false;
}

int report_trace(FILE *out, const struct report_input *input, const struct report_options *options)
{
	struct tracer tracer = {.out = out, .m = input->model, .next_id = 1};
	bool stream = has_stream(input->model);
	int status = 0;

	tracer.start = model__clock(input->model)->start;
	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"tool\":\"vfiotrace " VERSION
	      "\",\"title\":",
	      out);
	write_json_string(out, options->title);
	fprintf(out, ",\"source\":\"%s\"},\"traceEvents\":[",
		stream ? "event stream" : "first and last occurrences only");
	put_names(&tracer);
	if (stream)
		status = put_stream(&tracer);
	else
		put_task_chains(&tracer);
	put_deadlocks(&tracer, input->findings);
	fputs("\n]}\n", out);
	return status;
}
