// SPDX-License-Identifier: GPL-2.0-or-later
/* Importers of other people's text: every shape they send, and every way it is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "analysis.h"
#include "import.h"
#include "import/klog_line.h"

static char last[1024];
static int complaints;

static void complain(void *context, const char *file, uint32_t line, const char *message)
{
	(void)context;
	complaints++;
	snprintf(last, sizeof(last), "%s:%u: %s", file, line, message);
}

struct result {
	struct model *m;
	struct analysis *a;
	int err;
};

static struct result run_source(struct import_source *source, bool live)
{
	struct analysis_options options = {.live_kernel = live, .predict = true};
	struct import_options import = {.complain = complain};
	struct result result = {.m = model__new()};

	assert_non_null(source);
	complaints = 0;
	last[0] = '\0';
	import.analysis = result.a = analysis__new(result.m, &options);
	result.err = import_source__read(source, result.m, &import);
	import_source__close(source);
	assert_int_equal(analysis__finish(result.a), 0);
	return result;
}

static struct result import_path(const char *path)
{
	char why[200];
	int err;

	return run_source(import_source__open(path, IMPORT_AUTO, &err, why, sizeof(why)), true);
}

static struct result import_text(const char *text, size_t length, enum import_format format)
{
	char path[] = "/tmp/vfiotrace-test-XXXXXX";
	int fd = mkstemp(path), err;
	struct import_source *source;
	char why[200];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), (ssize_t)length);
	close(fd);
	source = import_source__open(path, format, &err, why, sizeof(why));
	unlink(path);
	return run_source(source, true);
}

static void free_result(struct result *r)
{
	analysis__free(r->a);
	model__free(r->m);
}

static const struct finding *find(const struct result *r, enum finding_code code)
{
	const struct finding_list *list = analysis__findings(r->a);

	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i]->code == code)
			return list->items[i];
	return NULL;
}

/* --- samples: what each must be found to be ----------------------------------------------------
 */

static void test_samples(void **state)
{
	static const struct {
		const char *path;
		enum import_format format;
		enum finding_code code;
		const char *lock_class;
		int complaints;
	} samples[] = {
		{"splat/old-format-syslog.log", IMPORT_SPLAT, CODE_CLASS_INVERSION,
		 "vfio_container.group_lock", 0},
		{"splat/mail-quoted-wrapped.eml", IMPORT_SPLAT, CODE_CLASS_INVERSION,
		 "vfio_group.group_lock", 0},
		{"splat/fuzzer-console.log", IMPORT_SPLAT, CODE_CLASS_INVERSION,
		 "mm_struct.mmap_lock", 0},
		{"splat/irq-and-unlock.log", IMPORT_SPLAT, CODE_BAD_UNLOCK, "kvm.lock", 1},
		{"hung/group-lock-kvm-lock-6.1.log", IMPORT_HUNG, CODE_DEADLOCK,
		 "vfio_group.group_lock", 0},
		{"hung/owners-7.2.log", IMPORT_HUNG, CODE_DEADLOCK, "rwsem of some_driver_update()",
		 0},
		{"hung/with-lockdep.log", IMPORT_HUNG, CODE_DEADLOCK, "&demo->a", 0},
		{"perf/inversion.txt", IMPORT_PERF, CODE_INSTANCE_INVERSION, "kvm.lock", 0},
		{"trace-cmd/deadlock.txt", IMPORT_TRACE_CMD, CODE_DEADLOCK, "kvm.lock", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct finding *finding;
		struct import_source *source;
		struct result r;
		char path[256], why[200];
		int err;

		snprintf(path, sizeof(path), "tests/traces/%s", samples[i].path);
		source = import_source__open(path, IMPORT_AUTO, &err, why, sizeof(why));
		assert_non_null(source);
		assert_int_equal(import_source__format(source), samples[i].format);
		r = run_source(source, true);
		assert_int_equal(r.err, 0);
		assert_int_equal(complaints, samples[i].complaints);
		finding = find(&r, samples[i].code);
		if (!finding)
			fail_msg("%s: no %s", path, finding_code_names[samples[i].code]);
		assert_int_not_equal(model__find_class(r.m, samples[i].lock_class), NO_ID);
		free_result(&r);
	}
}

static void test_irq_reports(void **state)
{
	struct result r = import_path("tests/traces/splat/irq-and-unlock.log");
	const struct finding_list *list = analysis__findings(r.a);
	int inversions = 0;

	(void)state;
	for (uint32_t i = 0; i < list->count; i++)
		inversions += list->items[i]->code == CODE_IRQ_INVERSION;
	assert_int_equal(inversions, 3);
	assert_non_null(strstr(last, "not about the order of locks"));
	assert_int_equal(model__loss(r.m, LOSS_PARSE), 1);
	free_result(&r);
}

static void test_splat_keeps_stacks_tasks_and_time(void **state)
{
	struct result r = import_path("tests/traces/known/2b48f52f2bff-dmesg.splat");
	const struct finding *f = find(&r, CODE_CLASS_INVERSION);
	bool has_site = false, has_task = false;

	(void)state;
	assert_non_null(f);
	assert_string_equal(model__fact(r.m, "kernel.release"), "6.1.0-53-amd64");
	assert_string_equal(model__fact(r.m, "arch"), "x86_64");
	for (uint32_t i = 0; i < model__stack_count(r.m); i++) {
		struct stack s = model__stack(r.m, i);

		for (uint32_t k = 0; k < s.frame_count; k++)
			has_site |= !strcmp(s.frames[k].symbol, "vfio_file_set_kvm") &&
				    s.frames[k].offset == 0x32 && s.frames[k].module &&
				    !strcmp(s.frames[k].module, "vfio");
	}
	for (uint32_t i = 0; i < model__task_count(r.m); i++)
		has_task |= model__task(r.m, i)->pid == 4711 &&
			    !strcmp(model__task(r.m, i)->comm, "qemu-system-x86");
	assert_true(has_site);
	assert_true(has_task);
	assert_true(model__clock(r.m)->has_time);
	assert_int_equal(f->last / 1000000000, 96);
	free_result(&r);
}

static void test_contention_gives_waits_but_no_verdict(void **state)
{
	struct result r = import_path("tests/traces/perf/contention.txt");
	const struct duration_row *row;

	(void)state;
	assert_int_equal(r.err, 0);
	assert_int_equal(model__duration_count(r.m), 1);
	row = model__duration(r.m, 0);
	assert_int_equal(row->time.max, 10000000);
	assert_int_equal(analysis__exit_code(r.a, true), 4);
	free_result(&r);
}

/* --- damage
 * ---------------------------------------------------------------------------------------- */

static void test_prefixes(void **state)
{
	static const struct {
		const char *raw, *text, *context;
		uint64_t time;
	} cases[] = {
		{"[   12.345678] hello", "hello", "", 12345678000},
		{"[   12.345678][ T4711] hello", "hello", "T4711", 12345678000},
		{"[   12.345678][    C3]  hello ", "hello", "C3", 12345678000},
		{"<6>[    1.000000] x", "x", "", 1000000000},
		{"May 31 22:34:22 host kernel: [    2.5] x", "x", "", 2500000000},
		{"2016-03-26T20:52:22.526357+00:00 h kernel: -> #2 (a){}:", "-> #2 (a){}:", "", 0},
		{"> > [    1.000000] x", "x", "", 1000000000},
		{"[Mon Jan  1 12:00:00 2024] x", "x", "", 0},
		{"\033[32m[    3.000000] \033[0mx\r", "x", "", 3000000000},
		{"[<ffffffff8126ca7d>] f+0x1/0x2", "[<ffffffff8126ca7d>] f+0x1/0x2", "", 0},
		{"[ INFO: possible x ]", "[ INFO: possible x ]", "", 0},
		{"[99999999999999999999.1] x", "x", "", 0},
		{"", "", "", 0},
	};
	struct klog_line *line = malloc(sizeof(*line));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		klog_line__parse(line, cases[i].raw, 1);
		assert_string_equal(line->text, cases[i].text);
		assert_string_equal(line->context, cases[i].context);
		assert_int_equal(line->time, cases[i].time);
	}
	free(line);
}

static char *slurp(const char *path, size_t *length)
{
	FILE *in = fopen(path, "re");
	char *text = malloc(1 << 16);

	assert_non_null(in);
	*length = fread(text, 1, 1 << 16, in);
	fclose(in);
	return text;
}

/* Wherever a file is cut, and whatever byte is damaged, nothing breaks and nothing is silent. */
static void test_cut_and_damaged_files(void **state)
{
	static const struct {
		const char *path;
		enum import_format format;
	} files[] = {
		{"tests/traces/splat/mail-quoted-wrapped.eml", IMPORT_SPLAT},
		{"tests/traces/splat/irq-and-unlock.log", IMPORT_SPLAT},
		{"tests/traces/hung/owners-7.2.log", IMPORT_HUNG},
		{"tests/traces/hung/with-lockdep.log", IMPORT_HUNG},
		{"tests/traces/perf/inversion.txt", IMPORT_PERF},
		{"tests/traces/trace-cmd/deadlock.txt", IMPORT_TRACE_CMD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t length;
		char *text = slurp(files[i].path, &length);

		for (size_t cut = 0; cut < length; cut += 97) {
			struct result r = import_text(text, cut, files[i].format);

			assert_true(r.err == 0 || complaints > 0);
			free_result(&r);
		}
		for (size_t at = 0; at < length; at += 131) {
			char was = text[at];
			struct result r;

			text[at] = (char)(at * 7);
			r = import_text(text, length, files[i].format);
			free_result(&r);
			text[at] = was;
		}
		free(text);
	}
}

static void test_cut_splat_says_so(void **state)
{
	static const char text[] = "WARNING: possible circular locking dependency detected\n"
				   "6.1.0 #1 Not tainted\n"
				   "qemu/1 is trying to acquire lock:\n"
				   "ffff888104dd13c8 (&kvm->lock){+.+.}-{3:3}, at: f+0x1/0x2\n";
	struct result r = import_text(text, strlen(text), IMPORT_SPLAT);

	(void)state;
	assert_int_equal(r.err, 0);
	assert_int_equal(complaints, 3);
	assert_non_null(strstr(last, ":1: this lockdep report is cut or damaged"));
	assert_int_equal(analysis__exit_code(r.a, true), 4);
	free_result(&r);
}

static void test_hostile_lines(void **state)
{
	size_t length = 4 << 20;
	char *text = malloc(length);
	struct result r;

	(void)state;
	memset(text, 'x', length);
	r = import_text(text, length, IMPORT_SPLAT);
	assert_int_equal(r.err, -EINVAL);
	assert_true(complaints >= 2);
	free_result(&r);
	memset(text, 0, length);
	r = import_text(text, length, IMPORT_PERF);
	assert_int_equal(r.err, -EINVAL);
	free_result(&r);
	memset(text, '[', length);
	r = import_text(text, length, IMPORT_HUNG);
	assert_int_equal(r.err, -EINVAL);
	free_result(&r);
	free(text);
}

static void test_mixed_kernels_are_named(void **state)
{
	char text[2048];
	struct result r;

	(void)state;
	snprintf(text, sizeof(text), "%s%s",
		 "INFO: task a:1 blocked for more than 120 seconds.\n"
		 "      Not tainted 6.1.0 #1\nCall Trace:\n mutex_lock+0x1/0x2\n f+0x1/0x2\n",
		 "INFO: task b:2 blocked for more than 120 seconds.\n"
		 "      Not tainted 6.12.0 #1\nCall Trace:\n mutex_lock+0x1/0x2\n g+0x1/0x2\n");
	r = import_text(text, strlen(text), IMPORT_HUNG);
	assert_int_equal(complaints, 1);
	assert_non_null(strstr(last, "6.12.0, an earlier one from 6.1.0"));
	free_result(&r);
}

static void test_detection(void **state)
{
	static const struct {
		const char *head;
		enum import_format format;
	} cases[] = {
		{"T1|acq(a)|1\n", IMPORT_STD},
		{"# comment\n\nT1|begin|1\n", IMPORT_STD},
		{"SQLite format 3", IMPORT_RECORDING},
		{"[ 1.0] INFO: task a:1 blocked for more than 120 seconds.\n", IMPORT_HUNG},
		{"WARNING: possible recursive locking detected\n", IMPORT_SPLAT},
		{"[    0.000000] Linux version 6.1\n", IMPORT_SPLAT},
		{" a  1 [000] 1.5: lock:lock_acquire: 0x1 a\n", IMPORT_PERF},
		{" a-1 [000] 1.5: lock_acquire: 0x1 a\n", IMPORT_TRACE_CMD},
		{"# tracer: nop\n a-1 [000] d..1. 1.5: contention_begin: 0x1 (flags=MUTEX)\n",
		 IMPORT_TRACE_CMD},
		{"hello world\n", IMPORT_AUTO},
		{"", IMPORT_AUTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t length = strlen(cases[i].head) + (cases[i].format == IMPORT_RECORDING);

		assert_int_equal(import_detect(cases[i].head, length), cases[i].format);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_irq_reports),
		cmocka_unit_test(test_splat_keeps_stacks_tasks_and_time),
		cmocka_unit_test(test_contention_gives_waits_but_no_verdict),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_cut_and_damaged_files),
		cmocka_unit_test(test_cut_splat_says_so),
		cmocka_unit_test(test_hostile_lines),
		cmocka_unit_test(test_mixed_kernels_are_named),
		cmocka_unit_test(test_detection),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
