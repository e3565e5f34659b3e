// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks and open files walked in kernel memory from outside, of a kernel made up here: an honest
 * one, and memory that lies. Whatever it says, a walk ends, and what was left out is said.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/btf.h>

#include "census/source.h"
#include "kernel/kernel_private.h"

#define BASE 0xffff888000000000ULL
#define SIZE 65536U

/* members of the made-up structures, 8 bytes each, in this order */
static const char *const members_of_task[] = {"tasks",	"tasks_prev",	"thread_node", "node_prev",
					      "signal", "group_leader", "files",       "pid",
					      "tgid",	"flags",	"__state",     "on_cpu",
					      "stack",	"start_time",	"nvcsw",       "nivcsw"};
enum { TASKS, TASKS_PREV, NODE, NODE_PREV, SIGNAL, LEADER, FILES, PID, TGID, FLAGS };
static const char *const members_of_signal[] = {"thread_head", "head_prev"};
static const char *const members_of_files[] = {"fdt"};
static const char *const members_of_table[] = {"max_fds", "fd"};
static const char *const members_of_file[] = {"f_op", "private_data"};
static const char *const members_of_operations[] = {"release"};
#define COUNT(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))

static uint8_t bytes[SIZE];
static struct kernel *kernel;
static uint32_t seen_tasks, seen_files;
static uint64_t reads;

/* --- a kernel
 * ------------------------------------------------------------------------------------------- */

static void add_struct(struct btf *btf, int word, const char *name, const char *const *members,
		       uint32_t count)
{
	assert_true(btf__add_struct(btf, name, count * 8) > 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(btf__add_field(btf, members[i], word, i * 64, 0), 0);
}

static int make_kernel(void **state)
{
	struct btf *btf = btf__new_empty();
	int word = btf__add_int(btf, "unsigned long", 8, 0);

	(void)state;
	kernel = kernel__new();
	assert_non_null(kernel);
	add_struct(btf, word, "task_struct", members_of_task, COUNT(members_of_task));
	add_struct(btf, word, "signal_struct", members_of_signal, COUNT(members_of_signal));
	add_struct(btf, word, "files_struct", members_of_files, COUNT(members_of_files));
	add_struct(btf, word, "fdtable", members_of_table, COUNT(members_of_table));
	add_struct(btf, word, "file", members_of_file, COUNT(members_of_file));
	add_struct(btf, word, "file_operations", members_of_operations,
		   COUNT(members_of_operations));
	kernel->vmlinux = btf;
	kernel->vmlinux_tried = true;
	kernel->symbols.places = calloc(1, sizeof(*kernel->symbols.places));
	kernel->symbols.loaded = true;
	assert_int_equal(
		symbols__put(kernel, &kernel->symbols, BASE + 0x100, 'D', "init_task", NULL), 0);
	assert_int_equal(
		symbols__put(kernel, &kernel->symbols, BASE + 0xf000, 't', "kvm_vm_release", NULL),
		0);
	return 0;
}

static int drop_kernel(void **state)
{
	(void)state;
	kernel__close(kernel);
	return 0;
}

/* --- its memory
 * ----------------------------------------------------------------------------------------- */

static int read_bytes(void *context, uint64_t address, void *out, uint32_t length)
{
	(void)context;
	reads++;
	if (address < BASE || address - BASE > SIZE - length)
		return -EFAULT;
	memcpy(out, bytes + (address - BASE), length);
	return 0;
}

static void put(uint64_t address, uint32_t word, uint64_t value)
{
	memcpy(bytes + (address - BASE) + word * 8, &value, sizeof(value));
}

static uint64_t task_at(uint32_t n)
{
	return BASE + 0x100 + n * 0x100;
}

/* A ring of tasks through `word` (next) of each; the first is init_task, which is its head. */
static void link_tasks(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t task = task_at(i);

		put(task, TASKS, task_at((i + 1) % count));
		put(task, TASKS_PREV, task_at((i + count - 1) % count));
		put(task, LEADER, task);
		put(task, PID, 100 - i); /* the last one first */
		put(task, TGID, 100 - i);
	}
}

static int keep_task(void *context, const struct census_task_record *record, const uint64_t *frames,
		     const void *regs)
{
	(void)frames, (void)regs;
	if (context && seen_tasks < 8)
		((uint32_t *)context)[seen_tasks] = record->tid;
	seen_tasks++;
	return 0;
}

static int keep_file(void *context, const struct census_file_record *record)
{
	if (context)
		*(struct census_file_record *)context = *record;
	seen_files++;
	return 0;
}

static struct census_source *open_source(int (*read)(void *, uint64_t, void *, uint32_t),
					 void *context, struct memory *memory)
{
	struct census_memory from = {.kernel = kernel, .memory = memory, .is_image = true};
	struct census_source *source;
	int error;

	*memory = (struct memory){read, context};
	seen_tasks = seen_files = 0;
	reads = 0;
	source = census__source_of_memory(&from, &error);
	assert_non_null(source);
	return source;
}

/* --- tests
 * --------------------------------------------------------------------------------------------- */

static void walks_an_honest_kernel(void **state)
{
	struct census_file_record file = {0};
	struct memory memory;
	uint32_t tids[8] = {0};
	struct census_source *source;

	(void)state;
	memset(bytes, 0, SIZE);
	link_tasks(4);
	/* task 2: files -> table of three descriptors, of which the last is a VM's */
	put(task_at(2), FILES, BASE + 0x2000);
	put(BASE + 0x2000, 0, BASE + 0x2100);
	put(BASE + 0x2100, 0, 3);
	put(BASE + 0x2100, 1, BASE + 0x2200);
	put(BASE + 0x2200, 2, BASE + 0x2300);
	put(BASE + 0x2300, 0, BASE + 0x2400);
	put(BASE + 0x2300, 1, 0x1234);
	put(BASE + 0x2400, 0, BASE + 0xf000);
	source = open_source(read_bytes, NULL, &memory);
	assert_int_equal(census_source__tasks(source, NULL, 0, keep_task, tids), 0);
	assert_int_equal(seen_tasks, 3);
	assert_int_equal(tids[0], 97);
	assert_int_equal(tids[2], 99);
	assert_int_equal(census_source__files(source, keep_file, &file), 0);
	assert_int_equal(seen_files, 1);
	assert_int_equal(file.kind, CENSUS_FILE_VM);
	assert_int_equal(file.fd, 2);
	assert_int_equal(file.object, 0x1234);
	assert_int_equal(file.pid, 98);
	assert_null(census_source__cut(source));
	census_source__close(source);
}

static void says_where_a_list_of_tasks_leads_nowhere(void **state)
{
	struct memory memory;
	struct census_source *source;

	(void)state;
	memset(bytes, 0, SIZE);
	link_tasks(5);
	put(task_at(3), TASKS_PREV, task_at(1)); /* a loop begins somewhere here */
	source = open_source(read_bytes, NULL, &memory);
	assert_int_equal(census_source__tasks(source, NULL, 0, keep_task, NULL), 0);
	assert_int_equal(seen_tasks, 2);
	assert_non_null(strstr(census_source__cut(source), "leads nowhere"));
	census_source__close(source);
}

static void says_that_a_table_of_descriptors_cannot_be_read(void **state)
{
	struct memory memory;
	struct census_source *source;

	(void)state;
	memset(bytes, 0, SIZE);
	link_tasks(2);
	put(task_at(1), FILES, BASE + 0x2000);
	put(BASE + 0x2000, 0, BASE + 0x2100);
	put(BASE + 0x2100, 0, 0xffffffff);
	put(BASE + 0x2100, 1, 0xdead0000); /* not there */
	source = open_source(read_bytes, NULL, &memory);
	census_source__tasks(source, NULL, 0, keep_task, NULL);
	assert_int_equal(census_source__files(source, keep_file, NULL), 0);
	assert_non_null(strstr(census_source__cut(source), "descriptors"));
	census_source__close(source);
}

/* Every task is followed by another, and every link leads back. */
static int read_endless(void *context, uint64_t address, void *out, uint32_t length)
{
	uint64_t head = BASE + 0x100;

	(void)context;
	reads++;
	memset(out, 0, length);
	if (length == 16 && address >= head) {
		uint64_t links[2] = {address + 0x1000, address == head ? 0 : address - 0x1000};

		memcpy(out, links, sizeof(links));
	}
	return 0;
}

static void ends_a_list_of_tasks_that_has_no_end(void **state)
{
	struct memory memory;
	struct census_source *source;

	(void)state;
	source = open_source(read_endless, NULL, &memory);
	assert_int_equal(census_source__tasks(source, NULL, 0, keep_task, NULL), 0);
	assert_true(seen_tasks <= 1U << 20);
	assert_non_null(strstr(census_source__cut(source), "after the first million"));
	census_source__close(source);
}

/* Three tasks, each with as many descriptors as a number can say, and none is readable as a file.
 */
static int read_many_descriptors(void *context, uint64_t address, void *out, uint32_t length)
{
	reads++;
	if (!read_bytes(context, address, out, length))
		return 0;
	memset(out, 0, length);
	return 0;
}

static void ends_tables_of_descriptors_that_have_no_end(void **state)
{
	struct memory memory;
	struct census_source *source;

	(void)state;
	memset(bytes, 0, SIZE);
	link_tasks(4);
	for (uint32_t i = 1; i < 4; i++)
		put(task_at(i), FILES, BASE + 0x2000);
	put(BASE + 0x2000, 0, BASE + 0x2100);
	put(BASE + 0x2100, 0, 0xffffffff);
	put(BASE + 0x2100, 1, 0xffffc90000000000ULL);
	source = open_source(read_many_descriptors, NULL, &memory);
	census_source__tasks(source, NULL, 0, keep_task, NULL);
	assert_int_equal(census_source__files(source, keep_file, NULL), 0);
	assert_non_null(strstr(census_source__cut(source), "16 million"));
	assert_true(reads < 1000000);
	census_source__close(source);
}

/* Words that are mostly addresses of other words, and other ones each time. */
static int read_lies(void *context, uint64_t address, void *out, uint32_t length)
{
	uint64_t *seed = context;

	(void)address;
	reads++;
	for (uint32_t i = 0; i < length; i++) {
		*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
		((uint8_t *)out)[i] = (uint8_t)(*seed >> 56);
	}
	for (uint32_t i = 0; i + 8 <= length; i += 8) {
		uint64_t word = BASE + (*seed >> 40) % SIZE;

		*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
		if (*seed >> 62)
			memcpy((uint8_t *)out + i, &word, 8);
	}
	return *seed >> 59 ? 0 : -EFAULT;
}

static void ends_whatever_memory_says(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		uint64_t random = seed;
		struct memory memory;
		struct census_source *source = open_source(read_lies, &random, &memory);

		assert_int_equal(census_source__all_stacks(source, keep_task, NULL), 0);
		assert_int_equal(census_source__files(source, keep_file, NULL), 0);
		assert_true(reads < 10000000);
		census_source__close(source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_an_honest_kernel),
		cmocka_unit_test(says_where_a_list_of_tasks_leads_nowhere),
		cmocka_unit_test(says_that_a_table_of_descriptors_cannot_be_read),
		cmocka_unit_test(ends_a_list_of_tasks_that_has_no_end),
		cmocka_unit_test(ends_tables_of_descriptors_that_have_no_end),
		cmocka_unit_test(ends_whatever_memory_says),
	};

	return cmocka_run_group_tests(tests, make_kernel, drop_kernel);
}
