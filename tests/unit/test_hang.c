// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks that a source says are blocked: what becomes of them in the analysis and in a recording. */
#include "store_files.h"

#include "hangs.h"

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
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
