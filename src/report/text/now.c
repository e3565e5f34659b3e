// SPDX-License-Identifier: GPL-2.0-or-later
/* `now` as text: the inventory, the locks somebody owns or waits for, what hangs elsewhere. */
#include <stdlib.h>

#include "census.h"
#include "report/now.h"
#include "report/text/text_private.h"
#include "util/text.h"

static const char *const indent = "        ";

static const char *name_of(const struct model *m, uint32_t object)
{
	return object < model__object_count(m) && model__object(m, object)->name
		       ? model__object(m, object)->name
		       : "?";
}

static void put_opens(FILE *out, const struct model *m, const struct census *c, uint32_t object)
{
	char task[RENDER_SIZE];
	uint32_t last = NO_ID, shown = 0;

	for (uint32_t i = 0; i < c->open_count; i++) {
		if (c->opens[i].object != object)
			continue;
		if (c->opens[i].task == last) {
			fprintf(out, ",%u", c->opens[i].fd);
			continue;
		}
		last = c->opens[i].task;
		fprintf(out, "%s%s fd %u", shown++ ? "; " : "    open: ",
			text_safe(render_task(task, sizeof(task), m, last)), c->opens[i].fd);
	}
	if (!shown)
		fputs("    no descriptor is open", out);
	fputc('\n', out);
}

static void put_objects(FILE *out, const struct model *m, const struct census *c,
			enum object_kind kind, const char *title, const char *detail_word,
			bool color)
{
	bool any = false;

	for (uint32_t i = 0; i < model__object_count(m); i++) {
		const struct object *o = model__object(m, i);

		if (o->kind != kind)
			continue;
		if (!any)
			text_heading(out, title, color);
		any = true;
		fprintf(out, "  %s", text_safe(o->name ? o->name : "?"));
		if (o->parent != NO_ID && kind == OBJECT_DEVICE)
			fprintf(out, "  in %s", text_safe(name_of(m, o->parent)));
		if (o->detail)
			fprintf(out, "  %s%s", detail_word, text_safe(o->detail));
		if (kind == OBJECT_DEVICE_SET)
			fputc('\n', out);
		else
			put_opens(out, m, c, i);
	}
}

static void put_inventory(FILE *out, const struct model *m, const struct census *c, bool color)
{
	put_objects(out, m, c, OBJECT_VM, "VMs", "", color);
	put_objects(out, m, c, OBJECT_GROUP, "VFIO groups", "", color);
	put_objects(out, m, c, OBJECT_DEVICE, "VFIO devices", "driver ", color);
	put_objects(out, m, c, OBJECT_DEVICE_SET, "VFIO device sets", "", color);
	put_objects(out, m, c, OBJECT_CONTAINER, "VFIO containers", "", color);
	put_objects(out, m, c, OBJECT_KVM_VFIO_DEVICE, "KVM-VFIO devices", "", color);
}

static void put_waiter(FILE *out, const struct model *m, const struct waitfor_wait *w, uint64_t now,
		       bool color)
{
	static const char *const breaks[] = {"", ", killable", ", interruptible"};
	char task[RENDER_SIZE], waited[RENDER_SIZE];

	fprintf(out, "    waits   %s, %s, state %c%s",
		text_safe(render_task(task, sizeof(task), m, w->task)), render_mode(w->mode),
		w->state ? w->state : '?', w->breakable < 3 ? breaks[w->breakable] : "");
	if (w->since && now > w->since)
		fprintf(out, ", for %s", render_duration(waited, sizeof(waited), now - w->since));
	fputc('\n', out);
	text_stack(out, m, w->kernel_stack, indent, color);
	if (w->user_stack != NO_ID) {
		fprintf(out, "       user\n");
		text_stack(out, m, w->user_stack, indent, color);
	}
}

static void put_owner(FILE *out, const struct model *m, const struct census_lock *l)
{
	char task[RENDER_SIZE];

	if (l->owner != NO_ID && l->readers)
		fprintf(out, "    readers %u, the last that came was %s\n", l->readers,
			text_safe(render_task(task, sizeof(task), m, l->owner)));
	else if (l->owner != NO_ID)
		fprintf(out, "    owner   %s\n",
			text_safe(render_task(task, sizeof(task), m, l->owner)));
	else if (l->readers)
		fprintf(out, "    readers %u\n", l->readers);
	else if (l->waiter_count)
		fprintf(out, "    owner   no owner (lock handoff in progress)\n");
}

static void put_lock(FILE *out, const struct model *m, const struct census *c,
		     const struct census_lock *l, uint64_t now, bool color)
{
	const struct lock_instance *instance = model__instance(m, l->instance);
	char text[RENDER_SIZE];

	fprintf(out, "  %s%s%s %s\n", text_style(color, STYLE_BOLD),
		text_safe(render_class_name(m, instance->lock_class)), text_end(color),
		text_safe(render_instance(text, sizeof(text), m, l->instance)));
	put_owner(out, m, l);
	for (uint32_t i = 0; i < waitfor__wait_count(c->waitfor); i++)
		if (waitfor__wait(c->waitfor, i)->instance == l->instance)
			put_waiter(out, m, waitfor__wait(c->waitfor, i), now, color);
}

static void put_locks(FILE *out, const struct model *m, const struct census *c, uint64_t now,
		      bool color)
{
	uint32_t shown = 0;

	for (uint32_t i = 0; i < c->lock_count; i++) {
		const struct census_lock *l = &c->locks[i];

		if (l->owner == NO_ID && !l->waiter_count && !l->readers)
			continue;
		if (!shown++)
			text_heading(out, "Locks owned or waited for", color);
		put_lock(out, m, c, l, now, color);
	}
	fprintf(out, "%s%u locks looked at, %u of them owned or waited for\n", shown ? "\n" : "",
		c->lock_count, shown);
}

static void put_blocked(FILE *out, const struct model *m, const struct census *c, bool color)
{
	char task[RENDER_SIZE];

	if (c->blocked_count)
		text_heading(out, "Uninterruptible, but not waiting for one of these locks", color);
	for (uint32_t i = 0; i < c->blocked_count; i++) {
		fprintf(out, "  %s\n",
			text_safe(render_task(task, sizeof(task), m, c->blocked_tasks[i])));
		text_stack(out, m, c->blocked_stacks[i], indent, color);
	}
}

static void put_undecided(FILE *out, const struct model *m, const struct census *c, bool color)
{
	char task[RENDER_SIZE], lock[RENDER_SIZE];

	if (c->undecided_count)
		text_heading(out, "Not decided: who has the lock cannot be told", color);
	for (uint32_t i = 0; i < c->undecided_count; i++) {
		const struct census_undecided *u = &c->undecided[i];

		fprintf(out, "  %s waits ", text_safe(render_task(task, sizeof(task), m, u->task)));
		if (u->instance == NO_ID)
			fprintf(out, "in %s, for which lock is not known\n",
				text_safe(u->function));
		else
			fprintf(out, "for %s %s",
				text_safe(render_class_name(
					m, model__instance(m, u->instance)->lock_class)),
				text_safe(render_instance(lock, sizeof(lock), m, u->instance)));
		if (u->instance != NO_ID && u->readers)
			fprintf(out, ", which has %u reader%s; the last that came was %s\n",
				u->readers, u->readers == 1 ? "" : "s",
				text_safe(render_task(task, sizeof(task), m, u->last_reader)));
		else if (u->instance != NO_ID)
			fputc('\n', out);
		text_stack(out, m, u->kernel_stack, indent, color);
	}
	if (c->undecided_count)
		fprintf(out, "  `vfiotrace watch` or `agent`, started before, know who reads\n");
}

/* What all this comes to, in the order of the exit statuses. */
static void put_conclusion(FILE *out, const struct census *c, const struct finding_list *findings,
			   bool color)
{
	int code = finding_list__exit_code(findings);
	const char *text = "no deadlock";
	enum style style = STYLE_GOOD;

	if (code == 3) {
		text = "DEADLOCK";
		style = STYLE_ERROR;
	} else if (code) {
		text = "POSSIBLE DEADLOCK";
		style = STYLE_WARNING;
	} else if (c->gap_count || c->undecided_count) {
		text = "inconclusive: no deadlock was seen, but not everything could be looked at";
		style = STYLE_WARNING;
	}
	fprintf(out, "%s%s%s", text_style(color, style), text, text_end(color));
}

void report_text_now(FILE *out, const struct model *m, const struct census *c,
		     const struct finding_list *findings, uint64_t now, bool color)
{
	char took[RENDER_SIZE];

	for (uint32_t i = 0; i < findings->count; i++)
		report_text_finding(out, m, findings->items[i], color);
	put_inventory(out, m, c, color);
	put_locks(out, m, c, now, color);
	put_blocked(out, m, c, color);
	put_undecided(out, m, c, color);
	for (uint32_t i = 0; i < c->gap_count; i++)
		fprintf(out, "not looked at: %s\n", text_safe(c->gaps[i]));
	for (uint32_t i = 0; i < c->note_count; i++)
		fprintf(out, "note: %s\n", text_safe(c->notes[i]));
	if (c->changed_while_walked)
		fprintf(out, "note: a list changed while it was walked; entries added or removed "
			     "during the walk may "
			     "be missing\n");
	put_conclusion(out, c, findings, color);
	fprintf(out, " (census took %s)\n", render_duration(took, sizeof(took), c->duration_ns));
}
