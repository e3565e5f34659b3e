// SPDX-License-Identifier: GPL-2.0-or-later
/* The page's data: tasks, objects, durations, events of the cycle's tasks, waits now, findings. */
#include <inttypes.h>
#include <stdlib.h>

#include "report/durations.h"
#include "report/escape.h"
#include "report/html/html_private.h"

/* "id":[pid, tid, comm, vm, flags] */
static void put_tasks(FILE *out, const struct html_selection *s)
{
	bool any = false;

	fputs("\"tasks\":{", out);
	for (uint32_t i = 0; i < model__task_count(s->m); i++) {
		const struct task *t = model__task(s->m, i);

		if (!s->tasks[i])
			continue;
		fprintf(out, "%s\"%u\":[%u,%u,", any ? ",\n" : "", i, t->pid, t->tid);
		write_json_string(out, t->comm);
		fputc(',', out);
		html_id(out, t->vm);
		fprintf(out, ",%u]", t->flags);
		any = true;
	}
	/* [task, chain, count, first, last] */
	fputs("},\n\"task_chains\":[", out);
	any = false;
	for (uint32_t i = 0; i < model__task_chain_count(s->m); i++) {
		const struct task_chain *pair = model__task_chain(s->m, i);

		if (!s->chains[pair->chain])
			continue;
		fprintf(out, "%s[%u,%u,%" PRIu64 ",", any ? "," : "", pair->task, pair->chain,
			pair->count);
		html_time(out, s->m, pair->first);
		fputc(',', out);
		html_time(out, s->m, pair->last);
		fputc(']', out);
		any = true;
	}
	fputs("],\n", out);
}

/* [kind, parent, pid, number, name, detail] */
static void put_objects(FILE *out, const struct model *m)
{
	fputs("\"objects\":[", out);
	for (uint32_t i = 0; i < model__object_count(m); i++) {
		const struct object *o = model__object(m, i);

		fprintf(out, "%s[%u,", i ? ",\n" : "", o->kind);
		html_id(out, o->parent);
		fprintf(out, ",%u,%u,", o->pid, o->number);
		write_json_string(out, o->name);
		fputc(',', out);
		write_json_string(out, o->detail);
		fputc(']', out);
	}
	fputs("],\n", out);
}

/* [class, stack, vm, count, total, max, p50, p99, first bucket, bucket …] */
static void put_durations(FILE *out, const struct html_selection *s, const char *name, bool is_hold,
			  enum durations_by by)
{
	struct duration_total *totals = NULL;
	uint32_t rows = durations__collect(s->m, is_hold, by, &totals);

	fprintf(out, "\"%s\":[", name);
	for (uint32_t i = 0; i < rows && i < HTML_DURATIONS; i++) {
		const struct histogram *h = &totals[i].time;
		int first = 0, last = HISTOGRAM_BUCKETS - 1;

		while (first < last && !h->bucket[first])
			first++;
		while (last > first && !h->bucket[last])
			last--;
		fputs(i ? ",\n[" : "[", out);
		html_id(out, totals[i].lock_class);
		fputc(',', out);
		html_id(out, totals[i].stack);
		fputc(',', out);
		html_id(out, totals[i].vm);
		fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d",
			h->count, h->total, h->max, histogram__quantile(h, 0.5),
			histogram__quantile(h, 0.99), first);
		for (int k = first; k <= last; k++)
			fprintf(out, ",%u", h->bucket[k]);
		fputc(']', out);
	}
	fputs("],\n", out);
	free(totals);
}

static void put_all_durations(FILE *out, const struct html_selection *s)
{
	static const char *const names[2][3] = {{"waits", "wait_paths", "wait_vms"},
						{"holds", "hold_paths", "hold_vms"}};

	for (int is_hold = 0; is_hold < 2; is_hold++) {
		for (int by = 0; by < 3; by++)
			put_durations(out, s, names[is_hold][by], is_hold, by);
		fprintf(out, "\"no_%s\":", names[is_hold][0]);
		write_json_string(out, durations__missing(s->m, is_hold));
		fputs(",\n", out);
	}
}

/* [time or index, task, op, instance, mode]; only tasks of a cycle */
static void put_events(FILE *out, const struct html_selection *s)
{
	bool any = false, has_time = model__clock(s->m)->has_time;

	fputs("\"events\":[", out);
	for (uint64_t i = s->events_from; i < model__event_count(s->m); i++) {
		const struct trace_event *e = &model__events(s->m)[i];

		if (!html_shows_event(s, e))
			continue;
		fputs(any ? ",[" : "[", out);
		if (has_time && e->time)
			html_time(out, s->m, e->time);
		else
			fprintf(out, "%" PRIu64, i + 1);
		fprintf(out, ",%u,%u,", e->task, e->op);
		html_id(out, e->operand);
		fprintf(out, ",%u]", e->mode);
		any = true;
	}
	fprintf(out, "],\n\"events_cut\":%" PRIu64 ",\n", s->events_cut);
}

static void put_waitfor(FILE *out, const struct waitfor *w, const struct model *m)
{
	fputs("\"waits_now\":[", out);
	for (uint32_t i = 0; w && i < waitfor__wait_count(w); i++) {
		const struct waitfor_wait *wait = waitfor__wait(w, i);

		fprintf(out, "%s[%u,%u,%u,%u,", i ? "," : "", wait->task, wait->instance,
			wait->mode, wait->breakable);
		html_time(out, m, wait->since);
		fputc(']', out);
	}
	fputs("],\n\"owners_now\":[", out);
	for (uint32_t i = 0; w && i < waitfor__owner_count(w); i++) {
		const struct waitfor_owner *owner = waitfor__owner(w, i);

		fprintf(out, "%s[%u,%u,%u,%d]", i ? "," : "", owner->task, owner->instance,
			owner->mode, owner->certain);
	}
	fputs("],\n", out);
}

void html_data_tables(FILE *out, const struct html_selection *s)
{
	put_tasks(out, s);
	put_objects(out, s->m);
	put_all_durations(out, s);
	put_events(out, s);
	put_waitfor(out, s->input->waitfor, s->m);
}
