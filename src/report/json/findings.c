// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON records of what was concluded: findings, verdict, check, the census of `now`. */
#include <stdlib.h>

#include "capture.h"
#include "report.h"
#include "report/graph/render.h"
#include "report/json/json_private.h"

/* A witness that knows only its class edge (a class graph without occurrences). */
static json_t *json_edge_witness(const struct model *m, const struct finding *f, uint32_t i)
{
	json_t *record = json_model_record(m, "dependency", f->first);
	const uint8_t mode = f->modes ? f->modes[(i + 1) % f->length] : LOCK_EXCLUSIVE;

	json_object_set_new(record, "from", json_class_lock(m, f->classes[i]));
	json_object_set_new(record, "to", json_class_lock(m, f->classes[(i + 1) % f->length]));
	json_object_set_new(record, "mode", json_string(json_mode(mode)));
	json_object_set_new(record, "try", json_false());
	json_object_set_new(record, "breakable", json_false());
	json_object_set_new(record, "fault", json_false());
	json_object_set_new(record, "task", json_task(m, f->witnesses[i].task));
	json_object_set_new(record, "held", json_array());
	json_object_set_new(record, "stack_held", json_array());
	json_object_set_new(record, "stack_held_kind", json_string("site"));
	json_object_set_new(record, "stack_wanted", json_array());
	json_object_set_new(record, "inferred", json_false());
	json_object_set_new(record, "path", json_null());
	json_object_set_new(record, "count", json_count(f->count));
	json_object_set_new(record, "first", json_count(f->first));
	json_object_set_new(record, "last", json_count(f->last));
	return record;
}

static json_t *json_witnesses(const struct model *m, const struct finding *f)
{
	json_t *list = json_array();

	for (uint32_t i = 0; f->witnesses && f->kind != FINDING_HANG && i < f->length; i++) {
		const struct witness *witness = &f->witnesses[i];
		json_t *record;

		if (witness->chain >= model__chain_count(m)) {
			json_array_append_new(list, json_edge_witness(m, f, i));
			continue;
		}
		record = json_dependency(m, witness->chain, witness->held_index);
		if (witness->task < model__task_count(m))
			json_object_set_new(record, "task", json_task(m, witness->task));
		json_array_append_new(list, record);
	}
	return list;
}

static json_t *json_state_letter(char state)
{
	char text[2] = {state, '\0'};

	return state > ' ' && state < 0x7f ? json_string(text) : json_null();
}

static json_t *json_other_task(const struct model *m, const struct other_task *t)
{
	json_t *record = json_task(m, t->task);

	if (json_is_null(record))
		return record;
	json_object_set_new(record, "state", json_state_letter(t->state));
	json_object_set_new(record, "for", json_count(t->blocked_ns));
	json_object_set_new(record, "stack", json_stack(m, t->stack));
	return record;
}

static json_t *json_waits_for(const struct model *m, const struct blocked_task *t)
{
	json_t *record = json_object();
	bool is_known = t->wants < model__instance_count(m);

	json_object_set_new(record, "what", json_string(wait_what_names[t->wait->what]));
	json_object_set_new(record, "lock",
			    is_known && t->wait->lock_class != NO_ID
				    ? json_lock(m, t->wants)
				    : json_class_lock(m, t->wait->lock_class));
	json_object_set_new(record, "site", json_text(t->wait->site));
	return record;
}

/* What a source that states hangs says of a wait; null where the locks say all. */
static void add_wait(json_t *record, const struct model *m, const struct blocked_task *t)
{
	const struct task_wait *wait = t->wait;
	json_t *waiters = json_array();

	for (uint32_t i = 0; wait && i < wait->waiter_count; i++)
		json_array_append_new(waiters, json_other_task(m, &wait->waiters[i]));
	json_object_set_new(record, "waits_for", wait ? json_waits_for(m, t) : json_null());
	json_object_set_new(record, "for", wait ? json_count(wait->blocked_ns) : json_null());
	json_object_set_new(record, "owner", wait ? json_other_task(m, &wait->owner) : json_null());
	json_object_set_new(record, "waiters", waiters);
	json_object_set_new(record, "more_waiters", json_integer(wait ? wait->more_waiters : 0));
}

static json_t *json_blocked_task(const struct model *m, const struct blocked_task *t)
{
	static const char *const breaks[] = {"uninterruptible", "killable", "interruptible"};
	json_t *record = json_task(m, t->task), *holds = json_array();

	if (json_is_null(record))
		record = json_object();
	for (uint32_t i = 0; i < t->hold_count && i < 8; i++)
		json_array_append_new(holds, json_lock(m, t->holds[i]));
	json_object_set_new(record, "task", json_task(m, t->task));
	json_object_set_new(record, "holds", holds);
	json_object_set_new(record, "wants", json_lock(m, t->wants));
	json_object_set_new(record, "mode", json_string(json_mode(t->wants_mode)));
	json_object_set_new(
		record, "wait",
		json_string(breaks[t->breakable <= WAIT_INTERRUPTIBLE ? t->breakable : 0]));
	json_object_set_new(record, "state", json_state_letter(t->state));
	json_object_set_new(record, "since", json_count(t->since));
	add_wait(record, m, t);
	json_object_set_new(record, "stack", json_stack(m, t->kernel_stack));
	json_object_set_new(record, "user_stack", json_stack(m, t->user_stack));
	json_object_set_new(record, "vm", json_object_name(m, t->vm));
	json_object_set_new(record, "device", json_object_name(m, t->device));
	return record;
}

static json_t *json_known(const struct finding *f)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < f->known_count; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "commit", json_text(f->known[i].commit));
		json_object_set_new(row, "title", json_text(f->known[i].title));
		json_object_set_new(row, "state", json_text(f->known[i].state));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *json_next(const struct model *m, const struct finding *f)
{
	char **lines = render_next(m, f);
	json_t *list = json_array();

	for (char **line = lines; line && *line; line++)
		json_array_append_new(list, json_text(*line));
	render_free_lines(lines);
	return list;
}

static void add_attributes(json_t *record, const struct model *m, const struct finding *f)
{
	static const char *const predictions[] = {
		[PREDICTION_NOT_DECIDED] = "not decided",
		[PREDICTION_UNREACHABLE] = "unreachable",
		[PREDICTION_REACHABLE] = "reachable",
	};
	json_t *schedule = json_array();

	for (uint32_t i = 0; i < f->schedule_count; i++)
		json_array_append_new(schedule, json_text(f->schedule[i]));
	json_object_set_new(record, "same_thread", json_boolean(f->same_thread));
	json_object_set_new(record, "same_class", json_boolean(f->same_class));
	json_object_set_new(record, "through_wait", json_boolean(finding__goes_through_wait(m, f)));
	json_object_set_new(record, "inferred", json_boolean(f->inferred));
	json_object_set_new(record, "breakable", json_boolean(f->breakable));
	json_object_set_new(record, "resolved", json_boolean(f->resolved));
	json_object_set_new(record, "resolved_at", json_count(f->resolved_at));
	json_object_set_new(record, "prediction", json_string(predictions[f->prediction]));
	json_object_set_new(record, "prediction_note", json_text(f->prediction_note));
	json_object_set_new(record, "schedule", schedule);
	json_object_set_new(record, "ordered_by", json_text(f->ordered_by));
	json_object_set_new(record, "rule", json_text(f->rule));
	json_object_set_new(record, "suppressed", json_text(f->suppressed));
	json_object_set_new(record, "note", json_text(f->note));
	json_object_set_new(record, "partial", json_boolean(f->missing != NULL));
	json_object_set_new(record, "missing", json_text(f->missing));
}

json_t *json_finding(const struct model *m, const struct finding *f)
{
	json_t *record = json_model_record(m, "finding", f->first);
	json_t *classes = json_array(), *modes = json_array(), *guards = json_array();
	json_t *tasks = json_array();

	for (uint32_t i = 0; i < f->length; i++) {
		if (f->classes)
			json_array_append_new(classes,
					      json_text(model__lock_class(m, f->classes[i])->name));
		if (f->modes)
			json_array_append_new(modes, json_string(json_mode(f->modes[i])));
	}
	for (uint32_t i = 0; i < f->guard_count; i++)
		json_array_append_new(guards, json_lock(m, f->guards[i]));
	for (uint32_t i = 0; i < f->task_count; i++)
		json_array_append_new(tasks, json_blocked_task(m, &f->tasks[i]));

	json_object_set_new(record, "kind", json_string(finding_kind_names[f->kind]));
	json_object_set_new(record, "code", json_string(finding_code_names[f->code]));
	json_object_set_new(record, "grade", json_string(finding_grade_names[f->grade]));
	json_object_set_new(record, "key", json_text(f->key));
	json_object_set_new(record, "classes", classes);
	json_object_set_new(record, "modes", modes);
	json_object_set_new(record, "witnesses", json_witnesses(m, f));
	json_object_set_new(record, "guards", guards);
	json_object_set_new(record, "tasks", tasks);
	json_object_set_new(record, "known", json_known(f));
	json_object_set_new(record, "next", json_next(m, f));
	json_object_set_new(record, "first", json_count(f->first));
	json_object_set_new(record, "last", json_count(f->last));
	json_object_set_new(record, "count", json_count(f->count));
	add_attributes(record, m, f);
	return record;
}

json_t *json_finding_list(const struct model *m, const struct finding_list *findings)
{
	json_t *list = json_array();
	const struct finding **sorted;

	if (!findings || !findings->count)
		return list;
	sorted = calloc(findings->count, sizeof(*sorted));
	if (!sorted)
		return list;
	finding_list__sorted(findings, sorted);
	for (uint32_t i = 0; i < findings->count; i++)
		json_array_append_new(list, json_finding(m, sorted[i]));
	free(sorted);
	return list;
}

json_t *json_fix(const struct fix *fix)
{
	static const char *const states[] = {
		[FIX_PRESENT] = "present",
		[FIX_MISSING] = "missing",
		[FIX_UNKNOWN] = "unknown",
	};
	json_t *row = json_object();

	json_object_set_new(row, "commit", json_text(fix->row->commit));
	json_object_set_new(row, "title", json_text(fix->row->title));
	json_object_set_new(row, "state", json_string(states[fix->state]));
	json_object_set_new(row, "evidence", json_text(fix->evidence));
	return row;
}

json_t *json_fixes(const struct fix *fixes, uint32_t count)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(rows, json_fix(&fixes[i]));
	return rows;
}

json_t *json_verdict(const struct report_input *input, const char *verdict,
		     const char *const *reasons, uint32_t reason_count, const struct fix *fixes,
		     uint32_t fix_count, json_t *baseline)
{
	const struct model *m = input->model;
	const struct model_clock *clock = model__clock(m);
	json_t *record = json_model_record(m, "verdict", clock->end);
	json_t *list = json_array();

	for (uint32_t i = 0; i < reason_count; i++)
		json_array_append_new(list, json_text(reasons[i]));
	json_object_set_new(record, "verdict", json_string(verdict));
	json_object_set_new(record, "reasons", list);
	json_object_set_new(record, "coverage", json_coverage(m));
	json_object_set_new(record, "fixes", json_fixes(fixes, fix_count));
	json_object_set_new(record, "findings", json_finding_list(m, input->findings));
	json_object_set_new(record, "baseline", baseline ? baseline : json_null());
	return record;
}

json_t *json_check(const struct model *m, const struct feature *features, uint32_t feature_count,
		   const struct probe_info *probes, uint32_t probe_count, const struct fix *fixes,
		   uint32_t fix_count, const char *level)
{
	static const char *const states[] = {
		[FEATURE_YES] = "yes",
		[FEATURE_NO] = "no",
		[FEATURE_UNKNOWN] = "unknown",
	};
	const struct model_clock *clock = model__clock(m);
	json_t *record = json_model_record(m, "check", clock->start);
	json_t *rows = json_array(), *kernel = json_object();

	for (uint32_t i = 0; i < feature_count; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "name", json_text(features[i].name));
		json_object_set_new(row, "state", json_string(states[features[i].state]));
		json_object_set_new(row, "needed_for", json_text(features[i].needed_for));
		json_object_set_new(row, "remedy", json_text(features[i].remedy));
		json_array_append_new(rows, row);
	}
	json_object_set_new(kernel, "release", json_text(model__fact(m, "kernel.release")));
	json_object_set_new(kernel, "arch", json_text(model__fact(m, "arch")));
	json_object_set_new(record, "kernel", kernel);
	json_object_set_new(record, "features", rows);
	json_object_set_new(record, "probes", json_probes(probes, probe_count));
	json_object_set_new(record, "fixes", json_fixes(fixes, fix_count));
	json_object_set_new(record, "level", json_text(level));
	return record;
}
