// SPDX-License-Identifier: GPL-2.0-or-later
/* The BTF that libbpf gets in the place of the kernel's, and the buckets of the programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "kernel/kernel_private.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define barrier_var(variable) __asm__ volatile("" : "+r"(variable))
#include "../../bpf/log2.h"

static char kernel_path[] = "/tmp/vfiotrace-test-types-XXXXXX";

/*
 * struct far { long x; };
 * struct inner { long a; struct far *elsewhere; };
 * struct outer { long head; inner_t pair[2]; const enum mode mode; struct far *next; };
 * struct unasked { struct outer outer; };
 */
static struct btf *kernels_types(void)
{
	struct btf *btf = btf__new_empty();
	int word = btf__add_int(btf, "long", 8, BTF_INT_SIGNED), far, inner, pair, mode, outer;

	far = btf__add_struct(btf, "far", 8);
	btf__add_field(btf, "x", word, 0, 0);
	far = btf__add_ptr(btf, far);
	inner = btf__add_struct(btf, "inner", 16);
	btf__add_field(btf, "a", word, 0, 0);
	btf__add_field(btf, "elsewhere", far, 64, 0);
	pair = btf__add_array(btf, word, btf__add_typedef(btf, "inner_t", inner), 2);
	mode = btf__add_enum(btf, "mode", 4);
	btf__add_enum_value(btf, "MODE_READ", 7);
	mode = btf__add_const(btf, mode);
	outer = btf__add_struct(btf, "outer", 56);
	btf__add_field(btf, "head", word, 0, 0);
	btf__add_field(btf, "pair", pair, 64, 0);
	btf__add_field(btf, "mode", mode, 64 + 256, 0);
	btf__add_field(btf, "next", far, 64 + 256 + 64, 0);
	btf__add_struct(btf, "unasked", 56);
	btf__add_field(btf, "outer", outer, 0, 0);
	return btf;
}

static int setup(void **state)
{
	struct btf *btf = kernels_types();
	uint32_t size;
	const void *data = btf__raw_data(btf, &size);
	int fd = mkstemp(kernel_path);
	bool whole = write(fd, data, size) == (ssize_t)size;
	(void)state;

	btf__free(btf);
	close(fd);
	return whole ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(kernel_path);
}

static struct btf *subset_of(const struct kernel *k, const struct btf *names)
{
	char path[40];
	int fd = memfd_create("subset", MFD_CLOEXEC);
	struct btf *subset;

	assert_return_code(btf_subset__write(k, names, fd), 0);
	/* an object may be opened a second time: the file is written anew */
	assert_return_code(btf_subset__write(k, names, fd), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	subset = btf__parse(path, NULL);
	assert_int_equal(libbpf_get_error(subset), 0);
	close(fd);
	return subset;
}

static int count_named(const struct btf *btf, const char *name)
{
	int count = 0;

	for (uint32_t id = 1; id < btf__type_cnt(btf); id++)
		count +=
			!strcmp(btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off), name);
	return count;
}

static void what_a_program_names_is_there_with_what_it_is_made_of(void **state)
{
	struct kernel *k = kernel__open(kernel_path);
	struct btf *names = btf__new_empty(), *subset;
	const struct btf_type *outer, *pointer;
	(void)state;

	assert_non_null(k);
	btf__add_struct(names, "outer___older", 0);
	btf__add_struct(names, "inner", 0);
	btf__add_struct(names, "in_no_kernel", 0);
	subset = subset_of(k, names);
	outer = btf__type_by_id(subset,
				(uint32_t)btf__find_by_name_kind(subset, "outer", BTF_KIND_STRUCT));
	assert_non_null(outer);
	assert_int_equal(outer->size, 56);
	assert_int_equal(btf_vlen(outer), 4);
	assert_int_equal(btf_member_bit_offset(outer, 2), 64 + 256);
	assert_int_equal(btf__resolve_size(subset, btf_members(outer)[1].type), 32);
	assert_int_equal(count_named(subset, "inner"), 1);
	assert_int_equal(count_named(subset, "mode"), 1);
	/* what is behind a pointer, and who else has an outer, is left out */
	pointer = btf__type_by_id(subset, btf_members(outer)[3].type);
	assert_true(btf_is_ptr(pointer));
	assert_int_equal(pointer->type, 0);
	assert_int_equal(count_named(subset, "far"), 0);
	assert_int_equal(count_named(subset, "unasked"), 0);
	assert_int_equal(count_named(subset, "in_no_kernel"), 0);
	btf__free(names);
	btf__free(subset);
	kernel__close(k);
}

static void the_running_kernels_types_keep_size_and_offsets(void **state)
{
	static const char *const types[] = {"task_struct", "mutex", "rw_semaphore", "file"};
	struct kernel *k = kernel__open(NULL);
	struct btf *names = btf__new_empty(), *subset;
	(void)state;

	assert_non_null(k);
	if (!kernel__has_btf(k)) {
		kernel__close(k);
		skip();
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		btf__add_struct(names, types[i], 0);
	subset = subset_of(k, names);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		int id = btf__find_by_name_kind(subset, types[i], BTF_KIND_STRUCT);
		const struct btf *own;
		const struct btf_type *here,
			*there = btf__type_by_id(kernel__btf(k, NULL),
						 kernel__find_type(k, types[i], &own));

		assert_true(id > 0);
		here = btf__type_by_id(subset, (uint32_t)id);
		assert_int_equal(here->size, there->size);
		assert_int_equal(btf_vlen(here), btf_vlen(there));
		for (uint32_t m = 0; m < btf_vlen(here); m++) {
			assert_int_equal(btf_members(here)[m].offset, btf_members(there)[m].offset);
			assert_int_equal(btf__resolve_size(subset, btf_members(here)[m].type),
					 btf__resolve_size(own, btf_members(there)[m].type));
		}
	}
	assert_true(btf__type_cnt(subset) < btf__type_cnt(kernel__btf(k, NULL)) / 10);
	btf__free(names);
	btf__free(subset);
	kernel__close(k);
}

static void a_bucket_is_the_position_of_the_highest_bit(void **state)
{
	(void)state;
	assert_int_equal(log2_floor(0), 0);
	for (unsigned int bit = 0; bit < 64; bit++) {
		assert_int_equal(log2_floor(1ULL << bit), bit);
		assert_int_equal(log2_floor((1ULL << bit) | ((1ULL << bit) - 1)), bit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_program_names_is_there_with_what_it_is_made_of),
		cmocka_unit_test(the_running_kernels_types_keep_size_and_offsets),
		cmocka_unit_test(a_bucket_is_the_position_of_the_highest_bit),
	};

	return cmocka_run_group_tests_name("program types", tests, setup, teardown);
}
