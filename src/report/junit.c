// SPDX-License-Identifier: GPL-2.0-or-later
/* The verdict as JUnit XML. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "util/output_file.h"
#include "cli/validate.h"
#include "report.h"
#include "util/text.h"

static void put_escaped(FILE *out, const char *text)
{
	for (const char *at = text_safe(text); *at; at++) {
		switch (*at) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*at, out);
		}
	}
}

enum outcome { OUTCOME_OK, OUTCOME_FAILURE, OUTCOME_ERROR };
struct junit {
	FILE *out; /* NULL: count only */
	uint32_t tests, failures, errors;
};

/* JUnit knows failed and could-not-be-run; inconclusive is the latter. */
static void test_case(struct junit *j, const char *name, enum outcome outcome, const char *message)
{
	static const char *const elements[] = {NULL, "failure", "error"};

	j->tests++;
	j->failures += outcome == OUTCOME_FAILURE;
	j->errors += outcome == OUTCOME_ERROR;
	if (!j->out)
		return;
	fputs("    <testcase classname=\"vfiotrace.validate\" name=\"", j->out);
	put_escaped(j->out, name);
	if (outcome == OUTCOME_OK) {
		fputs("\"/>\n", j->out);
		return;
	}
	fprintf(j->out, "\">\n      <%s message=\"", elements[outcome]);
	put_escaped(j->out, message);
	fprintf(j->out, "\"/>\n    </testcase>\n");
}

static void path_cases(struct junit *j, const struct validation *v)
{
	char name[64];

	for (int path = 0; path < PATH_COUNT; path++) {
		const struct coverage *c = model__coverage(v->m, (enum path_id)path);

		if (!(v->verdict->required & 1u << path) || c->state == COVERAGE_ABSENT)
			continue;
		snprintf(name, sizeof(name), "path %s", path_names[path]);
		test_case(j, name, c->hits ? OUTCOME_OK : OUTCOME_ERROR,
			  c->state == COVERAGE_UNPROBED ? "could not be watched"
							: "was not exercised");
	}
}

/* A driver's own part of a path. */
static void driver_cases(struct junit *j, const struct validation *v)
{
	char name[128];

	for (uint32_t i = 0; i < v->verdict->driver_count; i++) {
		const struct verdict_driver *driver = &v->verdict->drivers[i];
		const struct driver_coverage *row =
			driver_table__find(v->verdict->table, driver->driver);

		for (int path = 0; path < PATH_COUNT; path++) {
			if (!(driver->required & v->verdict->required & 1u << path) ||
			    model__coverage(v->m, (enum path_id)path)->state == COVERAGE_ABSENT)
				continue;
			snprintf(name, sizeof(name), "path %s of driver %s", path_names[path],
				 driver->driver);
			test_case(j, name, row && row->hits[path] ? OUTCOME_OK : OUTCOME_ERROR,
				  "was not exercised");
		}
	}
}

static void finding_cases(struct junit *j, const struct validation *v)
{
	uint32_t bad = 0, accepted = 0;

	for (uint32_t i = 0; i < v->findings->count; i++) {
		const struct finding *f = v->findings->items[i];

		accepted += f->grade >= GRADE_WARNING && f->suppressed;
		if (f->grade < GRADE_WARNING || f->suppressed)
			continue;
		test_case(j, f->key ? f->key : "finding", OUTCOME_FAILURE,
			  finding_code_names[f->code]);
		bad++;
	}
	if (!bad)
		test_case(j,
			  accepted ? "no finding of grade warning or worse that is not suppressed"
				   : "no finding of grade warning or worse",
			  finding_list__is_complete(v->findings, v->m) ? OUTCOME_OK : OUTCOME_ERROR,
			  "not everything was looked at");
}

static void baseline_cases(struct junit *j, const struct validation *v)
{
	for (uint32_t i = 0; i < v->verdict->cycle_count; i++) {
		const struct verdict_cycle *c = &v->verdict->cycles[i];

		test_case(j, c->words,
			  c->status == DEPENDENCY_RESOLVED  ? OUTCOME_OK
			  : c->status == DEPENDENCY_PRESENT ? OUTCOME_FAILURE
							    : OUTCOME_ERROR,
			  dependency_status_names[c->status]);
	}
}

static void verdict_case(struct junit *j, const struct validation *v)
{
	static const enum outcome outcomes[] = {OUTCOME_OK, OUTCOME_FAILURE, OUTCOME_ERROR};
	const struct verdict *verdict = v->verdict;
	char name[64];

	snprintf(name, sizeof(name), "verdict %s", verdict_names[verdict->kind]);
	test_case(j, name, outcomes[verdict->kind],
		  verdict->reason_count ? verdict->reasons[0] : "");
}

static void all_cases(struct junit *j, const struct validation *v)
{
	path_cases(j, v);
	driver_cases(j, v);
	finding_cases(j, v);
	test_case(j, "nothing lost", model__has_losses(v->m) ? OUTCOME_ERROR : OUTCOME_OK,
		  model__losses_unknown(v->m) ? model__losses_unknown(v->m) : "events were lost");
	baseline_cases(j, v);
	verdict_case(j, v);
}

int validation__junit(const char *path, const struct validation *v)
{
	struct junit count = {0}, write = {0};
	struct output_file file;
	int error = output_file__open(&file, path, 0666);
	const struct model_clock *clock = model__clock((struct model *)v->m);
	double seconds = clock->end > clock->start ? (double)(clock->end - clock->start) / 1e9 : 0;

	write.out = error ? NULL : output_file__stream(&file);
	if (!write.out) {
		error = error ? error : -errno;
		output_file__close(&file, false);
		return error;
	}
	all_cases(&count, v);
	fprintf(write.out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		"  <testsuite name=\"vfiotrace validate\" tests=\"%u\" failures=\"%u\" "
		"errors=\"%u\" "
		"time=\"%.3f\">\n",
		count.tests, count.failures, count.errors, seconds);
	all_cases(&write, v);
	fputs("    <system-out>", write.out);
	for (uint32_t i = 0; i < v->verdict->reason_count; i++) {
		put_escaped(write.out, v->verdict->reasons[i]);
		fputc('\n', write.out);
	}
	for (uint32_t i = 0; i < v->verdict->limit_count; i++) {
		fputs("not covered: ", write.out);
		put_escaped(write.out, v->verdict->limits[i]);
		fputc('\n', write.out);
	}
	fputs("</system-out>\n  </testsuite>\n</testsuites>\n", write.out);
	return output_file__close(&file, true);
}
