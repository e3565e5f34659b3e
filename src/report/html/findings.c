// SPDX-License-Identifier: GPL-2.0-or-later
/* The page's data: findings, with the sentences already made. */
#include <inttypes.h>
#include <stdlib.h>

#include "report/escape.h"
#include "report/html/html_private.h"

static void put_text(FILE *out, const char *key, const char *raw)
{
	fprintf(out, ",\"%s\":", key);
	write_json_string(out, raw);
}

static void put_owned(FILE *out, const char *key, char *raw)
{
	put_text(out, key, raw);
	free(raw);
}

static void put_ids(FILE *out, const char *key, const uint32_t *ids, uint32_t count)
{
	fprintf(out, ",\"%s\":[", key);
	for (uint32_t i = 0; ids && i < count; i++) {
		fputs(i ? "," : "", out);
		html_id(out, ids[i]);
	}
	fputc(']', out);
}

static void put_witness(FILE *out, const struct model *m, const struct finding *f, uint32_t i)
{
	const struct witness *w = &f->witnesses[i];
	struct witness_objects objects = render_witness_objects(m, w);
	uint32_t ids[] = {w->dependency, w->chain,   w->last_chain, w->held_index, w->task,
			  w->class_edge, objects.vm, objects.group, objects.device};
	static const char *const keys[] = {"dependency", "chain", "last_chain", "held",	 "task",
					   "edge",	 "vm",	  "group",	"device"};

	if (w->class_edge == NO_ID)
		ids[5] = model__find_edge(m, f->classes[i], f->classes[(i + 1) % f->length]);
	for (size_t k = 0; k < sizeof(ids) / sizeof(ids[0]); k++) {
		fprintf(out, "%s\"%s\":", k ? "," : i ? ",{" : "{", keys[k]);
		html_id(out, ids[k]);
	}
	fputc('}', out);
}

static void put_other(FILE *out, const struct other_task *t)
{
	fputs("{\"task\":", out);
	html_id(out, t->task);
	fputs(",\"stack\":", out);
	html_id(out, t->stack);
	fprintf(out, ",\"blocked\":%" PRIu64, t->blocked_ns);
	put_text(out, "state", (char[]){t->state, '\0'});
	fputc('}', out);
}

static void put_wait(FILE *out, const struct task_wait *wait)
{
	fputs(",\"wait\":", out);
	if (!wait) {
		fputs("null", out);
		return;
	}
	fputs("{\"class\":", out);
	html_id(out, wait->lock_class);
	put_text(out, "what", render_wait(wait->what));
	put_text(out, "site", wait->site);
	fprintf(out, ",\"blocked\":%" PRIu64 ",\"more\":%u,\"owner\":", wait->blocked_ns,
		wait->more_waiters);
	if (wait->owner.task == NO_ID)
		fputs("null", out);
	else
		put_other(out, &wait->owner);
	fputs(",\"waiters\":[", out);
	for (uint32_t i = 0; i < wait->waiter_count; i++) {
		fputs(i ? "," : "", out);
		put_other(out, &wait->waiters[i]);
	}
	fputs("]}", out);
}

static void put_blocked_task(FILE *out, const struct model *m, const struct blocked_task *t,
			     bool first)
{
	struct witness at = {.chain = NO_ID, .task = t->task};
	struct witness_objects objects = render_witness_objects(m, &at);

	fprintf(out, "%s{\"task\":", first ? "" : ",");
	html_id(out, t->task);
	fputs(",\"wants\":", out);
	html_id(out, t->wants);
	fprintf(out, ",\"mode\":%u,\"breakable\":%u,\"since\":", t->wants_mode, t->breakable);
	html_time(out, m, t->since);
	fputs(",\"kernel_stack\":", out);
	html_id(out, t->kernel_stack);
	fputs(",\"user_stack\":", out);
	html_id(out, t->user_stack);
	fputs(",\"vm\":", out);
	html_id(out, t->vm != NO_ID ? t->vm : objects.vm);
	fputs(",\"device\":", out);
	html_id(out, t->device != NO_ID ? t->device : objects.device);
	put_text(out, "state", (char[]){t->state ? t->state : '?', '\0'});
	put_ids(out, "holds", t->holds, t->hold_count);
	put_wait(out, t->wait);
	fputc('}', out);
}

static void put_known(FILE *out, const struct finding *f)
{
	fputs(",\"known\":[", out);
	for (uint32_t i = 0; i < f->known_count; i++) {
		fputs(i ? ",[" : "[", out);
		write_json_string(out, f->known[i].commit);
		fputc(',', out);
		write_json_string(out, f->known[i].title);
		fputc(',', out);
		write_json_string(out, f->known[i].state);
		fputc(']', out);
	}
	fputc(']', out);
}

static void put_lines(FILE *out, const char *key, char **lines)
{
	fprintf(out, ",\"%s\":[", key);
	for (char **line = lines; line && *line; line++) {
		fputs(line == lines ? "" : ",", out);
		write_json_string(out, *line);
	}
	fputc(']', out);
}

static void put_judgement(FILE *out, const struct finding *f)
{
	static const char *const predictions[] = {"not decided", "unreachable", "reachable"};

	fprintf(out, ",\"prediction\":\"%s\"", predictions[f->prediction]);
	put_text(out, "prediction_note", f->prediction_note);
	put_text(out, "ordered_by", f->ordered_by);
	put_text(out, "note", f->note);
	put_text(out, "rule", f->rule);
	put_text(out, "missing", f->missing);
	put_text(out, "suppressed", f->suppressed);
	fprintf(out, ",\"same_thread\":%s,\"inferred\":%s,\"resolved\":%s,\"is_suppressed\":%s",
		f->same_thread ? "true" : "false", f->inferred ? "true" : "false",
		f->resolved ? "true" : "false", f->suppressed ? "true" : "false");
	fputs(",\"schedule\":[", out);
	for (uint32_t i = 0; i < f->schedule_count; i++) {
		fputs(i ? "," : "", out);
		write_json_string(out, f->schedule[i]);
	}
	fputc(']', out);
}

static void put_finding(FILE *out, const struct model *m, const struct finding *f)
{
	char **next = render_next(m, f);

	fprintf(out, "{\"kind\":\"%s\",\"code\":\"%s\",\"grade\":\"%s\",\"count\":%" PRIu64,
		finding_kind_names[f->kind], finding_code_names[f->code],
		finding_grade_names[f->grade], f->count);
	fputs(",\"first\":", out);
	html_time(out, m, f->first);
	fputs(",\"last\":", out);
	html_time(out, m, f->last);
	put_owned(out, "sentence", render_sentence(m, f));
	put_owned(out, "cycle", render_cycle(m, f));
	put_ids(out, "classes", f->classes, f->length);
	put_ids(out, "guards", f->guards, f->guard_count);
	fputs(",\"modes\":[", out);
	for (uint32_t i = 0; f->modes && i < f->length; i++)
		fprintf(out, "%s%u", i ? "," : "", f->modes[i]);
	fputs("],\"witnesses\":[", out);
	for (uint32_t i = 0; f->witnesses && f->kind != FINDING_HANG && i < f->length; i++)
		put_witness(out, m, f, i);
	fputs("],\"tasks\":[", out);
	for (uint32_t i = 0; i < f->task_count; i++)
		put_blocked_task(out, m, &f->tasks[i], !i);
	fputc(']', out);
	put_known(out, f);
	put_judgement(out, f);
	put_lines(out, "next", next);
	render_free_lines(next);
	fputc('}', out);
}

void html_data_findings(FILE *out, const struct html_selection *s)
{
	const struct finding_list *list = s->input->findings;
	const struct finding **sorted = list ? render_sorted(list) : NULL;

	fputs("\"findings\":[", out);
	for (uint32_t i = 0; sorted && i < list->count; i++) {
		fputs(i ? ",\n" : "", out);
		put_finding(out, s->m, sorted[i]);
	}
	fputs("],\n", out);
	free(sorted);
}
