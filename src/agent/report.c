// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent reports: journal entries, incident files, the hook. */
#include <stdlib.h>
#include <string.h>
#include <sys/syslog.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "util/text.h"

static const int priorities[FINDING_GRADES] = {
	[GRADE_INFO] = LOG_INFO,
	[GRADE_WARNING] = LOG_WARNING,
	[GRADE_ERROR] = LOG_ERR,
	[GRADE_CRITICAL] = LOG_CRIT,
};

static bool seen_before(struct agent *a, const char *key)
{
	for (uint32_t i = 0; i < a->seen_count; i++)
		if (!strcmp(a->seen[i], key))
			return true;
	if (a->seen_count < AGENT_SEEN_MAX && (a->seen[a->seen_count] = strdup(key)))
		a->seen_count++;
	return false;
}

static void join_classes(const struct model *m, const struct finding *f, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (uint32_t i = 0; i <= f->length && used < size; i++) {
		const char *name = model__lock_class(m, f->classes[i % f->length])->name;

		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " -> " : "",
					 text_safe(name));
	}
}

static void file_path(const struct agent *a, const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", statedir__path(a->statedir), name);
}

void agent__report_finding(struct agent *a, const struct finding *f)
{
	const char *code = finding_code_names[f->code], *grade = finding_grade_names[f->grade];
	char name[INCIDENT_NAME_SIZE], path[4096] = "", classes[768], message[1024];
	bool reported = seen_before(a, f->key);

	/* info and what was accepted is in the metrics and in every file */
	if (f->grade < GRADE_WARNING || f->suppressed || !f->length)
		return;
	if (incidents__add(a->incidents, f->key, code, grade, time(NULL), name))
		a->next_second = 0;
	file_path(a, name, path, sizeof(path));
	if (reported)
		return;
	join_classes(a->session.model, f, classes, sizeof(classes));
	snprintf(message, sizeof(message), "%s (%s): %s%s%s", code, grade, classes,
		 f->known_count ? "; known bug " : "", f->known_count ? f->known[0].commit : "");
	journal_entry(f->code, priorities[f->grade], message,
		      (struct journal_field[]){{"VFIOTRACE_CODE", code},
					       {"VFIOTRACE_GRADE", grade},
					       {"VFIOTRACE_KEY", f->key},
					       {"VFIOTRACE_CLASSES", classes},
					       {"VFIOTRACE_FILE", path}},
		      5);
}

void agent__report_stall(struct agent *a, const struct stall *stall)
{
	const struct model *m = a->session.model;
	const struct task *task = model__task(m, stall->task);
	const struct lock_instance *lock = model__instance(m, stall->instance);
	const char *lock_class = model__lock_class(m, lock->lock_class)->name;
	char message[512], tid[16];

	snprintf(tid, sizeof(tid), "%u", task->tid);
	snprintf(message, sizeof(message), "%s/%u waits for %s for %.1f s; its owner is %s",
		 text_safe(task->comm), task->tid, text_safe(lock_class),
		 (double)(stall->mono - stall->since) / 1e9,
		 stall->owner_doing ? text_safe(stall->owner_doing) : "not known");
	journal_entry(
		JOURNAL_STALL, LOG_WARNING, message,
		(struct journal_field[]){{"VFIOTRACE_CLASSES", lock_class}, {"VFIOTRACE_TID", tid}},
		2);
}

void agent__report_resolved(struct agent *a, const char *key)
{
	(void)a;
	journal_entry(JOURNAL_RESOLVED, LOG_NOTICE, "a deadlock is resolved",
		      (struct journal_field[]){{"VFIOTRACE_KEY", key}}, 1);
}

void agent__report_losses(struct agent *a, uint64_t now)
{
	char message[512] = "lost:";
	size_t used = strlen(message);
	bool any = false;

	if (now < a->next_losses)
		return;
	for (int i = 0; i < LOSS_REASONS && used < sizeof(message); i++) {
		uint64_t count = model__loss(a->session.model, (enum loss_reason)i);

		if (count > a->losses_said[i]) {
			used += (size_t)snprintf(message + used, sizeof(message) - used, " %s %llu",
						 loss_names[i],
						 (unsigned long long)(count - a->losses_said[i]));
			any = true;
		}
		a->losses_said[i] = count;
	}
	if (!any)
		return;
	a->next_losses = now + 600000000000ULL;
	journal_entry(JOURNAL_LOSSES, LOG_NOTICE, message, NULL, 0);
}

void agent__report_probes(struct agent *a)
{
	const uint32_t *now = a->service.probes;
	char message[160];

	if (!memcmp(now, a->probes_said, sizeof(a->probes_said)))
		return;
	memcpy(a->probes_said, now, sizeof(a->probes_said));
	snprintf(message, sizeof(message), "probes: %u attached, %u pending, %u missing, %u failed",
		 now[PROBE_ATTACHED], now[PROBE_PENDING], now[PROBE_MISSING], now[PROBE_FAILED]);
	journal_entry(JOURNAL_PROBES, LOG_INFO, message, NULL, 0);
}

void agent__report_shed(struct agent *a, uint32_t before)
{
	uint32_t shed = a->overhead.shed;
	bool more = shed > before;
	char message[256];

	snprintf(message, sizeof(message), "%.2f%% of a CPU against a budget of %.2f%%: %s %s",
		 a->overhead.total_ratio * 100, a->options.max_overhead * 100,
		 more ? "sheds" : "restores",
		 overhead__step_name(more ? shed & ~before : before & ~shed));
	journal_entry(more ? JOURNAL_SHED : JOURNAL_RESTORED, more ? LOG_WARNING : LOG_NOTICE,
		      message, NULL, 0);
}

void agent__snapshot(struct agent *a)
{
	char key[64], name[INCIDENT_NAME_SIZE];

	snprintf(key, sizeof(key), "snapshot %lld %u", (long long)time(NULL), a->snapshots++);
	if (incidents__add(a->incidents, key, "snapshot", "info", time(NULL), name))
		a->next_second = 0;
}

/* In the child: the model as it was at the fork, everything decided once more. */
static int write_incident(void *context, const char *name, char *error, size_t error_size)
{
	struct agent *a = context;
	const struct finding_list *findings;

	analysis__finish(a->session.analysis);
	findings = analysis__findings(a->session.analysis);
	if (a->session.settings.redact)
		return store__save_redacted(name, a->session.model, findings, error, error_size);
	return store__save(name, a->session.model, findings, NULL, error, error_size);
}

void agent__poll_incidents(struct agent *a, uint64_t now)
{
	struct incident_done done;
	char path[4096], message[512];

	if (!incidents__poll(a->incidents, now, write_incident, a, &done))
		return;
	file_path(a, done.name, path, sizeof(path));
	if (done.error) {
		a->service.incident_failures++;
		snprintf(message, sizeof(message), "cannot write %s: %s; tried again in a minute",
			 done.name, done.words);
		journal_entry(JOURNAL_INCIDENT_FAILED, LOG_ERR, message,
			      (struct journal_field[]){{"VFIOTRACE_FILE", path}}, 1);
		return;
	}
	a->service.incidents++;
	a->next_rotation = 0;
	if (a->hook)
		hook__run(a->hook, path, done.code, done.grade);
}

void agent__poll_hook(struct agent *a, uint64_t now)
{
	struct hook_stats stats;
	char message[160];

	hook__poll(a->hook, now);
	hook__stats(a->hook, &stats);
	if (stats.failed + stats.timed_out + stats.dropped !=
	    a->hooks_seen.failed + a->hooks_seen.timed_out + a->hooks_seen.dropped) {
		snprintf(message, sizeof(message), "the hook %s",
			 stats.timed_out > a->hooks_seen.timed_out ? "took too long and was killed"
			 : stats.dropped > a->hooks_seen.dropped   ? "cannot keep up"
								   : "failed");
		journal_entry(JOURNAL_HOOK_FAILED, LOG_WARNING, message, NULL, 0);
	}
	a->hooks_seen = stats;
}
