// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules of the verdict: what a pass needs, and each way in which an honest operator can fool
 * himself (the table of vfiotrace-validate(8), WHAT A PASS NEEDS).
 */
#include <unistd.h>

#include "cli/validate.h"
#include "verdict_world.h"

/* --- a pass, and the paths ----------------------------------------------------------------------
 */

static void test_pass_when_nothing_applies(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	expect(&w, &options, VERDICT_PASS, "all 7 required paths ran");
	expect(&w, &options, VERDICT_PASS, "opened and closed in: vfio_lab");
	model__free(w.m);
}

static void test_path_absent_on_this_kernel(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	hit(w.m, PATH_GET_KVM, COVERAGE_ABSENT, 0);
	fixes[0].state = VERDICT_FIX_UNKNOWN;
	options.catalogue = NULL;
	expect(&w, &options, VERDICT_PASS, "1 do not exist on this kernel");
	fixes[0].state = VERDICT_FIX_IN; /* it came with the fix: inlined, not absent */
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path get_kvm could not be watched");
	model__free(w.m);
}

static void test_idle_host(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	new_run(&w, 0);
	for (int path = 0; path < PATH_COUNT; path++)
		hit(w.m, (enum path_id)path, COVERAGE_ZERO, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path device_open was not exercised");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "lock " KVM " of " FIX " was not seen");
	model__free(w.m);
}

static void test_too_short_a_run(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	hit(w.m, PATH_DEVICE_CLOSE, COVERAGE_ZERO, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path device_close was not exercised");
	hit(w.m, PATH_DEVICE_CLOSE, COVERAGE_HIT, 1);
	options.disturbed = "the exercise was stopped before its end";
	expect(&w, &options, VERDICT_INCONCLUSIVE, "stopped before its end");
	model__free(w.m);
}

static void test_path_that_only_failed(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	run_with(w.m, PATH_GROUP_ADD, "vfio_lab", -22, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path group_add ran 1 times and failed");
	run_with(w.m, PATH_GROUP_ADD, "vfio_lab", 0, 0);
	expect(&w, &options, VERDICT_PASS, "nothing lost");
	model__free(w.m);
}

static void test_path_unprobed(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	hit(w.m, PATH_DEVICE_OPEN, COVERAGE_UNPROBED, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path device_open could not be watched");
	model__free(w.m);
}

static void test_locks_must_be_seen(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	new_run(&w, 5);
	use(w.m, "vfio_lab");
	release_order(w.m, "kvm.slots_lock");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "lock " GROUP " of " FIX " was not seen");
	model__free(w.m);
}

static void test_requirements_add_up(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w, weak;
	(void)state;

	good_run(&w);
	hit(w.m, PATH_SET_KVM, COVERAGE_ZERO, 0);
	options.required = 1u << PATH_DEVICE_OPEN; /* asks for more, not for less */
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path set_kvm was not exercised");
	options.required = 0;
	new_run(&weak, 0);
	open_order(weak.m);
	hold_against(&options, &weak);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path set_kvm was not exercised");
	hit(w.m, PATH_SET_KVM, COVERAGE_HIT, 1);
	expect(&w, &options, VERDICT_PASS, "all 7 required paths ran");
	hit(weak.m, PATH_GROUP_DEL, COVERAGE_HIT, 1);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path group_del was not exercised");
	options.baseline = NULL;
	options.required = 1u << PATH_GROUP_DEL;
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path group_del was not exercised");
	model__free(w.m);
	model__free(weak.m);
}

/* --- drivers ------------------------------------------------------------------------------------
 */

static void test_opened_before_attach(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	run_with(w.m, PATH_DEVICE_CLOSE, "vfio-pci", 0, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE,
	       "driver vfio-pci: device_open, get_kvm did not run");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "opened before this looked");
	use(w.m, "vfio-pci");
	expect(&w, &options, VERDICT_PASS, "vfio-pci, vfio_lab");
	model__free(w.m);
}

/* Another device of the same driver stands for one that is open: the code and its orders are one.
 */
static void test_other_device_of_the_same_driver(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	run_with(w.m, PATH_DEVICE_CLOSE, "vfio_lab", 0, 0); /* it was opened before */
	expect(&w, &options, VERDICT_PASS, "opened and closed in: vfio_lab");
	model__free(w.m);
}

static void test_other_driver(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	model__set_fact(w.m, "vfio.driver.mlx5_vfio_pci", "mlx5_vfio_pci");
	expect(&w, &options, VERDICT_INCONCLUSIVE,
	       "driver mlx5_vfio_pci: device_open, device_close, get_kvm did not run");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "a device of this host is bound to it");
	use(w.m, "mlx5_vfio_pci");
	expect(&w, &options, VERDICT_PASS, "mlx5_vfio_pci, vfio_lab");
	model__free(w.m);
}

static void test_driver_loaded_late(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	/* it came while this looked, its first device was opened before anything could be seen */
	model__set_fact(w.m, "vfio.driver.late.open", "late_open_device late");
	expect(&w, &options, VERDICT_PASS, "vfio_lab"); /* never bound, never used */
	model__set_fact(w.m, "vfio.driver.late", "late");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "driver late: device_open");
	model__free(w.m);
}

static void test_opened_without_a_vm(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	run_with(w.m, PATH_DEVICE_OPEN, "vfio-pci", 0, 0);
	run_with(w.m, PATH_GET_KVM, "vfio-pci", 0, 0);
	run_with(w.m, PATH_DEVICE_CLOSE, "vfio-pci", 0, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "driver vfio-pci: get_kvm did not run");
	model__free(w.m);
}

static void test_open_that_failed(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	run_with(w.m, PATH_DEVICE_OPEN, "vfio-pci", -16, 0);
	run_with(w.m, PATH_GET_KVM, "vfio-pci", 0, 1);
	run_with(w.m, PATH_DEVICE_CLOSE, "vfio-pci", 0, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "driver vfio-pci: device_open did not run");
	model__free(w.m);
}

/* A group of several devices: which of them was opened is not known. */
static void test_driver_not_known(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct object group = {.kind = OBJECT_GROUP, .parent = NO_ID, .address = 1, .number = 7};
	struct path_event event = {.path = PATH_DEVICE_OPEN,
				   .count = 1,
				   .device = NO_ID,
				   .vm = NO_ID,
				   .task = NO_ID,
				   .kvm_ref_lock = NO_ID};
	struct object device = {
		.kind = OBJECT_DEVICE, .address = 2, .name = "a", .detail = "vfio-pci"};
	struct world w;
	(void)state;

	new_run(&w, 5);
	open_order(w.m);
	release_order(w.m, "vfio_group.kvm_ref_lock");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path device_open ran, but with no driver");
	event.group = device.parent = model__add_object(w.m, &group);
	model__add_object(w.m, &device);
	model__add_path_event(w.m, &event);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "driver vfio-pci: device_open");
	model__free(w.m);
}

static void test_baseline_of_another_driver(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world old, now;
	(void)state;

	bad_run(&old);
	new_run(&now, 5);
	use(now.m, "vfio-pci");
	taken(now.m, GROUP, "vfio_group_fops_unl_ioctl vfio", "vfio_device_set.lock",
	      "vfio_df_open vfio", PATH_DEVICE_OPEN);
	release_order(now.m, "vfio_group.kvm_ref_lock");
	hold_against(&options, &old);
	expect(&now, &options, VERDICT_INCONCLUSIVE, "driver vfio_lab: device_open");
	expect(&now, &options, VERDICT_INCONCLUSIVE, "it has a part in the baseline");
	model__free(old.m);
	model__free(now.m);
}

static void test_redacted_baseline(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world old, now;
	(void)state;

	bad_run(&old);
	good_run(&now);
	model__free(old.m);
	new_run(&old, 7);
	open_order(old.m);
	hold_against(&options, &old);
	options.baseline_findings = NULL;
	expect(&now, &options, VERDICT_INCONCLUSIVE, "does not tell which drivers");
	model__free(old.m);
	model__free(now.m);
}

/* --- losses, probes, scope ----------------------------------------------------------------------
 */

static void test_lost_events(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	model__add_loss(w.m, LOSS_RING_FULL, 3);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "ring_full 3");
	model__free(w.m);
}

static void test_losses_unknown(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	model__set_losses_unknown(w.m, "kprobes before 6.7 do not count");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "kprobes before 6.7");
	model__free(w.m);
}

static void test_contention_only(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	model__set_fact(w.m, "probe.level", "tracepoint");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "only contention was traced");
	model__free(w.m);
}

static void a_search_that_ends_at_its_budget_says_so(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	w.findings.search_limited = true;
	expect(&w, &options, VERDICT_INCONCLUSIVE, "ran out of its budget");
	w.findings.search_limited = false;
	w.findings.undecided = 5;
	expect(&w, &options, VERDICT_INCONCLUSIVE, "5 checks of cycles ended");
	w.findings.undecided = 0;
	expect(&w, &options, VERDICT_PASS, "nothing lost");
	model__free(w.m);
}

/* Is there a passed case of this name in the JUnit report, and in the page the word "none"? */
static void expect_denied(struct world *w, const struct verdict_options *options, const char *name,
			  bool denied)
{
	struct verdict *verdict = verdict__decide(w->m, &w->findings, options);
	const struct validation v = {.m = w->m, .findings = &w->findings, .verdict = verdict};
	char path[] = "/tmp/vfiotrace-junit-XXXXXX", passed[128], *text = NULL;
	int fd = mkstemp(path);
	size_t size = 0;
	FILE *in;

	assert_true(fd >= 0);
	assert_int_equal(validation__junit(path, &v), 0);
	in = fopen(path, "r");
	assert_true(getdelim(&text, &size, 0, in) > 0);
	snprintf(passed, sizeof(passed), "name=\"%s\"/>", name);
	assert_int_equal(strstr(text, passed) != NULL, denied);
	fclose(in);
	free(text);
	in = open_memstream(&text, &size);
	validation__page(in, &v, false);
	fclose(in);
	assert_int_equal(strstr(text, "warning or worse: none\n") != NULL, denied);
	free(text);
	close(fd);
	unlink(path);
	verdict__free(verdict);
}

static void test_reports_deny_only_what_was_looked_at(void **state)
{
	static const char nothing[] = "no finding of grade warning or worse";
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	expect_denied(&w, &options, nothing, true);
	w.findings.undecided = 1;
	expect_denied(&w, &options, nothing, false);
	w.findings.undecided = 0;
	model__set_losses_unknown(w.m, "kprobes");
	expect_denied(&w, &options, nothing, false);
	model__free(w.m);
	bad_run(&w);
	w.finding.suppressed = "accepted here";
	expect_denied(&w, &options, nothing, false);
	model__free(w.m);
}

static void test_scope_is_said(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	expect_limit(&w, &options, VERDICT_PASS, "scope vfio");
	model__free(w.m);
}

static void test_missing_probe(void **state)
{
	struct verdict_probe missing[] = {{"mutex_lock_killable", "cannot be traced", NULL}};
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	options.missing = missing;
	options.missing_count = 1;
	expect(&w, &options, VERDICT_INCONCLUSIVE,
	       "probes missing: mutex_lock_killable (cannot be traced)");
	model__free(w.m);
}

static void test_probe_that_the_preemption_model_switched_off(void **state)
{
	struct verdict_probe missing[] = {
		{"cpus_read_lock", "this kernel is preemptible", "cpu_hotplug_lock"},
		{"percpu_down_write", "this kernel is preemptible", "cpu_hotplug_lock"}};
	struct verdict_options options = fixed_kernel();
	struct world w, old;
	(void)state;

	good_run(&w);
	options.missing = missing;
	options.missing_count = 2;
	/* a known bug has such a lock, so it could not have been seen */
	expect(&w, &options, VERDICT_INCONCLUSIVE,
	       "probes missing: cpus_read_lock (this kernel is preemptible), percpu_down_write");
	/* where none has, the question is another one: a pass, and what it leaves out */
	options.catalogue = NULL;
	expect_limit(&w, &options, VERDICT_PASS,
		     "cpu_hotplug_lock: not probed: cpus_read_lock, percpu_down_write");
	hit(w.m, PATH_VM_CREATE, COVERAGE_HIT, 1);
	options.required = 1u << PATH_VM_CREATE;
	expect(&w, &options, VERDICT_INCONCLUSIVE, "probes missing: cpus_read_lock");
	options.required = 0;
	options.known = &rows[1];
	expect(&w, &options, VERDICT_INCONCLUSIVE, "probes missing: cpus_read_lock");
	options.known = NULL;
	bad_run(&old);
	old.classes[0] = model__add_class(old.m, "cpu_hotplug_lock", LOCK_KIND_PERCPU_RWSEM, 0);
	hold_against(&options, &old);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "probes missing: cpus_read_lock");
	model__free(old.m);
	model__free(w.m);
}

static void test_paths_by_name(void **state)
{
	char bad[32] = "";
	(void)state;

	assert_int_equal(verdict__parse_paths("device_open,put_kvm", bad),
			 1u << PATH_DEVICE_OPEN | 1u << PATH_PUT_KVM);
	assert_int_equal(verdict__parse_paths("device_open,elsewhere", bad), 0);
	assert_string_equal(bad, "elsewhere");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pass_when_nothing_applies),
		cmocka_unit_test(test_path_absent_on_this_kernel),
		cmocka_unit_test(test_idle_host),
		cmocka_unit_test(test_too_short_a_run),
		cmocka_unit_test(test_path_that_only_failed),
		cmocka_unit_test(test_path_unprobed),
		cmocka_unit_test(test_locks_must_be_seen),
		cmocka_unit_test(test_requirements_add_up),
		cmocka_unit_test(test_opened_before_attach),
		cmocka_unit_test(test_other_device_of_the_same_driver),
		cmocka_unit_test(test_other_driver),
		cmocka_unit_test(test_driver_loaded_late),
		cmocka_unit_test(test_opened_without_a_vm),
		cmocka_unit_test(test_open_that_failed),
		cmocka_unit_test(test_driver_not_known),
		cmocka_unit_test(test_baseline_of_another_driver),
		cmocka_unit_test(test_redacted_baseline),
		cmocka_unit_test(test_lost_events),
		cmocka_unit_test(test_losses_unknown),
		cmocka_unit_test(test_contention_only),
		cmocka_unit_test(a_search_that_ends_at_its_budget_says_so),
		cmocka_unit_test(test_reports_deny_only_what_was_looked_at),
		cmocka_unit_test(test_scope_is_said),
		cmocka_unit_test(test_missing_probe),
		cmocka_unit_test(test_probe_that_the_preemption_model_switched_off),
		cmocka_unit_test(test_paths_by_name),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
