// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON of derived views: a task's lock-order graph, devices whose get and put kvm differ. */
#include <stdlib.h>
#include <uthash.h>

#include "report.h"
#include "report/json/json_private.h"

struct pair_row {
	uint64_t key; /* (from class, to class), or device object */
	uint64_t count, first, last;
	uint64_t gets, puts;
	uint32_t vm;
	UT_hash_handle hh;
};

static struct pair_row *find_row(struct pair_row **table, uint64_t key)
{
	struct pair_row *row;

	HASH_FIND(hh, *table, &key, sizeof(key), row);
	if (row)
		return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	row->key = key;
	row->vm = NO_ID;
	HASH_ADD(hh, *table, key, sizeof(row->key), row);
	return row;
}

static void free_rows(struct pair_row *table)
{
	struct pair_row *row, *next;

	HASH_ITER(hh, table, row, next) {
		HASH_DEL(table, row);
		free(row);
	}
}

static void add_task_chain(struct pair_row **table, const struct model *m,
			   const struct task_chain *pair)
{
	const struct chain *chain = model__chain(m, pair->chain);
	uint32_t to = model__instance(m, chain->wanted.instance)->lock_class;

	if (chain->wanted.flags & HELD_TRY)
		return;
	for (uint32_t i = 0; i < chain->held_count; i++) {
		uint32_t from = model__instance(m, chain->held[i].instance)->lock_class;
		struct pair_row *row = find_row(table, (uint64_t)from << 32 | to);

		if (!row)
			return;
		row->count += pair->count;
		if (pair->first && (!row->first || pair->first < row->first))
			row->first = pair->first;
		if (pair->last > row->last)
			row->last = pair->last;
	}
}

/* --- a task's graph: which (task, chain) pairs are whose is found out once for all tasks
 * ----------------------
 */

struct task_graphs {
	const struct model *m;
	uint32_t *first; /* per task, and one more: where its entries begin in `pairs` */
	uint32_t *pairs;
};

struct task_graphs *task_graphs__new(const struct model *m)
{
	uint32_t tasks = model__task_count(m), count = model__task_chain_count(m);
	struct task_graphs *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->m = m;
	g->first = calloc((size_t)tasks + 2, sizeof(*g->first));
	g->pairs = calloc((size_t)count + 1, sizeof(*g->pairs));
	if (!g->first || !g->pairs) {
		task_graphs__free(g);
		return NULL;
	}
	/* first[t + 1] counts, then says where t begins, and ends as where t + 1 begins */
	for (uint32_t i = 0; i < count; i++)
		g->first[model__task_chain(m, i)->task + 2]++;
	for (uint32_t t = 2; t < tasks + 2; t++)
		g->first[t] += g->first[t - 1];
	for (uint32_t i = 0; i < count; i++)
		g->pairs[g->first[model__task_chain(m, i)->task + 1]++] = i;
	return g;
}

void task_graphs__free(struct task_graphs *g)
{
	if (!g)
		return;
	free(g->first);
	free(g->pairs);
	free(g);
}

static json_t *edge_of(const struct model *m, const struct pair_row *row)
{
	json_t *edge = json_object();

	json_object_set_new(edge, "from", json_text(model__lock_class(m, row->key >> 32)->name));
	json_object_set_new(edge, "to", json_text(model__lock_class(m, (uint32_t)row->key)->name));
	json_object_set_new(edge, "count", json_count(row->count));
	json_object_set_new(edge, "first", json_count(row->first));
	json_object_set_new(edge, "last", json_count(row->last));
	return edge;
}

json_t *json_task_graph(const struct task_graphs *g, uint32_t task)
{
	const struct model_clock *clock = model__clock(g->m);
	json_t *record = json_model_record(g->m, "task_graph", clock->end);
	json_t *edges = json_array();
	struct pair_row *table = NULL, *row, *next;

	for (uint32_t i = g->first[task]; i < g->first[task + 1]; i++)
		add_task_chain(&table, g->m, model__task_chain(g->m, g->pairs[i]));
	HASH_ITER(hh, table, row, next)
		json_array_append_new(edges, edge_of(g->m, row));
	free_rows(table);
	json_object_set_new(record, "task", json_task(g->m, task));
	json_object_set_new(record, "dependencies", edges);
	return record;
}

/*
 * A device that got a kvm reference must put it. Opens that found no VM (kvm NULL) take none. What
 * was open before or after we looked shows here too, so this is information, not a finding.
 */
json_t *json_unpaired(const struct model *m)
{
	struct pair_row *table = NULL, *row, *next;
	json_t *list = json_array();

	for (uint32_t i = 0; i < model__path_event_count(m); i++) {
		const struct path_event *event = model__path_event(m, i);
		bool get = event->path == PATH_GET_KVM && event->kvm_returned != 0;

		if ((!get && event->path != PATH_PUT_KVM) || event->device == NO_ID)
			continue;
		row = find_row(&table, event->device);
		if (!row)
			break;
		row->gets += get ? event->count : 0;
		row->puts += get ? 0 : event->count;
		if (event->vm != NO_ID)
			row->vm = event->vm;
	}
	HASH_ITER(hh, table, row, next) {
		json_t *entry;

		if (row->gets == row->puts)
			continue;
		entry = json_object();
		json_object_set_new(entry, "device", json_object_name(m, (uint32_t)row->key));
		json_object_set_new(entry, "vm", json_object_name(m, row->vm));
		json_object_set_new(entry, "gets", json_count(row->gets));
		json_object_set_new(entry, "puts", json_count(row->puts));
		json_array_append_new(list, entry);
	}
	free_rows(table);
	return list;
}
