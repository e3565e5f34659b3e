// SPDX-License-Identifier: GPL-2.0-or-later
/* A model made smaller: what is evicted, and what must be known as before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analysis.h"
#include "fixture.h"
#include "keep_set.h"
#include "store.h"

struct pair {
	struct model *m;
	struct analysis *a;
};

static const struct analysis_options live = {.live_kernel = true};

static struct pair new_pair(void)
{
	struct pair p = {.m = model__new()};

	p.a = analysis__new(p.m, &live);
	return p;
}

static void free_pair(struct pair *p)
{
	analysis__free(p->a);
	model__free(p->m);
}

static uint32_t lock(struct model *m, const char *name, uint64_t address)
{
	return model__add_instance(m, model__add_class(m, name, LOCK_KIND_RWSEM, CLASS_IN_SCOPE),
				   address, 0);
}

static uint32_t chain(struct model *m, uint32_t task, uint32_t held, uint32_t wanted, uint8_t mode,
		      uint64_t time)
{
	struct held_lock h = {.instance = held, .stack = NO_ID, .mode = mode};
	struct held_lock w = {.instance = wanted, .stack = NO_ID, .mode = LOCK_EXCLUSIVE};

	return model__add_chain(m, &h, 1, &w, task, time, 1, NO_ID);
}

/* What is left of `from` when nothing but the marks in `s` (which this frees) must stay. */
static struct pair smaller(struct pair *from, struct keep_set *s, struct id_remap *remap)
{
	struct pair to = new_pair();
	struct replay_options options = {.only = s, .remap = remap};

	assert_int_equal(keep_set__class_order(s, from->m), 0);
	keep_set__findings(s, from->m, analysis__findings(from->a));
	assert_int_equal(keep_set__guards(s, from->m), 0);
	keep_set__close(s, from->m);
	assert_int_equal(model__replay(to.m, from->m, NULL, to.a, &options), 0);
	keep_set__free(s);
	return to;
}

static void test_class_order_stays(void **state)
{
	struct pair big = new_pair(), small;
	struct id_remap *remap;
	uint32_t task = model__add_task(big.m, 1, 1, "qemu", 0, 0), edge;
	uint64_t count;

	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		uint32_t held = lock(big.m, "vfio_group.group_lock", 0x1000 + 64 * i);
		uint32_t wanted = lock(big.m, "kvm.lock", 0x100000 + 64 * i);

		chain(big.m, task, held, wanted, LOCK_EXCLUSIVE, 10 + i);
	}
	count = model__class_edge(big.m, 0)->count;
	remap = id_remap__new(big.m);
	small = smaller(&big, keep_set__new(big.m), remap);
	assert_int_equal(model__chain_count(small.m), 1);
	assert_int_equal(model__instance_count(small.m), 2);
	assert_int_equal(remap->chains[0], 0);
	assert_int_equal(remap->chains[1], NO_ID);
	assert_int_equal(remap->instances[3], NO_ID);
	edge = model__find_edge(small.m, model__find_class(small.m, "vfio_group.group_lock"),
				model__find_class(small.m, "kvm.lock"));
	assert_int_equal(model__class_edge(small.m, edge)->count, count);
	assert_int_equal(model__class_edge(small.m, edge)->last, 509);
	assert_int_equal(analysis__findings(small.a)->count, 0);
	/* other locks of the two classes, the other way round */
	task = model__add_task(small.m, 2, 2, "qemu", 0, 0);
	chain(small.m, task, lock(small.m, "kvm.lock", 0x900000),
	      lock(small.m, "vfio_group.group_lock", 0x900100), LOCK_EXCLUSIVE, 1000);
	assert_int_equal(analysis__findings(small.a)->count, 1);
	assert_int_equal(analysis__findings(small.a)->items[0]->code, CODE_CLASS_INVERSION);
	id_remap__free(remap);
	free_pair(&big);
	free_pair(&small);
}

/* Each mode in which classes were taken has a occurrence of its own. */
static void test_modes_stay(void **state)
{
	struct pair big = new_pair(), small;
	uint32_t a = lock(big.m, "a", 1), b = lock(big.m, "b", 2), c = lock(big.m, "b", 3);

	(void)state;
	chain(big.m, NO_ID, a, b, LOCK_EXCLUSIVE, 1);
	chain(big.m, NO_ID, a, c, LOCK_EXCLUSIVE, 2);
	chain(big.m, NO_ID, a, c, LOCK_SHARED, 3);
	small = smaller(&big, keep_set__new(big.m), NULL);
	assert_int_equal(model__chain_count(small.m), 2);
	assert_int_equal(model__class_edge(small.m, 0)->modes, model__class_edge(big.m, 0)->modes);
	free_pair(&big);
	free_pair(&small);
}

static void guarded(struct model *m, uint32_t task, uint32_t guard, uint8_t mode, uint32_t held,
		    uint32_t wanted)
{
	struct held_lock h[2] = {{.instance = guard, .stack = NO_ID, .mode = mode},
				 {.instance = held, .stack = NO_ID}};
	struct held_lock w = {.instance = wanted, .stack = NO_ID};

	model__add_chain(m, h, 2, &w, task, 7, 1, NO_ID);
}

/* What is found when b -> a comes under a guard, after one a -> b under it and another. */
static enum finding_code found_under_guard(bool held_again, uint8_t mode_again, uint8_t mode)
{
	struct pair big = new_pair(), small;
	uint32_t g = lock(big.m, "g", 1), a = lock(big.m, "a", 2), b = lock(big.m, "b", 3);
	uint32_t one = model__add_task(big.m, 1, 1, "t", 0, 0), two;
	enum finding_code code;

	guarded(big.m, one, g, LOCK_EXCLUSIVE, a, b);
	if (held_again)
		guarded(big.m, one, g, mode_again, a, b);
	else
		chain(big.m, one, a, b, LOCK_EXCLUSIVE, 8);
	small = smaller(&big, keep_set__new(big.m), NULL);
	two = model__add_task(small.m, 2, 2, "t", 0, 0);
	guarded(small.m, two, lock(small.m, "g", 1), mode, lock(small.m, "b", 3),
		lock(small.m, "a", 2));
	analysis__finish(small.a);
	assert_int_equal(analysis__findings(small.a)->count, 1);
	code = analysis__findings(small.a)->items[0]->code;
	free_pair(&big);
	free_pair(&small);
	return code;
}

/* Where a lock was not always held around an order, it is no guard afterwards either. */
static void test_guards_do_not_grow(void **state)
{
	(void)state;
	assert_int_equal(found_under_guard(true, LOCK_EXCLUSIVE, LOCK_EXCLUSIVE), CODE_GATED);
	assert_int_equal(found_under_guard(false, 0, LOCK_EXCLUSIVE), CODE_INSTANCE_INVERSION);
	assert_int_equal(found_under_guard(true, LOCK_SHARED, LOCK_SHARED),
			 CODE_INSTANCE_INVERSION);
	assert_int_equal(found_under_guard(true, LOCK_SHARED, LOCK_EXCLUSIVE), CODE_GATED);
}

/* The pair that stays for another occurrence keeps the one that speaks against its guard. */
static void test_guards_of_a_pair_do_not_grow(void **state)
{
	struct pair big = new_pair(), small;
	uint32_t g = lock(big.m, "g", 1), one = model__add_task(big.m, 1, 1, "t", 0, 0), last;
	uint32_t a0 = lock(big.m, "a", 2), b0 = lock(big.m, "b", 3);
	uint32_t a1 = lock(big.m, "a", 4), b1 = lock(big.m, "b", 5);
	struct keep_set *s;

	(void)state;
	chain(big.m, one, a0, b0, LOCK_EXCLUSIVE, 1);
	chain(big.m, one, a1, b1, LOCK_EXCLUSIVE, 2);
	guarded(big.m, one, g, LOCK_EXCLUSIVE, a1, b1);
	last = model__chain_count(big.m) - 1;
	s = keep_set__new(big.m);
	s->chains[last] = 1; /* seen lately */
	small = smaller(&big, s, NULL);
	guarded(small.m, model__add_task(small.m, 2, 2, "t", 0, 0), lock(small.m, "g", 1),
		LOCK_EXCLUSIVE, lock(small.m, "b", 5), lock(small.m, "a", 4));
	assert_int_equal(analysis__findings(small.a)->count, 1);
	assert_int_equal(analysis__findings(small.a)->items[0]->code, CODE_INSTANCE_INVERSION);
	free_pair(&big);
	free_pair(&small);
}

/* An order that two tasks had is not one task's afterwards; what a third adds can go. */
static void test_other_tasks_stay(void **state)
{
	struct pair big = new_pair(), small;
	struct held_lock h = {.instance = lock(big.m, "a", 2), .stack = NO_ID};
	struct held_lock w = {.instance = lock(big.m, "b", 3), .stack = NO_ID};

	(void)state;
	for (uint32_t i = 1; i < 4; i++) {
		w.flags = i == 1 ? 0 : i == 2 ? HELD_BREAKABLE : HELD_INFERRED; /* other chains */
		model__add_chain(big.m, &h, 1, &w, model__add_task(big.m, i, i, "t", 0, 0), i, 1,
				 NO_ID);
	}
	small = smaller(&big, keep_set__new(big.m), NULL);
	assert_int_equal(model__chain_count(small.m), 2);
	assert_int_not_equal(model__chain(small.m, 0)->first_task,
			     model__chain(small.m, 1)->first_task);
	free_pair(&big);
	free_pair(&small);
}

struct reported {
	struct model *m;
	uint32_t count;
};

static void count_with_facts(void *context, const struct finding *f)
{
	struct reported *reported = context;

	(void)f;
	assert_string_equal(model__fact(reported->m, "kernel.release"), "6.1.0");
	reported->count++;
}

/* Rules, suppressions and known bugs ask for the kernel's version as findings are made again. */
static void test_facts_come_first(void **state)
{
	struct pair big = new_pair();
	struct reported reported = {.m = model__new()};
	struct analysis_options options = {
		.live_kernel = true, .on_finding = count_with_facts, .context = &reported};
	struct analysis *judged = analysis__new(reported.m, &options);
	uint32_t a = lock(big.m, "a", 1), b = lock(big.m, "b", 2);

	(void)state;
	model__set_fact(big.m, "kernel.release", "6.1.0");
	chain(big.m, NO_ID, a, b, LOCK_EXCLUSIVE, 1);
	chain(big.m, NO_ID, b, a, LOCK_EXCLUSIVE, 2);
	assert_int_equal(model__replay(reported.m, big.m, NULL, NULL, &(struct replay_options){0}),
			 0);
	assert_int_equal(reported.count, 1);
	analysis__free(judged);
	model__free(reported.m);
	free_pair(&big);
}

static bool has_key(const struct finding_list *list, const struct finding *wanted)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i]->key, wanted->key))
			return list->items[i]->code == wanted->code;
	return false;
}

/* Findings and the order of classes of many models, with chains left out at random. */
static void test_findings_stay(void **state)
{
	uint32_t evicted = 0, found = 0;

	(void)state;
	srandom(7);
	for (int round = 0; round < 300; round++) {
		struct pair big = new_pair(), small;
		struct keep_set *s;
		char name[8];

		for (int i = 0; i < 60; i++) {
			uint32_t ids[2];

			for (int k = 0; k < 2; k++) {
				snprintf(name, sizeof(name), "c%ld", random() % 6);
				ids[k] = lock(big.m, name, (uint64_t)(1 + random() % 5));
			}
			if (ids[0] != ids[1])
				chain(big.m,
				      model__add_task(big.m, 1, (uint32_t)(1 + random() % 4), "t",
						      0, 0),
				      ids[0], ids[1], random() % 2 ? LOCK_SHARED : LOCK_EXCLUSIVE,
				      (uint64_t)i + 1);
		}
		s = keep_set__new(big.m);
		for (uint32_t i = 0; i < model__chain_count(big.m); i++)
			s->chains[i] = random() % 8 == 0;
		small = smaller(&big, s, NULL);
		evicted += model__chain_count(big.m) - model__chain_count(small.m);
		assert_int_equal(model__class_edge_count(small.m), model__class_edge_count(big.m));
		for (uint32_t i = 0; i < model__class_edge_count(big.m); i++) {
			const struct class_edge *was = model__class_edge(big.m, i);
			uint32_t id = model__find_edge(small.m, was->from, was->to);

			assert_int_not_equal(id, NO_ID);
			assert_int_equal(model__class_edge(small.m, id)->modes, was->modes);
			assert_int_equal(model__class_edge(small.m, id)->count, was->count);
		}
		for (uint32_t i = 0; i < analysis__findings(big.a)->count; i++, found++)
			assert_true(has_key(analysis__findings(small.a),
					    analysis__findings(big.a)->items[i]));
		free_pair(&big);
		free_pair(&small);
	}
	assert_true(evicted > 1000 && found > 1000);
}

static struct path_event run_of(uint32_t path, uint32_t device, uint64_t time)
{
	return (struct path_event){.path = path,
				   .task = NO_ID,
				   .time = time,
				   .count = 1,
				   .device = device,
				   .group = NO_ID,
				   .vm = NO_ID,
				   .kvm_returned = 1,
				   .kvm_ref_lock = NO_ID};
}

static void test_references_balance(void **state)
{
	struct pair big = new_pair(), small;
	struct object object = {.kind = OBJECT_DEVICE, .parent = NO_ID, .address = 1, .name = "d"};
	uint32_t d, e, gets[2] = {0}, puts[2] = {0};
	struct keep_set *s;
	uint64_t time = 0;

	(void)state;
	d = model__add_object(big.m, &object);
	object.address = 2;
	e = model__add_object(big.m, &object);
	model__add_path_event(big.m, (struct path_event[]){run_of(PATH_GET_KVM, e, ++time)});
	for (int i = 0; i < 100; i++) {
		model__add_path_event(big.m,
				      (struct path_event[]){run_of(PATH_GET_KVM, d, ++time)});
		model__add_path_event(big.m,
				      (struct path_event[]){run_of(PATH_PUT_KVM, d, ++time)});
	}
	s = keep_set__new(big.m);
	assert_int_equal(keep_set__paths(s, big.m, 7), 0);
	small = smaller(&big, s, NULL);
	/* seven, the get of the first of them, and the one that was never put */
	assert_int_equal(model__path_event_count(small.m), 9);
	for (uint32_t i = 0; i < 9; i++) {
		const struct path_event *event = model__path_event(small.m, i);
		uint32_t which = model__object(small.m, event->device)->address == 2;

		*(event->path == PATH_GET_KVM ? &gets[which] : &puts[which]) += 1;
	}
	assert_int_equal(gets[0], puts[0]);
	assert_int_equal(gets[1], 1);
	assert_int_equal(puts[1], 0);
	assert_int_equal(model__coverage(small.m, PATH_GET_KVM)->hits, 101);
	free_pair(&big);
	free_pair(&small);
}

static void test_wait_times_stay(void **state)
{
	struct pair big = new_pair(), small;
	struct histogram one = {.count = 1, .total = 5, .max = 5, .bucket = {0, 0, 1}};
	uint64_t count = 0;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		model__add_duration(big.m, lock(big.m, "kvm.lock", i + 1), NO_ID, NO_ID, false,
				    &one);
	small = smaller(&big, keep_set__new(big.m), NULL);
	assert_int_equal(model__duration_count(small.m), 1);
	count = model__duration(small.m, 0)->time.count;
	assert_int_equal(count, 10);
	assert_string_equal(
		model__lock_class(
			small.m,
			model__instance(small.m, model__duration(small.m, 0)->instance)->lock_class)
			->name,
		"kvm.lock");
	free_pair(&big);
	free_pair(&small);
}

/* A finding with all it refers to, as a deadlock that the order graph cannot tell again. */
static void test_deadlock_goes_over(void **state)
{
	struct fixture *f = fixture_deadlock();
	struct pair big, small = new_pair();
	struct keep_set *s;
	struct id_remap *remap;
	const struct finding *now, *was;

	(void)state;
	big.m = f->m;
	s = keep_set__new(big.m);
	remap = id_remap__new(big.m);
	assert_int_equal(keep_set__class_order(s, big.m), 0);
	keep_set__findings(s, big.m, &f->findings);
	keep_set__close(s, big.m);
	assert_int_equal(model__replay(small.m, big.m, &f->findings, small.a,
				       &(struct replay_options){.only = s, .remap = remap}),
			 0);
	was = f->findings.items[0];
	for (uint32_t i = 0; i < f->findings.count; i++)
		if (f->findings.items[i]->kind == FINDING_DEADLOCK)
			was = f->findings.items[i];
	now = NULL;
	for (uint32_t i = 0; i < analysis__findings(small.a)->count; i++)
		if (analysis__findings(small.a)->items[i]->kind == was->kind)
			now = analysis__findings(small.a)->items[i];
	assert_non_null(now);
	assert_string_equal(now->key, was->key);
	assert_int_equal(now->task_count, was->task_count);
	for (uint32_t i = 0; i < was->task_count; i++) {
		assert_int_equal(now->tasks[i].wants, remap->instances[was->tasks[i].wants]);
		assert_string_equal(model__task(small.m, now->tasks[i].task)->comm,
				    model__task(big.m, was->tasks[i].task)->comm);
	}
	keep_set__free(s);
	id_remap__free(remap);
	fixture_free(f);
	free_pair(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_class_order_stays),
		cmocka_unit_test(test_modes_stay),
		cmocka_unit_test(test_guards_do_not_grow),
		cmocka_unit_test(test_guards_of_a_pair_do_not_grow),
		cmocka_unit_test(test_other_tasks_stay),
		cmocka_unit_test(test_facts_come_first),
		cmocka_unit_test(test_findings_stay),
		cmocka_unit_test(test_references_balance),
		cmocka_unit_test(test_wait_times_stay),
		cmocka_unit_test(test_deadlock_goes_over),
	};

	return cmocka_run_group_tests_name("keep_set", tests, NULL, NULL);
}
