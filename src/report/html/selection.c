// SPDX-License-Identifier: GPL-2.0-or-later
/* Which rows of a model the page carries: everything a finding needs, then the rest up to a limit.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/durations.h"
#include "report/html/html_private.h"

static void take(uint8_t *marks, uint32_t count, uint32_t id)
{
	if (id < count)
		marks[id] = 1;
}

static void take_instance(struct html_selection *s, uint32_t id)
{
	take(s->instances, model__instance_count(s->m), id);
}

static void take_stack(struct html_selection *s, uint32_t id)
{
	take(s->stacks, model__stack_count(s->m), id);
}

static void take_task(struct html_selection *s, uint32_t id)
{
	take(s->tasks, model__task_count(s->m), id);
}

static void take_chain(struct html_selection *s, uint32_t id)
{
	const struct chain *c;

	if (id >= model__chain_count(s->m) || s->chains[id])
		return;
	s->chains[id] = 1;
	c = model__chain(s->m, id);
	for (uint32_t i = 0; i <= c->held_count; i++) {
		const struct held_lock *lock = i < c->held_count ? &c->held[i] : &c->wanted;

		take_instance(s, lock->instance);
		take_stack(s, lock->stack);
	}
	take_task(s, c->first_task);
	take_task(s, c->last_task);
}

static void take_dependency(struct html_selection *s, uint32_t id, uint32_t witnesses)
{
	const struct dependency *d;

	if (id >= model__dependency_count(s->m))
		return;
	d = model__dependency(s->m, id);
	s->dependencies[id] = 1;
	take_instance(s, d->from);
	take_instance(s, d->to);
	take_chain(s, d->first_chain);
	take_chain(s, d->last_chain);
	for (uint32_t i = 0; i < witnesses && i < model__dependency_chains_kept(s->m, id); i++)
		take_chain(s, model__dependency_chain(s->m, id, i));
}

static void take_cycle_task(struct html_selection *s, uint32_t task)
{
	take_task(s, task);
	take(s->cycle_tasks, model__task_count(s->m), task);
}

static void take_wait(struct html_selection *s, const struct task_wait *wait)
{
	if (!wait)
		return;
	take_task(s, wait->owner.task);
	take(s->stacks, model__stack_count(s->m), wait->owner.stack);
	for (uint32_t i = 0; i < wait->waiter_count; i++) {
		take_task(s, wait->waiters[i].task);
		take(s->stacks, model__stack_count(s->m), wait->waiters[i].stack);
	}
}

static void take_finding(struct html_selection *s, const struct finding *f)
{
	for (uint32_t i = 0; f->witnesses && i < f->length; i++) {
		const struct witness *w = &f->witnesses[i];

		take_dependency(s, w->dependency, 8);
		take_chain(s, w->chain);
		take_chain(s, w->last_chain);
		if (f->grade >= GRADE_WARNING)
			take_cycle_task(s, w->task);
	}
	for (uint32_t i = 0; i < f->guard_count; i++)
		take_instance(s, f->guards[i]);
	for (uint32_t i = 0; i < f->task_count; i++) {
		const struct blocked_task *t = &f->tasks[i];

		take_cycle_task(s, t->task);
		take_wait(s, t->wait);
		take_instance(s, t->wants);
		take_stack(s, t->kernel_stack);
		take_stack(s, t->user_stack);
		for (uint32_t k = 0; k < t->hold_count; k++)
			take_instance(s, t->holds[k]);
	}
}

static void take_durations(struct html_selection *s)
{
	for (int is_hold = 0; is_hold < 2; is_hold++) {
		struct duration_total *totals = NULL;
		uint32_t rows = durations__collect(s->m, is_hold, DURATIONS_BY_CALL_PATH, &totals);

		for (uint32_t i = 0; i < rows && i < HTML_DURATIONS; i++)
			take_stack(s, totals[i].stack);
		free(totals);
	}
}

bool html_shows_event(const struct html_selection *s, const struct trace_event *e)
{
	return (e->op <= EVENT_REQUEST || e->op == EVENT_DOWNGRADE) &&
	       e->task < model__task_count(s->m) && s->cycle_tasks[e->task];
}

/* The end of a stream is where a deadlock is: the last events are the ones to keep. */
static void take_events(struct html_selection *s)
{
	uint64_t i = model__event_count(s->m), kept = 0;

	for (; i > 0; i--) {
		const struct trace_event *e = &model__events(s->m)[i - 1];

		if (!html_shows_event(s, e))
			continue;
		if (kept == HTML_EVENTS) {
			s->events_cut++;
			continue;
		}
		kept++;
		s->events_from = i - 1;
		take_instance(s, e->operand);
	}
}

static void take_waitfor(struct html_selection *s)
{
	const struct waitfor *w = s->input->waitfor;

	for (uint32_t i = 0; w && i < waitfor__wait_count(w); i++) {
		take_task(s, waitfor__wait(w, i)->task);
		take_instance(s, waitfor__wait(w, i)->instance);
	}
	for (uint32_t i = 0; w && i < waitfor__owner_count(w); i++) {
		take_task(s, waitfor__owner(w, i)->task);
		take_instance(s, waitfor__owner(w, i)->instance);
	}
}

int html_selection__init(struct html_selection *s, const struct report_input *input)
{
	const struct model *m = input->model;
	const struct finding_list *list = input->findings;
	uint32_t taken = 0;

	*s = (struct html_selection){.input = input, .m = m};
	s->dependencies = calloc(model__dependency_count(m) + 1, 1);
	s->chains = calloc(model__chain_count(m) + 1, 1);
	s->instances = calloc(model__instance_count(m) + 1, 1);
	s->stacks = calloc(model__stack_count(m) + 1, 1);
	s->tasks = calloc(model__task_count(m) + 1, 1);
	s->cycle_tasks = calloc(model__task_count(m) + 1, 1);
	if (!s->dependencies || !s->chains || !s->instances || !s->stacks || !s->tasks ||
	    !s->cycle_tasks || marks__init(&s->marks, input)) {
		html_selection__release(s);
		return -ENOMEM;
	}
	for (uint32_t i = 0; list && i < list->count; i++)
		take_finding(s, list->items[i]);
	for (uint32_t i = 0; i < model__dependency_count(m); i++) {
		if (taken < HTML_DEPENDENCIES) {
			take_dependency(s, i, 0);
			taken++;
		} else {
			s->dependencies_cut += !s->dependencies[i];
		}
	}
	take_durations(s);
	take_events(s);
	take_waitfor(s);
	for (uint32_t i = 0; i < model__task_chain_count(m); i++)
		if (s->chains[model__task_chain(m, i)->chain])
			take_task(s, model__task_chain(m, i)->task);
	return 0;
}

void html_selection__release(struct html_selection *s)
{
	free(s->dependencies);
	free(s->chains);
	free(s->instances);
	free(s->stacks);
	free(s->tasks);
	free(s->cycle_tasks);
	marks__release(&s->marks);
}
