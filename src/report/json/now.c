// SPDX-License-Identifier: GPL-2.0-or-later
/* The `now` record: what exists, who owns and who waits, as the census saw it. */
#include "census.h"
#include "report.h"
#include "report/json/json_private.h"

static json_t *json_inventory(const struct model *m, enum object_kind kind)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < model__object_count(m); i++) {
		const struct object *known = model__object(m, i);
		json_t *row;

		if (known->kind != kind)
			continue;
		row = json_object();
		json_object_set_new(row, "name", json_text(known->name));
		json_object_set_new(row, "address", json_address(known->address));
		json_object_set_new(row, "pid", json_integer(known->pid));
		json_object_set_new(row, "detail", json_text(known->detail));
		if (kind == OBJECT_GROUP)
			json_object_set_new(row, "number", json_integer(known->number));
		if (kind == OBJECT_DEVICE)
			json_object_set_new(row, "group", json_object_name(m, known->parent));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *json_waiters(const struct model *m, const struct waitfor *waits, uint32_t instance)
{
	json_t *list = json_array();

	for (uint32_t i = 0; waits && i < waitfor__wait_count(waits); i++) {
		const struct waitfor_wait *wait = waitfor__wait(waits, i);
		json_t *row;

		if (wait->instance != instance)
			continue;
		row = json_object();
		json_object_set_new(row, "task", json_task(m, wait->task));
		json_object_set_new(row, "mode", json_string(json_mode(wait->mode)));
		json_object_set_new(row, "breakable",
				    json_boolean(wait->breakable != WAIT_UNINTERRUPTIBLE));
		json_object_set_new(row, "since", json_count(wait->since));
		json_object_set_new(row, "stack", json_stack(m, wait->kernel_stack));
		json_object_set_new(row, "user_stack", json_stack(m, wait->user_stack));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *json_census_locks(const struct model *m, const struct census *census)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < census->lock_count; i++) {
		const struct census_lock *lock = &census->locks[i];
		json_t *row = json_lock(m, lock->instance);

		if (json_is_null(row))
			continue;
		json_object_set_new(row, "owner", json_task(m, lock->owner));
		json_object_set_new(row, "readers", json_integer(lock->readers));
		json_object_set_new(row, "waiters",
				    json_waiters(m, census->waitfor, lock->instance));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *json_blocked(const struct model *m, const struct census *census)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < census->blocked_count; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "task", json_task(m, census->blocked_tasks[i]));
		json_object_set_new(row, "stack", json_stack(m, census->blocked_stacks[i]));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *json_undecided(const struct model *m, const struct census *census)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < census->undecided_count; i++) {
		const struct census_undecided *undecided = &census->undecided[i];
		json_t *row = json_object();

		json_object_set_new(row, "task", json_task(m, undecided->task));
		json_object_set_new(row, "lock", json_lock(m, undecided->instance));
		json_object_set_new(row, "readers", json_integer(undecided->readers));
		json_object_set_new(row, "last_reader", json_task(m, undecided->last_reader));
		json_object_set_new(row, "function", json_text(undecided->function));
		json_object_set_new(row, "stack", json_stack(m, undecided->kernel_stack));
		json_array_append_new(list, row);
	}
	return list;
}

/* Findings of this code, or of all others. */
static json_t *json_of_code(const struct model *m, const struct finding_list *all, bool deadlocks)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < all->count; i++)
		if ((all->items[i]->code == CODE_DEADLOCK) == deadlocks)
			json_array_append_new(list, json_finding(m, all->items[i]));
	return list;
}

static json_t *json_texts(const char *const *texts, uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, json_text(texts[i]));
	return list;
}

json_t *json_now(const struct model *m, const struct census *census,
		 const struct finding_list *findings)
{
	const struct model_clock *clock = model__clock(m);
	json_t *record = json_model_record(m, "now", clock->end ? clock->end : clock->start);

	json_object_set_new(record, "vms", json_inventory(m, OBJECT_VM));
	json_object_set_new(record, "groups", json_inventory(m, OBJECT_GROUP));
	json_object_set_new(record, "devices", json_inventory(m, OBJECT_DEVICE));
	json_object_set_new(record, "locks", json_census_locks(m, census));
	json_object_set_new(record, "deadlocks", json_of_code(m, findings, true));
	json_object_set_new(record, "possible", json_of_code(m, findings, false));
	json_object_set_new(record, "undecided", json_undecided(m, census));
	json_object_set_new(record, "not_looked_at", json_texts(census->gaps, census->gap_count));
	json_object_set_new(record, "blocked", json_blocked(m, census));
	json_object_set_new(record, "notes", json_texts(census->notes, census->note_count));
	json_object_set_new(record, "changed_while_walked",
			    json_boolean(census->changed_while_walked));
	json_object_set_new(record, "duration", json_count(census->duration_ns));
	return record;
}
