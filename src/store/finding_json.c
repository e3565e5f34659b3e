// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A finding as the JSON text of finding.body, and back. Ids are those of the file; reading maps
 * them to the model's. Dependencies and class edges have no table of their own: they follow from
 * the chain, and where there is none, from the classes.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"

/* --- ids --------------------------------------------------------------------------------- */

uint32_t id_table__get(const struct id_table *map, int64_t id)
{
	return id >= 0 && id < map->count ? map->ids[id] : NO_ID;
}

int id_table__set(struct id_table *map, int64_t id, uint32_t value)
{
	/* Files have dense ids; a hostile one must not make us allocate for one huge number. */
	uint64_t limit = (uint64_t)map->count * 4 + 65536;

	if (id < 0 || (uint64_t)id >= limit || id >= NO_ID - 1)
		return -EBADMSG;
	if (id >= map->count) {
		uint64_t room = 64;
		uint32_t *ids;

		while (room <= (uint64_t)id)
			room *= 2;
		room = room < NO_ID ? room : NO_ID;
		ids = realloc(map->ids, room * sizeof(*ids));
		if (!ids)
			return -ENOMEM;
		memset(ids + map->count, 0xff, (room - map->count) * sizeof(*ids));
		map->ids = ids;
		map->count = (uint32_t)room;
	}
	map->ids[id] = value;
	return 0;
}

void id_table__clear(struct id_table *map)
{
	free(map->ids);
	*map = (struct id_table){0};
}

void store_maps__clear(struct store_maps *maps)
{
	id_table__clear(&maps->classes);
	id_table__clear(&maps->objects);
	id_table__clear(&maps->instances);
	id_table__clear(&maps->tasks);
	id_table__clear(&maps->stacks);
	id_table__clear(&maps->chains);
	id_table__clear(&maps->variables);
}

/* --- writing ----------------------------------------------------------------------------- */

static json_t *pack_id(uint32_t id)
{
	return id == NO_ID ? json_null() : json_integer(id);
}

static void set_text(json_t *object, const char *key, const char *raw)
{
	char *text = raw ? store_text__encode(raw) : NULL;

	if (text)
		json_object_set_new(object, key, json_string(text));
	free(text);
}

static json_t *pack_witness(const struct witness *w)
{
	json_t *o = json_object();

	json_object_set_new(o, "chain", pack_id(w->chain));
	json_object_set_new(o, "last_chain", pack_id(w->last_chain));
	json_object_set_new(o, "held", pack_id(w->held_index));
	json_object_set_new(o, "task", pack_id(w->task));
	return o;
}

static json_t *pack_other(const struct other_task *other)
{
	json_t *o = json_object();

	json_object_set_new(o, "task", pack_id(other->task));
	json_object_set_new(o, "state", json_integer(other->state));
	json_object_set_new(o, "stack", pack_id(other->stack));
	json_object_set_new(o, "blocked", json_integer((json_int_t)other->blocked_ns));
	return o;
}

static json_t *pack_wait(const struct task_wait *wait)
{
	json_t *o = json_object(), *waiters = json_array();

	for (uint32_t i = 0; i < wait->waiter_count; i++)
		json_array_append_new(waiters, pack_other(&wait->waiters[i]));
	json_object_set_new(o, "what", json_string(wait_what_names[wait->what]));
	json_object_set_new(o, "class", pack_id(wait->lock_class));
	set_text(o, "site", wait->site);
	json_object_set_new(o, "blocked", json_integer((json_int_t)wait->blocked_ns));
	json_object_set_new(o, "owner", pack_other(&wait->owner));
	json_object_set_new(o, "waiters", waiters);
	json_object_set_new(o, "more_waiters", json_integer(wait->more_waiters));
	return o;
}

static json_t *pack_task(const struct blocked_task *t)
{
	json_t *o = json_object(), *holds = json_array();

	for (uint32_t i = 0; i < t->hold_count && i < 8; i++)
		json_array_append_new(holds, pack_id(t->holds[i]));
	json_object_set_new(o, "task", pack_id(t->task));
	json_object_set_new(o, "wants", pack_id(t->wants));
	json_object_set_new(o, "mode", json_integer(t->wants_mode));
	json_object_set_new(o, "breakable", json_integer(t->breakable));
	json_object_set_new(o, "state", json_integer(t->state));
	json_object_set_new(o, "since", json_integer((json_int_t)t->since));
	json_object_set_new(o, "stack", pack_id(t->kernel_stack));
	json_object_set_new(o, "user_stack", pack_id(t->user_stack));
	json_object_set_new(o, "vm", pack_id(t->vm));
	json_object_set_new(o, "device", pack_id(t->device));
	json_object_set_new(o, "holds", holds);
	if (t->wait)
		json_object_set_new(o, "wait", pack_wait(t->wait));
	return o;
}

static void pack_lists(json_t *body, const struct finding *f)
{
	json_t *classes = json_array(), *modes = json_array(), *witnesses = json_array();
	json_t *guards = json_array(), *tasks = json_array(), *schedule = json_array();
	json_t *known = json_array();

	for (uint32_t i = 0; i < f->length; i++) {
		json_array_append_new(classes, pack_id(f->classes ? f->classes[i] : NO_ID));
		json_array_append_new(modes, json_integer(f->modes ? f->modes[i] : 0));
		if (f->witnesses)
			json_array_append_new(witnesses, pack_witness(&f->witnesses[i]));
	}
	for (uint32_t i = 0; i < f->guard_count; i++)
		json_array_append_new(guards, pack_id(f->guards[i]));
	for (uint32_t i = 0; i < f->task_count; i++)
		json_array_append_new(tasks, pack_task(&f->tasks[i]));
	for (uint32_t i = 0; i < f->schedule_count; i++) {
		char *step = store_text__encode(f->schedule[i]);

		json_array_append_new(schedule, step ? json_string(step) : json_null());
		free(step);
	}
	for (uint32_t i = 0; i < f->known_count; i++) {
		json_t *row = json_object();

		set_text(row, "commit", f->known[i].commit);
		set_text(row, "title", f->known[i].title);
		set_text(row, "state", f->known[i].state);
		json_array_append_new(known, row);
	}
	json_object_set_new(body, "classes", classes);
	json_object_set_new(body, "modes", modes);
	json_object_set_new(body, "witnesses", witnesses);
	json_object_set_new(body, "guards", guards);
	json_object_set_new(body, "tasks", tasks);
	json_object_set_new(body, "schedule", schedule);
	json_object_set_new(body, "known", known);
}

char *store_finding__encode(const struct finding *f)
{
	json_t *body = json_object();
	char *text;

	json_object_set_new(body, "kind", json_integer(f->kind));
	json_object_set_new(body, "code", json_integer(f->code));
	json_object_set_new(body, "grade", json_integer(f->grade));
	set_text(body, "key", f->key);
	pack_lists(body, f);
	json_object_set_new(body, "same_thread", json_boolean(f->same_thread));
	json_object_set_new(body, "same_class", json_boolean(f->same_class));
	json_object_set_new(body, "inferred", json_boolean(f->inferred));
	json_object_set_new(body, "breakable", json_boolean(f->breakable));
	json_object_set_new(body, "resolved", json_boolean(f->resolved));
	json_object_set_new(body, "resolved_at", json_integer((json_int_t)f->resolved_at));
	json_object_set_new(body, "prediction", json_integer(f->prediction));
	set_text(body, "prediction_note", f->prediction_note);
	set_text(body, "ordered_by", f->ordered_by);
	set_text(body, "note", f->note);
	set_text(body, "rule", f->rule);
	set_text(body, "missing", f->missing);
	set_text(body, "suppressed", f->suppressed);
	json_object_set_new(body, "first", json_integer((json_int_t)f->first));
	json_object_set_new(body, "last", json_integer((json_int_t)f->last));
	json_object_set_new(body, "count", json_integer((json_int_t)f->count));
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

/* --- reading ----------------------------------------------------------------------------- */

static int64_t get_number(const json_t *object, const char *key, int64_t low, int64_t high)
{
	const json_t *value = json_object_get(object, key);
	int64_t number = json_is_integer(value) ? json_integer_value(value) : low;

	return number < low || number > high ? low : number;
}

static uint64_t get_time(const json_t *object, const char *key)
{
	return (uint64_t)get_number(object, key, 0, INT64_MAX);
}

static uint32_t get_id(const json_t *value, const struct id_table *map)
{
	if (!json_is_integer(value))
		return NO_ID;
	return id_table__get(map, json_integer_value(value));
}

static const char *intern_text(const json_t *value, struct model *m)
{
	char *raw = json_is_string(value) ? store_text__decode(json_string_value(value)) : NULL;
	const char *kept = raw ? model__intern(m, raw) : NULL;

	free(raw);
	return kept;
}

static const char *get_text(const json_t *object, const char *key, struct model *m)
{
	return intern_text(json_object_get(object, key), m);
}

static void complete_witness(struct witness *w, const struct model *m, const struct finding *f,
			     uint32_t i)
{
	w->dependency = NO_ID;
	w->class_edge = NO_ID;
	if (w->chain < model__chain_count(m) &&
	    w->held_index < model__chain(m, w->chain)->held_count)
		w->dependency = model__chain_dependency(m, w->chain, w->held_index);
	if (w->dependency != NO_ID)
		w->class_edge = model__dependency(m, w->dependency)->class_edge;
	else if (f->classes[i] != NO_ID && f->classes[(i + 1) % f->length] != NO_ID)
		w->class_edge = model__find_edge(m, f->classes[i], f->classes[(i + 1) % f->length]);
}

static void read_witnesses(const json_t *list, struct finding *f, const struct model *m,
			   const struct store_maps *maps)
{
	for (uint32_t i = 0; i < f->length; i++) {
		const json_t *row = json_array_get(list, i);
		struct witness *w = &f->witnesses[i];

		w->chain = get_id(json_object_get(row, "chain"), &maps->chains);
		w->last_chain = get_id(json_object_get(row, "last_chain"), &maps->chains);
		w->held_index = (uint32_t)get_number(row, "held", 0, 4096);
		w->task = get_id(json_object_get(row, "task"), &maps->tasks);
		complete_witness(w, m, f, i);
	}
}

static struct other_task read_other(const json_t *row, const struct store_maps *maps)
{
	return (struct other_task){
		.task = get_id(json_object_get(row, "task"), &maps->tasks),
		.state = (char)get_number(row, "state", 0, 127),
		.stack = get_id(json_object_get(row, "stack"), &maps->stacks),
		.blocked_ns = get_time(row, "blocked"),
	};
}

static enum wait_what read_what(const json_t *value)
{
	const char *name = json_string_value(value);

	for (int i = 0; name && i < WAIT_WHATS; i++)
		if (!strcmp(name, wait_what_names[i]))
			return (enum wait_what)i;
	return WAIT_WHAT_UNKNOWN;
}

static struct task_wait *read_wait(const json_t *row, struct model *m,
				   const struct store_maps *maps)
{
	struct task_wait *wait = calloc(1, sizeof(*wait));
	const json_t *waiters = json_object_get(row, "waiters");

	if (!wait)
		return NULL;
	wait->what = read_what(json_object_get(row, "what"));
	wait->lock_class = get_id(json_object_get(row, "class"), &maps->classes);
	wait->site = get_text(row, "site", m);
	wait->blocked_ns = get_time(row, "blocked");
	wait->owner = read_other(json_object_get(row, "owner"), maps);
	wait->more_waiters = (uint32_t)get_number(row, "more_waiters", 0, UINT32_MAX);
	wait->waiters = calloc(json_array_size(waiters) + 1, sizeof(*wait->waiters));
	for (size_t i = 0; wait->waiters && i < json_array_size(waiters); i++) {
		struct other_task other = read_other(json_array_get(waiters, i), maps);

		if (other.task != NO_ID)
			wait->waiters[wait->waiter_count++] = other;
	}
	return wait;
}

static void free_tasks(struct finding *f)
{
	for (uint32_t i = 0; f->tasks && i < f->task_count; i++) {
		if (f->tasks[i].wait)
			free(f->tasks[i].wait->waiters);
		free(f->tasks[i].wait);
	}
	free(f->tasks);
}

static void read_task(const json_t *row, struct blocked_task *t, struct model *m,
		      const struct store_maps *maps)
{
	const json_t *holds = json_object_get(row, "holds"), *wait = json_object_get(row, "wait");

	t->task = get_id(json_object_get(row, "task"), &maps->tasks);
	t->wants = get_id(json_object_get(row, "wants"), &maps->instances);
	t->wants_mode = (uint8_t)get_number(row, "mode", 0, LOCK_MODES - 1);
	t->breakable = (uint8_t)get_number(row, "breakable", 0, 2);
	t->state = (char)get_number(row, "state", 0, 127);
	t->since = get_time(row, "since");
	t->kernel_stack = get_id(json_object_get(row, "stack"), &maps->stacks);
	t->user_stack = get_id(json_object_get(row, "user_stack"), &maps->stacks);
	t->vm = get_id(json_object_get(row, "vm"), &maps->objects);
	t->device = get_id(json_object_get(row, "device"), &maps->objects);
	for (size_t i = 0; i < json_array_size(holds) && i < 8; i++)
		t->holds[t->hold_count++] = get_id(json_array_get(holds, i), &maps->instances);
	if (json_is_object(wait))
		t->wait = read_wait(wait, m, maps);
}

/* What recordings say that were made before the state was renamed. */
static const char *known_state(const char *state)
{
	return state && !strcmp(state, "cannot tell") ? "unknown" : state;
}

static void read_scalars(const json_t *body, struct finding *f, struct model *m)
{
	const json_t *known = json_object_get(body, "known");
	const uint32_t known_room = sizeof(f->known) / sizeof(f->known[0]);

	f->kind = (enum finding_kind)get_number(body, "kind", 0, FINDING_KINDS - 1);
	f->code = (enum finding_code)get_number(body, "code", 0, FINDING_CODES - 1);
	f->grade = (enum finding_grade)get_number(body, "grade", 0, FINDING_GRADES - 1);
	f->key = get_text(body, "key", m);
	f->same_thread = json_is_true(json_object_get(body, "same_thread"));
	f->same_class = json_is_true(json_object_get(body, "same_class"));
	f->inferred = json_is_true(json_object_get(body, "inferred"));
	f->breakable = json_is_true(json_object_get(body, "breakable"));
	f->resolved = json_is_true(json_object_get(body, "resolved"));
	f->resolved_at = get_time(body, "resolved_at");
	f->prediction = (enum prediction)get_number(body, "prediction", 0, PREDICTION_REACHABLE);
	f->prediction_note = get_text(body, "prediction_note", m);
	f->ordered_by = get_text(body, "ordered_by", m);
	f->note = get_text(body, "note", m);
	f->rule = get_text(body, "rule", m);
	f->missing = get_text(body, "missing", m);
	f->suppressed = get_text(body, "suppressed", m);
	f->first = get_time(body, "first");
	f->last = get_time(body, "last");
	f->count = get_time(body, "count");
	for (size_t i = 0; i < json_array_size(known) && f->known_count < known_room; i++) {
		const json_t *row = json_array_get(known, i);

		f->known[f->known_count++] = (struct known_bug){
			get_text(row, "commit", m),
			get_text(row, "title", m),
			known_state(get_text(row, "state", m)),
		};
	}
}

static uint32_t list_length(const json_t *body, const char *key)
{
	size_t length = json_array_size(json_object_get(body, key));

	return length > 100000 ? 100000 : (uint32_t)length;
}

static void *room(uint32_t count, size_t size)
{
	return calloc(count ? count : 1, size);
}

static bool is_hang(const struct finding *f)
{
	return f->task_count == 1 && f->tasks[0].task != NO_ID && f->tasks[0].wait &&
	       f->tasks[0].wait->waiters;
}

int store_finding__decode(const char *json, struct model *m, const struct store_maps *maps,
			  struct analysis *out)
{
	json_t *body = json_loads(json, 0, NULL);
	struct finding f = {0};
	int error = -ENOMEM;

	if (!json_is_object(body)) {
		json_decref(body);
		return -EBADMSG;
	}
	read_scalars(body, &f, m);
	f.length = list_length(body, "classes");
	f.guard_count = list_length(body, "guards");
	f.task_count = list_length(body, "tasks");
	f.schedule_count = list_length(body, "schedule");
	f.classes = room(f.length, sizeof(*f.classes));
	f.modes = room(f.length, sizeof(*f.modes));
	f.witnesses = room(f.length, sizeof(*f.witnesses));
	f.guards = room(f.guard_count, sizeof(*f.guards));
	f.tasks = room(f.task_count, sizeof(*f.tasks));
	f.schedule = room(f.schedule_count, sizeof(*f.schedule));
	if (!f.classes || !f.modes || !f.witnesses || !f.guards || !f.tasks || !f.schedule)
		goto cleanup;
	error = -EBADMSG;
	for (uint32_t i = 0; i < f.length; i++) {
		json_t *mode = json_array_get(json_object_get(body, "modes"), i);

		f.classes[i] =
			get_id(json_array_get(json_object_get(body, "classes"), i), &maps->classes);
		if (f.classes[i] == NO_ID)
			goto cleanup;
		f.modes[i] = json_integer_value(mode) < LOCK_MODES
				     ? (uint8_t)json_integer_value(mode)
				     : 0;
	}
	for (uint32_t i = 0; i < f.guard_count; i++)
		f.guards[i] = get_id(json_array_get(json_object_get(body, "guards"), i),
				     &maps->instances);
	for (uint32_t i = 0; i < f.task_count; i++)
		read_task(json_array_get(json_object_get(body, "tasks"), i), &f.tasks[i], m, maps);
	if (f.kind == FINDING_HANG && !is_hang(&f))
		goto cleanup;
	for (uint32_t i = 0; i < f.schedule_count; i++) {
		f.schedule[i] =
			intern_text(json_array_get(json_object_get(body, "schedule"), i), m);
		if (!f.schedule[i])
			f.schedule[i] = "";
	}
	if (json_array_size(json_object_get(body, "witnesses"))) {
		read_witnesses(json_object_get(body, "witnesses"), &f, m, maps);
	} else {
		free(f.witnesses);
		f.witnesses = NULL;
	}
	error = analysis__add_finding(out, &f) ? 0 : -ENOMEM;
cleanup:
	free(f.classes);
	free(f.modes);
	free(f.witnesses);
	free(f.guards);
	free_tasks(&f);
	free(f.schedule);
	json_decref(body);
	return error;
}

int store_finding__copy(const struct finding *f, struct model *m, const struct store_maps *maps,
			struct analysis *out)
{
	char *json = store_finding__encode(f);
	int error = json ? store_finding__decode(json, m, maps, out) : -ENOMEM;

	free(json);
	return error;
}
