// SPDX-License-Identifier: GPL-2.0-or-later
/* One finding as a block of text: both orders, both stacks, who, where, and what to do. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/text_private.h"
#include "util/text.h"

static const char *const indent = "      ";

static void put_class(FILE *out, const struct model *m, uint32_t lock_class)
{
	char idiom[RENDER_SIZE];
	const char *name = render_class_name(m, lock_class);

	fprintf(out, "%s", text_safe(name));
	if (render_idiom(idiom, sizeof(idiom), name))
		fprintf(out, " (%s)", text_safe(idiom));
}

static void put_headline(FILE *out, const struct model *m, const struct finding *f, bool color)
{
	enum style style = f->suppressed ? STYLE_DIM : text_grade_style(f->grade);
	char *sentence = render_sentence(m, f);
	char *cycle = render_cycle(m, f);

	fprintf(out, "%s== %s: %s%s%s%s\n", text_style(color, style), finding_grade_names[f->grade],
		finding_kind_names[f->kind], f->code == CODE_DEADLOCK ? "" : ", ",
		f->code == CODE_DEADLOCK ? "" : finding_code_names[f->code], text_end(color));
	fprintf(out, "   %s%s%s\n", text_style(color, STYLE_BOLD), text_safe(sentence),
		text_end(color));
	if (f->length && f->kind != FINDING_HANG)
		fprintf(out, "   %s\n", text_safe(cycle));
	if (f->suppressed)
		fprintf(out, "   suppressed: %s\n", text_safe(f->suppressed));
	free(sentence);
	free(cycle);
}

static void put_seen(FILE *out, const struct model *m, uint64_t first, uint64_t last,
		     uint64_t count)
{
	char number[RENDER_SIZE], when[RENDER_SIZE], later[RENDER_SIZE];

	fprintf(out, "seen %s time%s", render_count(number, sizeof(number), count),
		count == 1 ? "" : "s");
	if (*render_time(when, sizeof(when), m, first))
		fprintf(out, ", first %s", when);
	if (last > first && first)
		fprintf(out, ", last %s later",
			render_duration(later, sizeof(later), last - first));
	fputc('\n', out);
}

static void put_objects(FILE *out, const struct model *m, struct witness_objects objects,
			uint32_t path)
{
	static const char *const names[] = {"VM ", "", "device "};
	uint32_t ids[] = {objects.vm, objects.group, objects.device};
	bool any = false;

	for (int i = 0; i < 3; i++) {
		const struct object *o;

		if (ids[i] >= model__object_count(m))
			continue;
		o = model__object(m, ids[i]);
		/* "VM of qemu/4711" says already what it is */
		fprintf(out, "%s%s%s", any ? "   " : "    at      ",
			o->name && !strncmp(o->name, names[i], strlen(names[i])) ? "" : names[i],
			text_safe(o->name ? o->name : "?"));
		if (o->detail)
			fprintf(out, " (%s)", text_safe(o->detail));
		any = true;
	}
	if (render_path_name(path)) {
		fprintf(out, "%spath %s", any ? "   " : "    at      ", render_path_name(path));
		any = true;
	}
	if (any)
		fputc('\n', out);
}

static void put_lock(FILE *out, const struct model *m, const char *what,
		     const struct held_lock *lock, bool wanted, bool color)
{
	fprintf(out, "    %-7s ", what);
	text_lock(out, m, model__held_class(m, lock), lock->instance, color);
	fprintf(out, ", %s", render_mode(lock->mode));
	if (lock->flags & HELD_TRY)
		fprintf(out, ", got by trylock");
	if (lock->flags & HELD_INFERRED)
		fprintf(out, ", inferred from the path");
	if (lock->flags & HELD_FAULT && wanted)
		fprintf(out, ", by a page fault");
	if (lock->flags & HELD_BREAKABLE && wanted)
		fprintf(out, ", a signal can end this wait");
	if (model__stack(m, lock->stack).kind == STACK_SITE)
		fprintf(out, " (acquire site only)");
	fputs(model__stack(m, lock->stack).frame_count ? " at\n" : "\n", out);
	text_stack(out, m, lock->stack, indent, color);
}

static void put_chain(FILE *out, const struct model *m, const struct witness *w, bool color)
{
	const struct chain *c = model__chain(m, w->chain);

	if (w->held_index < c->held_count)
		put_lock(out, m, "held", &c->held[w->held_index], false, color);
	put_lock(out, m, "wanted", &c->wanted, true, color);
	for (uint32_t i = 0; i < c->held_count; i++) {
		if (i == w->held_index)
			continue;
		fprintf(out, "    also    ");
		text_lock(out, m, model__held_class(m, &c->held[i]), c->held[i].instance, false);
		fprintf(out, ", %s\n", render_mode(c->held[i].mode));
	}
}

static void put_witness(FILE *out, const struct model *m, const struct finding *f, uint32_t i,
			bool color)
{
	const struct witness *w = &f->witnesses[i];
	char task[RENDER_SIZE];
	uint32_t to = f->classes[(i + 1) % f->length];

	fprintf(out, "\n %s%u%s  ", text_style(color, STYLE_BOLD), i + 1, text_end(color));
	put_class(out, m, f->classes[i]);
	fprintf(out, " -> ");
	put_class(out, m, to);
	fputc('\n', out);
	if (w->dependency < model__dependency_count(m)) {
		const struct dependency *d = model__dependency(m, w->dependency);

		fprintf(out, "    ");
		put_seen(out, m, d->first, d->last, d->count);
	} else if (w->class_edge < model__class_edge_count(m)) {
		const struct class_edge *e = model__class_edge(m, w->class_edge);

		fprintf(out, "    ");
		put_seen(out, m, e->first, e->last, e->count);
	}
	if (w->task < model__task_count(m))
		fprintf(out, "    task    %s\n",
			text_safe(render_task(task, sizeof(task), m, w->task)));
	put_objects(out, m, render_witness_objects(m, w),
		    w->chain < model__chain_count(m) ? model__chain(m, w->chain)->path : NO_ID);
	if (w->chain < model__chain_count(m))
		put_chain(out, m, w, color);
	else
		fprintf(out,
			"    the source names the two classes only: no instances, no stacks\n");
}

/* `closes`: the first one closes a cycle. */
static void put_holds(FILE *out, const struct model *m, const struct blocked_task *t, bool closes)
{
	for (uint32_t i = 0; i < t->hold_count; i++) {
		if (t->holds[i] >= model__instance_count(m))
			continue;
		fprintf(out, "    holds   ");
		text_lock(out, m, model__instance(m, t->holds[i])->lock_class, t->holds[i], false);
		fputs(i || !closes ? "\n" : "   <- wanted by the one before it\n", out);
	}
}

static void put_other(FILE *out, const struct model *m, const char *what,
		      const struct other_task *t)
{
	char task[RENDER_SIZE], waited[RENDER_SIZE];

	fprintf(out, "    %-7s %s", what, text_safe(render_task(task, sizeof(task), m, t->task)));
	if (t->state)
		fprintf(out, ", state %s", text_safe((char[]){t->state, '\0'}));
	if (t->blocked_ns)
		fprintf(out, ", for %s", render_duration(waited, sizeof(waited), t->blocked_ns));
	fputc('\n', out);
}

/* What a log says of a wait; where the lock's instance is known, put_blocked_task names it. */
static void put_wait(FILE *out, const struct model *m, const struct blocked_task *t, bool color)
{
	const struct task_wait *wait = t->wait;
	char waited[RENDER_SIZE];

	fprintf(out, "    waits   %s", render_wait(wait->what));
	if (wait->blocked_ns)
		fprintf(out, ", for %s", render_duration(waited, sizeof(waited), wait->blocked_ns));
	fputc('\n', out);
	if (wait->lock_class != NO_ID && t->wants >= model__instance_count(m)) {
		fprintf(out, "    wants   ");
		text_lock(out, m, wait->lock_class, NO_ID, color);
		fputc('\n', out);
	}
	if (wait->site)
		fprintf(out, "    in      %s\n", text_safe(wait->site));
	if (wait->owner.task != NO_ID)
		put_other(out, m, "owner", &wait->owner);
	else if (wait_what__is_lock(wait->what))
		fprintf(out, "    owner   not known\n");
	for (uint32_t i = 0; i < wait->waiter_count; i++)
		put_other(out, m, "behind", &wait->waiters[i]);
	if (wait->more_waiters)
		fprintf(out, "    behind  %u more\n", wait->more_waiters);
}

static void put_blocked_task(FILE *out, const struct model *m, const struct finding *f, uint32_t n,
			     bool color)
{
	static const char *const breaks[] = {"uninterruptible", "killable", "interruptible"};
	const struct blocked_task *t = &f->tasks[n];
	struct witness at = {.chain = NO_ID, .task = t->task};
	struct witness_objects objects;
	char task[RENDER_SIZE], since[RENDER_SIZE], waited[RENDER_SIZE];
	uint64_t now = f->resolved && f->resolved_at ? f->resolved_at : f->last;

	fprintf(out, "\n %s%u%s  %s, state %s", text_style(color, STYLE_BOLD), n + 1,
		text_end(color), text_safe(render_task(task, sizeof(task), m, t->task)),
		text_safe((char[]){t->state ? t->state : '?', '\0'}));
	if (finding_kind__is_wait(f->kind))
		fprintf(out, ", %s wait", t->breakable < 3 ? breaks[t->breakable] : "?");
	fputc('\n', out);
	objects = render_witness_objects(m, &at);
	objects.vm = t->vm != NO_ID ? t->vm : objects.vm;
	objects.device = t->device != NO_ID ? t->device : objects.device;
	put_objects(out, m, objects, NO_ID);
	put_holds(out, m, t, f->kind == FINDING_DEADLOCK);
	if (t->wants < model__instance_count(m)) {
		fprintf(out, "    wants   ");
		text_lock(out, m, model__instance(m, t->wants)->lock_class, t->wants, color);
		fprintf(out, ", %s\n", render_mode(t->wants_mode));
	}
	if (t->wait)
		put_wait(out, m, t, color);
	if (t->since)
		fprintf(out, "    since   %s%s%s\n", render_time(since, sizeof(since), m, t->since),
			now > t->since ? "   waiting for " : "",
			now > t->since ? render_duration(waited, sizeof(waited), now - t->since)
				       : "");
	if (model__stack(m, t->kernel_stack).frame_count) {
		fprintf(out, "    kernel stack\n");
		text_stack(out, m, t->kernel_stack, indent, color);
	}
	if (model__stack(m, t->user_stack).frame_count) {
		fprintf(out, "    user stack\n");
		text_stack(out, m, t->user_stack, indent, color);
	}
	if (t->wait && model__stack(m, t->wait->owner.stack).frame_count) {
		fprintf(out, "    owner's stack\n");
		text_stack(out, m, t->wait->owner.stack, indent, color);
	}
}

static void put_guards(FILE *out, const struct model *m, const struct finding *f)
{
	for (uint32_t i = 0; i < f->guard_count; i++) {
		uint32_t guard = f->guards[i];

		if (guard >= model__instance_count(m))
			continue;
		fprintf(out, "   guard       ");
		text_lock(out, m, model__instance(m, guard)->lock_class, guard, false);
		fprintf(out, " is held over every order\n");
	}
	if (!f->guard_count && (f->code == CODE_INSTANCE_INVERSION || f->code == CODE_PREDICTED))
		fprintf(out, "   guard       none: no lock is held over every order\n");
}

static void put_prediction(FILE *out, const struct finding *f)
{
	if (f->kind != FINDING_INVERSION && f->kind != FINDING_CYCLE)
		return;
	if (f->prediction == PREDICTION_REACHABLE) {
		fprintf(out, "   prediction  this schedule deadlocks:\n");
		for (uint32_t i = 0; i < f->schedule_count; i++)
			fprintf(out, "               %2u. %s\n", i + 1, text_safe(f->schedule[i]));
	} else if (f->prediction == PREDICTION_UNREACHABLE) {
		fprintf(out, "   prediction  no reordering of the recorded events gets there\n");
	} else {
		fprintf(out, "   prediction  not decided: %s\n",
			f->prediction_note ? text_safe(f->prediction_note)
					   : "it needs every event (--record-events)");
	}
}

static void put_attributes(FILE *out, const struct model *m, const struct finding *f)
{
	if (f->kind != FINDING_DEADLOCK)
		put_guards(out, m, f);
	if (f->ordered_by)
		fprintf(out, "   ordered by  %s\n", text_safe(f->ordered_by));
	if (f->same_thread)
		fprintf(out, "   same task   every order was seen from one task\n");
	if (f->inferred)
		fprintf(out, "   inferred    one dependency is inferred from a path, not probed\n");
	if (f->rule)
		fprintf(out, "   rule        %s\n", text_safe(f->rule));
	put_prediction(out, f);
	if (f->note)
		fprintf(out, "   note        %s\n", text_safe(f->note));
	if (f->missing)
		fprintf(out, "   incomplete  %s\n", text_safe(f->missing));
}

static void put_known(FILE *out, const struct finding *f, bool color)
{
	for (uint32_t i = 0; i < f->known_count; i++)
		fprintf(out, "   known fix   %s%s%s \"%s\": %s\n", text_style(color, STYLE_BOLD),
			text_safe(f->known[i].commit), text_end(color),
			text_safe(f->known[i].title), text_safe(f->known[i].state));
}

#define WIDTH 80

/* Where the piece ends that stays on one line: at a space, but not in a command. */
static size_t piece_length(const char *text)
{
	bool in_command = false;
	size_t length = 0;

	for (; text[length] && (in_command || text[length] != ' '); length++)
		in_command ^= text[length] == '`';
	return length;
}

static void put_item(FILE *out, const char *text)
{
	size_t column = 5;

	fputs("    -", out);
	for (const char *at = text; *at;) {
		size_t length = piece_length(at);

		if (column > 5 && column + 1 + length > WIDTH) {
			fputs("\n     ", out);
			column = 5;
		}
		fprintf(out, " %.*s", (int)length, at);
		column += 1 + length;
		at += length + strspn(at + length, " ");
	}
	fputc('\n', out);
}

static void put_next(FILE *out, const struct model *m, const struct finding *f, bool color)
{
	char **lines = render_next(m, f);

	if (lines && *lines)
		fprintf(out, "\n   %swhat to do next%s\n", text_style(color, STYLE_BOLD),
			text_end(color));
	for (char **line = lines; line && *line; line++)
		put_item(out, text_safe(*line));
	render_free_lines(lines);
}

void report_text_finding(FILE *out, const struct model *m, const struct finding *f, bool color)
{
	put_headline(out, m, f, color);
	if (f->count > 1 || f->first) {
		fprintf(out, "   ");
		put_seen(out, m, f->first, f->last, f->count);
	}
	for (uint32_t i = 0; i < f->task_count; i++)
		put_blocked_task(out, m, f, i, color);
	for (uint32_t i = 0; f->witnesses && i < f->length && !finding_kind__is_wait(f->kind); i++)
		put_witness(out, m, f, i, color);
	if (!finding_kind__is_wait(f->kind) || f->known_count || f->note || f->missing ||
	    f->inferred)
		fputc('\n', out);
	put_attributes(out, m, f);
	put_known(out, f, color);
	put_next(out, m, f, color);
	fputc('\n', out);
}
