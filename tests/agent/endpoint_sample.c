// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The metrics endpoint over a model made up here, for tests that have no kernel to trace:
 *   endpoint_sample ADDRESS
 * prints its port, publishes ten times a second, adds an inversion when a line "inversion" is read,
 * ends at end of input, and then prints the longest pause between two rounds of its own loop: what
 * hostile clients could have held up.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "cli.h"
#include "metrics.h"
#include "util/clock.h"

static uint32_t classes[2];
static uint8_t modes[2];
static struct finding inversion = {.kind = FINDING_INVERSION,
				   .code = CODE_CLASS_INVERSION,
				   .grade = GRADE_WARNING,
				   .key = "sample",
				   .length = 2,
				   .classes = classes,
				   .modes = modes,
				   .count = 1};
static struct finding *items[1] = {&inversion};
static struct finding_list findings = {.items = items};

static struct model *sample_model(void)
{
	static const struct coverage hit = {.state = COVERAGE_HIT, .hits = 3};
	struct histogram waits = {.count = 2, .total = 5000000, .max = 4000000};
	struct model *m = model__new();
	struct held_lock held = {.stack = NO_ID}, wanted = {.stack = NO_ID};

	waits.bucket[21] = 2;
	model__set_fact(m, "kernel.release", "6.1.0-sample");
	model__set_fact(m, "arch", "x86_64");
	classes[0] = model__add_class(m, "kvm.lock", LOCK_KIND_MUTEX, CLASS_IN_SCOPE);
	classes[1] = model__add_class(m, "vfio_group.group_lock", LOCK_KIND_MUTEX, CLASS_IN_SCOPE);
	held.instance = model__add_instance(m, classes[0], 4096, 0);
	wanted.instance = model__add_instance(m, classes[1], 8192, 0);
	model__add_chain(m, &held, 1, &wanted, model__add_task(m, 1, 1, "qemu", 0, 0), 1, 1, NO_ID);
	model__add_duration(m, wanted.instance, NO_ID, NO_ID, false, &waits);
	model__set_coverage(m, PATH_SET_KVM, &hit);
	return m;
}

static void publish(struct endpoint *e, const struct model *m)
{
	struct report_input input = {.model = m, .findings = &findings};
	struct metrics_service service = {.probes = {[PROBE_ATTACHED] = 30},
					  .attach_level = "fentry",
					  .overhead_ratio = 0.001,
					  .overhead_budget = 0.005,
					  .bpf_ratio = 0.0004,
					  .cpu_seconds = 1};

	for (int i = 0; i < ENDPOINT_FLAVOURS; i++) {
		char *text = NULL;
		size_t length = 0;
		FILE *out = open_memstream(&text, &length);

		report_metrics(out, &input, &service,
			       i == ENDPOINT_OPENMETRICS ? METRICS_OPENMETRICS
							 : METRICS_PROMETHEUS);
		fclose(out);
		endpoint__publish(e, (enum endpoint_flavour)i, text, length);
		free(text);
	}
}

int main(int argc, char **argv)
{
	struct model *m = sample_model();
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t last = clock_mono_ns(), longest = 0;
	char error[256], line[64];
	struct endpoint *e =
		endpoint__start(argc > 1 ? argv[1] : "127.0.0.1:0", error, sizeof(error));

	if (!e) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	printf("%d\n", endpoint__port(e));
	fflush(stdout);
	for (;;) {
		uint64_t now = clock_mono_ns();

		longest = now - last > longest ? now - last : longest;
		last = now;
		publish(e, m);
		endpoint__poll(e, now);
		if (poll(&input, 1, 100) <= 0)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			break;
		if (!strcmp(line, "inversion\n"))
			findings.count = 1;
	}
	printf("longest_pause_ms %llu\nrequests %llu\nrestarts %llu\n",
	       (unsigned long long)longest / 1000000, (unsigned long long)endpoint__requests(e),
	       (unsigned long long)endpoint__restarts(e));
	endpoint__stop(e);
	model__free(m);
	return 0;
}
