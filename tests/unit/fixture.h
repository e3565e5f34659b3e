/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fixture.h - models as the kernel would have filled them, for tests of what is made from them.
 *
 * fixture_inversion: a 6.1 host, vfio_group.group_lock and kvm.lock in both orders, one VM, one
 * device, waits but no holds. fixture_deadlock: the same, stuck. fixture_large: 500 classes and
 * 5,000 dependencies with one cycle through three locks. fixture_hostile: the inversion with names
 * that try to leave every sink. fixture_events: the deadlock with an event stream; fixture_clean:
 * no finding. Freed with fixture_free.
 */
#ifndef VFIOTRACE_TEST_FIXTURE_H
#define VFIOTRACE_TEST_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "model.h"
#include "report.h"

#define FIXTURE_SECOND 1000000000ULL
#define FIXTURE_START (5000 * FIXTURE_SECOND)
#define FIXTURE_HOSTILE                                                                            \
	"</script><img src=x onerror=alert(1)>\"'`];--\x1b[31m\x07\n|[x](http://h/)#\xff\\"

struct fixture {
	struct model *m;
	struct finding_list findings;
	struct finding storage[2];
	struct finding *items[2];
	uint32_t classes[2][4];
	uint8_t modes[2][4];
	struct witness witnesses[2][4];
	struct blocked_task tasks[2];
	const char *schedule[4];
	uint32_t guards[1];
	/* the entities of the inversion */
	uint32_t group_class, kvm_class, set_class, vm, group, device;
	uint32_t group_lock, kvm_lock, set_lock, opener, closer;
	uint32_t open_site, open_stack, close_site, close_stack, chain_open, chain_close;
};

static inline uint32_t fixture_stack(struct model *m, enum stack_kind kind,
				     const char *const *symbols, const char *const *modules,
				     uint32_t count)
{
	struct frame frames[16] = {{0}};

	for (uint32_t i = 0; i < count; i++) {
		frames[i].symbol = symbols[i];
		frames[i].module = modules[i];
		frames[i].offset = 0x1c + 0x35 * i;
		frames[i].ip = 0xffffffffc0a01000ULL + 0x100 * i;
	}
	return model__add_stack(m, kind, frames, count);
}

static inline void fixture_stacks(struct fixture *f)
{
	static const char *const open_symbols[] = {
		"mutex_lock",	   "order_open_device", "vfio_group_fops_unl_ioctl",
		"__x64_sys_ioctl", "do_syscall_64",	"entry_SYSCALL_64_after_hwframe"};
	static const char *const open_modules[] = {NULL, "vfio_order", "vfio", NULL, NULL, NULL};
	static const char *const close_symbols[] = {"mutex_lock",
						    "vfio_file_set_kvm",
						    "kvm_vfio_release",
						    "kvm_device_release",
						    "__fput",
						    "task_work_run",
						    "exit_to_user_mode_prepare",
						    "syscall_exit_to_user_mode",
						    "do_syscall_64",
						    "entry_SYSCALL_64_after_hwframe"};
	static const char *const close_modules[] = {NULL, "vfio", "kvm", "kvm", NULL,
						    NULL, NULL,	  NULL,	 NULL,	NULL};

	f->open_site = fixture_stack(f->m, STACK_SITE, open_symbols + 2, open_modules + 2, 1);
	f->open_stack = fixture_stack(f->m, STACK_FULL, open_symbols, open_modules, 6);
	f->close_site = fixture_stack(f->m, STACK_FULL, close_symbols + 3, close_modules + 3, 6);
	f->close_stack = fixture_stack(f->m, STACK_FULL, close_symbols, close_modules, 10);
}

static inline void fixture_objects(struct fixture *f, const char *hostile)
{
	struct object vm = {.kind = OBJECT_VM,
			    .parent = NO_ID,
			    .pid = 4711,
			    .address = 0xffffc90000a51000ULL,
			    .name = hostile ? hostile : "win11-ci"};
	struct object group = {.kind = OBJECT_GROUP,
			       .parent = NO_ID,
			       .number = 12,
			       .address = 0xffff888104a3c400ULL,
			       .name = "group 12"};
	struct object device = {.kind = OBJECT_DEVICE,
				.name = hostile ? hostile : "0000:65:00.0",
				.detail = "vfio_order"};

	f->vm = model__add_object(f->m, &vm);
	f->group = model__add_object(f->m, &group);
	device.parent = f->group;
	f->device = model__add_object(f->m, &device);
}

static inline void fixture_locks(struct fixture *f, const char *hostile)
{
	struct model *m = f->m;

	f->group_class = model__add_class(m, "vfio_group.group_lock", LOCK_KIND_MUTEX,
					  CLASS_IN_SCOPE | CLASS_HAD_WRITER);
	f->kvm_class = model__add_class(m, hostile ? hostile : "kvm.lock", LOCK_KIND_MUTEX,
					CLASS_IN_SCOPE | CLASS_HAD_WRITER);
	f->set_class = model__add_class(m, "vfio_device_set.lock", LOCK_KIND_MUTEX, CLASS_IN_SCOPE);
	f->group_lock = model__add_instance(m, f->group_class, 0xffff888104a3c7c8ULL, 0);
	f->kvm_lock = model__add_instance(m, f->kvm_class, 0xffffc90000a51028ULL, 0);
	f->set_lock = model__add_instance(m, f->set_class, 0xffff888107711020ULL, 1);
	model__name_instance(m, f->group_lock, "group 12", f->group);
	model__name_instance(m, f->kvm_lock, hostile ? hostile : "VM of qemu-system-x86/4711",
			     f->vm);
	model__name_instance(m, f->set_lock, "device set of 0000:65:00.0", f->device);
	f->opener = model__add_task(m, 4711, 4711, hostile ? hostile : "qemu-system-x86", 0, 0);
	f->closer = model__add_task(m, 4711, 4790, hostile ? hostile : "qemu-system-x86", 1, 0);
	model__set_task_vm(m, f->opener, f->vm);
	model__set_task_vm(m, f->closer, f->vm);
}

static inline void fixture_chains(struct fixture *f, bool closes)
{
	struct held_lock open_held[] = {{.instance = f->set_lock, .stack = f->open_site},
					{.instance = f->group_lock, .stack = f->open_site}};
	struct held_lock open_wanted = {.instance = f->kvm_lock, .stack = f->open_stack};
	struct held_lock close_held[] = {{.instance = f->kvm_lock, .stack = f->close_site}};
	struct held_lock close_wanted = {
		.instance = f->group_lock, .stack = f->close_stack, .flags = HELD_BREAKABLE};
	struct held_lock set_held[] = {{.instance = f->set_lock, .stack = f->open_site}};
	struct held_lock set_wanted = {.instance = f->group_lock, .stack = f->open_site};

	model__add_chain(f->m, set_held, 1, &set_wanted, f->opener, FIXTURE_START + FIXTURE_SECOND,
			 12, PATH_DEVICE_OPEN);
	f->chain_open =
		model__add_chain(f->m, open_held, 2, &open_wanted, f->opener,
				 FIXTURE_START + FIXTURE_SECOND + 52000, 1, PATH_DEVICE_OPEN);
	model__add_chain(f->m, open_held, 2, &open_wanted, f->opener,
			 FIXTURE_START + 9 * FIXTURE_SECOND, 11, PATH_DEVICE_OPEN);
	if (!closes)
		return;
	f->chain_close =
		model__add_chain(f->m, close_held, 1, &close_wanted, f->closer,
				 FIXTURE_START + 3 * FIXTURE_SECOND, 1, PATH_KVM_DEVICE_RELEASE);
	model__add_chain(f->m, close_held, 1, &close_wanted, f->closer,
			 FIXTURE_START + 8 * FIXTURE_SECOND, 4, PATH_KVM_DEVICE_RELEASE);
}

static inline void fixture_facts(struct fixture *f)
{
	struct model *m = f->m;
	struct coverage hit = {COVERAGE_HIT, 12, "vfio_group_fops_unl_ioctl", NULL};
	struct coverage absent = {COVERAGE_ABSENT, 0, NULL,
				  "vfio_device_get_kvm_safe does not exist before 6.3"};
	struct coverage zero = {COVERAGE_ZERO, 0, "kvm_destroy_vm", NULL};

	model__clock(m)->start = FIXTURE_START;
	model__clock(m)->end = FIXTURE_START + 30 * FIXTURE_SECOND;
	model__clock(m)->realtime_offset = 1764000000 * (int64_t)FIXTURE_SECOND;
	model__clock(m)->has_time = true;
	model__set_fact(m, "kernel.release", "6.1.0-53-amd64");
	model__set_fact(m, "arch", "x86_64");
	model__set_fact(m, "scope", "vfio");
	model__set_fact(m, "host.name", "node-17");
	model__add_acquisitions(m, 1234567);
	for (int i = 0; i < PATH_COUNT; i++)
		model__set_coverage(m, i,
				    i == PATH_GET_KVM || i == PATH_PUT_KVM ? &absent
				    : i == PATH_VM_DESTROY		   ? &zero
									   : &hit);
}

static inline void fixture_waits(struct fixture *f)
{
	struct histogram h = {.count = 3, .total = 4200000, .max = 3800000};

	h.bucket[17] = 2; /* 131 us .. 262 us */
	h.bucket[21] = 1; /* 2.1 ms .. 4.2 ms */
	model__add_duration(f->m, f->kvm_lock, f->open_stack, f->vm, false, &h);
	h.count = 1, h.total = 45000, h.max = 45000;
	memset(h.bucket, 0, sizeof(h.bucket));
	h.bucket[15] = 1;
	model__add_duration(f->m, f->group_lock, f->close_stack, f->vm, false, &h);
}

static inline void fixture_witness(struct fixture *f, int n, uint32_t i, uint32_t chain,
				   uint32_t held_index, uint32_t task)
{
	const struct chain *c = model__chain(f->m, chain);
	struct witness *w = &f->witnesses[n][i];
	uint32_t dependency = model__find_dependency(f->m, c->held[held_index].instance, 0,
						     c->wanted.instance, 0);

	*w = (struct witness){dependency, chain, chain, held_index, task, NO_ID};
	if (dependency != NO_ID)
		w->class_edge = model__dependency(f->m, dependency)->class_edge;
}

static inline struct finding *fixture_add_finding(struct fixture *f, enum finding_kind kind,
						  enum finding_code code, enum finding_grade grade,
						  const char *key, uint32_t length)
{
	uint32_t n = f->findings.count++;
	struct finding *x = &f->storage[n];

	f->items[n] = x;
	f->findings.items = f->items;
	*x = (struct finding){.kind = kind,
			      .code = code,
			      .grade = grade,
			      .key = key,
			      .length = length,
			      .classes = f->classes[n],
			      .modes = f->modes[n],
			      .witnesses = f->witnesses[n],
			      .first = FIXTURE_START + 3 * FIXTURE_SECOND,
			      .last = FIXTURE_START + 8 * FIXTURE_SECOND,
			      .count = 5};
	return x;
}

static inline struct fixture *fixture_new(const char *hostile, bool closes)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = model__new();
	fixture_stacks(f);
	fixture_objects(f, hostile);
	fixture_locks(f, hostile);
	fixture_facts(f);
	fixture_chains(f, closes);
	fixture_waits(f);
	return f;
}

static inline struct fixture *fixture_inversion_named(const char *hostile)
{
	struct fixture *f = fixture_new(hostile, true);
	struct finding *x = fixture_add_finding(f, FINDING_INVERSION, CODE_INSTANCE_INVERSION,
						GRADE_WARNING, "inversion:group_lock,kvm", 2);

	f->classes[0][0] = f->group_class;
	f->classes[0][1] = f->kvm_class;
	fixture_witness(f, 0, 0, f->chain_open, 1, f->opener);
	fixture_witness(f, 0, 1, f->chain_close, 0, f->closer);
	x->known[0] = (struct known_bug){"2b48f52f2bff",
					 "vfio: fix deadlock between group lock and kvm lock",
					 "missing here"};
	x->known_count = 1;
	/* as many as there is room for */
	for (size_t i = 1; i < sizeof(x->known) / sizeof(*x->known); i++)
		x->known[x->known_count++] =
			(struct known_bug){"0123456789ab", "another", "unknown"};
	x->prediction_note = "no event stream (--record-events records one)";
	return f;
}

static inline struct fixture *fixture_inversion(void)
{
	return fixture_inversion_named(NULL);
}

static inline struct fixture *fixture_hostile(void)
{
	return fixture_inversion_named(FIXTURE_HOSTILE);
}

static inline struct fixture *fixture_deadlock(void)
{
	struct fixture *f = fixture_inversion();
	struct finding *x = fixture_add_finding(f, FINDING_DEADLOCK, CODE_DEADLOCK, GRADE_CRITICAL,
						"deadlock:group_lock,kvm", 2);

	f->classes[1][0] = f->group_class;
	f->classes[1][1] = f->kvm_class;
	fixture_witness(f, 1, 0, f->chain_open, 1, f->opener);
	fixture_witness(f, 1, 1, f->chain_close, 0, f->closer);
	f->tasks[0] = (struct blocked_task){.task = f->opener,
					    .wants = f->kvm_lock,
					    .state = 'D',
					    .since = FIXTURE_START + 9 * FIXTURE_SECOND,
					    .kernel_stack = f->open_stack,
					    .user_stack = NO_ID,
					    .holds = {f->group_lock, f->set_lock},
					    .hold_count = 2,
					    .vm = f->vm,
					    .device = f->device};
	f->tasks[1] = (struct blocked_task){.task = f->closer,
					    .wants = f->group_lock,
					    .state = 'D',
					    .since = FIXTURE_START + 9 * FIXTURE_SECOND + 70000,
					    .kernel_stack = f->close_stack,
					    .user_stack = NO_ID,
					    .holds = {f->kvm_lock},
					    .hold_count = 1,
					    .vm = f->vm,
					    .device = NO_ID};
	x->tasks = f->tasks;
	x->task_count = 2;
	x->last = FIXTURE_START + 30 * FIXTURE_SECOND;
	return f;
}

/* What is left when nothing was found: the orders of one direction only. */
static inline struct fixture *fixture_clean(void)
{
	return fixture_new(NULL, false);
}

static inline void fixture_event(struct fixture *f, uint64_t us, uint32_t task, uint8_t op,
				 uint32_t instance)
{
	struct trace_event event = {.time = FIXTURE_START + us * 1000,
				    .task = task,
				    .op = op,
				    .operand = instance,
				    .stack = NO_ID};

	model__add_event(f->m, &event);
}

/* The deadlock with every event recorded. */
static inline struct fixture *fixture_events(void)
{
	struct fixture *f = fixture_deadlock();

	model__keep_events(f->m, true);
	for (uint64_t us = 1000; us < 9000; us += 2000) {
		fixture_event(f, us, f->opener, EVENT_ACQUIRE, f->set_lock);
		fixture_event(f, us + 100, f->opener, EVENT_ACQUIRE, f->group_lock);
		fixture_event(f, us + 200, f->opener, EVENT_REQUEST, f->kvm_lock);
		fixture_event(f, us + 450, f->opener, EVENT_ACQUIRE, f->kvm_lock);
		fixture_event(f, us + 600, f->opener, EVENT_RELEASE, f->kvm_lock);
		fixture_event(f, us + 700, f->opener, EVENT_RELEASE, f->group_lock);
		fixture_event(f, us + 800, f->opener, EVENT_RELEASE, f->set_lock);
		fixture_event(f, us + 1000, f->closer, EVENT_ACQUIRE, f->kvm_lock);
		fixture_event(f, us + 1200, f->closer, EVENT_REQUEST, f->group_lock);
		fixture_event(f, us + 1210, f->closer, EVENT_ACQUIRE, f->group_lock);
		fixture_event(f, us + 1500, f->closer, EVENT_RELEASE, f->group_lock);
		fixture_event(f, us + 1600, f->closer, EVENT_RELEASE, f->kvm_lock);
	}
	fixture_event(f, 9000, f->opener, EVENT_ACQUIRE, f->set_lock);
	fixture_event(f, 9100, f->opener, EVENT_ACQUIRE, f->group_lock);
	fixture_event(f, 9150, f->closer, EVENT_ACQUIRE, f->kvm_lock);
	fixture_event(f, 9200, f->opener, EVENT_REQUEST, f->kvm_lock);
	fixture_event(f, 9300, f->closer, EVENT_REQUEST, f->group_lock);
	fixture_event(f, 12000, f->opener, EVENT_BEGIN, NO_ID);
	return f;
}

/* Classes in layers, edges mostly forward, so that only the wanted cycle exists. */
static inline struct fixture *fixture_large(uint32_t classes, uint32_t dependencies)
{
	struct fixture *f = fixture_inversion();
	uint32_t *instances = calloc(classes, sizeof(*instances));
	uint32_t random = 12345, tasks[40];
	char name[64];

	for (uint32_t i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "worker/%u", i);
		tasks[i] = model__add_task(f->m, 900 + i / 4, 900 + i, name, 0, 0);
	}
	for (uint32_t i = 0; i < classes; i++) {
		snprintf(name, sizeof(name), "subsystem%u_object.lock%u", i % 23, i);
		instances[i] =
			model__add_instance(f->m, model__add_class(f->m, name, LOCK_KIND_MUTEX, 0),
					    0xffff888200000000ULL + 0x400 * i, 0);
	}
	for (uint32_t i = 0; i < 12 && classes > 100; i++) {
		struct held_lock held = {.instance = i % 2 ? f->kvm_lock : instances[i],
					 .stack = f->close_site};
		struct held_lock wanted = {.instance = i % 2 ? instances[classes - 1 - i]
							     : f->group_lock,
					   .stack = f->open_stack};

		model__add_chain(f->m, &held, 1, &wanted, tasks[i], FIXTURE_START + i, i + 1,
				 NO_ID);
	}
	while (model__dependency_count(f->m) < dependencies) {
		struct held_lock held = {.stack = f->close_site}, wanted = {.stack = f->open_stack};
		uint32_t from, to;

		random = random * 1664525 + 1013904223;
		from = random / 65536 % (classes - 1);
		random = random * 1664525 + 1013904223;
		to = from + 1 +
		     random / 65536 % (classes - 1 - from < 40 ? classes - 1 - from : 40);
		held.instance = instances[from];
		wanted.instance = instances[to < classes ? to : classes - 1];
		model__add_chain(f->m, &held, 1, &wanted, tasks[random / 7 % 40],
				 FIXTURE_START + random, 1 + random % 9, NO_ID);
	}
	free(instances);
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	model__free(f->m);
	free(f);
}

#endif
