// SPDX-License-Identifier: GPL-2.0-or-later
/* Coverage per path and driver: what counts as a run of a driver, and that a recording keeps it. */
#include "store_files.h"

#include "drivers.h"
#include "report.h"

static uint32_t object(struct model *m, enum object_kind kind, uint32_t parent, uint64_t address,
		       const char *driver)
{
	struct object o = {
		.kind = kind, .parent = parent, .address = address, .name = "o", .detail = driver};

	return model__add_object(m, &o);
}

static void run(struct model *m, enum path_id path, uint32_t device, uint32_t group, int32_t result,
		uint8_t kvm)
{
	struct path_event event = {.path = path,
				   .task = NO_ID,
				   .count = 1,
				   .device = device,
				   .group = group,
				   .vm = NO_ID,
				   .result = result,
				   .kvm_returned = kvm,
				   .kvm_ref_lock = NO_ID};

	model__add_path_event(m, &event);
}

static struct model *two_drivers(void)
{
	struct model *m = model__new();
	uint32_t group = object(m, OBJECT_GROUP, NO_ID, 1, NULL);
	uint32_t pci = object(m, OBJECT_DEVICE, group, 2, "vfio-pci");
	uint32_t other = object(m, OBJECT_DEVICE, NO_ID, 3, "a.b");
	uint32_t no_driver = object(m, OBJECT_DEVICE, NO_ID, 4, NULL);

	object(m, OBJECT_VM, NO_ID, 5, "qemu"); /* a detail, but no driver */
	run(m, PATH_DEVICE_OPEN, pci, group, 0, 0);
	run(m, PATH_DEVICE_OPEN, pci, group, 7, 0);   /* a descriptor is success */
	run(m, PATH_DEVICE_OPEN, pci, group, -16, 0); /* busy: nothing was opened */
	run(m, PATH_DEVICE_OPEN, NO_ID, group, 0, 0); /* open already, or one of several devices */
	run(m, PATH_GET_KVM, pci, group, 0, 0);	      /* there was no VM */
	run(m, PATH_GET_KVM, other, NO_ID, 0, 1);
	run(m, PATH_DEVICE_CLOSE, no_driver, NO_ID, 0, 0);
	model__set_fact(m, "vfio.driver.a.b", "ab");
	model__set_fact(m, "vfio.driver.a.b.open", "ab_open ab");
	model__set_fact(m, "vfio.driver.idle", "");
	return m;
}

static void check(const struct model *m)
{
	struct driver_table *table = driver_table__make(m);
	const struct driver_coverage *pci, *other, *idle;
	char words[64];

	assert_non_null(table);
	assert_int_equal(table->count, 3);
	assert_string_equal(table->rows[0].driver, "a.b");
	pci = driver_table__find(table, "vfio-pci");
	other = driver_table__find(table, "a.b");
	idle = driver_table__find(table, "idle");
	assert_non_null(pci);
	assert_int_equal(pci->hits[PATH_DEVICE_OPEN], 2);
	assert_int_equal(pci->maybe[PATH_DEVICE_OPEN], 1);
	assert_int_equal(pci->hits[PATH_GET_KVM], 0);
	assert_false(pci->is_bound);
	assert_int_equal(other->hits[PATH_GET_KVM], 1);
	assert_true(other->is_bound);
	assert_string_equal(other->module, "ab");
	assert_string_equal(other->open, "ab_open ab");
	assert_true(idle->is_bound);
	assert_null(idle->module);
	assert_int_equal(table->succeeded[PATH_DEVICE_OPEN], 3);
	assert_int_equal(table->failed[PATH_DEVICE_OPEN], 1);
	assert_string_equal(driver_table__describe(table, PATH_DEVICE_OPEN, words, sizeof(words)),
			    "vfio-pci 2");
	assert_null(driver_table__describe(table, PATH_SET_KVM, words, sizeof(words)));
	assert_null(driver_table__find(table, "qemu"));
	driver_table__free(table);
}

static void test_what_counts_as_a_run_of_a_driver(void **state)
{
	struct model *m = two_drivers();
	(void)state;

	check(m);
	model__free(m);
}

static void test_a_recording_keeps_each_drivers_runs(void **state)
{
	struct model *m = two_drivers();
	char error[512] = "";
	struct opened o;
	(void)state;

	assert_int_equal(store__save(file("drivers.vft"), m, NULL, "pass", error, sizeof(error)),
			 0);
	assert_int_equal(open_recording(file("drivers.vft"), &o, false, error), 0);
	check(o.m);
	close_recording(&o);
	model__free(m);
}

static void test_reports_name_the_drivers_of_a_path(void **state)
{
	static const char *const formats[][2] = {
		{"text", "with vfio-pci 2"},
		{"markdown", "| vfio-pci 2 |"},
		{"html", "\"vfio-pci 2\""},
		{"json", "{\"driver\":\"vfio-pci\",\"module\":null,\"open\":null,\"hits\":2}"},
	};
	static const struct report_options options = {.title = "incident.vft"};
	(void)state;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct model *m = two_drivers();
		struct finding_list none = {0};
		struct report_input input = {m, &none, NULL};
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(
			report_write(out, report_format__parse(formats[i][0]), &input, &options),
			0);
		fclose(out);
		if (!strstr(text, formats[i][1]))
			fail_msg("%s lacks %s", formats[i][0], formats[i][1]);
		free(text);
		model__free(m);
	}
}

static void test_an_empty_model_has_no_driver(void **state)
{
	struct model *m = model__new();
	struct driver_table *table = driver_table__make(m);
	(void)state;

	assert_non_null(table);
	assert_int_equal(table->count, 0);
	driver_table__free(table);
	model__free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_counts_as_a_run_of_a_driver),
		cmocka_unit_test(test_a_recording_keeps_each_drivers_runs),
		cmocka_unit_test(test_reports_name_the_drivers_of_a_path),
		cmocka_unit_test(test_an_empty_model_has_no_driver),
	};
	int failed;

	if (!mkdtemp(directory))
		return 1;
	failed = cmocka_run_group_tests_name("drivers", tests, NULL, NULL);
	unlink(file("drivers.vft"));
	rmdir(directory);
	return failed;
}
