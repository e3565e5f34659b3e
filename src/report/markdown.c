// SPDX-License-Identifier: GPL-2.0-or-later
/* The report for a ticket: verdict, findings with their stacks, the cycle as a picture, coverage.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "drivers.h"
#include "report/durations.h"
#include "report/escape.h"
#include "report/outputs.h"
#include "util/text.h"

static void put_lock(FILE *out, const struct model *m, const char *what,
		     const struct held_lock *lock)
{
	char instance[RENDER_SIZE], frame[4 * RENDER_SIZE];
	struct stack s = model__stack(m, lock->stack);

	fprintf(out, "%s ", what);
	write_code(out, render_class_name(m, model__held_class(m, lock)));
	fputc(' ', out);
	write_code(out, render_instance(instance, sizeof(instance), m, lock->instance));
	fprintf(out, ", %s%s%s%s\n", render_mode(lock->mode),
		lock->flags & HELD_INFERRED ? ", inferred from the path" : "",
		lock->flags & HELD_FAULT ? ", by a page fault" : "",
		s.kind == STACK_SITE ? " (acquire site only)" : "");
	for (uint32_t i = 0; i < s.frame_count; i++) {
		fputs("    ", out);
		write_code(out, render_frame(frame, sizeof(frame), &s.frames[i]));
		fputc('\n', out);
	}
}

static void put_object(FILE *out, const struct model *m, const char *what, uint32_t object)
{
	if (object >= model__object_count(m))
		return;
	fprintf(out, ", %s ", what);
	write_markdown(out, model__object(m, object)->name);
}

static void put_witness(FILE *out, const struct model *m, const struct finding *f, uint32_t i)
{
	const struct witness *w = &f->witnesses[i];
	struct witness_objects objects = render_witness_objects(m, w);
	char task[RENDER_SIZE], count[RENDER_SIZE];

	fprintf(out, "**Order %u: ", i + 1);
	write_markdown(out, render_class_name(m, f->classes[i]));
	fputs(" → ", out);
	write_markdown(out, render_class_name(m, f->classes[(i + 1) % f->length]));
	fputs("**", out);
	if (w->dependency < model__dependency_count(m))
		fprintf(out, ", seen %s times",
			render_count(count, sizeof(count),
				     model__dependency(m, w->dependency)->count));
	if (w->task < model__task_count(m)) {
		fputs(", by ", out);
		write_markdown(out, render_task(task, sizeof(task), m, w->task));
	}
	put_object(out, m, "VM", objects.vm);
	put_object(out, m, "group", objects.group);
	put_object(out, m, "device", objects.device);
	fputs("\n\n", out);
	if (w->chain >= model__chain_count(m))
		return;
	fputs("```\n", out);
	if (w->held_index < model__chain(m, w->chain)->held_count)
		put_lock(out, m, "held  ", &model__chain(m, w->chain)->held[w->held_index]);
	put_lock(out, m, "wanted", &model__chain(m, w->chain)->wanted);
	fputs("```\n\n", out);
}

static void put_other(FILE *out, const struct model *m, const char *what,
		      const struct other_task *t)
{
	char buffer[RENDER_SIZE];

	fputs(what, out);
	write_code(out, render_task(buffer, sizeof(buffer), m, t->task));
	if (t->state) {
		fputs(", state ", out);
		write_code(out, (char[]){t->state, '\0'});
	}
	if (t->blocked_ns)
		fprintf(out, ", for %s", render_duration(buffer, sizeof(buffer), t->blocked_ns));
	fputc('\n', out);
}

static void put_wait(FILE *out, const struct model *m, const struct blocked_task *t)
{
	const struct task_wait *wait = t->wait;

	fprintf(out, "waits  %s\n", render_wait(wait->what));
	if (wait->lock_class != NO_ID && t->wants >= model__instance_count(m)) {
		fputs("wants  ", out);
		write_code(out, render_class_name(m, wait->lock_class));
		fputc('\n', out);
	}
	if (wait->site) {
		fputs("in     ", out);
		write_code(out, wait->site);
		fputc('\n', out);
	}
	if (wait->owner.task != NO_ID)
		put_other(out, m, "owner  ", &wait->owner);
	for (uint32_t i = 0; i < wait->waiter_count; i++)
		put_other(out, m, "behind ", &wait->waiters[i]);
	if (wait->more_waiters)
		fprintf(out, "behind %u more\n", wait->more_waiters);
}

static void put_frames(FILE *out, const struct model *m, uint32_t stack)
{
	struct stack s = model__stack(m, stack);
	char buffer[4 * RENDER_SIZE];

	for (uint32_t i = 0; i < s.frame_count; i++) {
		fputs("    ", out);
		write_code(out, render_frame(buffer, sizeof(buffer), &s.frames[i]));
		fputc('\n', out);
	}
}

static void put_blocked_task(FILE *out, const struct model *m, const struct blocked_task *t)
{
	char buffer[RENDER_SIZE];

	fputs("```\n", out);
	write_code(out, render_task(buffer, sizeof(buffer), m, t->task));
	fputs(", state ", out);
	write_code(out, (char[]){t->state ? t->state : '?', '\0'});
	fputc('\n', out);
	for (uint32_t i = 0; i < t->hold_count; i++) {
		if (t->holds[i] >= model__instance_count(m))
			continue;
		fputs("holds  ", out);
		write_code(out, render_class_name(m, model__instance(m, t->holds[i])->lock_class));
		fputc(' ', out);
		write_code(out, render_instance(buffer, sizeof(buffer), m, t->holds[i]));
		fputc('\n', out);
	}
	if (t->wants < model__instance_count(m)) {
		fputs("wants  ", out);
		write_code(out, render_class_name(m, model__instance(m, t->wants)->lock_class));
		fputc(' ', out);
		write_code(out, render_instance(buffer, sizeof(buffer), m, t->wants));
		fputc('\n', out);
	}
	if (t->wait)
		put_wait(out, m, t);
	put_frames(out, m, t->kernel_stack);
	if (t->wait && model__stack(m, t->wait->owner.stack).frame_count) {
		fputs("owner's stack\n", out);
		put_frames(out, m, t->wait->owner.stack);
	}
	fputs("```\n\n", out);
}

static void put_finding(FILE *out, const struct model *m, const struct finding *f)
{
	char *sentence = render_sentence(m, f);
	char **next = render_next(m, f);

	fprintf(out, "### %s: %s, %s%s\n\n", finding_grade_names[f->grade],
		finding_kind_names[f->kind], finding_code_names[f->code],
		f->suppressed ? " (suppressed)" : "");
	write_markdown(out, sentence);
	fputs("\n\n", out);
	for (uint32_t i = 0; i < f->known_count; i++) {
		fputs("Known fix: `", out);
		write_code(out, f->known[i].commit);
		fputs("` ", out);
		write_markdown(out, f->known[i].title);
		fputs(", ", out);
		write_markdown(out, f->known[i].state);
		fputs(".\n\n", out);
	}
	if (f->missing) {
		fputs("Incomplete: ", out);
		write_markdown(out, f->missing);
		fputs(".\n\n", out);
	}
	for (uint32_t i = 0; i < f->task_count; i++)
		put_blocked_task(out, m, &f->tasks[i]);
	for (uint32_t i = 0; f->witnesses && i < f->length && !finding_kind__is_wait(f->kind); i++)
		put_witness(out, m, f, i);
	if (next && *next)
		fputs("What to do next:\n\n", out);
	for (char **line = next; line && *line; line++)
		fprintf(out, "- %s\n%s", text_safe(*line), line[1] ? "" : "\n");
	render_free_lines(next);
	free(sentence);
}

static void put_coverage(FILE *out, const struct model *m)
{
	struct driver_table *drivers;
	char words[256];

	fputs("### Coverage\n\n", out);
	if (!render_has_coverage(m)) {
		fputs("Not known: this source does not say which paths ran.\n\n", out);
		return;
	}
	drivers = driver_table__make(m);
	fputs("| path | state | hits | probe or reason | drivers |\n|---|---|--:|---|---|\n", out);
	for (int i = 0; i < PATH_COUNT; i++) {
		const struct coverage *c = model__coverage(m, i);

		fprintf(out, "| `%s` | %s | %" PRIu64 " | ", path_names[i],
			coverage_state_names[c->state], c->hits);
		write_markdown(out, c->reason ? c->reason : c->probe);
		fputs(" | ", out);
		if (drivers && driver_table__describe(drivers, i, words, sizeof(words)))
			write_markdown(out, words);
		fputs(" |\n", out);
	}
	driver_table__free(drivers);
	fputc('\n', out);
}

static void put_duration(FILE *out, const struct model *m, const struct duration_total *row)
{
	const struct histogram *h = &row->time;
	struct stack s = model__stack(m, row->stack);
	char count[RENDER_SIZE], total[RENDER_SIZE], p99[RENDER_SIZE], max[RENDER_SIZE],
		frame[4 * RENDER_SIZE];

	fprintf(out, "| %s | %s | %s | %s | ", render_count(count, sizeof(count), h->count),
		render_duration(total, sizeof(total), h->total),
		render_duration(p99, sizeof(p99), histogram__quantile(h, 0.99)),
		render_duration(max, sizeof(max), h->max));
	write_markdown(out, render_class_name(m, row->lock_class));
	fputs(" | ", out);
	if (s.frame_count)
		write_markdown(out, render_frame(frame, sizeof(frame), &s.frames[0]));
	fputs(" |\n", out);
}

/* A ticket wants the worst few; the page and the text have all of them. */
static void put_durations(FILE *out, const struct model *m, uint32_t top)
{
	static const char *const titles[] = {"Waits", "Holds"};

	for (int is_hold = 0; is_hold < 2; is_hold++) {
		struct duration_total *totals = NULL;
		uint32_t rows = durations__collect(m, is_hold, DURATIONS_BY_CALL_PATH, &totals);

		fprintf(out, "### %s\n\n", titles[is_hold]);
		if (!rows)
			write_markdown(out, durations__missing(m, is_hold));
		else
			fputs("| count | total | p99 at most | max | lock | where |\n"
			      "|--:|--:|--:|--:|---|---|\n",
			      out);
		for (uint32_t i = 0; i < rows && i < top; i++)
			put_duration(out, m, &totals[i]);
		fputs(rows ? "\n" : "\n\n", out);
		free(totals);
	}
}

static void put_losses(FILE *out, const struct model *m)
{
	fputs("### Losses\n\n", out);
	if (model__losses_unknown(m)) {
		fputs("Not all losses can be counted: ", out);
		write_markdown(out, model__losses_unknown(m));
		fputs("\n\n", out);
	}
	for (int i = 0; i < LOSS_REASONS; i++)
		fprintf(out, "%s`%s` %" PRIu64, i ? ", " : "", loss_names[i], model__loss(m, i));
	fputs("\n", out);
}

static void put_host(FILE *out, const struct model *m)
{
	const char *kernel = model__fact(m, "kernel.release"), *arch = model__fact(m, "arch");
	char when[RENDER_SIZE];

	if (!kernel)
		return;
	fputs("Kernel `", out);
	write_code(out, kernel);
	fputs("` ", out);
	write_markdown(out, arch);
	if (*render_time(when, sizeof(when), m, model__clock(m)->start))
		fprintf(out, ", from %s", when);
	fputs("\n\n", out);
}

int report_markdown(FILE *out, const struct report_input *input,
		    const struct report_options *options)
{
	const struct finding **sorted = input->findings ? render_sorted(input->findings) : NULL;
	char *verdict = options->verdict ? NULL : render_verdict(input);
	int status;

	fputs("## ", out);
	write_markdown(out, options->title ? options->title : "Lock order report");
	fputs("\n\n**", out);
	write_markdown(out, options->verdict ? options->verdict : verdict);
	fputs("**\n\n", out);
	put_host(out, input->model);
	for (uint32_t i = 0; sorted && i < input->findings->count; i++)
		put_finding(out, input->model, sorted[i]);
	fputs("### Class graph\n\n```mermaid\n", out);
	status = report_mermaid(out, input, options);
	fputs("```\n\n", out);
	put_durations(out, input->model, options->top ? options->top : 20);
	put_coverage(out, input->model);
	put_losses(out, input->model);
	free(verdict);
	free(sorted);
	return status;
}
