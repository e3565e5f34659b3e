// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules of the verdict: known fixes, suppressions and baselines; the rows of the table of
 * vfiotrace-validate(8), WHAT A PASS NEEDS, that test_verdict.c does not have.
 */
#include "verdict_world.h"

/* --- known fixes, suppressions ------------------------------------------------------------------
 */

static void test_fail_comes_first(void **state)
{
	struct verdict_options options = unfixed_kernel();
	struct world w;
	(void)state;

	bad_run(&w);
	model__add_loss(w.m, LOSS_RING_FULL, 3);
	expect(&w, &options, VERDICT_FAIL, "instance-inversion (warning) found: " GROUP " -> " KVM);
	model__free(w.m);
}

static void test_missing_fix_is_never_a_pass(void **state)
{
	struct verdict_options options = unfixed_kernel();
	struct world w;
	(void)state;

	new_run(&w, 5);
	use(w.m, "vfio-pci");
	release_order(w.m, GROUP);
	expect(&w, &options, VERDICT_INCONCLUSIVE,
	       FIX " (fix deadlock) is missing in this kernel: struct vfio_group has no");
	/* what would have to run to decide */
	expect(&w, &options, VERDICT_INCONCLUSIVE,
	       "what takes " KVM " under " GROUP " (device_open, device_close");
	model__free(w.m);
}

static void test_suppression_does_not_mend(void **state)
{
	struct verdict_options options = unfixed_kernel();
	struct world w;
	(void)state;

	bad_run(&w);
	expect(&w, &options, VERDICT_FAIL, "to run, with a driver that does so");
	w.finding.known[0] = (struct known_bug){FIX, "fix deadlock", "missing here"};
	w.finding.known_count = 1;
	expect(&w, &options, VERDICT_FAIL, "Its cycle was found");
	w.finding.suppressed = "known and accepted";
	expect(&w, &options, VERDICT_INCONCLUSIVE, FIX " (fix deadlock) is missing");
	options = fixed_kernel();
	expect_limit(&w, &options, VERDICT_PASS, "accepted by a suppression: " GROUP " -> " KVM);
	model__free(w.m);
}

static void test_known_fix(void **state)
{
	struct verdict_options options = unfixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	options.known = &rows[0];
	expect(&w, &options, VERDICT_FAIL, FIX " is not in this kernel");
	options = fixed_kernel();
	options.known = &rows[0];
	expect(&w, &options, VERDICT_PASS, "required paths ran");
	fixes[0].state = VERDICT_FIX_UNKNOWN;
	expect(&w, &options, VERDICT_INCONCLUSIVE, "whether " FIX);
	model__free(w.m);
}

static void a_fix_with_unknown_state_is_inconclusive(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	fixes[0].state = VERDICT_FIX_UNKNOWN; /* its module's types are not there */
	expect(&w, &options, VERDICT_INCONCLUSIVE, "whether " FIX " (fix deadlock)");
	options = fixed_kernel();
	/* one that leaves no marker: by the release, and that is said */
	expect_limit(&w, &options, VERDICT_PASS, "by the kernel's release alone: 597cb7968cb6");
	model__set_fact(w.m, "kernel.release", "5.15.2");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "whether 597cb7968cb6");
	model__free(w.m);
}

static void test_fix_in_question_by_path(void **state)
{
	struct verdict_options options = fixed_kernel();
	struct world w;
	(void)state;

	good_run(&w);
	hit(w.m, PATH_VM_CREATE, COVERAGE_HIT, 1);
	fixes[1].state = VERDICT_FIX_MISSING;
	expect(&w, &options, VERDICT_PASS, "nothing lost"); /* of locks nobody asked for */
	options.required = 1u << PATH_VM_CREATE;
	expect(&w, &options, VERDICT_INCONCLUSIVE, "44d174596260 (dedicated mutex) is missing");
	model__free(w.m);
}

/* --- baselines ----------------------------------------------------------------------------------
 */

/* Under a pseudonym it cannot come back, so that it did not says nothing. */
static void test_baseline_whose_locks_have_no_names(void **state)
{
	struct world old, now;
	struct verdict_options options = fixed_kernel();
	(void)state;

	bad_run(&old);
	good_run(&now);
	model__add_class(old.m, GROUP, LOCK_KIND_UNKNOWN, CLASS_REDACTED);
	hold_against(&options, &old);
	expect(&now, &options, VERDICT_INCONCLUSIVE, "it is redacted");
	model__free(old.m);
	model__free(now.m);
}

static void test_baseline_gone(void **state)
{
	struct world old, now;
	struct verdict_options options = fixed_kernel();
	struct verdict *v;
	(void)state;

	bad_run(&old);
	good_run(&now);
	hold_against(&options, &old);
	v = decide(&now, &options);
	assert_int_equal(v->kind, VERDICT_PASS);
	assert_int_equal(v->cycle_count, 1);
	assert_int_equal(v->cycles[0].status, DEPENDENCY_RESOLVED);
	assert_int_equal(v->cycles[0].dependencies[0].status, DEPENDENCY_PRESENT);
	assert_int_equal(v->cycles[0].dependencies[1].status, DEPENDENCY_RESOLVED);
	assert_string_equal(v->cycles[0].dependencies[1].path, "kvm_device_release");
	assert_int_equal(v->cycles[0].dependencies[1].runs_now, 5);
	assert_string_equal(v->cycles[0].dependencies[1].instead,
			    KVM " -> vfio_group.kvm_ref_lock");
	assert_int_equal(v->cycles[0].dependencies[1].site_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(v->cycles[0].dependencies[1].sites[i].state, SITE_RAN);
	verdict__free(v);
	hit(now.m, PATH_KVM_DEVICE_RELEASE, COVERAGE_ZERO, 0);
	v = decide(&now, &options);
	assert_int_equal(v->kind, VERDICT_INCONCLUSIVE);
	assert_int_equal(v->cycles[0].status, DEPENDENCY_NOT_EXERCISED);
	verdict__free(v);
	model__free(old.m);
	model__free(now.m);
}

static enum verdict_function function_exists(void *context, const char *function,
					     const char *module)
{
	(void)module;
	return !strcmp(function, context) ? FUNCTION_GONE : FUNCTION_THERE;
}

/* Each site by function and module: it ran, it is gone, a fix took it away, or nothing is decided.
 */
static void test_baseline_site_that_did_not_run(void **state)
{
	struct world old, now;
	struct verdict_options options = fixed_kernel();
	(void)state;

	bad_run(&old);
	new_run(&now, 5);
	use(now.m, "vfio_lab");
	taken(now.m, GROUP, "vfio_group_fops_unl_ioctl vfio", "a", "vfio_df_open vfio",
	      PATH_DEVICE_OPEN);
	release_order(now.m, "vfio_group.kvm_ref_lock");
	hold_against(&options, &old);
	options.has_function = function_exists;
	options.context = "nothing";
	expect(&now, &options, VERDICT_INCONCLUSIVE,
	       "lab_open_device [vfio_lab] for " GROUP " -> " KVM);
	options.context = "lab_open_device";
	expect(&now, &options, VERDICT_PASS, "the baseline's cycle is gone");
	options.context = "nothing";
	model__set_fact(now.m, "vfio.driver.vfio_lab.open", "lab_open_device vfio_lab");
	expect(&now, &options, VERDICT_PASS, "the baseline's cycle is gone");
	model__set_fact(now.m, "vfio.driver.vfio_lab.open", "lab_open_device other");
	expect(&now, &options, VERDICT_INCONCLUSIVE, "lab_open_device [vfio_lab]");
	old.finding.known[0] = (struct known_bug){FIX, "fix deadlock", "missing here"};
	old.finding.known_count = 1;
	expect(&now, &options, VERDICT_PASS, "the baseline's cycle is gone");
	fixes[0].state = VERDICT_FIX_MISSING;
	expect(&now, &options, VERDICT_INCONCLUSIVE, "lab_open_device [vfio_lab]");
	model__free(old.m);
	model__free(now.m);
}

static void test_baseline_with_more_sites_than_are_looked_at(void **state)
{
	struct world old, now;
	struct verdict_options options = fixed_kernel();
	(void)state;

	bad_run(&old);
	good_run(&now);
	for (int i = 0; i < 100; i++) {
		char site[32];

		snprintf(site, sizeof(site), "caller_%d vfio", i);
		taken(old.m, KVM, site, GROUP, site, PATH_KVM_DEVICE_RELEASE);
		taken(now.m, KVM, site, "a", site, PATH_KVM_DEVICE_RELEASE);
	}
	hold_against(&options, &old);
	expect(&now, &options, VERDICT_INCONCLUSIVE, "more places than are looked at");
	model__free(old.m);
	model__free(now.m);
}

static void test_baseline_back(void **state)
{
	struct world old, now;
	struct verdict_options options = fixed_kernel();
	(void)state;

	bad_run(&old);
	good_run(&now);
	release_order(now.m, GROUP);
	hold_against(&options, &old);
	expect(&now, &options, VERDICT_FAIL, "the baseline's cycle is back");
	model__free(old.m);
	model__free(now.m);
}

static void test_suppressed_in_the_baseline(void **state)
{
	struct world old, now, again;
	struct verdict_options options = fixed_kernel();
	(void)state;

	bad_run(&old);
	old.finding.suppressed = "accepted there";
	good_run(&now);
	release_order(now.m, GROUP);
	hold_against(&options, &old);
	expect(&now, &options, VERDICT_FAIL, "the baseline's cycle is back");
	bad_run(&again);
	again.finding.suppressed = "accepted here";
	expect_limit(&again, &options, VERDICT_PASS, "is back, accepted by a suppression");
	model__free(old.m);
	model__free(now.m);
	model__free(again.m);
}

/* The compiler numbered the lock differently on the new kernel: it is the same lock. */
static void test_baseline_renamed(void **state)
{
	struct world old, now;
	struct verdict_options options = fixed_kernel();
	struct verdict *v;
	(void)state;

	bad_run(&old);
	old.witnesses[0].chain =
		taken(old.m, "kvm_debugfs_lock.4", "a vfio", KVM, "b vfio", PATH_DEVICE_OPEN);
	old.witnesses[1].chain = taken(old.m, KVM, "kvm_device_release kvm", "kvm_debugfs_lock.4",
				       "vfio_file_set_kvm.isra.0 vfio", PATH_DEVICE_OPEN);
	old.classes[0] = model__find_class(old.m, "kvm_debugfs_lock.4");
	good_run(&now);
	taken(now.m, "kvm_debugfs_lock.2", "a vfio", KVM, "b vfio", PATH_DEVICE_OPEN);
	hold_against(&options, &old);
	v = decide(&now, &options);
	assert_int_equal(v->kind, VERDICT_PASS);
	assert_int_equal(v->cycles[0].dependencies[0].status, DEPENDENCY_PRESENT);
	assert_int_equal(v->cycles[0].dependencies[1].status, DEPENDENCY_RESOLVED);
	verdict__free(v);
	taken(now.m, KVM, "a vfio", "kvm_debugfs_lock.2", "b vfio", PATH_DEVICE_OPEN);
	expect(&now, &options, VERDICT_FAIL, "the baseline's cycle is back");
	model__free(old.m);
	model__free(now.m);
}

static void test_baseline_without_a_cycle(void **state)
{
	struct world old, now;
	struct verdict_options options = fixed_kernel();
	(void)state;

	good_run(&old);
	good_run(&now);
	hold_against(&options, &old);
	expect_limit(&now, &options, VERDICT_PASS, "the baseline has no cycle");
	model__free(old.m);
	model__free(now.m);
}

static void test_baseline_that_is_not_whole(void **state)
{
	struct world old, now;
	struct verdict_options options = fixed_kernel();
	(void)state;

	bad_run(&old);
	good_run(&now);
	hold_against(&options, &old);
	model__add_loss(old.m, LOSS_STORE, 2);
	expect(&now, &options, VERDICT_INCONCLUSIVE,
	       "the baseline may lack a cycle: it lost store 2");
	model__set_losses_unknown(old.m, "it was not ended in good order");
	expect(&now, &options, VERDICT_INCONCLUSIVE, "may lack a cycle: it was not ended");
	model__free(old.m);
	model__free(now.m);
}

static void test_empty_baseline(void **state)
{
	struct world w;
	char text[200];
	(void)state;

	good_run(&w);
	assert_null(verdict__unfit(w.m, text, sizeof(text)));
	for (int path = 0; path < PATH_COUNT; path++)
		hit(w.m, (enum path_id)path, COVERAGE_ZERO, 0);
	assert_non_null(strstr(verdict__unfit(w.m, text, sizeof(text)), "no path of VFIO"));
	model__free(w.m);
	new_run(&w, 5);
	assert_non_null(strstr(verdict__unfit(w.m, text, sizeof(text)), "has no lock order"));
	model__free(w.m);
	w.m = model__new(); /* of a splat, or another program's trace */
	open_order(w.m);
	hit(w.m, PATH_DEVICE_OPEN, COVERAGE_HIT, 1);
	assert_non_null(strstr(verdict__unfit(w.m, text, sizeof(text)), "kernel.release"));
	model__free(w.m);
}

static void test_refused_baseline(void **state)
{
	struct model *a = model__new(), *b = model__new();
	char text[200];
	(void)state;

	assert_null(verdict__refuse(a, b, text, sizeof(text)));
	model__set_fact(a, "scope", "vfio");
	model__set_fact(b, "scope", "all");
	assert_non_null(strstr(verdict__refuse(a, b, text, sizeof(text)), "scope"));
	model__set_fact(b, "scope", "vfio");
	model__set_fact(a, "probe.level", "fentry");
	model__set_fact(b, "probe.level", "kprobe");
	assert_non_null(strstr(verdict__refuse(a, b, text, sizeof(text)), "probe level"));
	model__set_fact(b, "probe.level", "fentry");
	model__set_fact(a, "arch", "x86_64");
	model__set_fact(b, "arch", "aarch64");
	assert_non_null(strstr(verdict__refuse(a, b, text, sizeof(text)), "architecture aarch64"));
	model__free(a);
	model__free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail_comes_first),
		cmocka_unit_test(test_missing_fix_is_never_a_pass),
		cmocka_unit_test(test_suppression_does_not_mend),
		cmocka_unit_test(test_known_fix),
		cmocka_unit_test(a_fix_with_unknown_state_is_inconclusive),
		cmocka_unit_test(test_fix_in_question_by_path),
		cmocka_unit_test(test_baseline_whose_locks_have_no_names),
		cmocka_unit_test(test_baseline_gone),
		cmocka_unit_test(test_baseline_site_that_did_not_run),
		cmocka_unit_test(test_baseline_with_more_sites_than_are_looked_at),
		cmocka_unit_test(test_baseline_back),
		cmocka_unit_test(test_suppressed_in_the_baseline),
		cmocka_unit_test(test_baseline_renamed),
		cmocka_unit_test(test_baseline_without_a_cycle),
		cmocka_unit_test(test_baseline_that_is_not_whole),
		cmocka_unit_test(test_empty_baseline),
		cmocka_unit_test(test_refused_baseline),
	};

	return cmocka_run_group_tests_name("verdict with fixes and baselines", tests, NULL, NULL);
}
