// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules of the verdict, on models made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "verdict.h"

#define GROUP "vfio_group.group_lock"
#define KVM "kvm.lock"

struct world {
	struct model *m;
	struct finding_list findings;
	struct finding finding, *items[1];
	uint32_t classes[2];
	uint8_t modes[2];
	struct witness witnesses[2];
};

static uint32_t lock(struct model *m, const char *name)
{
	uint32_t c = model__add_class(m, name, LOCK_KIND_MUTEX, CLASS_IN_SCOPE);

	return model__add_instance(m, c, 0x1000 + c * 64, 0);
}

static uint32_t order(struct model *m, const char *from, const char *to, uint32_t path)
{
	struct held_lock held = {.instance = lock(m, from), .stack = NO_ID, .mode = LOCK_EXCLUSIVE};
	struct held_lock wanted = {.instance = lock(m, to), .stack = NO_ID, .mode = LOCK_EXCLUSIVE};
	uint32_t task = model__add_task(m, 10, 10, "qemu", 1, 0);

	return model__add_chain(m, &held, 1, &wanted, task, 100, 1, path);
}

static void hit(struct model *m, enum path_id path, enum coverage_state state, uint64_t hits)
{
	struct coverage c = {.state = state, .hits = hits, .probe = "p"};

	model__set_coverage(m, path, &c);
}

/* A run in which every path ran and both locks were taken, in the order of a fixed kernel. */
static void good_run(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->m = model__new();
	assert_non_null(w->m);
	for (int path = 0; path < PATH_COUNT; path++)
		hit(w->m, (enum path_id)path, COVERAGE_HIT, 5);
	order(w->m, GROUP, KVM, PATH_DEVICE_OPEN);
	order(w->m, KVM, "vfio_group.kvm_ref_lock", PATH_KVM_DEVICE_RELEASE);
}

/* The unfixed kernel: the same, and the order that closes the cycle, found. */
static void bad_run(struct world *w)
{
	struct finding *f = &w->finding;

	good_run(w);
	model__free(w->m);
	w->m = model__new();
	for (int path = 0; path < PATH_COUNT; path++)
		hit(w->m, (enum path_id)path, COVERAGE_HIT, 7);
	w->witnesses[0].chain = order(w->m, GROUP, KVM, PATH_DEVICE_OPEN);
	w->witnesses[1].chain = order(w->m, KVM, GROUP, PATH_KVM_DEVICE_RELEASE);
	w->witnesses[0].dependency = w->witnesses[1].dependency = NO_ID;
	w->classes[0] = model__find_class(w->m, GROUP);
	w->classes[1] = model__find_class(w->m, KVM);
	*f = (struct finding){.kind = FINDING_INVERSION,
			      .code = CODE_INSTANCE_INVERSION,
			      .grade = GRADE_WARNING,
			      .key = "k",
			      .length = 2,
			      .classes = w->classes,
			      .modes = w->modes,
			      .witnesses = w->witnesses};
	w->items[0] = f;
	w->findings = (struct finding_list){.items = w->items, .count = 1};
}

static bool has_reason(const struct verdict *v, const char *words)
{
	for (uint32_t i = 0; i < v->reason_count; i++)
		if (strstr(v->reasons[i], words))
			return true;
	return false;
}

static struct verdict *decide(struct world *w, const struct verdict_options *options)
{
	struct verdict *v = verdict__decide(w->m, &w->findings, options);

	assert_non_null(v);
	return v;
}

static void expect(struct world *w, const struct verdict_options *options, enum verdict_kind kind,
		   const char *reason)
{
	struct verdict *v = decide(w, options);

	assert_int_equal(v->kind, kind);
	assert_true(has_reason(v, reason));
	verdict__free(v);
}

static void test_pass(void **state)
{
	struct verdict_options options = {0};
	struct world w;
	(void)state;

	good_run(&w);
	expect(&w, &options, VERDICT_PASS, "all 7 required paths ran");
	hit(w.m, PATH_GET_KVM, COVERAGE_ABSENT, 0);
	expect(&w, &options, VERDICT_PASS, "1 do not exist on this kernel");
	model__free(w.m);
}

static void test_inconclusive(void **state)
{
	struct verdict_options options = {0};
	struct world w;
	(void)state;

	good_run(&w);
	hit(w.m, PATH_DEVICE_OPEN, COVERAGE_ZERO, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path device_open was not exercised");
	hit(w.m, PATH_DEVICE_OPEN, COVERAGE_UNPROBED, 0);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "path device_open could not be watched");
	hit(w.m, PATH_DEVICE_OPEN, COVERAGE_HIT, 1);
	options.missing_probes = "mutex_lock";
	expect(&w, &options, VERDICT_INCONCLUSIVE, "probes missing: mutex_lock");
	options.missing_probes = NULL;
	expect(&w, &options, VERDICT_PASS, "nothing lost");
	model__add_loss(w.m, LOSS_RING_FULL, 3);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "ring_full 3");
	model__free(w.m);
}

static void test_losses_unknown(void **state)
{
	struct verdict_options options = {0};
	struct world w;
	(void)state;

	good_run(&w);
	model__set_losses_unknown(w.m, "kprobes before 6.7 do not count");
	expect(&w, &options, VERDICT_INCONCLUSIVE, "kprobes before 6.7");
	model__free(w.m);
}

static void test_locks_must_be_seen(void **state)
{
	struct verdict_options options = {0};
	struct world w = {0};
	(void)state;

	w.m = model__new();
	for (int path = 0; path < PATH_COUNT; path++)
		hit(w.m, (enum path_id)path, COVERAGE_HIT, 5);
	order(w.m, KVM, "kvm.slots_lock", NO_ID);
	expect(&w, &options, VERDICT_INCONCLUSIVE, "lock " GROUP " of 2b48f52f2bff was not seen");
	model__free(w.m);
}

static void test_fail_comes_first(void **state)
{
	struct verdict_options options = {0};
	struct world w;
	(void)state;

	bad_run(&w);
	model__add_loss(w.m, LOSS_RING_FULL, 3);
	expect(&w, &options, VERDICT_FAIL, "instance-inversion (warning) found: " GROUP " -> " KVM);
	w.finding.suppressed = "known and accepted";
	expect(&w, &options, VERDICT_INCONCLUSIVE, "ring_full");
	model__free(w.m);
}

static void test_known_fix(void **state)
{
	static const char *classes[] = {GROUP, KVM};
	struct catalogue_row row = {.commit = "2b48f52f2bff", .class_count = 2, .classes = classes};
	struct verdict_options options = {.known = &row,
					  .known_state = VERDICT_FIX_MISSING,
					  .known_evidence =
						  "struct vfio_group has no kvm_ref_lock"};
	struct world w;
	(void)state;

	good_run(&w);
	expect(&w, &options, VERDICT_FAIL, "2b48f52f2bff is not in this kernel");
	options.known_state = VERDICT_FIX_IN;
	expect(&w, &options, VERDICT_PASS, "required paths ran");
	options.known_state = VERDICT_FIX_UNKNOWN;
	expect(&w, &options, VERDICT_INCONCLUSIVE, "whether 2b48f52f2bff");
	model__free(w.m);
}

static void test_baseline_gone(void **state)
{
	struct world old, now;
	struct verdict_options options = {0};
	struct verdict *v;
	(void)state;

	bad_run(&old);
	good_run(&now);
	options.baseline = old.m;
	options.baseline_findings = &old.findings;
	v = decide(&now, &options);
	assert_int_equal(v->kind, VERDICT_PASS);
	assert_int_equal(v->cycle_count, 1);
	assert_int_equal(v->cycles[0].fate, FATE_GONE);
	assert_int_equal(v->cycles[0].dependencies[0].fate, FATE_BACK);
	assert_int_equal(v->cycles[0].dependencies[1].fate, FATE_GONE);
	assert_string_equal(v->cycles[0].dependencies[1].path, "kvm_device_release");
	assert_int_equal(v->cycles[0].dependencies[1].runs_now, 5);
	assert_string_equal(v->cycles[0].dependencies[1].instead,
			    KVM " -> vfio_group.kvm_ref_lock");
	verdict__free(v);
	hit(now.m, PATH_KVM_DEVICE_RELEASE, COVERAGE_ZERO, 0);
	v = decide(&now, &options);
	assert_int_equal(v->kind, VERDICT_INCONCLUSIVE);
	assert_int_equal(v->cycles[0].fate, FATE_NOT_EXERCISED);
	verdict__free(v);
	model__free(old.m);
	model__free(now.m);
}

static void test_baseline_back(void **state)
{
	struct world old, now;
	struct verdict_options options = {0};
	(void)state;

	bad_run(&old);
	good_run(&now);
	order(now.m, KVM, GROUP, PATH_KVM_DEVICE_RELEASE);
	options.baseline = old.m;
	options.baseline_findings = &old.findings;
	expect(&now, &options, VERDICT_FAIL, "the baseline's cycle is back");
	model__free(old.m);
	model__free(now.m);
}

/* The compiler numbered the lock differently on the new kernel: it is the same lock. */
static void test_baseline_renamed(void **state)
{
	struct world old, now;
	struct verdict_options options = {0};
	struct verdict *v;
	(void)state;

	bad_run(&old);
	old.witnesses[0].chain = order(old.m, "kvm_debugfs_lock.4", KVM, PATH_DEVICE_OPEN);
	old.witnesses[1].chain = order(old.m, KVM, "kvm_debugfs_lock.4", PATH_DEVICE_OPEN);
	old.classes[0] = model__find_class(old.m, "kvm_debugfs_lock.4");
	good_run(&now);
	order(now.m, "kvm_debugfs_lock.2", KVM, PATH_DEVICE_OPEN);
	options.baseline = old.m;
	options.baseline_findings = &old.findings;
	v = decide(&now, &options);
	assert_int_equal(v->kind, VERDICT_PASS);
	assert_int_equal(v->cycles[0].dependencies[0].fate, FATE_BACK);
	assert_int_equal(v->cycles[0].dependencies[1].fate, FATE_GONE);
	verdict__free(v);
	order(now.m, KVM, "kvm_debugfs_lock.2", PATH_DEVICE_OPEN);
	expect(&now, &options, VERDICT_FAIL, "the baseline's cycle is back");
	model__free(old.m);
	model__free(now.m);
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
	model__free(a);
	model__free(b);
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
		cmocka_unit_test(test_pass),
		cmocka_unit_test(test_inconclusive),
		cmocka_unit_test(test_losses_unknown),
		cmocka_unit_test(test_locks_must_be_seen),
		cmocka_unit_test(test_fail_comes_first),
		cmocka_unit_test(test_known_fix),
		cmocka_unit_test(test_baseline_gone),
		cmocka_unit_test(test_baseline_back),
		cmocka_unit_test(test_baseline_renamed),
		cmocka_unit_test(test_refused_baseline),
		cmocka_unit_test(test_paths_by_name),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
