// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON records of what was seen: start, dependency, path, stall, summary, task graph. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "report.h"
#include "report/json/json_private.h"

static uint64_t now_mono(const struct model *m)
{
	const struct model_clock *clock = model__clock(m);

	return clock->end ? clock->end : clock->start;
}

json_t *json_probe(const struct probe_info *probe)
{
	json_t *row = json_object();

	json_object_set_new(row, "name", json_text(probe->name));
	json_object_set_new(row, "state", json_string(probe_state_names[probe->state]));
	json_object_set_new(row, "how", json_text(probe->how));
	json_object_set_new(row, "reason", json_text(probe->reason));
	json_object_set_new(row, "function", json_text(probe->function));
	json_object_set_new(row, "skipped", json_count(probe->skipped));
	return row;
}

json_t *json_probes(const struct probe_info *probes, uint32_t count)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(rows, json_probe(&probes[i]));
	return rows;
}

/* How long it took from the start of the program until everything was attached, and where. */
static void add_start_times(json_t *record, const struct model *m)
{
	static const char *const names[] = {"start_ns", "read_ns", "load_ns", "attach_ns"};
	json_t *times = json_object();
	char key[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *fact;

		snprintf(key, sizeof(key), "overhead.%s", names[i]);
		fact = model__fact(m, key);
		if (fact)
			json_object_set_new(times, names[i], json_integer(strtoll(fact, NULL, 10)));
	}
	json_object_set_new(record, "times", times);
}

json_t *json_start(const struct model *m, const struct probe_info *probes, uint32_t count)
{
	json_t *record = json_model_record(m, "start", model__clock(m)->start);
	json_t *kernel = json_object();

	json_object_set_new(kernel, "release", json_text(model__fact(m, "kernel.release")));
	json_object_set_new(kernel, "arch", json_text(model__fact(m, "arch")));
	json_object_set_new(record, "schema", json_integer(JSON_SCHEMA_VERSION));
	json_object_set_new(record, "version", json_string(VERSION));
	json_object_set_new(record, "kernel", kernel);
	json_object_set_new(record, "scope", json_text(model__fact(m, "scope")));
	json_object_set_new(record, "probes", json_probes(probes, count));
	add_start_times(record, m);
	return record;
}

static json_t *json_held(const struct model *m, const struct held_lock *held)
{
	json_t *entry = json_object();

	json_object_set_new(entry, "lock", json_lock(m, held->instance));
	json_object_set_new(entry, "mode", json_string(json_mode(held->mode)));
	json_object_set_new(entry, "try", json_boolean(held->flags & HELD_TRY));
	json_object_set_new(entry, "site", json_site(m, held->stack));
	return entry;
}

static void add_held_stack(json_t *record, const struct model *m, const struct held_lock *from)
{
	uint32_t stack = from ? from->stack : NO_ID;
	bool full = model__stack(m, stack).kind == STACK_FULL;

	json_object_set_new(record, "stack_held", json_stack(m, stack));
	json_object_set_new(record, "stack_held_kind", json_string(full ? "full" : "site"));
}

json_t *json_dependency(const struct model *m, uint32_t id, uint32_t held_index)
{
	const struct chain *chain = model__chain(m, id);
	const struct held_lock *wanted = &chain->wanted, *from = NULL;
	json_t *record = json_model_record(m, "dependency", chain->first);
	json_t *held = json_array();

	if (held_index < chain->held_count)
		from = &chain->held[held_index];
	else if (chain->held_count)
		from = &chain->held[chain->held_count - 1];
	for (uint32_t i = 0; i < chain->held_count; i++)
		json_array_append_new(held, json_held(m, &chain->held[i]));

	json_object_set_new(record, "from", from ? json_lock(m, from->instance) : json_null());
	json_object_set_new(record, "to", json_lock(m, wanted->instance));
	json_object_set_new(record, "mode", json_string(json_mode(wanted->mode)));
	json_object_set_new(record, "try", json_boolean(wanted->flags & HELD_TRY));
	json_object_set_new(record, "breakable", json_boolean(wanted->flags & HELD_BREAKABLE));
	json_object_set_new(record, "fault", json_boolean(wanted->flags & HELD_FAULT));
	json_object_set_new(record, "task", json_task(m, chain->first_task));
	json_object_set_new(record, "held", held);
	add_held_stack(record, m, from);
	json_object_set_new(record, "stack_wanted", json_stack(m, wanted->stack));
	json_object_set_new(
		record, "inferred",
		json_boolean((wanted->flags | (from ? from->flags : 0)) & HELD_INFERRED));
	json_object_set_new(record, "path",
			    chain->path < PATH_COUNT ? json_string(path_names[chain->path])
						     : json_null());
	json_object_set_new(record, "count", json_count(chain->count));
	json_object_set_new(record, "first", json_count(chain->first));
	json_object_set_new(record, "last", json_count(chain->last));
	return record;
}

json_t *json_chain(const struct model *m, uint32_t chain)
{
	return json_dependency(m, chain, NO_ID);
}

json_t *json_path(const struct model *m, const struct path_event *event)
{
	static const char *const kvm[] = {"null", "referenced", "unknown"};
	static const char *const how[] = {NULL, "group", "cdev"};
	json_t *record = json_model_record(m, "path", event->time);
	json_t *group = event->group < model__object_count(m)
				? json_integer(model__object(m, event->group)->number)
				: json_null();

	json_object_set_new(record, "path", json_string(path_names[event->path]));
	json_object_set_new(record, "task", json_task(m, event->task));
	json_object_set_new(record, "device", json_object_name(m, event->device));
	json_object_set_new(record, "group", group);
	json_object_set_new(record, "vm", json_object_name(m, event->vm));
	json_object_set_new(record, "how",
			    json_text(event->how <= HOW_CDEV ? how[event->how] : NULL));
	json_object_set_new(record, "kvm_ref_lock", json_lock(m, event->kvm_ref_lock));
	json_object_set_new(record, "result", json_integer(event->result));
	if (event->path == PATH_GET_KVM)
		json_object_set_new(
			record, "kvm",
			json_string(kvm[event->kvm_returned < 2 ? event->kvm_returned : 2]));
	json_object_set_new(record, "count", json_count(event->count));
	return record;
}

static json_t *json_state(char state)
{
	char text[2] = {state, '\0'};

	return state > ' ' && state < 0x7f ? json_string(text) : json_null();
}

json_t *json_stall(const struct model *m, const struct stall *stall)
{
	json_t *record = json_model_record(m, "stall", stall->mono);
	json_t *stacks = json_object();

	json_object_set_new(stacks, "kernel", json_stack(m, stall->stack));
	json_object_set_new(stacks, "user", json_stack(m, stall->user_stack));
	json_object_set_new(stacks, "owner", json_stack(m, stall->owner_stack));
	json_object_set_new(record, "task", json_task(m, stall->task));
	json_object_set_new(record, "lock", json_lock(m, stall->instance));
	json_object_set_new(record, "since", json_count(stall->since));
	json_object_set_new(record, "owner", json_task(m, stall->owner));
	json_object_set_new(record, "owner_state", json_state(stall->owner_state));
	json_object_set_new(record, "owner_doing", json_text(stall->owner_doing));
	json_object_set_new(record, "stacks", stacks);
	return record;
}

json_t *json_resolved(const struct model *m, const char *key, uint64_t when)
{
	json_t *record = json_model_record(m, "resolved", when);

	json_object_set_new(record, "key", json_text(key));
	return record;
}

static json_t *count_findings(const struct finding_list *list)
{
	json_int_t kinds[FINDING_KINDS] = {0}, grades[FINDING_GRADES] = {0};
	json_int_t codes[FINDING_CODES] = {0}, suppressed = 0;
	json_t *table = json_object(), *by_grade = json_object(), *by_code = json_object();

	for (uint32_t i = 0; list && i < list->count; i++) {
		kinds[list->items[i]->kind]++;
		codes[list->items[i]->code]++;
		grades[list->items[i]->grade]++;
		suppressed += list->items[i]->suppressed != NULL;
	}
	for (int i = 0; i < FINDING_KINDS; i++)
		json_object_set_new(table, finding_kind_names[i], json_integer(kinds[i]));
	for (int i = 0; i < FINDING_GRADES; i++)
		json_object_set_new(by_grade, finding_grade_names[i], json_integer(grades[i]));
	for (int i = 0; i < FINDING_CODES; i++)
		if (codes[i])
			json_object_set_new(by_code, finding_code_names[i], json_integer(codes[i]));
	json_object_set_new(table, "by_grade", by_grade);
	json_object_set_new(table, "by_code", by_code);
	json_object_set_new(table, "suppressed", json_integer(suppressed));
	return table;
}

static json_t *json_overhead(const struct model *m)
{
	static const char prefix[] = "overhead.";
	json_t *table = json_object();
	const char *key, *value;

	for (size_t i = 0; i < model__fact_count(m); i++) {
		char *end;
		long long number;

		model__fact_at(m, i, &key, &value);
		if (strncmp(key, prefix, sizeof(prefix) - 1))
			continue;
		errno = 0;
		number = strtoll(value, &end, 10);
		json_object_set_new(table, key + sizeof(prefix) - 1,
				    *value && !*end && !errno ? json_integer(number)
							      : json_text(value));
	}
	return table;
}

json_t *json_summary(const struct report_input *input, int exit_code)
{
	const struct model *m = input->model;
	const struct model_clock *clock = model__clock(m);
	json_t *record = json_model_record(m, "summary", now_mono(m));
	uint64_t duration = clock->end > clock->start ? clock->end - clock->start : 0;

	json_object_set_new(record, "duration", json_count(duration));
	json_object_set_new(record, "acquisitions", json_count(model__acquisitions(m)));
	json_object_set_new(record, "chains", json_integer(model__chain_count(m)));
	json_object_set_new(record, "dependencies", json_integer(model__dependency_count(m)));
	json_object_set_new(record, "class_dependencies", json_integer(model__class_edge_count(m)));
	json_object_set_new(record, "tasks", json_integer(model__task_count(m)));
	json_object_set_new(record, "findings", count_findings(input->findings));
	json_object_set_new(record, "search_limited",
			    json_boolean(input->findings && input->findings->search_limited));
	/* its former name, for one version */
	json_object_set(record, "search_cut", json_object_get(record, "search_limited"));
	json_object_set_new(record, "undecided",
			    json_count(input->findings ? input->findings->undecided : 0));
	json_object_set_new(record, "coverage", json_coverage(m));
	json_object_set_new(record, "losses", json_losses(m));
	json_object_set_new(record, "losses_unknown", json_text(model__losses_unknown(m)));
	json_object_set_new(record, "partial", json_boolean(model__fact(m, "source.missing")));
	json_object_set_new(record, "missing", json_text(model__fact(m, "source.missing")));
	json_object_set_new(record, "unpaired", json_unpaired(m));
	json_object_set_new(record, "overhead", json_overhead(m));
	json_object_set_new(record, "exit", json_integer(exit_code));
	return record;
}
