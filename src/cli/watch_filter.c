// SPDX-License-Identifier: GPL-2.0-or-later
/* What watch shows: filters by task and class. */
#include <string.h>

#include "cli/watch_filter.h"

bool watch_filter__task(const struct watch_filter *filter, const struct model *m, uint32_t id)
{
	const struct task *task;

	if (id == NO_ID)
		return !filter->pid && !filter->tid && !filter->comm;
	task = model__task(m, id);
	if (filter->pid && task->pid != filter->pid)
		return false;
	if (filter->tid && task->tid != filter->tid)
		return false;
	return !filter->comm || !strcmp(task->comm, filter->comm);
}

static bool is_class(const struct watch_filter *filter, const struct model *m, uint32_t lock_class)
{
	return !filter->lock_class ||
	       !strcmp(model__lock_class(m, lock_class)->name, filter->lock_class);
}

static bool is_instance(const struct watch_filter *filter, const struct model *m, uint32_t instance)
{
	return instance != NO_ID && is_class(filter, m, model__instance(m, instance)->lock_class);
}

bool watch_filter__chain(const struct watch_filter *filter, const struct model *m, uint32_t id)
{
	const struct chain *chain = model__chain(m, id);

	if (!watch_filter__task(filter, m, chain->first_task))
		return false;
	if (is_instance(filter, m, chain->wanted.instance))
		return true;
	for (uint32_t i = 0; i < chain->held_count; i++)
		if (is_instance(filter, m, chain->held[i].instance))
			return true;
	return false;
}

static bool matches_class(const struct watch_filter *filter, const struct model *m,
			  const struct finding *finding)
{
	if (!filter->lock_class)
		return true;
	for (uint32_t i = 0; i < finding->length; i++)
		if (is_class(filter, m, finding->classes[i]))
			return true;
	for (uint32_t i = 0; i < finding->task_count; i++)
		if (is_instance(filter, m, finding->tasks[i].wants))
			return true;
	return false;
}

static bool matches_task(const struct watch_filter *filter, const struct model *m,
			 const struct finding *finding)
{
	if (!filter->pid && !filter->tid && !filter->comm)
		return true;
	for (uint32_t i = 0; finding->witnesses && i < finding->length; i++)
		if (watch_filter__task(filter, m, finding->witnesses[i].task))
			return true;
	for (uint32_t i = 0; i < finding->task_count; i++)
		if (watch_filter__task(filter, m, finding->tasks[i].task))
			return true;
	return false;
}

bool watch_filter__finding(const struct watch_filter *filter, const struct model *m,
			   const struct finding *finding)
{
	return matches_class(filter, m, finding) && matches_task(filter, m, finding);
}
