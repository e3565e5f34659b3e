// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks that a source says are blocked: what becomes of them in the analysis and in a recording. */
#include "store_files.h"

#include "diff.h"
#include "hangs.h"
#include "report.h"

static void test_one_finding_for_each_task_and_wait(void **state)
{
	struct hangs *h = hangs_new(NULL, NULL);
	const struct finding *first = hangs_add_vcpu(h, 120, 500), *again;
	const struct task_wait *wait;

	(void)state;
	assert_int_equal(first->kind, FINDING_HANG);
	assert_int_equal(first->code, CODE_HUNG_ON_LOCK);
	assert_int_equal(first->grade, GRADE_WARNING);
	assert_int_equal(finding_list__exit_code(analysis__findings(h->a)), 2);
	again = hangs_add_vcpu(h, 241, 621);
	assert_ptr_equal(again, first);
	hangs_add_vcpu(h, 7, 700);
	wait = first->tasks[0].wait;
	assert_int_equal(first->count, 3);
	assert_int_equal(wait->blocked_ns, 241 * HANGS_SECOND);
	assert_int_equal(first->first, 500 * HANGS_SECOND);
	assert_int_equal(first->last, 700 * HANGS_SECOND);
	/* the same task in another function is another wait */
	assert_ptr_not_equal(hangs_add(h, h->vcpu, h->vgpu_lock, h->stack,
				       hangs_wait(WAIT_WHAT_MUTEX, h->vgpu_class,
						  "vgpu_mmio_write+0x1 [examplegpu]", 1),
				       800),
			     first);
	assert_int_equal(analysis__findings(h->a)->count, 2);
	hangs_free(h);
}

static void test_an_owner_once_named_stays(void **state)
{
	struct hangs *h = hangs_new(NULL, NULL);
	const struct finding *f = hangs_add_vcpu(h, 120, 500);

	(void)state;
	hangs_add(
		h, h->vcpu, h->vgpu_lock, h->stack,
		hangs_wait(WAIT_WHAT_MUTEX, h->vgpu_class, "vgpu_mmio_read+0x9 [examplegpu]", 241),
		621);
	assert_int_equal(f->count, 2);
	assert_int_equal(f->tasks[0].wait->blocked_ns, 241 * HANGS_SECOND);
	assert_int_equal(f->tasks[0].wait->owner.task, h->worker);
	hangs_free(h);
}

static void test_a_task_of_a_deadlock_has_no_hang(void **state)
{
	struct hangs *h = hangs_new(NULL, NULL);
	const struct held_lock locks[] = {{h->vgpu_lock, NO_ID, 0, 0, 0},
					  {h->kvm_lock, NO_ID, 0, 0, 0}};
	const uint32_t tasks[] = {h->writer, h->vcpu};
	struct trace_event event = {.stack = NO_ID, .time = 1};

	(void)state;
	hangs_add_vcpu(h, 120, 500);
	hangs_add(h, h->disk, NO_ID, h->disk_stack,
		  hangs_wait(WAIT_WHAT_IO, NO_ID, "filemap_read+0x53", 122), 621);
	for (int i = 0; i < 4; i++) {
		event.task = tasks[i % 2];
		event.op = i < 2 ? EVENT_ACQUIRE : EVENT_REQUEST;
		event.operand = locks[i < 2 ? i % 2 : 1 - i % 2].instance;
		assert_int_equal(model__add_event(h->m, &event), 0);
	}
	assert_int_equal(analysis__finish(h->a), 0);
	assert_int_equal(finding_list__exit_code(analysis__findings(h->a)), 3);
	assert_int_equal(analysis__findings(h->a)->count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct finding *f = analysis__findings(h->a)->items[i];

		assert_true(f->kind == FINDING_DEADLOCK ||
			    (f->code == CODE_HUNG_ELSEWHERE && f->tasks[0].task == h->disk));
	}
	/* the list's index is right after that */
	assert_int_equal(hangs_add(h, h->disk, NO_ID, h->disk_stack,
				   hangs_wait(WAIT_WHAT_IO, NO_ID, "filemap_read+0x53", 122), 621)
				 ->count,
			 2);
	hangs_free(h);
}

static void test_who_queues_behind_the_same_lock_is_named(void **state)
{
	struct hangs *h = hangs_complete(NULL, NULL);
	const struct finding *f = analysis__findings(h->a)->items[0];

	(void)state;
	assert_int_equal(analysis__findings(h->a)->count, 3);
	assert_int_equal(f->tasks[0].wait->waiter_count, 1);
	assert_int_equal(f->tasks[0].wait->waiters[0].task, h->writer);
	assert_int_equal(f->tasks[0].wait->waiters[0].blocked_ns, 122 * HANGS_SECOND);
	assert_int_equal(f->tasks[0].wait->more_waiters, 0);
	/* one report names the owner: it is the other one's too */
	assert_int_equal(analysis__findings(h->a)->items[1]->tasks[0].wait->owner.task, h->worker);
	hangs_free(h);
}

static void test_a_long_queue_is_counted_not_listed(void **state)
{
	struct hangs *h = hangs_new(NULL, NULL);

	(void)state;
	for (uint32_t i = 0; i < 30000; i++)
		hangs_add(h, model__add_task(h->m, 2000 + i, 2000 + i, "many", 0, 0), h->vgpu_lock,
			  h->stack, hangs_wait(WAIT_WHAT_MUTEX, h->vgpu_class, "vgpu_open+0x1", i),
			  500);
	assert_int_equal(analysis__finish(h->a), 0);
	for (uint32_t i = 0; i < 30000; i += 29999) {
		const struct task_wait *wait = analysis__findings(h->a)->items[i]->tasks[0].wait;

		assert_int_equal(wait->waiter_count, 8);
		assert_int_equal(wait->more_waiters, 30000 - 1 - 8);
		/* those that wait longest */
		assert_int_equal(wait->waiters[0].blocked_ns,
				 (29999 - (i == 29999)) * HANGS_SECOND);
	}
	hangs_free(h);
}

static void same_wait(const struct task_wait *x, const struct task_wait *y)
{
	assert_int_equal(x->what, y->what);
	assert_int_equal(x->lock_class, y->lock_class);
	assert_string_equal(x->site, y->site);
	assert_int_equal(x->blocked_ns, y->blocked_ns);
	assert_memory_equal(&x->owner.task, &y->owner.task, sizeof(uint32_t));
	assert_int_equal(x->owner.state, y->owner.state);
	assert_int_equal(x->owner.stack, y->owner.stack);
	assert_int_equal(x->waiter_count, y->waiter_count);
	for (uint32_t i = 0; i < x->waiter_count; i++) {
		assert_int_equal(x->waiters[i].task, y->waiters[i].task);
		assert_int_equal(x->waiters[i].blocked_ns, y->waiters[i].blocked_ns);
	}
	assert_int_equal(x->more_waiters, y->more_waiters);
}

static void test_a_recording_gives_hangs_back(void **state)
{
	struct hangs *h = hangs_complete(NULL, NULL);
	const struct finding_list *list = analysis__findings(h->a);
	struct opened o;
	char error[512] = "";

	(void)state;
	list->items[0]->missing = "the lock list";
	assert_int_equal(store__save(file("hang.vft"), h->m, list, NULL, error, sizeof(error)), 0);
	assert_int_equal(open_recording(file("hang.vft"), &o, true, error), 0);
	assert_int_equal(analysis__findings(o.findings)->count, list->count);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct finding *x = list->items[i],
				     *y = find_key(analysis__findings(o.findings), x->key);

		assert_non_null(y);
		same_finding(x, y);
		same_wait(x->tasks[0].wait, y->tasks[0].wait);
		assert_true(!x->missing ? !y->missing : !strcmp(x->missing, y->missing));
	}
	close_recording(&o);
	hangs_free(h);
}

static void test_redacting_leaves_no_name_of_a_hang(void **state)
{
	static const char *const secrets[] = {"tenant", "examplegpu", "vgpu_mmio_read",
					      "gpu-worker", "qemu-img"};
	struct hangs *h = hangs_complete("tenant-7", NULL);
	size_t length;
	char error[512] = "", *bytes;

	(void)state;
	assert_int_equal(store__save(file("open.vft"), h->m, analysis__findings(h->a), NULL, error,
				     sizeof(error)),
			 0);
	assert_int_equal(store__redact(file("open.vft"), file("shut.vft"), error, sizeof(error)),
			 0);
	bytes = read_bytes(file("shut.vft"), &length);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_null(memmem(bytes, length, secrets[i], strlen(secrets[i])));
	assert_non_null(memmem(bytes, length, "filemap_read", strlen("filemap_read")));
	free(bytes);
	hangs_free(h);
}

static struct rule_set *parse(const char *text)
{
	return rule_set__parse("suppress", text, strlen(text), NULL, NULL);
}

static uint32_t suppressed_by(const char *text)
{
	struct rule_set *set = parse(text);
	const struct analysis_options options = {.suppressions = set};
	struct hangs *h = hangs_complete(NULL, &options);
	uint32_t count = 0;

	assert_non_null(set);
	for (uint32_t i = 0; i < analysis__findings(h->a)->count; i++)
		if (analysis__findings(h->a)->items[i]->suppressed)
			count |= 1U << i;
	hangs_free(h);
	rule_set__free(set);
	return count;
}

static void test_hangs_are_suppressed_by_lock_site_and_comm(void **state)
{
	(void)state;
	assert_int_equal(suppressed_by("suppress-hang\n\tsite vgpu_mmio_*\n\treason x\n"), 1);
	assert_int_equal(suppressed_by("suppress-hang\n\tcomm qemu-img\n\treason x\n"), 4);
	assert_int_equal(suppressed_by("suppress-hang vgpu.*\n\treason x\n"), 3);
	assert_int_equal(suppressed_by("suppress-hang vgpu.*\n\tcomm vgpu-ctl\n\treason x\n"), 2);
	assert_int_equal(suppressed_by("suppress-hang\n\tsite vfs_read\n\treason x\n"), 0);
	/* an accepted nesting hides no blocked task */
	assert_int_equal(suppressed_by("suppress vgpu.vgpu_lock\n\treason x\n"), 0);
	/* a rule that would hide every hang is none */
	assert_null(parse("suppress-hang\n\treason x\n"));
	assert_null(parse("suppress-hang a > b\n\treason x\n"));
	assert_null(parse("suppress a > b\n\tsite f\n\treason x\n"));
	assert_null(parse("suppress-hang\n\tsite\n\treason x\n"));
}

static uint32_t known_of(struct hangs *h, uint32_t i, const char *commit)
{
	const struct finding *f = analysis__findings(h->a)->items[i];
	uint32_t found = 0;

	for (uint32_t k = 0; k < f->known_count; k++)
		found += !strcmp(f->known[k].commit, commit);
	return found;
}

static struct hangs *hang_in_set_kvm(const char *const *symbols, uint32_t count, bool holds_kvm)
{
	const struct analysis_options options = {.catalogue = catalogue__builtin()};
	struct hangs *h = hangs_new(NULL, &options);
	static const char *const modules[8];
	uint32_t group = model__add_class(h->m, "vfio_group.group_lock", LOCK_KIND_MUTEX, 0);
	uint32_t kvm = model__add_class(h->m, "kvm.lock", LOCK_KIND_MUTEX, 0);

	if (holds_kvm)
		h->kvm_lock = model__add_instance(h->m, kvm, 0xffff888100000000, 0);
	hangs_add(h, h->vcpu, NO_ID, hangs_stack(h, symbols, modules, count),
		  hangs_wait(WAIT_WHAT_MUTEX, group, "vfio_file_set_kvm+0x1c [vfio]", 120), 500);
	return h;
}

static void test_a_hang_on_half_of_a_known_cycle_names_the_bug(void **state)
{
	static const char *const release[] = {"__mutex_lock.constprop.0", "vfio_file_set_kvm",
					      "kvm_vfio_release", "kvm_device_release"};
	struct hangs *h = hang_in_set_kvm(release, 4, true);

	(void)state;
	assert_int_equal(known_of(h, 0, "2b48f52f2bff"), 1);
	hangs_free(h);
	h = hang_in_set_kvm(release, 4, false);
	assert_int_equal(analysis__findings(h->a)->items[0]->known_count, 0);
	hangs_free(h);
}

static void test_a_hang_with_the_stack_of_a_known_bug_names_it(void **state)
{
	static const char *const own[] = {"__mutex_lock.constprop.0", "vfio_file_set_kvm.isra.0",
					  "kvm_vfio_destroy", "kvm_put_kvm",
					  "vfio_device_fops_release"};
	struct hangs *h = hang_in_set_kvm(own, 5, false);

	(void)state;
	assert_int_equal(known_of(h, 0, "51cdc8bc120e"), 1);
	hangs_free(h);
	/* the same functions from outside of VFIO are another matter */
	h = hang_in_set_kvm(own, 4, false);
	assert_int_equal(known_of(h, 0, "51cdc8bc120e"), 0);
	hangs_free(h);
}

static void test_diff_compares_hangs_by_function_lock_and_kind_of_task(void **state)
{
	struct hangs *before = hangs_complete(NULL, NULL),
		     *after = hangs_complete("CPU 2/KVM", NULL);
	const struct diff_row *row;
	struct diff *d;

	(void)state;
	hangs_add(after, after->disk, NO_ID, after->disk_stack,
		  hangs_wait(WAIT_WHAT_COMPLETION, NO_ID, "submit_bio_wait+0x4", 9), 700);
	d = diff__make(before->m, analysis__findings(before->a), after->m,
		       analysis__findings(after->a));
	assert_non_null(d);
	assert_int_equal(diff__changes(d, DIFF_CYCLES), 0);
	assert_int_equal(diff__changes(d, DIFF_HANGS), 1);
	row = &d->rows[DIFF_HANGS][0];
	assert_int_equal(row->kind, DIFF_APPEARED);
	assert_true(row->bad && d->new_cycle);
	assert_string_equal(row->name, "qemu-img in submit_bio_wait, completion");
	assert_string_equal(row->after, "hung-elsewhere, seen 1");
	diff__free(d);
	hangs_free(before);
	hangs_free(after);
}

/* --- outputs ---------------------------------------------------------------------------------- */

static char *rendered(const struct hangs *h, enum report_format format)
{
	const struct report_input input = {h->m, analysis__findings(h->a), NULL};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(report_write(out, format, &input, NULL), 0);
	fclose(out);
	return text;
}

static void says(enum report_format format, const char *const *words)
{
	struct hangs *h = hangs_complete(NULL, NULL);
	char *text = rendered(h, format);

	for (; *words; words++)
		if (!strstr(text, *words))
			fail_msg("%s says nothing of \"%s\"", report_format_names[format], *words);
	free(text);
	hangs_free(h);
}

static void test_every_output_says_who_waits_for_what_and_who_has_it(void **state)
{
	(void)state;
	says(REPORT_TEXT, (const char *[]){"CPU 6/KVM/11091 has been blocked for 241 s on a mutex",
					   " in vgpu_mmio_read [examplegpu], likely owned by "
					   "gpu-worker/333 (running).",
					   "behind  vgpu-ctl pid 812", "owner's stack",
					   "on a page in filemap_read.", "what to do next", NULL});
	says(REPORT_MARKDOWN,
	     (const char *[]){"### warning: hang, hung-on-lock", "owner  gpu-worker pid 333",
			      "behind vgpu-ctl", "What to do next:", "subgraph waits", NULL});
	says(REPORT_SPLAT,
	     (const char *[]){"INFO: task CPU 6/KVM:11091 blocked for more than 241 seconds.",
			      "is blocked on a mutex likely owned by task gpu-worker:333.",
			      "2 locks held by CPU 6/KVM/11091:", "vgpu_reset_worker", NULL});
	says(REPORT_DOT,
	     (const char *[]){"cluster_waits", "t0 -> l0 [label=\"waits 241 s\"]",
			      "l0 -> t1 [label=\"likely owned by\"", "folio\\nfilemap_read", NULL});
	says(REPORT_MERMAID, (const char *[]){"t0 -->|\"waits 241 s\"| l0",
					      "l0 -.->|\"likely owned by\"| t1", NULL});
	says(REPORT_JSON, (const char *[]){"\"hung-on-lock\"", NULL});
	says(REPORT_HTML, (const char *[]){"\"what\":\"on a mutex\"", "\"waiters\":[{\"task\"",
					   "has been blocked for 241 s", NULL});
}

static void test_text_of_what_to_do_next_fits_80_columns(void **state)
{
	struct hangs *h = hangs_complete(NULL, NULL);
	char *text = rendered(h, REPORT_TEXT), *rest = text, *line;
	bool in_list = false;
	uint32_t lines = 0;

	(void)state;
	while ((line = strsep(&rest, "\n"))) {
		in_list = *line && (in_list || strstr(line, "what to do next"));
		lines += in_list;
		assert_true(!in_list || strlen(line) <= 80);
	}
	assert_true(lines > 9);
	free(text);
	hangs_free(h);
}

static void test_json_of_a_hang_has_the_wait_the_owner_and_who_is_behind(void **state)
{
	struct hangs *h = hangs_complete(NULL, NULL);
	json_t *record = json_finding(h->m, analysis__findings(h->a)->items[0]), *task, *owner;
	json_int_t pid = 0, tid = 0, blocked = 0, behind = 0;
	const char *what, *site, *lock, *comm, *owner_state;

	(void)state;
	task = json_array_get(json_object_get(record, "tasks"), 0);
	owner = json_object_get(task, "owner");
	assert_int_equal(json_unpack(task, "{s:I,s:I,s:s,s:I,s:{s:s,s:s,s:{s:s}}}", "pid", &pid,
				     "tid", &tid, "comm", &comm, "for", &blocked, "waits_for",
				     "what", &what, "site", &site, "lock", "class", &lock),
			 0);
	assert_true(pid == 11091 && tid == 11091 && blocked == 241000000000);
	assert_string_equal(comm, "CPU 6/KVM");
	assert_string_equal(what, "mutex");
	assert_string_equal(site, "vgpu_mmio_read+0x52 [examplegpu]");
	assert_string_equal(lock, "vgpu.vgpu_lock");
	assert_int_equal(json_unpack(owner, "{s:I,s:s}", "tid", &tid, "state", &owner_state), 0);
	assert_true(tid == 333 && json_array_size(json_object_get(owner, "stack")) == 2);
	assert_string_equal(owner_state, "R");
	assert_int_equal(json_unpack(json_array_get(json_object_get(task, "waiters"), 0), "{s:I}",
				     "tid", &behind),
			 0);
	assert_true(behind == 812);
	assert_true(json_is_false(json_object_get(record, "partial")));
	assert_true(json_array_size(json_object_get(record, "next")) >= 2);
	json_decref(record);
	hangs_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_finding_for_each_task_and_wait),
		cmocka_unit_test(test_an_owner_once_named_stays),
		cmocka_unit_test(test_a_task_of_a_deadlock_has_no_hang),
		cmocka_unit_test(test_who_queues_behind_the_same_lock_is_named),
		cmocka_unit_test(test_a_long_queue_is_counted_not_listed),
		cmocka_unit_test(test_a_recording_gives_hangs_back),
		cmocka_unit_test(test_redacting_leaves_no_name_of_a_hang),
		cmocka_unit_test(test_hangs_are_suppressed_by_lock_site_and_comm),
		cmocka_unit_test(test_a_hang_on_half_of_a_known_cycle_names_the_bug),
		cmocka_unit_test(test_a_hang_with_the_stack_of_a_known_bug_names_it),
		cmocka_unit_test(test_diff_compares_hangs_by_function_lock_and_kind_of_task),
		cmocka_unit_test(test_every_output_says_who_waits_for_what_and_who_has_it),
		cmocka_unit_test(test_text_of_what_to_do_next_fits_80_columns),
		cmocka_unit_test(test_json_of_a_hang_has_the_wait_the_owner_and_who_is_behind),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
