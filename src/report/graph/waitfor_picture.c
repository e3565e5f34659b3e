// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The wait-for graph as a picture: a task points to the lock it waits for, a lock to the task that
 * owns it. Locks nobody waits for are left out. Deadlocks stand out by colour, width and a mark.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/escape.h"
#include "report/now.h"
#include "report/outputs.h"

enum { LAYOUT_SECONDS = 60 };

struct picture {
	FILE *out;
	const struct model *m;
	const struct waitfor *w;
	const struct finding_list *deadlocks;
	bool mermaid;
	uint8_t *task, *lock; /* 1: drawn, 2: on a deadlock */
};

static bool mark(struct picture *p)
{
	p->task = calloc(model__task_count(p->m) + 1, 1);
	p->lock = calloc(model__instance_count(p->m) + 1, 1);
	if (!p->task || !p->lock)
		return false;
	for (uint32_t i = 0; i < waitfor__wait_count(p->w); i++) {
		p->task[waitfor__wait(p->w, i)->task] = 1;
		p->lock[waitfor__wait(p->w, i)->instance] = 1;
	}
	for (uint32_t i = 0; i < waitfor__owner_count(p->w); i++)
		if (p->lock[waitfor__owner(p->w, i)->instance])
			p->task[waitfor__owner(p->w, i)->task] = 1;
	for (uint32_t i = 0; p->deadlocks && i < p->deadlocks->count; i++) {
		const struct finding *f = p->deadlocks->items[i];

		for (uint32_t t = 0; t < f->task_count; t++) {
			p->task[f->tasks[t].task] = 2;
			p->lock[f->tasks[t].wants] = 2;
		}
	}
	return true;
}

static void put_text(const struct picture *p, const char *text)
{
	if (p->mermaid)
		write_mermaid(p->out, text);
	else
		write_dot(p->out, text);
}

static void put_task(const struct picture *p, uint32_t id)
{
	char text[RENDER_SIZE];

	fprintf(p->out, p->mermaid ? "  t%u([\"" : "  t%u [shape=ellipse, label=\"", id);
	put_text(p, render_task(text, sizeof(text), p->m, id));
	if (p->mermaid)
		fprintf(p->out, "\"])%s\n", p->task[id] == 2 ? ":::deadlock" : "");
	else
		fprintf(p->out, "\"%s];\n",
			p->task[id] == 2 ? ", color=\"#c1121f\", penwidth=2" : "");
}

static void put_lock(const struct picture *p, uint32_t id)
{
	char text[RENDER_SIZE];

	fprintf(p->out, p->mermaid ? "  l%u[\"" : "  l%u [shape=box, label=\"", id);
	put_text(p, render_class_name(p->m, model__instance(p->m, id)->lock_class));
	fputs(p->mermaid ? "<br/>" : "\\n", p->out);
	put_text(p, render_instance(text, sizeof(text), p->m, id));
	if (p->mermaid)
		fprintf(p->out, "\"]%s\n", p->lock[id] == 2 ? ":::deadlock" : "");
	else
		fprintf(p->out, "\"%s];\n",
			p->lock[id] == 2 ? ", color=\"#c1121f\", penwidth=2" : "");
}

static void put_edge(const struct picture *p, const char *from, uint32_t a, const char *to,
		     uint32_t b, const char *label, bool hot, bool dashed)
{
	const char *warn = hot ? "! " : "";

	if (p->mermaid)
		fprintf(p->out, "  %s%u %s|\"%s%s\"| %s%u\n", from, a,
			hot	 ? "==>"
			: dashed ? "-.->"
				 : "-->",
			warn, label, to, b);
	else
		fprintf(p->out, "  %s%u -> %s%u [label=\"%s%s\"%s%s];\n", from, a, to, b, warn,
			label, hot ? ", color=\"#c1121f\", penwidth=2.5" : "",
			dashed ? ", style=dashed" : "");
}

static void put_graph(const struct picture *p)
{
	for (uint32_t i = 0; i < model__task_count(p->m); i++)
		if (p->task[i])
			put_task(p, i);
	for (uint32_t i = 0; i < model__instance_count(p->m); i++)
		if (p->lock[i])
			put_lock(p, i);
	for (uint32_t i = 0; i < waitfor__wait_count(p->w); i++) {
		const struct waitfor_wait *w = waitfor__wait(p->w, i);

		put_edge(p, "t", w->task, "l", w->instance,
			 w->mode == LOCK_EXCLUSIVE ? "waits" : "waits to read",
			 p->task[w->task] == 2 && p->lock[w->instance] == 2, false);
	}
	for (uint32_t i = 0; i < waitfor__owner_count(p->w); i++) {
		const struct waitfor_owner *o = waitfor__owner(p->w, i);

		if (p->lock[o->instance])
			put_edge(p, "l", o->instance, "t", o->task,
				 o->certain ? "owned by" : "last reader",
				 p->task[o->task] == 2 && p->lock[o->instance] == 2, !o->certain);
	}
}

static void put_dot(struct picture *p)
{
	fputs("digraph vfiotrace_now {\n  graph [label=\"who waits for whom\", labelloc=t, "
	      "fontname=\"sans-serif\", rankdir=LR];\n"
	      "  node [fontname=\"sans-serif\", fontsize=11];\n"
	      "  edge [fontname=\"sans-serif\", fontsize=9, color=\"#5b6570\"];\n",
	      p->out);
	put_graph(p);
	fputs("}\n", p->out);
}

static void put_mermaid(struct picture *p)
{
	p->mermaid = true;
	fputs("flowchart LR\n", p->out);
	put_graph(p);
	fputs("  classDef deadlock stroke:#c1121f,stroke-width:3px\n", p->out);
}

static int put_svg(struct picture *p)
{
	char *dot = NULL, *svg = NULL;
	size_t size = 0, svg_size = 0;
	FILE *out = p->out, *memory = open_memstream(&dot, &size);
	int err;

	if (!memory)
		return -errno;
	p->out = memory;
	put_dot(p);
	p->out = out;
	fclose(memory);
	err = graphviz_run("svg", dot, size, LAYOUT_SECONDS, &svg, &svg_size);
	if (!err)
		fwrite(svg, 1, svg_size, out);
	free(svg);
	free(dot);
	return err;
}

/* --- the same from findings ------------------------------------------------------------------- */

#define DRAWN_WAITS 100 /* what a person, and a renderer, can still take in */

static bool is_drawn(const struct finding *f)
{
	return finding_kind__is_wait(f->kind) && !f->suppressed && !f->resolved;
}

bool has_wait_findings(const struct finding_list *findings)
{
	for (uint32_t i = 0; findings && i < findings->count; i++)
		if (is_drawn(findings->items[i]))
			return true;
	return false;
}

static void mark_task(struct picture *p, uint32_t task, uint8_t how)
{
	if (task < model__task_count(p->m) && p->task[task] < how)
		p->task[task] = how;
}

static void mark_waits(struct picture *p, const struct finding *f)
{
	uint8_t how = f->code == CODE_DEADLOCK ? 2 : 1;

	for (uint32_t i = 0; i < f->task_count; i++) {
		const struct blocked_task *t = &f->tasks[i];

		mark_task(p, t->task, how);
		if (t->wants < model__instance_count(p->m) && p->lock[t->wants] < how)
			p->lock[t->wants] = how;
		if (t->wait)
			mark_task(p, t->wait->owner.task, 1);
	}
}

/* What is waited for where no instance of a lock is known: a node of this finding alone. */
static void put_thing(const struct picture *p, uint32_t id, const struct task_wait *wait)
{
	fprintf(p->out, p->mermaid ? "  w%u[\"" : "  w%u [shape=box, style=dashed, label=\"", id);
	if (wait->lock_class != NO_ID)
		put_text(p, render_class_name(p->m, wait->lock_class));
	else
		put_text(p, wait_what_names[wait->what]);
	if (wait->site) {
		fputs(p->mermaid ? "<br/>" : "\\n", p->out);
		put_text(p, wait->site);
	}
	fputs(p->mermaid ? "\"]\n" : "\"];\n", p->out);
}

static void put_held(const struct picture *p, const struct blocked_task *t)
{
	for (uint32_t i = 0; i < t->hold_count; i++)
		if (t->holds[i] < model__instance_count(p->m) && p->lock[t->holds[i]])
			put_edge(p, "l", t->holds[i], "t", t->task, "owned by",
				 p->task[t->task] == 2 && p->lock[t->holds[i]] == 2, false);
}

/* `owned`: by instance, the owner is drawn. */
static void put_blocked(const struct picture *p, uint32_t id, const struct blocked_task *t,
			uint8_t *owned)
{
	bool is_lock = t->wants < model__instance_count(p->m), once;
	uint32_t to = is_lock ? t->wants : id;
	char label[RENDER_SIZE + 16] = "waits", waited[RENDER_SIZE];

	if (t->task >= model__task_count(p->m) || (!is_lock && !t->wait))
		return;
	put_held(p, t);
	if (!is_lock)
		put_thing(p, id, t->wait);
	if (t->wait && t->wait->blocked_ns)
		snprintf(label, sizeof(label), "waits %s",
			 render_duration(waited, sizeof(waited), t->wait->blocked_ns));
	put_edge(p, "t", t->task, is_lock ? "l" : "w", to, label,
		 is_lock && p->task[t->task] == 2 && p->lock[to] == 2, false);
	once = is_lock && owned[to];
	if (!t->wait || t->wait->owner.task >= model__task_count(p->m) || once)
		return;
	if (is_lock)
		owned[to] = 1;
	put_edge(p, is_lock ? "l" : "w", to, "t", t->wait->owner.task, "likely owned by", false,
		 true);
}

static void put_findings(struct picture *p, const struct finding **sorted, uint32_t count)
{
	uint8_t *owned = calloc(model__instance_count(p->m) + 1ULL, 1);
	uint32_t shown = 0, drawn = 0;

	for (uint32_t i = 0; i < count && drawn < DRAWN_WAITS; i++)
		if (is_drawn(sorted[i])) {
			mark_waits(p, sorted[i]);
			drawn++;
		}
	for (uint32_t i = 0; i < model__task_count(p->m); i++)
		if (p->task[i])
			put_task(p, i);
	for (uint32_t i = 0; i < model__instance_count(p->m); i++)
		if (p->lock[i])
			put_lock(p, i);
	for (uint32_t i = 0; owned && i < count; i++) {
		if (!is_drawn(sorted[i]) || shown++ >= drawn)
			continue;
		for (uint32_t t = 0; t < sorted[i]->task_count; t++)
			put_blocked(p, i, &sorted[i]->tasks[t], owned);
	}
	if (shown > drawn)
		fprintf(p->out,
			p->mermaid ? "  %%%% %u more waits are not drawn\n"
				   : "  // %u more waits are not drawn\n",
			shown - drawn);
	free(owned);
}

int write_wait_findings(FILE *out, const struct report_input *input, bool mermaid)
{
	struct picture p = {.out = out, .m = input->model, .mermaid = mermaid};
	const struct finding **sorted = render_sorted(input->findings);
	int err = -ENOMEM;

	p.task = calloc(model__task_count(p.m) + 1ULL, 1);
	p.lock = calloc(model__instance_count(p.m) + 1ULL, 1);
	if (sorted && p.task && p.lock) {
		fputs(mermaid ? "  subgraph waits[\"who waits for whom\"]\n"
			      : "  subgraph cluster_waits {\n  label=\"who waits for whom\";\n",
		      out);
		put_findings(&p, sorted, input->findings->count);
		fputs(mermaid ? "  end\n  classDef deadlock stroke:#c1121f,stroke-width:3px\n"
			      : "  }\n",
		      out);
		err = 0;
	}
	free(sorted);
	free(p.task);
	free(p.lock);
	return err;
}

int report_waitfor(FILE *out, enum report_format format, const struct model *m,
		   const struct waitfor *w, const struct finding_list *deadlocks)
{
	struct picture p = {.out = out, .m = m, .w = w, .deadlocks = deadlocks};
	int err = 0;

	if (!mark(&p)) {
		err = -ENOMEM;
	} else if (format == REPORT_DOT) {
		put_dot(&p);
	} else if (format == REPORT_SVG) {
		err = put_svg(&p);
	} else if (format == REPORT_MERMAID) {
		put_mermaid(&p);
	} else if (format == REPORT_MARKDOWN) {
		fputs("```mermaid\n", out);
		put_mermaid(&p);
		fputs("```\n", out);
	} else {
		err = -EINVAL;
	}
	free(p.task);
	free(p.lock);
	return err;
}
