// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: make-recording inversion|deadlock|hostile|large|stream:N FILE [KEY=VALUE…]
 *        make-recording records inversion|hostile
 * A recording without a kernel (KEY=VALUE sets facts; stream:N adds N events), or one JSON record
 * of every type there is.
 */
#include "fixture.h"

#include <stdio.h>

#include "capture.h"
#include "census.h"
#include "store.h"

static struct fixture *make(const char *name)
{
	if (!strcmp(name, "inversion"))
		return fixture_inversion();
	if (!strcmp(name, "deadlock"))
		return fixture_deadlock();
	if (!strcmp(name, "large"))
		return fixture_large(497, 5000);
	if (!strcmp(name, "hostile"))
		return fixture_hostile();
	if (!strncmp(name, "stream:", 7))
		return fixture_large(1000, 20000);
	return NULL;
}

static void add_stream(struct fixture *f, unsigned long count)
{
	struct trace_event event = {.stack = f->open_stack};
	struct model *m = f->m;

	for (unsigned long i = 0; i < count; i++) {
		event.time = FIXTURE_START + i * 1000;
		event.task = (uint32_t)(i / 2 % model__task_count(m));
		event.operand = (uint32_t)(i / 2 % model__instance_count(m));
		event.op = i % 2 ? EVENT_RELEASE : EVENT_ACQUIRE;
		model__restore_event(m, &event);
	}
}

static int save(const char *name, const char *path, char **facts)
{
	struct fixture *f = make(name);
	char error[512] = "";
	int failed;

	if (!f)
		return 64;
	if (!strncmp(name, "stream:", 7))
		add_stream(f, strtoul(name + 7, NULL, 10));
	for (; *facts; facts++) {
		char *value = strchr(*facts, '=');

		if (!value)
			return 64;
		*value++ = '\0';
		model__set_fact(f->m, *facts, value);
	}
	failed = store__save(path, f->m, &f->findings, NULL, error, sizeof(error));
	if (failed)
		fprintf(stderr, "%s\n", error);
	fixture_free(f);
	return failed ? 1 : 0;
}

static void print_now(struct fixture *f)
{
	struct census_lock lock = {f->kvm_lock, LOCK_KIND_MUTEX, f->closer, 0, 1};
	uint32_t blocked = f->opener, stack = f->open_stack;
	struct waitfor_wait wait = {.task = f->opener,
				    .instance = f->kvm_lock,
				    .state = 'D',
				    .kernel_stack = f->open_stack,
				    .user_stack = NO_ID};
	struct census census = {.locks = &lock,
				.lock_count = 1,
				.blocked_tasks = &blocked,
				.blocked_stacks = &stack,
				.blocked_count = 1,
				.notes = {"groups without descriptors cannot be seen"},
				.note_count = 1,
				.duration_ns = 1234};

	census.waitfor = waitfor__new(f->m);
	waitfor__add_wait(census.waitfor, &wait);
	json_print(stdout, json_now(f->m, &census, &f->findings));
	waitfor__free(census.waitfor);
}

static void print_host(struct fixture *f, const struct report_input *input)
{
	static const char *const reasons[] = {"vm_destroy was not exercised"};
	static const char *const classes[] = {"kvm.lock"};
	const struct catalogue_row row = {.commit = "2b48f52f2bff",
					  .title = FIXTURE_HOSTILE,
					  .class_count = 1,
					  .classes = (const char **)classes};
	const struct fix fix = {&row, FIX_MISSING, "no member kvm_ref_lock"};
	const struct feature feature = {"fentry", FEATURE_UNKNOWN, "watch", FIXTURE_HOSTILE};
	const struct probe_info probes[] = {
		{"mutex_lock", "mutex_lock", "fentry", NULL, PROBE_ATTACHED, true, NULL, 3},
		{"device_open", NULL, NULL, FIXTURE_HOSTILE, PROBE_MISSING, true, NULL, 0},
	};

	json_print(stdout, json_start(f->m, probes, 2));
	json_print(stdout, json_check(f->m, &feature, 1, probes, 2, &fix, 1, "fentry"));
	json_print(stdout, json_verdict(input, "inconclusive", reasons, 1, &fix, 1, NULL));
}

static int print_records(const char *name)
{
	struct fixture *f = make(name);
	struct report_input input = {0};
	struct path_event path = {PATH_GET_KVM,	 f ? f->opener : 0,
				  FIXTURE_START, 1,
				  NO_ID,	 NO_ID,
				  NO_ID,	 0,
				  HOW_CDEV,	 1,
				  NO_ID};
	struct stall stall = {0};
	struct task_graphs *graphs;
	struct model *empty = model__new();

	if (!f || !empty)
		return 64;
	input.model = f->m;
	input.findings = &f->findings;
	path.device = f->device;
	path.group = f->group;
	model__add_path_event(f->m, &path);
	model__set_fact(f->m, "overhead.attach_ns", "123456");
	model__set_fact(f->m, "overhead.note", FIXTURE_HOSTILE);
	stall = (struct stall){
		f->opener, f->kvm_lock, NO_ID,	       FIXTURE_START, FIXTURE_START + 5,
		'D',	   "sleeping",	f->open_stack, NO_ID,	      NO_ID};
	print_host(f, &input);
	print_now(f);
	for (uint32_t i = 0; i < model__chain_count(f->m); i++)
		json_print(stdout, json_chain(f->m, i));
	json_print(stdout, json_path(f->m, &path));
	json_print(stdout, json_stall(f->m, &stall));
	for (uint32_t i = 0; i < f->findings.count; i++)
		json_print(stdout, json_finding(f->m, f->findings.items[i]));
	graphs = task_graphs__new(f->m);
	json_print(stdout, json_task_graph(graphs, f->opener));
	task_graphs__free(graphs);
	json_print(stdout, json_summary(&input, 2));
	json_print(stdout, json_summary(&(struct report_input){.model = empty}, 0));
	model__free(empty);
	fixture_free(f);
	return 0;
}

int main(int argc, char **argv)
{
	int status = 64;

	if (argc == 3 && !strcmp(argv[1], "records"))
		status = print_records(argv[2]);
	else if (argc >= 3)
		status = save(argv[1], argv[2], argv + 3);
	if (status == 64)
		fprintf(stderr, "usage: make-recording inversion|deadlock|hostile|large|stream:N "
				"FILE [KEY=VALUE…] | records NAME\n");
	return status;
}
