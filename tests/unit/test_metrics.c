// SPDX-License-Identifier: GPL-2.0-or-later
/* Metrics text: both flavours, escaping, caps, folding of findings, the service's own rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "metrics.h"

static char *text;
static size_t length;

static const char *render(const struct report_input *input, const struct metrics_service *service,
			  enum metrics_flavour flavour)
{
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &length);
	assert_int_equal(report_metrics(out, input, service, flavour), 0);
	fclose(out);
	return text;
}

static struct model *sample_model(void)
{
	struct model *m = model__new();
	uint32_t kvm = model__add_class(m, "kvm.lock", LOCK_KIND_MUTEX, CLASS_IN_SCOPE);
	uint32_t group =
		model__add_class(m, "vfio_group.group_lock", LOCK_KIND_MUTEX, CLASS_IN_SCOPE);
	uint32_t task = model__add_task(m, 4711, 4712, "evil\"} 1\nx", 0, 0);
	struct held_lock held = {.instance = model__add_instance(m, kvm, 0xffff888012345678ULL, 0),
				 .stack = NO_ID};
	struct held_lock wanted = {.instance =
					   model__add_instance(m, group, 0xffff888087654321ULL, 0),
				   .stack = NO_ID};
	struct histogram waits = {.count = 3, .total = 3000000, .max = 2000000};
	struct coverage hit = {.state = COVERAGE_HIT, .hits = 7, .probe = "vfio_file_set_kvm"};

	model__set_fact(m, "kernel.release", "6.1.0-1-amd64");
	model__set_fact(m, "arch", "x86_64");
	model__add_chain(m, &held, 1, &wanted, task, 1000, 5, NO_ID);
	waits.bucket[20] = 3;
	model__add_duration(m, wanted.instance, NO_ID, NO_ID, false, &waits);
	model__set_coverage(m, PATH_SET_KVM, &hit);
	model__add_loss(m, LOSS_RING_FULL, 2);
	return m;
}

static void check_lines(bool open)
{
	char *copy = strdup(text), *save = NULL;
	bool ended = false;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_false(ended);
		if (!strcmp(line, "# EOF"))
			ended = true;
		else if (*line != '#')
			assert_int_equal(strncmp(line, "vfiotrace_", 10), 0);
	}
	assert_int_equal(ended, open);
	free(copy);
}

static void both_flavours(void **state)
{
	struct model *m = sample_model();
	struct report_input input = {.model = m};

	(void)state;
	render(&input, NULL, METRICS_OPENMETRICS);
	check_lines(true);
	assert_non_null(strstr(text, "# TYPE vfiotrace_losses counter\n"));
	assert_non_null(strstr(text, "# UNIT vfiotrace_lock_wait_seconds seconds\n"));
	assert_non_null(strstr(text, "vfiotrace_losses_total{reason=\"ring_full\"} 2\n"));
	assert_non_null(strstr(text, "vfiotrace_build_info{version=\"" VERSION
				     "\",kernel=\"6.1.0-1-amd64\",arch=\"x86_64\"} 1\n"));
	assert_non_null(strstr(text, "vfiotrace_path_hits_total{path=\"set_kvm\"} 7\n"));
	assert_non_null(strstr(text, "vfiotrace_path_state{path=\"set_kvm\",state=\"hit\"} 1\n"));
	/* the former name, for one version */
	assert_non_null(strstr(text, "vfiotrace_dependency_sights_total{from=\"kvm.lock\",to="
				     "\"vfio_group.group_lock\"} 5\n"));
	assert_non_null(strstr(text, "vfiotrace_dependency_occurrences_total{from=\"kvm.lock\",to="
				     "\"vfio_group.group_lock\"} 5\n"));
	assert_non_null(strstr(
		text, "vfiotrace_chains{from=\"kvm.lock\",to=\"vfio_group.group_lock\"} 1\n"));
	assert_non_null(strstr(
		text, "vfiotrace_lock_wait_seconds_count{class=\"vfio_group.group_lock\"} 3\n"));
	assert_non_null(strstr(text, "vfiotrace_lock_wait_seconds_bucket{class=\"vfio_group.group_"
				     "lock\",le=\"+Inf\"} 3\n"));
	render(&input, NULL, METRICS_PROMETHEUS);
	check_lines(false);
	assert_non_null(strstr(text, "# TYPE vfiotrace_losses_total counter\n"));
	assert_null(strstr(text, "# UNIT"));
	/* no address, pid, comm anywhere */
	assert_null(strstr(text, "4711"));
	assert_null(strstr(text, "evil"));
	assert_null(strstr(text, "ffff8880"));
	model__free(m);
}

static void hostile_class_names(void **state)
{
	struct model *m = model__new();
	uint32_t a = model__add_class(m, "a\"b\\c\nd\x01\xff\xc3\xa9", LOCK_KIND_MUTEX, 0);
	uint32_t b = model__add_class(m, "b", LOCK_KIND_MUTEX, 0);
	struct held_lock held = {.instance = model__add_instance(m, a, 1, 0), .stack = NO_ID};
	struct held_lock wanted = {.instance = model__add_instance(m, b, 2, 0), .stack = NO_ID};
	struct report_input input = {.model = m};

	(void)state;
	model__add_chain(m, &held, 1, &wanted, model__add_task(m, 1, 1, "x", 0, 0), 1, 1, NO_ID);
	render(&input, NULL, METRICS_OPENMETRICS);
	assert_non_null(strstr(text, "{from=\"a\\\"b\\\\c\\nd\\\\x01\\\\xff\xc3\xa9\",to=\"b\"}"));
	model__free(m);
}

static void series_are_capped(void **state)
{
	struct model *m = model__new();
	struct report_input input = {.model = m};
	uint32_t task = model__add_task(m, 1, 1, "x", 0, 0), series = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct held_lock held = {.stack = NO_ID}, wanted = {.stack = NO_ID};
		char name[32];

		snprintf(name, sizeof(name), "outer%d", i);
		held.instance = model__add_instance(m, model__add_class(m, name, 0, 0), 1 + i, 0);
		snprintf(name, sizeof(name), "inner%d", i);
		wanted.instance =
			model__add_instance(m, model__add_class(m, name, 0, 0), 5000 + i, 0);
		model__add_chain(m, &held, 1, &wanted, task, 1, 1, NO_ID);
	}
	render(&input, NULL, METRICS_OPENMETRICS);
	for (const char *at = text; (at = strstr(at, "vfiotrace_dependencies{")); at++)
		series++;
	assert_int_equal(series, METRICS_SERIES_MAX);
	assert_null(strstr(text, "vfiotrace_series_dropped 0\n"));
	model__free(m);
}

static void findings_fold(void **state)
{
	struct model *m = sample_model();
	uint32_t classes[2] = {0, 1}, turned[2] = {0, 1};
	uint8_t modes[2] = {0, 0}, other[2] = {0, 1};
	struct finding one = {.kind = FINDING_INVERSION,
			      .code = CODE_CLASS_INVERSION,
			      .grade = GRADE_WARNING,
			      .key = "1",
			      .length = 2,
			      .classes = classes,
			      .modes = modes,
			      .count = 3};
	struct finding two = one, dead = one;
	struct finding *items[3] = {&one, &two, &dead};
	struct finding_list list = {.items = items, .count = 3};
	struct report_input input = {.model = m, .findings = &list};

	(void)state;
	two.classes = turned;
	two.modes = other;
	two.count = 4;
	dead.kind = FINDING_DEADLOCK;
	dead.code = CODE_DEADLOCK;
	dead.grade = GRADE_CRITICAL;
	render(&input, NULL, METRICS_OPENMETRICS);
	assert_non_null(strstr(
		text, "vfiotrace_inversions{from=\"kvm.lock\",to=\"vfio_group.group_lock\"} 2\n"));
	assert_non_null(strstr(
		text, "vfiotrace_deadlocks{from=\"kvm.lock\",to=\"vfio_group.group_lock\"} 1\n"));
	assert_non_null(strstr(text, "code=\"class-inversion\",grade=\"warning\",cycle=\"kvm.lock "
				     "-> vfio_group.group_lock\",suppressed=\"false\"} 7\n"));
	dead.resolved = true;
	one.suppressed = "accepted";
	render(&input, NULL, METRICS_OPENMETRICS);
	assert_null(strstr(text, "vfiotrace_deadlocks{"));
	assert_non_null(strstr(
		text, "vfiotrace_inversions{from=\"kvm.lock\",to=\"vfio_group.group_lock\"} 1\n"));
	model__free(m);
}

static void service_rows(void **state)
{
	struct model *m = sample_model();
	struct report_input input = {.model = m};
	struct metrics_service service = {.probes = {[PROBE_ATTACHED] = 12, [PROBE_MISSING] = 1},
					  .attach_level = "fentry",
					  .cpu_seconds = 1.5,
					  .bpf_ratio = -1,
					  .overhead_ratio = 0.25,
					  .shed = SHED_SCOPE};

	(void)state;
	render(&input, &service, METRICS_OPENMETRICS);
	assert_non_null(strstr(text, "vfiotrace_probes{state=\"attached\"} 12\n"));
	assert_non_null(strstr(text, "vfiotrace_attach_level{level=\"fentry\"} 1\n"));
	assert_non_null(strstr(text, "vfiotrace_cpu_seconds_total 1.5\n"));
	assert_non_null(strstr(text, "vfiotrace_shed{part=\"scope\"} 1\n"));
	assert_non_null(strstr(text, "vfiotrace_overhead_ratio{part=\"total\"} 0.25\n"));
	assert_null(strstr(text, "part=\"kernel\""));
	service.bpf_ratio = 0.125;
	render(&input, &service, METRICS_PROMETHEUS);
	assert_non_null(strstr(text, "vfiotrace_overhead_ratio{part=\"kernel\"} 0.125\n"));
	free(text);
	text = NULL;
	model__free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_flavours),     cmocka_unit_test(hostile_class_names),
		cmocka_unit_test(series_are_capped), cmocka_unit_test(findings_fold),
		cmocka_unit_test(service_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
