// SPDX-License-Identifier: GPL-2.0-or-later
/* Every format from the fixtures; hostile names must not leave any sink. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"
#include "import.h"
#include "report/escape.h"
#include "util/text.h"

static char *render(struct fixture *f, const char *format, const struct report_options *options)
{
	struct report_input input = {f->m, &f->findings, NULL};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int id = report_format__parse(format);

	assert_true(id >= 0);
	assert_int_equal(report_write(out, id, &input, options), 0);
	fclose(out);
	fixture_free(f);
	return text;
}

static char *plain(struct fixture *f, const char *format)
{
	struct report_options options = {.title = "incident.vft", .per_task = true};

	return render(f, format, &options);
}

static void contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is missing", part);
}

static void lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" got through: …%.60s", part, strstr(text, part));
}

static uint32_t occurrences(const char *text, const char *part)
{
	uint32_t n = 0;

	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		n++;
	return n;
}

/* Nothing but printable bytes and line ends, and valid UTF-8. */
static void is_clean(const char *text)
{
	for (const char *at = text; *at;) {
		size_t length = *at == '\n' || *at == '\t' ? 1 : safe_sequence(at);

		if (!length)
			fail_msg("byte %02x at %zu", (unsigned char)*at, (size_t)(at - text));
		at += length;
	}
}

/* --- escaping ------------------------------------------------------------------------------------
 */

static void test_text_safe(void **state)
{
	char big[5000];

	(void)state;
	assert_string_equal(text_safe("plain \xc3\xa9 \xe2\x86\x92"),
			    "plain \xc3\xa9 \xe2\x86\x92");
	assert_string_equal(text_safe("\x1b[31mred\x07"), "\\x1b[31mred\\x07");
	assert_string_equal(text_safe("\xff\xc3("), "\\xff\\xc3(");
	assert_string_equal(text_safe("\xc2\x9b"
				      "31m"),
			    "\\xc2\\x9b31m"); /* C1 CSI */
	assert_string_equal(text_safe("a\xe2\x80\xae"
				      "b"),
			    "a\\xe2\\x80\\xaeb");			   /* right to left */
	assert_string_equal(text_safe("\xe0\x80\xaf"), "\\xe0\\x80\\xaf"); /* overlong */
	assert_string_equal(text_safe("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* surrogate */
	assert_string_equal(text_safe("a\r\nb"), "a\\x0d\\x0ab");
	assert_string_equal(text_safe(NULL), "");
	memset(big, 0x1b, sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_true(strlen(text_safe(big)) < 1024);
	is_clean(text_safe(big));
}

static void test_text_safe_keeps_sixteen(void **state)
{
	const char *kept[16];
	char name[32];

	(void)state;
	for (int i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		kept[i] = text_safe(name);
	}
	assert_string_equal(kept[0], "name 0");
	assert_string_equal(kept[15], "name 15");
}

typedef void (*writer)(FILE *out, const char *raw);

static char *written(writer write, const char *raw)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	write(out, raw);
	fclose(out);
	return text;
}

static void check_writer(writer write, const char *raw, const char *expected)
{
	char *text = written(write, raw);

	assert_string_equal(text, expected);
	free(text);
}

static void test_writers(void **state)
{
	(void)state;
	check_writer(write_html, "<a b='\"'>&\x1b", "&lt;a b=&#39;&quot;&#39;&gt;&amp;\\x1b");
	check_writer(write_dot, "a\"\\N\n", "a\\\"\\\\N\\\\x0a");
	check_writer(write_mermaid, "a\"]#<;`", "a#quot;]#35;#lt;#59;#96;");
	check_writer(write_markdown, "|*[x](y)<b>@all`", "\\|\\*\\[x\\](y)&lt;b&gt;&#64;all\\`");
	check_writer(write_code, "```\nx", "'''\\x0ax");
	check_writer(write_json_string, "</script>\"\\\n&",
		     "\"\\u003c/script\\u003e\\\"\\\\\\\\x0a\\u0026\"");
	check_writer(write_json_string, NULL, "\"\"");
}

/* --- formats
 * ----------------------------------------------------------------------------------------- */

static void test_text(void **state)
{
	char *text = plain(fixture_inversion(), "text");

	(void)state;
	contains(text, "warning: inversion, instance-inversion");
	contains(text, "vfio_group.group_lock (group->group_lock) -> kvm.lock (kvm->lock)");
	contains(text, "kvm.lock (kvm->lock) -> vfio_group.group_lock (group->group_lock)");
	contains(text, "order_open_device+0x51 [vfio_order]");
	contains(text, "kvm_vfio_release+0x86 [kvm]");
	contains(text, "VM win11-ci");
	contains(text, "device 0000:65:00.0");
	contains(text, "2b48f52f2bff");
	contains(text, "missing here");
	contains(text, "path kvm_device_release");
	contains(text, "qemu-system-x86 pid 4711 tid 4790");
	contains(text, "not recorded (--holds records them)");
	contains(text, "no losses");
	contains(text, "absent");
	lacks(text, "\x1b");
	free(text);
}

static void test_text_color(void **state)
{
	struct report_options options = {.color = true};
	char *text = render(fixture_inversion(), "text", &options);

	(void)state;
	contains(text, "\x1b[1;33m");
	assert_true(occurrences(text, "\x1b[0m") > 5);
	free(text);
}

static void test_text_deadlock(void **state)
{
	char *text = plain(fixture_deadlock(), "text");

	(void)state;
	contains(text, "critical: deadlock\n");
	contains(text, "holds   vfio_group.group_lock");
	contains(text, "wants   kvm.lock");
	contains(text, "waiting for 21 s");
	contains(text, "No signal breaks it");
	contains(text, "sysrq-trigger");
	contains(text, "bt 4790");
	free(text);
}

static void test_deadlock_broken_by_a_signal(void **state)
{
	struct fixture *f = fixture_deadlock();
	char *text;

	(void)state;
	f->tasks[1].breakable = WAIT_KILLABLE;
	text = plain(f, "text");
	contains(text, "kill -KILL 4790");
	lacks(text, "No signal breaks it");
	free(text);
}

/* Nothing seen and nothing looked at are not the same. */
static void test_why_no_waits(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f)), *g = calloc(1, sizeof(*g));
	char *text;

	(void)state;
	f->m = model__new();
	model__set_fact(f->m, "probe.level", "fentry");
	text = plain(f, "text");
	contains(text, "no contended wait was seen");
	free(text);
	g->m = model__new();
	model__set_fact(g->m, "probe.level", "fentry");
	model__set_fact(g->m, "probe.waits", "the contention programs cannot be loaded");
	text = plain(g, "text");
	contains(text, "the contention programs cannot be loaded");
	lacks(text, "no contended wait was seen");
	free(text);
}

static void test_tasks_filter(void **state)
{
	struct report_options options = {.tid = 4790};
	char *text = render(fixture_inversion(), "text", &options);
	const char *tasks = strstr(text, "Lock orders of each task");

	(void)state;
	assert_non_null(tasks);
	contains(tasks, "tid 4790  1 order");
	lacks(tasks, "tid 4711  ");
	free(text);
}

static void test_splat(void **state)
{
	char *text = plain(fixture_inversion(), "splat");

	(void)state;
	assert_int_equal(strncmp(text, "vfiotrace ", 10), 0);
	contains(text, "WARNING: possible circular locking dependency detected");
	contains(text, "qemu-system-x86/4711 is trying to acquire lock:\nffffc90000a51028 "
		       "(kvm.lock){}, at: ");
	contains(text, "but task is already holding lock:\nffff888104a3c7c8 "
		       "(vfio_group.group_lock){}, at: ");
	contains(text, "-> #1 (vfio_group.group_lock){}:\n       mutex_lock+0x1c\n       "
		       "vfio_file_set_kvm+0x51 [vfio]");
	contains(text,
		 "-> #0 (kvm.lock){}:\n       mutex_lock+0x1c\n       order_open_device+0x51");
	contains(text, " *** DEADLOCK ***");
	contains(text, "2 locks held by qemu-system-x86/4711:");
	lacks(text, "{+.+.}");
	lacks(text, "tainted");
	free(text);
}

static void test_splat_deadlock(void **state)
{
	char *text = plain(fixture_deadlock(), "splat");

	(void)state;
	contains(text, "INFO: task qemu-system-x86:4711 blocked for more than 21 seconds.");
	contains(text, "is blocked on a mutex likely owned by task qemu-system-x86:4790.");
	contains(text, "Showing all locks held in the system:");
	contains(text, "3 locks held by qemu-system-x86/4711:\n #0: ffff888107711020 "
		       "(vfio_device_set.lock){}, at: ");
	contains(text, "\n #2: ffffc90000a51028 (kvm.lock){}");
	free(text);
}

/* The innermost task's order in a model read back: its stack where `to` was wanted. */
static struct stack wanted_stack(const struct model *m, const char *from, const char *to)
{
	uint32_t edge = model__find_edge(m, model__find_class(m, from), model__find_class(m, to));
	const struct dependency *d;

	assert_int_not_equal(edge, NO_ID);
	d = model__dependency(m, model__class_edge(m, edge)->first_dependency);
	return model__stack(m, model__chain(m, d->first_chain)->wanted.stack);
}

/* What analyze reads out of our splat is the cycle it was made from. */
static void test_splat_round_trip(void **state)
{
	char *text = plain(fixture_inversion(), "splat");
	FILE *in = fmemopen(text, strlen(text), "r");
	struct import_options options = {.format = IMPORT_SPLAT};
	struct model *m = model__new();
	struct stack opened, closed;

	(void)state;
	assert_int_equal(import_splat(m, in, "test", &options), 0);
	assert_int_equal(model__loss(m, LOSS_PARSE), 0);
	opened = wanted_stack(m, "vfio_group.group_lock", "kvm.lock");
	closed = wanted_stack(m, "kvm.lock", "vfio_group.group_lock");
	assert_int_equal(opened.frame_count, 6);
	assert_string_equal(opened.frames[1].symbol, "order_open_device");
	assert_string_equal(opened.frames[1].module, "vfio_order");
	assert_int_equal(closed.frame_count, 10);
	assert_string_equal(closed.frames[1].symbol, "vfio_file_set_kvm");
	model__free(m);
	fclose(in);
	free(text);
}

static void test_graphs(void **state)
{
	char *dot = plain(fixture_inversion(), "dot"),
	     *mermaid = plain(fixture_inversion(), "mermaid");

	(void)state;
	contains(dot, "digraph vfiotrace {");
	contains(dot, "label=\"kvm.lock\\nkvm->lock\"");
	assert_int_equal(occurrences(dot, "#b35900\", fontcolor"), 2);
	contains(mermaid, "flowchart LR\n");
	assert_int_equal(occurrences(mermaid, "==>"), 2);
	assert_int_equal(occurrences(mermaid, "linkStyle"), 2);
	free(dot);
	free(mermaid);
}

static void test_only_the_cycle_of_a_large_graph(void **state)
{
	char *mermaid = plain(fixture_large(497, 5000), "mermaid");
	char *markdown = plain(fixture_large(497, 5000), "markdown");

	(void)state;
	assert_int_equal(occurrences(mermaid, "==>"), 2);
	lacks(mermaid, "lock250");
	assert_true(strlen(mermaid) < 2000);
	assert_true(strlen(markdown) < 50000);
	contains(markdown, "```mermaid");
	free(mermaid);
	free(markdown);
}

static void test_trace(void **state)
{
	char *text = plain(fixture_deadlock(), "trace");
	json_t *root = json_loads(text, 0, NULL);

	(void)state;
	assert_non_null(root);
	assert_true(json_array_size(json_object_get(root, "traceEvents")) > 5);
	contains(text, "deadlocked, wants kvm.lock");
	contains(text, "first and last occurrences only");
	json_decref(root);
	free(text);
}

static void add_event(struct model *m, uint64_t time, uint32_t task, uint8_t op, uint32_t instance)
{
	struct trace_event event = {
		.time = time, .task = task, .op = op, .operand = instance, .stack = NO_ID};

	assert_int_equal(model__add_event(m, &event), 0);
}

static void test_trace_events(void **state)
{
	struct fixture *f = fixture_inversion();
	char *text;

	(void)state;
	model__keep_events(f->m, true);
	add_event(f->m, FIXTURE_START + 1000, f->opener, EVENT_REQUEST, f->group_lock);
	add_event(f->m, FIXTURE_START + 3000, f->opener, EVENT_ACQUIRE, f->group_lock);
	add_event(f->m, FIXTURE_START + 9000, f->opener, EVENT_RELEASE, f->group_lock);
	add_event(f->m, FIXTURE_START + 9500, f->opener, EVENT_REQUEST, f->kvm_lock);
	text = plain(f, "trace");
	contains(text, "\"ts\":1.000,\"dur\":2.000,\"cat\":\"wait\",\"name\":\"wait "
		       "vfio_group.group_lock\"");
	contains(text, "wait (never got) kvm.lock");
	assert_int_equal(occurrences(text, "\"ph\":\"b\""), 1);
	assert_int_equal(occurrences(text, "\"ph\":\"e\""), 1);
	free(text);
}

static void test_json(void **state)
{
	char *text = plain(fixture_deadlock(), "json"), *rest = text, *line;
	uint32_t findings = 0, summaries = 0;

	(void)state;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *record = json_loads(line, 0, NULL);

		assert_non_null(record);
		findings += !strcmp(json_string_value(json_object_get(record, "type")), "finding");
		summaries += !strcmp(json_string_value(json_object_get(record, "type")), "summary");
		json_decref(record);
	}
	assert_int_equal(findings, 2);
	assert_int_equal(summaries, 1);
	free(text);
}

/* The data block of a page, parsed. */
static json_t *page_data(const char *page)
{
	const char *start = strstr(page, "<script type=\"application/json\" id=\"data\">");
	const char *end;
	json_error_t error;
	json_t *data;

	assert_non_null(start);
	start = strchr(start, '>') + 1;
	end = strstr(start, "</script>");
	assert_non_null(end);
	data = json_loadb(start, (size_t)(end - start), 0, &error);
	if (!data)
		fail_msg("page data: %s at %d", error.text, error.position);
	return data;
}

static void test_html(void **state)
{
	char *page = plain(fixture_deadlock(), "html");
	json_t *data = page_data(page);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(data, "findings")), 2);
	assert_int_equal(json_array_size(json_object_get(data, "classes")), 3);
	assert_int_equal(json_array_size(json_object_get(data, "losses")), LOSS_REASONS);
	assert_string_equal(json_string_value(json_object_get(data, "level")), "critical");
	contains(page, "default-src 'none'");
	lacks(page, "src=\"");
	lacks(page, "href=\"http");
	lacks(page, "url(http");
	lacks(page, "@DATA@");
	json_decref(data);
	free(page);
}

static void test_html_large(void **state)
{
	char *page = plain(fixture_large(497, 5000), "html");
	json_t *data = page_data(page);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(data, "classes")), 500);
	assert_int_equal(json_object_size(json_object_get(data, "dependencies")), 5000);
	assert_true(strlen(page) < 4 << 20);
	json_decref(data);
	free(page);
}

static void test_empty(void **state)
{
	(void)state;
	for (int i = 0; i < REPORT_FORMATS; i++) {
		struct fixture *f = i == REPORT_SVG ? NULL : calloc(1, sizeof(*f));
		char *text;

		if (!f)
			continue;
		f->m = model__new();
		text = plain(f, report_format_names[i]);
		assert_true(*text);
		is_clean(text);
		free(text);
	}
}

/* --- hostile names
 * ------------------------------------------------------------------------------------- */

static void test_hostile(void **state)
{
	(void)state;
	for (int i = 0; i < REPORT_FORMATS; i++) {
		char *text;

		if (i == REPORT_SVG)
			continue;
		text = plain(fixture_hostile(), report_format_names[i]);
		is_clean(text);
		free(text);
	}
}

static void test_hostile_html(void **state)
{
	char *page = plain(fixture_hostile(), "html");
	json_t *data = page_data(page);

	(void)state;
	lacks(page, "<img");
	assert_int_equal(occurrences(page, "</script>"), 2); /* the page's own */
	assert_int_equal(occurrences(page, "<script"), 2);
	json_decref(data);
	free(page);
}

static void test_hostile_markdown(void **state)
{
	char *text = plain(fixture_hostile(), "markdown");

	(void)state;
	assert_int_equal(occurrences(text, "```") % 2, 0);
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		if (strstr(line, "|[x](") || strstr(line, "<img"))
			/* only inside a code block, where it is text */
			assert_true(strstr(line, "`];") == NULL);
	free(text);
}

static void test_hostile_json_formats(void **state)
{
	static const char *const formats[] = {"json", "trace"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *text = plain(fixture_hostile(), formats[i]), *rest = text, *line;

		if (i) {
			json_t *root = json_loads(text, 0, NULL);

			assert_non_null(root);
			json_decref(root);
		}
		while (!i && (line = strsep(&rest, "\n")) && *line) {
			json_t *record = json_loads(line, 0, NULL);

			assert_non_null(record);
			json_decref(record);
		}
		free(text);
	}
}

/* What is not in the graph is said on top of it. */
static void test_what_the_graph_lacks(void **state)
{
	static const char *const formats[] = {"text", "html", "markdown"};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct fixture *f = fixture_clean();
		char *text;

		lacks(text = plain(f, formats[i]), "order of their classes");
		free(text);
		f = fixture_clean();
		model__set_fact(f->m, "model.forgotten", "4711");
		f->findings.search_limited = true;
		text = plain(f, formats[i]);
		contains(text, "(4711 chains), only the order of their classes is known");
		contains(text, "ended at its budget");
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_safe),
		cmocka_unit_test(test_text_safe_keeps_sixteen),
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_color),
		cmocka_unit_test(test_text_deadlock),
		cmocka_unit_test(test_deadlock_broken_by_a_signal),
		cmocka_unit_test(test_why_no_waits),
		cmocka_unit_test(test_what_the_graph_lacks),
		cmocka_unit_test(test_tasks_filter),
		cmocka_unit_test(test_splat),
		cmocka_unit_test(test_splat_deadlock),
		cmocka_unit_test(test_splat_round_trip),
		cmocka_unit_test(test_graphs),
		cmocka_unit_test(test_only_the_cycle_of_a_large_graph),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_trace_events),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_html_large),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_hostile_html),
		cmocka_unit_test(test_hostile_markdown),
		cmocka_unit_test(test_hostile_json_formats),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
