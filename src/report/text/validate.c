// SPDX-License-Identifier: GPL-2.0-or-later
/* The page: what was looked at, on which kernel, what is concluded and why. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/validate.h"
#include "report.h"
#include "util/text.h"

static const char *fact(const struct model *m, const char *key)
{
	const char *value = model__fact(m, key);

	return value && *value ? text_safe(value) : "unknown";
}

static void print_when(FILE *out, const struct model *m)
{
	const struct model_clock *clock = model__clock((struct model *)m);
	int64_t real = (int64_t)clock->start + clock->realtime_offset;
	time_t seconds = (time_t)(real / 1000000000);
	struct tm utc;
	char text[64];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc);
	fprintf(out, "  begun       %s, looked for %" PRIu64 " s\n", text,
		clock->end > clock->start ? (clock->end - clock->start) / 1000000000 : 0);
}

static void print_module(FILE *out, const struct model *m, const char *name)
{
	char origin[64], id[64];
	const char *build_id;

	snprintf(origin, sizeof(origin), "module.%s.origin", name);
	snprintf(id, sizeof(id), "module.%s.build_id", name);
	build_id = model__fact(m, id);
	fprintf(out, "  %-11s %s", name, fact(m, origin));
	if (build_id)
		fprintf(out, ", build id %s", text_safe(build_id));
	fputc('\n', out);
}

static void print_head(FILE *out, const struct validation *v)
{
	const char *patches = model__fact(v->m, "kernel.livepatches");

	fprintf(out, "vfiotrace validate\n\n");
	print_when(out, v->m);
	fprintf(out, "  kernel      %s %s, build id %s\n", fact(v->m, "kernel.release"),
		fact(v->m, "arch"), fact(v->m, "kernel.build_id"));
	print_module(out, v->m, "vfio");
	print_module(out, v->m, "kvm");
	if (patches && *patches)
		fprintf(out, "  livepatches %s\n", text_safe(patches));
	fprintf(out, "  looked at   scope %s, probes %s\n", fact(v->m, "scope"),
		fact(v->m, "probe.level"));
	if (v->exercised)
		fprintf(out, "  exercised   %s\n", text_safe(v->exercised));
	if (v->baseline)
		fprintf(out, "  baseline    %s, kernel %s\n", text_safe(v->baseline_file),
			fact(v->baseline, "kernel.release"));
}

static void print_verdict(FILE *out, const struct verdict *verdict, bool color)
{
	static const char *const words[] = {"PASS", "FAIL", "INCONCLUSIVE"};
	static const char *const colors[] = {"\033[1;32m", "\033[1;31m", "\033[1;33m"};

	fprintf(out, "\n  verdict     %s%s%s\n", color ? colors[verdict->kind] : "",
		words[verdict->kind], color ? "\033[0m" : "");
	for (uint32_t i = 0; i < verdict->reason_count; i++)
		fprintf(out, "              - %s\n", text_safe(verdict->reasons[i]));
}

static void print_paths(FILE *out, const struct validation *v)
{
	static const char *const states[] = {"unprobed", "absent", "not run", "run"};

	fprintf(out, "\n  %-20s %-9s %-9s %10s  %s\n", "path", "required", "state", "times",
		"seen at, or why not");
	for (int path = 0; path < PATH_COUNT; path++) {
		const struct coverage *c = model__coverage(v->m, (enum path_id)path);
		const char *last = c->state == COVERAGE_HIT || c->state == COVERAGE_ZERO
					   ? c->probe
					   : c->reason;

		fprintf(out, "  %-20s %-9s %-9s %10" PRIu64 "  %s\n", path_names[path],
			v->verdict->required & 1u << path ? "yes" : "-", states[c->state], c->hits,
			last ? text_safe(last) : "-");
	}
}

/* A driver's own part of the paths; a device of another driver does not stand for it. */
static void print_drivers(FILE *out, const struct validation *v)
{
	const struct verdict *verdict = v->verdict;

	fprintf(out, "\n  %-20s %-16s %10s %10s %10s  %s\n", "driver", "required for", "opens",
		"with a VM", "closes", "opened by");
	for (uint32_t i = 0; i < verdict->driver_count; i++) {
		const struct verdict_driver *driver = &verdict->drivers[i];
		const struct driver_coverage none = {0};
		const struct driver_coverage *row =
			driver_table__find(verdict->table, driver->driver);

		char with_vm[24] = "-"; /* a kernel without get_kvm does not tell */

		row = row ? row : &none;
		if (model__coverage(v->m, PATH_GET_KVM)->state != COVERAGE_ABSENT)
			snprintf(with_vm, sizeof(with_vm), "%" PRIu64, row->hits[PATH_GET_KVM]);
		fprintf(out, "  %-20s %-16s %10" PRIu64 " %10s %10" PRIu64 "  %s\n",
			text_safe(driver->driver),
			driver->is_bound      ? "its devices here"
			: driver->in_baseline ? "the baseline"
					      : "its devices",
			row->hits[PATH_DEVICE_OPEN], with_vm, row->hits[PATH_DEVICE_CLOSE],
			row->open ? text_safe(row->open) : "-");
	}
	if (!verdict->driver_count)
		fprintf(out, "  none was seen\n");
}

static void print_limits(FILE *out, const struct verdict *verdict)
{
	if (verdict->limit_count)
		fprintf(out, "\n  not covered by this verdict\n");
	for (uint32_t i = 0; i < verdict->limit_count; i++)
		fprintf(out, "  - %s\n", text_safe(verdict->limits[i]));
}

static void print_dependency(FILE *out, const struct verdict_dependency *d)
{
	fprintf(out, "    %s -> %s: %s\n", text_safe(d->from), text_safe(d->to),
		dependency_status_names[d->status]);
	if (d->path)
		fprintf(out, "      path %s ran %" PRIu64 " times before, %" PRIu64 " now\n",
			d->path, d->runs_before, d->runs_now);
	if (d->instead)
		fprintf(out, "      taken there now: %s\n", text_safe(d->instead));
	if (d->evidence)
		fprintf(out, "      %s\n", text_safe(d->evidence));
	for (uint32_t i = 0; i < d->site_count; i++)
		fprintf(out, "      %-8s %s [%s]\n", site_state_names[d->sites[i].state],
			text_safe(d->sites[i].function),
			d->sites[i].module ? text_safe(d->sites[i].module) : "kernel");
}

static void print_baseline(FILE *out, const struct validation *v)
{
	if (!v->baseline)
		return;
	fprintf(out, "\n  the baseline's cycles%s\n", v->verdict->cycle_count ? "" : ": none");
	for (uint32_t i = 0; i < v->verdict->cycle_count; i++) {
		const struct verdict_cycle *c = &v->verdict->cycles[i];

		fprintf(out, "  %s: %s\n", text_safe(c->words), dependency_status_names[c->status]);
		for (uint32_t d = 0; d < c->count; d++)
			print_dependency(out, &c->dependencies[d]);
	}
}

static void print_fixes(FILE *out, const struct validation *v)
{
	static const char *const states[] = {"in", "MISSING", "unknown"};
	uint32_t unknown = 0;

	fprintf(out, "\n  known fixes\n");
	for (uint32_t i = 0; i < v->fix_count; i++) {
		const struct fix *fix = &v->fixes[i];

		unknown += fix->state == FIX_UNKNOWN;
		if (fix->state != FIX_UNKNOWN)
			fprintf(out, "  %-13s %-8s %s: %s\n", fix->row->commit, states[fix->state],
				fix->row->title, fix->evidence);
	}
	if (unknown)
		fprintf(out, "  %u more could not be determined\n", unknown);
}

static void print_findings(FILE *out, const struct validation *v, bool color)
{
	uint32_t shown = 0, suppressed = 0;

	for (uint32_t i = 0; i < v->findings->count; i++) {
		const struct finding *f = v->findings->items[i];

		if (f->grade < GRADE_WARNING)
			continue;
		if (f->suppressed) {
			suppressed++;
			continue;
		}
		fputc('\n', out);
		report_text_finding(out, v->m, f, color);
		shown++;
	}
	if (!shown)
		fprintf(out, "\n  findings of grade warning or worse: %s",
			finding_list__is_complete(v->findings, v->m)
				? "none"
				: "none seen, but not everything was looked at");
	if (!shown && suppressed)
		fprintf(out, ", %u suppressed", suppressed);
	if (!shown)
		fputc('\n', out);
}

void validation__page(FILE *out, const struct validation *v, bool color)
{
	print_head(out, v);
	print_verdict(out, v->verdict, color);
	print_limits(out, v->verdict);
	print_paths(out, v);
	print_drivers(out, v);
	print_baseline(out, v);
	print_fixes(out, v);
	print_findings(out, v, color);
	fprintf(out, "\n  signed off by ______________________________  on ____________\n");
}
