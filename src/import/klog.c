// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel logs: feed every logical line to the readers of lockdep and hung-task reports. */
#include <errno.h>
#include <string.h>

#include "import/klog.h"

void klog__note_release(struct klog_reader *log, const char *release, uint32_t line)
{
	const char *known = model__fact(log->lines.m, "kernel.release");

	if (!known)
		model__set_fact(log->lines.m, "kernel.release", release);
	else if (strcmp(known, release))
		line_reader__complain(
			&log->lines, line,
			"this report is from kernel %s, an earlier one from %s: their "
			"orders are mixed in one graph; split the file to keep them "
			"apart",
			release, known);
}

/* Entry code differs per architecture; a report shows it at the bottom of its stacks. */
static void note_architecture(struct model *m, const char *text)
{
	static const struct {
		const char *symbol, *arch;
	} marks[] = {
		{"entry_SYSCALL_64", "x86_64"},
		{"__x64_sys_", "x86_64"},
		{"__arm64_sys_", "aarch64"},
		{"el0_svc", "aarch64"},
		{"__s390x_sys_", "s390x"},
		{"__s390_sys_", "s390x"},
		{"system_call_exception", "ppc64le"},
		{"__riscv_sys_", "riscv64"},
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (!strstr(text, marks[i].symbol))
			continue;
		model__set_fact(m, "arch", marks[i].arch);
		return;
	}
}

/* The kernel, or who wrote its log down, says that something is missing here. */
static void note_gap(struct klog_reader *log, const struct klog_line *line)
{
	static const char *const marks[] = {"printk messages dropped", "kernel messages were lost",
					    "hung task reports are suppressed"};
	const char *missed = strstr(line->text, "Missed ");
	bool gap = missed && strstr(missed, " kernel messages");

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		gap |= strcasestr(line->text, marks[i]) != NULL;
	if (gap)
		line_reader__complain(&log->lines, line->number,
				      "the log says that messages are missing here");
}

/* Reports that say nothing about locks, or nothing that can be judged: named, and counted. */
static uint32_t leave_out(struct klog_reader *log, const struct klog_line *line,
			  const struct report_start *start)
{
	if (start->kind != REPORT_OTHER && start->kind != REPORT_NO_ORDER)
		return 0;
	line_reader__complain(&log->lines, line->number, "left out: %s", start->name);
	return 1;
}

/* *left_out counts the reports that were seen and not used. */
static int feed(struct klog_reader *log, struct splat_reader *splats, struct hung_reader *hung,
		uint32_t *left_out)
{
	const struct klog_line *line;
	struct model_clock *clock = model__clock(log->lines.m);
	int err = 0;

	while (!err && (line = klog_reader__next(log))) {
		struct report_start start = report_start__find(line->text);

		if (line->has_time) {
			clock->has_time = true;
			clock->start = clock->start ? clock->start : line->time;
			clock->end = line->time;
		}
		note_gap(log, line);
		if (!model__fact(log->lines.m, "arch"))
			note_architecture(log->lines.m, line->text);
		if (splats)
			err = splat_reader__line(splats, line, start.kind);
		if (hung && !err)
			err = hung_reader__line(hung, line, start.kind);
		*left_out += leave_out(log, line, &start);
	}
	if (!err && splats)
		err = splat_reader__end(splats);
	if (!err && hung)
		err = hung_reader__end(hung);
	return err ? err : log->lines.error;
}

static void complain_nothing(struct klog_reader *log, unsigned int want)
{
	static const char splat[] = "\"WARNING: possible circular locking dependency detected\"",
			  hung[] = "\"INFO: task NAME:PID blocked for more than N seconds.\"";

	if (want == KLOG_SPLATS)
		line_reader__complain(&log->lines, log->lines.number,
				      "no lockdep report in this log; expected %s", splat);
	else if (want == KLOG_HUNG_TASKS)
		line_reader__complain(&log->lines, log->lines.number,
				      "no hung-task report in this log; expected %s", hung);
	else if (want)
		line_reader__complain(&log->lines, log->lines.number,
				      "no lockdep, hung-task or sysrq report in this log; "
				      "expected %s, %s or \"sysrq: Show Blocked State\"",
				      splat, hung);
}

int klog__import(struct model *m, FILE *in, const char *name, const struct import_options *options,
		 unsigned int want)
{
	struct klog_reader *log = klog_reader__new(m, in, name, options);
	struct splat_reader *splats = NULL;
	struct hung_reader *hung = NULL;
	uint32_t left_out = 0;
	int err = -ENOMEM;

	if (!log)
		return err;
	if ((!want || (want & KLOG_SPLATS)) && !(splats = splat_reader__new(log)))
		goto cleanup;
	if ((!want || (want & KLOG_HUNG_TASKS)) && !(hung = hung_reader__new(log)))
		goto cleanup;
	err = feed(log, splats, hung, &left_out);
	if (!err && !left_out && !(splats && splat_reader__reports(splats)) &&
	    !(hung && hung_reader__reports(hung))) {
		complain_nothing(log, want);
		err = -EINVAL;
	}
cleanup:
	hung_reader__free(hung);
	splat_reader__free(splats);
	klog_reader__free(log);
	return err;
}

int import_splat(struct model *m, FILE *in, const char *name, const struct import_options *options)
{
	return klog__import(m, in, name, options, KLOG_SPLATS);
}

int import_hung(struct model *m, FILE *in, const char *name, const struct import_options *options)
{
	return klog__import(m, in, name, options, KLOG_HUNG_TASKS);
}
