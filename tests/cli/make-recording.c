// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: make-recording inversion|deadlock|hostile|secrets|large|stream:N FILE [KEY=VALUE…]
 *        make-recording records inversion|hostile
 * A recording without a kernel (KEY=VALUE sets facts; stream:N adds N events), or one JSON record
 * of every type there is.
 */
#include "fixture.h"

#include <stdio.h>

#include "capture.h"
#include "census.h"
#include "store.h"

/* --- every text there is, each with a mark that nothing else has --------------------------- */

#define MARK "xyzzy"
#define PCI_MARK "0000:5a:1c.7"

static uint32_t secret_stack(struct model *m, enum stack_kind kind)
{
	const struct frame frames[] = {
		{.ip = 0xffffffffc0a01000ULL, .offset = 1, .symbol = "mutex_lock"},
		{.ip = 0xffffffffc0a02000ULL,
		 .offset = 2,
		 .line = 7,
		 .symbol = "vfio_file_set_kvm",
		 .module = "vfio",
		 .file = "/home/" MARK "1/linux/drivers/vfio/vfio_main.c"},
		{.ip = 0xffffffffc0a03000ULL,
		 .offset = 3,
		 .line = 8,
		 .symbol = MARK "_open",
		 .module = MARK "_driver",
		 .file = "/home/" MARK "_driver.c"},
		{.ip = 0x7f1234567890ULL,
		 .offset = 4,
		 .symbol = "run_" MARK,
		 .module = "/opt/" MARK "/bin/" MARK "d",
		 .file = MARK ".c"},
		{.ip = 0x55d234567890ULL, .offset = 5, .module = MARK "-agent"},
	};
	const struct frame label = {.symbol = "Main" MARK ".java:12"};

	return kind == STACK_LOCATION ? model__add_stack(m, kind, &label, 1)
				      : model__add_stack(m, kind, frames, 5);
}

static void secret_entities(struct fixture *f)
{
	struct model *m = f->m;
	struct object device = {.kind = OBJECT_DEVICE,
				.parent = f->group,
				.name = PCI_MARK,
				.detail = MARK "-pci",
				.address = 0xffff888100001000ULL};
	struct object set = {.kind = OBJECT_DEVICE_SET,
			     .parent = NO_ID,
			     .name = "device set of " PCI_MARK,
			     .address = 0xffff888100002000ULL};
	struct object vm = {.kind = OBJECT_VM,
			    .parent = NO_ID,
			    .pid = 4711,
			    .name = MARK "-prod",
			    .detail = "process " MARK "-qemu/4711",
			    .address = 0xffff888100003000ULL};
	struct coverage odd = {COVERAGE_UNPROBED, 0, MARK "_probe", "cannot be traced by " MARK};
	uint32_t id = model__add_object(m, &device), task;

	task = model__add_task(m, 4711, 4712, MARK "-worker", 77, 0);
	model__set_task_vm(m, task, model__add_object(m, &vm));
	model__add_object(m, &set);
	model__name_instance(m, f->set_lock, "device set of " PCI_MARK, id);
	model__name_instance(m, model__add_instance(m, f->set_class, 0xffff888100004000ULL, 0),
			     "memory of " MARK "/4711", NO_ID);
	model__add_variable(m, MARK "_flag");
	model__set_coverage(m, PATH_GROUP_DEL, &odd);
	model__set_losses_unknown(m, "not counted on " MARK);
	secret_stack(m, STACK_LOCATION);
}

/* Names that a log or a trace may have for a lock; all are taken under kvm->lock. */
static void secret_classes(struct fixture *f)
{
	static const char *const names[] = {
		MARK,
		MARK ".example.com",
		"lock of " MARK,
		"(wq_completion)" MARK "-" PCI_MARK,
		"(wq_completion)" MARK "_health",
		"&" MARK "->serial",
		"&dev" MARK "12345678->lock",
		MARK "_cache+0x38(" MARK "_open)",
		"unnamed(" MARK "_open)",
		"&x->lock; rm -rf /home/" MARK,
		"kvm.lock\n" MARK,
		"10.1.2.3" MARK ":lock",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint32_t id = model__add_class(f->m, names[i], LOCK_KIND_MUTEX, 0);
		struct held_lock held = {.instance = f->kvm_lock, .stack = f->close_site};
		struct held_lock wanted = {.instance = model__add_instance(
						   f->m, id, 0xffff888100010000ULL + i * 64, 0),
					   .stack = f->close_stack};

		model__add_chain(f->m, &held, 1, &wanted, f->closer, FIXTURE_START + i, 1,
				 PATH_KVM_DEVICE_RELEASE);
	}
}

static void secret_finding(struct fixture *f, struct finding *x)
{
	static const char *const facts[][2] = {
		{"host.name", MARK "-node"},
		{"host.boot_id", "11112222-" MARK},
		{"cpu.model", "Fast " MARK " CPU"},
		{"module." MARK "_driver", "0123" MARK},
		{"kernel.version", "#1 " MARK},
		{"kernel.livepatches", MARK "_patch"},
		{"probe.set_kvm", "missing: " MARK " is in the way at " PCI_MARK},
		{"recording.verdict", MARK},
		{MARK ".key", "value"},
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		model__set_fact(f->m, facts[i][0], facts[i][1]);
	f->tasks[0].user_stack = secret_stack(f->m, STACK_FULL);
	f->schedule[0] = MARK "-worker runs 3 events, until it asks for kvm.lock at Main" MARK;
	x->schedule = f->schedule;
	x->schedule_count = 1;
	x->note = "seen on " MARK;
	x->suppressed = "accepted by " MARK "@example.org";
	x->rule = MARK " before kvm.lock";
	x->ordered_by = "fork of " MARK;
	x->prediction_note = "no memory on " MARK;
	x->key = "deadlock:" MARK;
	x->known[0] = (struct known_bug){MARK, "vfio: fix what " MARK " found", "missing on " MARK};
	x->known_count = 1;
}

static struct fixture *make_secrets(void)
{
	struct fixture *f = fixture_deadlock();

	secret_entities(f);
	secret_classes(f);
	secret_finding(f, f->findings.items[1]);
	return f;
}

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
	if (!strcmp(name, "secrets"))
		return make_secrets();
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
	bool redact = false;
	int failed;

	if (!f)
		return 64;
	if (!strncmp(name, "stream:", 7))
		add_stream(f, strtoul(name + 7, NULL, 10));
	for (; *facts; facts++) {
		if (!strcmp(*facts, "--redact")) {
			redact = true;
			continue;
		}
		char *value = strchr(*facts, '=');

		if (!value)
			return 64;
		*value++ = '\0';
		model__set_fact(f->m, *facts, value);
	}
	failed = redact ? store__save_redacted(path, f->m, &f->findings, error, sizeof(error))
			: store__save(path, f->m, &f->findings, NULL, error, sizeof(error));
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
