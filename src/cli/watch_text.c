// SPDX-License-Identifier: GPL-2.0-or-later
/* watch's own lines: what is attached and what is missing, live task orders, stalls, cost. */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli.h"
#include "cli/watch_filter.h"
#include "report.h"
#include "util/text.h"

/* How many probes from `first` on are in its state for its reason; 0: an earlier one is, too. */
static uint32_t count_alike(const struct probe_info *probes, uint32_t count, uint32_t first)
{
	const char *reason = probes[first].reason ? probes[first].reason : "";
	uint32_t alike = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool same = probes[i].state == probes[first].state &&
			    !strcmp(probes[i].reason ? probes[i].reason : "", reason);

		if (same && i < first)
			return 0;
		alike += same;
	}
	return alike;
}

/* One line a reason: what is missing on a host without VFIO is one thing, not twenty. */
static void print_missing(FILE *out, const struct probe_info *probes, uint32_t count,
			  enum probe_state state, const char *label)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t alike = probes[i].state == state ? count_alike(probes, count, i) : 0;
		const char *reason =
			probes[i].reason ? text_safe(probes[i].reason) : "no reason known";

		if (alike == 1)
			fprintf(out, "  %-8s %s: %s\n", label, probes[i].name, reason);
		else if (alike)
			fprintf(out, "  %-8s %u probes: %s\n", label, alike, reason);
	}
}

void watch_print_header(FILE *out, const struct session *s, const struct probe_info *probes,
			uint32_t count)
{
	const struct start_times *t = &s->start;
	uint32_t attached = 0;

	for (uint32_t i = 0; i < count; i++)
		attached += probes[i].state == PROBE_ATTACHED;
	fprintf(out,
		"vfiotrace %s on %s: %u probes attached with %s, started in %.2f s (read %.2f, "
		"load %.2f, attach %.2f)\n",
		VERSION, kernel__release(s->kernel), attached,
		attach_level_names[capture__level(s->capture)], (double)t->whole / 1e9,
		(double)t->read / 1e9, (double)t->load / 1e9, (double)t->attach / 1e9);
	if (capture__level_reason(s->capture))
		fprintf(out, "  %-8s %s\n", "refused",
			text_safe(capture__level_reason(s->capture)));
	print_missing(out, probes, count, PROBE_MISSING, "absent");
	print_missing(out, probes, count, PROBE_FAILED, "failed");
	print_missing(out, probes, count, PROBE_PENDING, "waiting");
	fprintf(out, "  %-8s %s\n", "scope",
		s->settings.scope_all ? "all: every chain of every task"
				      : "vfio: chains taken inside VFIO and KVM, and elsewhere of "
					"locks seen there; "
					"cycles made of other locks only are not seen");
	fprintf(out, "  %-8s ww_mutex (backs off by design), spinlocks, semaphores, completions\n",
		"unseen");
	if (s->settings.output)
		fprintf(out, "  %-8s %s\n", "file", text_safe(s->settings.output));
	fputs("Ctrl-C ends and prints the summary.\n\n", out);
	fflush(out);
}

/* Resident now, not at the peak while programs were loaded. */
static long resident_kib(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file && fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

void watch_note_overhead(struct model *m, const struct capture_stats *stats)
{
	struct rusage usage;
	char text[32];

	getrusage(RUSAGE_SELF, &usage);
#define NOTE(key, format, value)                                                                   \
	(snprintf(text, sizeof(text), format, value), model__set_fact(m, "overhead." key, text))
	NOTE("detach_ns", "%" PRIu64, stats->detach_ns);
	NOTE("records", "%" PRIu64, stats->records);
	NOTE("record_bytes", "%" PRIu64, stats->record_bytes);
	NOTE("map_bytes", "%" PRIu64, stats->map_bytes);
	NOTE("rss_kib", "%ld", resident_kib());
	NOTE("user_ms", "%ld", usage.ru_utime.tv_sec * 1000L + usage.ru_utime.tv_usec / 1000L);
	NOTE("system_ms", "%ld", usage.ru_stime.tv_sec * 1000L + usage.ru_stime.tv_usec / 1000L);
	if (stats->run_count) {
		NOTE("run_ns", "%" PRIu64, stats->run_ns);
		NOTE("run_count", "%" PRIu64, stats->run_count);
	}
#undef NOTE
}

void watch_print_footer(FILE *out, const struct session *s, const struct capture_stats *stats)
{
	fprintf(out,
		"\n%" PRIu64 " records from the kernel (%.1f KiB); started in %.2f s, detached in "
		"%.2f s; maps %.1f MiB, resident %.1f MiB\n",
		stats->records, (double)stats->record_bytes / 1024, (double)s->start.whole / 1e9,
		(double)stats->detach_ns / 1e9, (double)stats->map_bytes / 1048576,
		(double)resident_kib() / 1024);
	if (s->settings.output)
		fprintf(out, "recorded to %s; `vfiotrace report %s` shows it again\n",
			text_safe(s->settings.output), text_safe(s->settings.output));
}

static const char *class_name(const struct model *m, uint32_t instance)
{
	return text_safe(model__lock_class(m, model__instance(m, instance)->lock_class)->name);
}

/* "qemu-system-x86/4711: vfio_group.group_lock -> kvm.lock" */
void watch_print_task_chain(FILE *out, const struct model *m, const struct task_chain *pair)
{
	const struct task *task = model__task(m, pair->task);
	const struct chain *chain = model__chain(m, pair->chain);

	fprintf(out, "%s/%u: ", text_safe(task->comm), task->tid ? task->tid : task->pid);
	for (uint32_t i = 0; i < chain->held_count; i++)
		fprintf(out, "%s -> ", class_name(m, chain->held[i].instance));
	fprintf(out, "%s\n", class_name(m, chain->wanted.instance));
	fflush(out);
}

void watch_print_stall(FILE *out, const struct model *m, const struct stall *stall)
{
	const struct task *task = model__task(m, stall->task);

	fprintf(out, "stall: %s/%u waits %.1f s for %s", text_safe(task->comm), task->tid,
		(double)(stall->mono - stall->since) / 1e9, class_name(m, stall->instance));
	if (stall->owner != NO_ID) {
		const struct task *owner = model__task(m, stall->owner);

		fprintf(out, ", owned by %s/%u (%c, %s)", text_safe(owner->comm), owner->tid,
			stall->owner_state ? stall->owner_state : '?',
			stall->owner_doing ? text_safe(stall->owner_doing) : "doing not known");
	} else {
		fputs(", owner not known", out);
	}
	fputc('\n', out);
	fflush(out);
}
