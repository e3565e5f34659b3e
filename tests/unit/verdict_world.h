/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict_world.h - runs and kernels made by hand, for the rules of the verdict. */
#ifndef VFIOTRACE_TEST_VERDICT_WORLD_H
#define VFIOTRACE_TEST_VERDICT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "verdict.h"

#define GROUP "vfio_group.group_lock"
#define KVM "kvm.lock"
#define FIX "2b48f52f2bff"

struct world {
	struct model *m;
	struct finding_list findings;
	struct finding finding, *items[1];
	uint32_t classes[2];
	uint8_t modes[2];
	struct witness witnesses[2];
};

/* --- what ran -----------------------------------------------------------------------------------
 */

static inline uint32_t lock(struct model *m, const char *name)
{
	uint32_t c = model__add_class(m, name, LOCK_KIND_MUTEX, CLASS_IN_SCOPE);

	return model__add_instance(m, c, 0x1000 + c * 64, 0);
}

/* "lab_open_device vfio_lab < vfio_df_open vfio" */
static inline uint32_t stack(struct model *m, const char *words)
{
	struct frame frames[8] = {{0}};
	char copy[256], *save = NULL;
	uint32_t count = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *at = strtok_r(copy, "<", &save); at && count < 8;
	     at = strtok_r(NULL, "<", &save)) {
		char function[64] = "", module[64] = "";

		sscanf(at, " %63s %63s", function, module);
		frames[count].symbol = model__intern(m, function);
		frames[count].module = *module ? model__intern(m, module) : NULL;
		frames[count].ip = 0x1000 + count;
		count++;
	}
	return model__add_stack(m, STACK_FULL, frames, count);
}

static inline uint32_t taken(struct model *m, const char *from, const char *at, const char *to,
			     const char *through, uint32_t path)
{
	struct held_lock held = {.instance = lock(m, from), .stack = stack(m, at)};
	struct held_lock wanted = {.instance = lock(m, to), .stack = stack(m, through)};
	uint32_t task = model__add_task(m, 10, 10, "qemu", 1, 0);

	return model__add_chain(m, &held, 1, &wanted, task, 100, 1, path);
}

#define OPENED "lab_open_device vfio_lab < vfio_df_open vfio < __x64_sys_ioctl"
#define RELEASED "vfio_file_set_kvm vfio < kvm_vfio_release kvm < kvm_device_release kvm < __fput"

static inline uint32_t open_order(struct model *m)
{
	return taken(m, GROUP, "vfio_group_fops_unl_ioctl vfio", KVM, OPENED, PATH_DEVICE_OPEN);
}

static inline uint32_t release_order(struct model *m, const char *to)
{
	return taken(m, KVM, "kvm_device_release kvm", to, RELEASED, PATH_KVM_DEVICE_RELEASE);
}

static inline void hit(struct model *m, enum path_id path, enum coverage_state state, uint64_t hits)
{
	static const char *const probes[PATH_COUNT] = {
		[PATH_DEVICE_OPEN] = "vfio_df_open",
		[PATH_DEVICE_CLOSE] = "vfio_df_close",
		[PATH_GET_KVM] = "vfio_device_get_kvm_safe",
		[PATH_PUT_KVM] = "kvm_put_kvm",
		[PATH_SET_KVM] = "vfio_file_set_kvm",
		[PATH_GROUP_ADD] = "kvm_vfio_set_attr",
		[PATH_GROUP_DEL] = "kvm_vfio_set_attr",
		[PATH_KVM_DEVICE_RELEASE] = "kvm_device_release",
	};
	struct coverage c = {.state = state, .hits = hits, .probe = probes[path]};

	model__set_coverage(m, path, &c);
}

/* A run of a path with a device of this driver; its coverage stays what it was. */
static inline void run_with(struct model *m, enum path_id path, const char *driver, int32_t result,
			    uint8_t kvm_returned)
{
	struct coverage was = *model__coverage(m, path);
	struct object device = {.kind = OBJECT_DEVICE,
				.parent = NO_ID,
				.address = (uintptr_t)driver,
				.name = driver,
				.detail = driver};
	struct path_event event = {.path = path,
				   .count = 1,
				   .device = model__add_object(m, &device),
				   .group = NO_ID,
				   .vm = NO_ID,
				   .task = NO_ID,
				   .result = result,
				   .kvm_returned = kvm_returned,
				   .kvm_ref_lock = NO_ID};

	model__add_path_event(m, &event);
	model__set_coverage(m, path, &was);
}

static inline void use(struct model *m, const char *driver)
{
	run_with(m, PATH_DEVICE_OPEN, driver, 0, 0);
	run_with(m, PATH_GET_KVM, driver, 0, 1);
	run_with(m, PATH_DEVICE_CLOSE, driver, 0, 0);
}

static inline void new_run(struct world *w, uint64_t hits)
{
	memset(w, 0, sizeof(*w));
	w->m = model__new();
	assert_non_null(w->m);
	model__set_fact(w->m, "kernel.release", "6.12.1");
	model__set_fact(w->m, "arch", "x86_64");
	model__set_fact(w->m, "scope", "vfio");
	model__set_fact(w->m, "probe.level", "fentry");
	for (int path = 0; path < PATH_VM_CREATE; path++)
		hit(w->m, (enum path_id)path, COVERAGE_HIT, hits);
	hit(w->m, PATH_GROUP_DEL, COVERAGE_ZERO, 0);
}

/* A run in which every path ran and both locks were taken, in the order of a fixed kernel. */
static inline void good_run(struct world *w)
{
	new_run(w, 5);
	use(w->m, "vfio_lab");
	open_order(w->m);
	release_order(w->m, "vfio_group.kvm_ref_lock");
}

/* The unfixed kernel: the same, and the order that closes the cycle, found. */
static inline void bad_run(struct world *w)
{
	struct finding *f = &w->finding;

	new_run(w, 7);
	use(w->m, "vfio_lab");
	model__set_fact(w->m, "kernel.release", "6.1.0");
	w->witnesses[0].chain = open_order(w->m);
	w->witnesses[1].chain = release_order(w->m, GROUP);
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

/* --- what is known of the kernel ----------------------------------------------------------------
 */

static const char *group_and_kvm[] = {GROUP, KVM};
static const char *hotplug[] = {"kvm_lock", "cpu_hotplug_lock"};
static const char *nesting[] = {KVM};
static struct catalogue_row rows[] = {
	{.commit = FIX,
	 .title = "fix deadlock",
	 .fixed_in = "v6.3",
	 .evidence = "btf-member vfio_group.kvm_ref_lock",
	 .class_count = 2,
	 .classes = group_and_kvm},
	{.commit = "44d174596260",
	 .title = "dedicated mutex",
	 .fixed_in = "v6.12",
	 .evidence = "symbol kvm_usage_lock",
	 .class_count = 2,
	 .classes = hotplug},
	{.commit = "597cb7968cb6",
	 .title = "nested",
	 .fixed_in = "v5.16",
	 .evidence = "unknown",
	 .class_count = 1,
	 .classes = nesting},
};
static struct catalogue catalogue = {rows, 3};

static struct verdict_fix_state fixes[] = {
	{FIX, VERDICT_FIX_IN, "struct vfio_group has kvm_ref_lock"},
	{"44d174596260", VERDICT_FIX_IN, "has symbol kvm_usage_lock"},
	{"597cb7968cb6", VERDICT_FIX_UNKNOWN, "it left no marker"},
};

static inline struct verdict_options fixed_kernel(void)
{
	fixes[0].state = VERDICT_FIX_IN;
	fixes[0].evidence = "struct vfio_group has kvm_ref_lock";
	fixes[1].state = VERDICT_FIX_IN;
	return (struct verdict_options){.catalogue = &catalogue, .fixes = fixes, .fix_count = 3};
}

static inline struct verdict_options unfixed_kernel(void)
{
	struct verdict_options options = fixed_kernel();

	fixes[0].state = VERDICT_FIX_MISSING;
	fixes[0].evidence = "struct vfio_group has no kvm_ref_lock";
	return options;
}

static inline void hold_against(struct verdict_options *options, const struct world *old)
{
	options->baseline = old->m;
	options->baseline_findings = &old->findings;
}

static inline bool says(const char **texts, uint32_t count, const char *words)
{
	for (uint32_t i = 0; i < count; i++)
		if (strstr(texts[i], words))
			return true;
	return false;
}

static inline struct verdict *decide(struct world *w, const struct verdict_options *options)
{
	struct verdict *v = verdict__decide(w->m, &w->findings, options);

	assert_non_null(v);
	return v;
}

static inline void expect(struct world *w, const struct verdict_options *options,
			  enum verdict_kind kind, const char *reason)
{
	struct verdict *v = decide(w, options);

	if (v->kind != kind || !says(v->reasons, v->reason_count, reason))
		for (uint32_t i = 0; i < v->reason_count; i++)
			print_message("%s: %s\n", verdict_names[v->kind], v->reasons[i]);
	assert_int_equal(v->kind, kind);
	assert_true(says(v->reasons, v->reason_count, reason));
	verdict__free(v);
}

static inline void expect_limit(struct world *w, const struct verdict_options *options,
				enum verdict_kind kind, const char *limit)
{
	struct verdict *v = decide(w, options);

	assert_int_equal(v->kind, kind);
	assert_true(says(v->limits, v->limit_count, limit));
	verdict__free(v);
}

#endif
