// SPDX-License-Identifier: GPL-2.0-or-later
/* The verdict as a record and as JUnit XML. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/validate.h"
#include "report.h"

static json_t *dependency_json(const struct verdict_dependency *d)
{
	json_t *row = json_object();

	json_object_set_new(row, "from", json_text(d->from));
	json_object_set_new(row, "to", json_text(d->to));
	json_object_set_new(row, "state", json_string(dependency_fate_names[d->fate]));
	json_object_set_new(row, "path", json_text(d->path));
	json_object_set_new(row, "runs_before", json_integer((json_int_t)d->runs_before));
	json_object_set_new(row, "runs_now", json_integer((json_int_t)d->runs_now));
	json_object_set_new(row, "count_before", json_integer((json_int_t)d->count_before));
	json_object_set_new(row, "count_now", json_integer((json_int_t)d->count_now));
	json_object_set_new(row, "instead", json_text(d->instead));
	return row;
}

static json_t *baseline_json(const struct validation *v)
{
	json_t *baseline, *cycles;

	if (!v->baseline)
		return NULL;
	baseline = json_object();
	cycles = json_array();
	for (uint32_t i = 0; i < v->verdict->cycle_count; i++) {
		const struct verdict_cycle *c = &v->verdict->cycles[i];
		json_t *row = json_object(), *dependencies = json_array();

		for (uint32_t d = 0; d < c->count; d++)
			json_array_append_new(dependencies, dependency_json(&c->dependencies[d]));
		json_object_set_new(row, "cycle", json_text(c->words));
		json_object_set_new(row, "state", json_string(dependency_fate_names[c->fate]));
		json_object_set_new(row, "dependencies", dependencies);
		json_array_append_new(cycles, row);
	}
	json_object_set_new(baseline, "file", json_text(v->baseline_file));
	json_object_set_new(baseline, "kernel",
			    json_text(model__fact(v->baseline, "kernel.release")));
	json_object_set_new(baseline, "cycles", cycles);
	return baseline;
}

static json_t *module_json(const struct model *m, const char *name)
{
	json_t *row = json_object();
	char key[64];

	snprintf(key, sizeof(key), "module.%s.origin", name);
	json_object_set_new(row, "origin", json_text(model__fact(m, key)));
	snprintf(key, sizeof(key), "module.%s.build_id", name);
	json_object_set_new(row, "build_id", json_text(model__fact(m, key)));
	return row;
}

/* Which kernel the verdict is about: a livepatch or a module of one's own changes what it means. */
static void add_origin(json_t *record, const struct model *m)
{
	json_t *kernel = json_object(), *modules = json_object();

	json_object_set_new(kernel, "release", json_text(model__fact(m, "kernel.release")));
	json_object_set_new(kernel, "arch", json_text(model__fact(m, "arch")));
	json_object_set_new(kernel, "version", json_text(model__fact(m, "kernel.version")));
	json_object_set_new(kernel, "build_id", json_text(model__fact(m, "kernel.build_id")));
	json_object_set_new(kernel, "livepatches", json_text(model__fact(m, "kernel.livepatches")));
	json_object_set_new(modules, "vfio", module_json(m, "vfio"));
	json_object_set_new(modules, "kvm", module_json(m, "kvm"));
	json_object_set_new(record, "kernel", kernel);
	json_object_set_new(record, "modules", modules);
	json_object_set_new(record, "scope", json_text(model__fact(m, "scope")));
	json_object_set_new(record, "probe_level", json_text(model__fact(m, "probe.level")));
}

static json_t *required_json(uint32_t required)
{
	json_t *names = json_array();

	for (int path = 0; path < PATH_COUNT; path++)
		if (required & 1u << path)
			json_array_append_new(names, json_string(path_names[path]));
	return names;
}

void validation__json(FILE *out, const struct validation *v)
{
	struct report_input input = {.model = v->m, .findings = v->findings};
	json_t *record =
		json_verdict(&input, verdict_names[v->verdict->kind], v->verdict->reasons,
			     v->verdict->reason_count, v->fixes, v->fix_count, baseline_json(v));

	add_origin(record, v->m);
	json_object_set_new(record, "required", required_json(v->verdict->required));
	json_object_set_new(record, "losses", json_losses(v->m));
	json_object_set_new(record, "exercised", json_text(v->exercised));
	json_object_set_new(record, "exit", json_integer(v->exit_status));
	json_print(out, record);
}

/* --- JUnit
 * --------------------------------------------------------------------------------------------- */

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

static void finding_cases(struct junit *j, const struct validation *v)
{
	uint32_t bad = 0;

	for (uint32_t i = 0; i < v->findings->count; i++) {
		const struct finding *f = v->findings->items[i];

		if (f->grade < GRADE_WARNING || f->suppressed)
			continue;
		test_case(j, f->key ? f->key : "finding", OUTCOME_FAILURE,
			  finding_code_names[f->code]);
		bad++;
	}
	if (!bad)
		test_case(j, "no finding of grade warning or worse", OUTCOME_OK, "");
}

static void baseline_cases(struct junit *j, const struct validation *v)
{
	for (uint32_t i = 0; i < v->verdict->cycle_count; i++) {
		const struct verdict_cycle *c = &v->verdict->cycles[i];

		test_case(j, c->words,
			  c->fate == FATE_GONE	 ? OUTCOME_OK
			  : c->fate == FATE_BACK ? OUTCOME_FAILURE
						 : OUTCOME_ERROR,
			  dependency_fate_names[c->fate]);
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
	finding_cases(j, v);
	test_case(j, "nothing lost", model__has_losses(v->m) ? OUTCOME_ERROR : OUTCOME_OK,
		  "events were lost");
	baseline_cases(j, v);
	verdict_case(j, v);
}

int validation__junit(const char *path, const struct validation *v)
{
	struct junit count = {0}, write = {.out = fopen(path, "we")};
	const struct model_clock *clock = model__clock((struct model *)v->m);
	double seconds = clock->end > clock->start ? (double)(clock->end - clock->start) / 1e9 : 0;

	if (!write.out)
		return -errno;
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
	fputs("</system-out>\n  </testsuite>\n</testsuites>\n", write.out);
	return fclose(write.out) ? -errno : 0;
}
