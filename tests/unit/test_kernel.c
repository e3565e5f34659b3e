// SPDX-License-Identifier: GPL-2.0-or-later
/* What is read from BTF and kallsyms: a made-up BTF for layouts, the running kernel for the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/btf.h>

#include "kernel/kernel_private.h"

static char btf_path[] = "/tmp/vfiotrace-test-btf-XXXXXX";

/*
 * struct group { long head; struct device dev; union { long a; struct mutex in_union; };
 *                struct slot slots[3]; struct mutex group_lock; }
 */
static struct btf *make_btf(void)
{
	struct btf *btf = btf__new_empty();
	int word = btf__add_int(btf, "long", 8, BTF_INT_SIGNED), mutex, alias, device, slot, array,
	    either;

	mutex = btf__add_struct(btf, "mutex", 16);
	btf__add_field(btf, "owner", word, 0, 0);
	btf__add_field(btf, "wait_list", word, 64, 0);
	alias = btf__add_typedef(btf, "mutex_t", mutex);
	device = btf__add_struct(btf, "device", 32);
	btf__add_field(btf, "parent", word, 0, 0);
	btf__add_field(btf, "mutex", mutex, 64, 0);
	btf__add_field(btf, "id", word, 192, 0);
	slot = btf__add_struct(btf, "slot", 24);
	btf__add_field(btf, "number", word, 0, 0);
	btf__add_field(btf, "slot_lock", alias, 64, 0);
	array = btf__add_array(btf, word, slot, 3);
	either = btf__add_union(btf, NULL, 16);
	btf__add_field(btf, "a", word, 0, 0);
	btf__add_field(btf, "in_union", mutex, 0, 0);
	btf__add_struct(btf, "group", 8 + 32 + 16 + 72 + 16);
	btf__add_field(btf, "head", word, 0, 0);
	btf__add_field(btf, "dev", device, 8 * 8, 0);
	btf__add_field(btf, NULL, either, 40 * 8, 0);
	btf__add_field(btf, "slots", array, 56 * 8, 0);
	btf__add_field(btf, "group_lock", mutex, 128 * 8, 0);
	btf__add_func(btf, "vfio_df_open", BTF_FUNC_GLOBAL, btf__add_func_proto(btf, word));
	return btf;
}

static int setup(void **state)
{
	struct btf *btf = make_btf();
	uint32_t size;
	const void *data = btf__raw_data(btf, &size);
	int fd = mkstemp(btf_path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
	btf__free(btf);
	*state = kernel__open(btf_path);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	kernel__close(*state);
	return unlink(btf_path);
}

static void test_offsets(void **state)
{
	struct kernel *k = *state;

	assert_true(kernel__has_btf(k));
	assert_int_equal(kernel__member_offset(k, "group", "group_lock"), 128);
	assert_int_equal(kernel__member_offset(k, "group", "dev.mutex"), 16);
	assert_int_equal(kernel__member_offset(k, "group", "in_union"), 40);
	assert_int_equal(kernel__struct_size(k, "group"), 144);
	assert_true(kernel__member_offset(k, "group", "kvm_ref_lock") < 0);
	assert_true(kernel__member_offset(k, "nothing", "group_lock") < 0);
	assert_false(kernel__has_member(k, "group", "group_loc"));
	assert_true(kernel__has_struct(k, "slot"));
	assert_true(kernel__has_btf_function(k, "vfio_df_open", NULL));
	assert_false(kernel__has_btf_function(k, "vfio_df_shut", NULL));
}

static void test_names_of_locks(void **state)
{
	struct kernel *k = *state;

	assert_string_equal(kernel__member_at(k, "group", 128), "group.group_lock");
	assert_string_equal(kernel__member_at(k, "group", 16), "device.mutex");
	assert_string_equal(kernel__member_at(k, "group", 40), "group.in_union");
	assert_string_equal(kernel__member_at(k, "group", 64), "slot.slot_lock");
	assert_string_equal(kernel__member_at(k, "group", 112), "slot.slot_lock");
	assert_null(kernel__member_at(k, "group", 0));
	assert_null(kernel__member_at(k, "group", 144));
	assert_null(kernel__member_at(k, "group", 4000));
}

/* The running kernel: skipped where its symbols are hidden. */
static void test_symbols(void **state)
{
	struct kernel *k = kernel__open(NULL);
	struct kernel_symbol symbol;
	uint32_t offset;
	uint64_t address;
	struct frame frame;
	(void)state;

	assert_non_null(k);
	if (symbols__hidden(k)) {
		kernel__close(k);
		skip();
	}
	address = kernel__symbol(k, "mutex_lock");
	assert_true(address != 0);
	assert_true(kernel__resolve(k, address, &symbol, &offset));
	assert_string_equal(symbol.name, "mutex_lock");
	assert_int_equal(offset, 0);
	assert_true(kernel__resolve(k, address + 5, &symbol, &offset));
	assert_string_equal(symbol.name, "mutex_lock");
	assert_int_equal(offset, 5);
	kernel__fill_frame(k, address + 5, &frame);
	assert_string_equal(frame.symbol, "mutex_lock");
	assert_null(frame.module);
	assert_false(kernel__resolve(k, 0xffff888000001000ULL, &symbol, &offset));
	assert_true(kernel__symbol(k, "no_such_symbol_in_any_kernel") == 0);
	kernel__close(k);
}

/* What was given back is made again, however little was asked before: skipped without tracefs. */
static void test_given_back(void **state)
{
	struct kernel *k = kernel__open(NULL);
	(void)state;

	assert_non_null(k);
	if (!kernel__is_traceable(k, "mutex_lock")) {
		kernel__close(k);
		skip();
	}
	kernel__shrink(k);
	assert_true(kernel__is_traceable(k, "mutex_lock"));
	kernel__shrink(k);
	kernel__drop_traceable(k);
	assert_true(kernel__is_traceable(k, "mutex_lock"));
	assert_false(kernel__is_traceable(k, "no_such_symbol_in_any_kernel"));
	if (!symbols__hidden(k)) {
		kernel__shrink(k);
		assert_true(kernel__symbol(k, "mutex_lock") != 0);
	}
	kernel__close(k);
}

/* As if a module had been there when the symbols were read, and is gone. */
static void add_departed(struct kernel *k, uint64_t address)
{
	const struct symbol row = {.address = address, .type = 't'};
	struct symbol_table *t = &k->symbols;
	struct module_place *places;

	assert_int_equal(symbols__add(k, t, &row, "departed_function", "departed"), 0);
	places = calloc(t->module_count + 1, sizeof(*places));
	assert_non_null(places);
	memcpy(places, t->places, (t->module_count - 1) * sizeof(*places));
	places[t->module_count - 1] =
		(struct module_place){kernel__keep(k, "departed"), address, 4096};
	free(t->places);
	t->places = places;
	symbols__sort(t);
}

/* Records of a module that went are on their way: its names stay, and only its own. */
static void test_departed_module(void **state)
{
	static const uint64_t address = 0x7000000000001000; /* where nothing is */
	struct kernel *k = kernel__open(NULL);
	struct kernel_symbol symbol;
	uint32_t offset;
	uint64_t known;
	(void)state;

	assert_non_null(k);
	if (symbols__hidden(k)) {
		kernel__close(k);
		skip();
	}
	known = kernel__symbol(k, "mutex_lock");
	add_departed(k, address);
	for (int round = 0; round < 3; round++) { /* as read, suspected, read again */
		assert_true(kernel__resolve(k, address + 8, &symbol, &offset));
		assert_string_equal(symbol.name, "departed_function");
		assert_string_equal(symbol.module, "departed");
		assert_int_equal(offset, 8);
		assert_false(kernel__resolve(k, address + (1 << 17), &symbol, &offset));
		assert_true(kernel__resolve(k, known, &symbol, &offset));
		assert_string_equal(symbol.name, "mutex_lock");
		if (!round)
			kernel__modules_changed(k);
		else
			assert_int_equal(symbols__renew(k), 0);
	}
	assert_true(kernel__symbol(k, "departed_function") == 0);
	kernel__close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offsets),		cmocka_unit_test(test_names_of_locks),
		cmocka_unit_test(test_symbols),		cmocka_unit_test(test_given_back),
		cmocka_unit_test(test_departed_module),
	};

	return cmocka_run_group_tests_name("kernel", tests, setup, teardown);
}
