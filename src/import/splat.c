// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lockdep reports out of a kernel log: a state machine over logical lines. What each sentence means
 * is in kernel/locking/lockdep.c (print_circular_bug and its neighbours); versions since 3.x differ
 * in punctuation only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/splat.h"

/* What the next lines of the report are. */
enum section {
	SECTION_NONE,
	SECTION_WANTED,
	SECTION_HOLDING,
	SECTION_OTHER,
	SECTION_SAFE,
	SECTION_UNSAFE,
	SECTION_SAFE_STACK,
	SECTION_UNSAFE_STACK,
	SECTION_CHAIN_STACK,
	SECTION_PATH,
	SECTION_SCENARIO,
	SECTION_HELD_LIST,
	SECTION_BACKTRACE,
	SECTION_UNLOCK_SITE,
	SECTION_SKIP, /* stacks that add nothing to the order */
};

struct splat_reader {
	struct klog_reader *log;
	struct splat splat;
	bool active;
	enum section section;
	char context[16];
	uint32_t reports;
};

struct splat_reader *splat_reader__new(struct klog_reader *log)
{
	struct splat_reader *r = calloc(1, sizeof(*r));

	if (r)
		r->log = log;
	return r;
}

void splat_reader__free(struct splat_reader *r)
{
	if (!r)
		return;
	free(r->splat.chain);
	free(r);
}

uint32_t splat_reader__reports(const struct splat_reader *r)
{
	return r->reports;
}

static int finish(struct splat_reader *r)
{
	if (!r->active)
		return 0;
	r->active = false;
	r->reports++;
	return splat__emit(&r->splat, r->log);
}

static struct splat_entry *add_entry(struct splat *splat)
{
	if (splat->chain_count == splat->chain_capacity) {
		uint32_t capacity = splat->chain_capacity ? splat->chain_capacity * 2 : 8;
		struct splat_entry *grown = reallocarray(splat->chain, capacity, sizeof(*grown));

		if (!grown)
			return NULL;
		splat->chain = grown;
		splat->chain_capacity = capacity;
	}
	memset(&splat->chain[splat->chain_count], 0, sizeof(*splat->chain));
	return &splat->chain[splat->chain_count++];
}

/* "-> #3 (&kvm->lock){+.+.}-{3:3}:" */
static int chain_line(struct splat_reader *r, const struct klog_line *line)
{
	const char *at = line->text + 4;
	struct splat_entry *entry;
	unsigned long number = strtoul(at, NULL, 10);

	at += strspn(at, "0123456789");
	at += strspn(at, " ");
	if (r->splat.chain_count == SPLAT_CHAIN_MAX) {
		line_reader__complain(&r->log->lines, line->number,
				      "more than %d locks in one dependency chain; the rest is "
				      "left out",
				      SPLAT_CHAIN_MAX);
		r->section = SECTION_SKIP;
		return 0;
	}
	entry = add_entry(&r->splat);
	if (!entry)
		return -ENOMEM;
	entry->number = (uint32_t)number;
	r->section = SECTION_CHAIN_STACK;
	if (klog_parse__lock(r->log->lines.m, at, &entry->lock) && number < SPLAT_CHAIN_MAX)
		return 0;
	r->splat.chain_count--;
	r->section = SECTION_SKIP;
	line_reader__complain(&r->log->lines, line->number,
			      "expected \"-> #N (class){usage}:\" of a dependency chain");
	return 0;
}

/* "HARDIRQ-safe -> HARDIRQ-unsafe lock order", "inconsistent {IN-SOFTIRQ-W} -> …", "but this lock
 * took another, SOFTIRQ-unsafe lock": up to 4.x "hard-irq" and "soft-irq" as well */
static void note_context(struct splat *splat, const char *text)
{
	if (*splat->context)
		return;
	if (strcasestr(text, "hardirq") || strcasestr(text, "hard-safe"))
		strcpy(splat->context, "HARDIRQ");
	else if (strcasestr(text, "softirq") || strcasestr(text, "soft-safe"))
		strcpy(splat->context, "SOFTIRQ");
}

static void task_before(struct splat *splat, const char *text, const char *end)
{
	while (end > text && end[-1] == ' ')
		end--;
	if (!splat->task.known)
		klog_parse__task(text, end, &splat->task);
}

/* "comm/1 [HC0[0]:SC0[0]:HE0:SE1] takes:" and the like; the lock is on the next line */
static bool task_line(struct splat_reader *r, const char *text)
{
	static const struct {
		const char *phrase;
		enum section next;
	} phrases[] = {
		{" is trying to acquire lock:", SECTION_WANTED},
		{" is trying to acquire:", SECTION_WANTED},
		{" takes:", SECTION_WANTED},
		{" just changed the state of lock:", SECTION_WANTED},
		{" is leaving the kernel with locks still held!", SECTION_NONE},
		{" is exiting with locks still held!", SECTION_NONE},
		{" still has locks held!", SECTION_NONE},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		const char *at = strstr(text, phrases[i].phrase), *bracket;

		if (!at)
			continue;
		bracket = strstr(text, " [HC");
		task_before(&r->splat, text, bracket && bracket < at ? bracket : at);
		r->section = phrases[i].next;
		return true;
	}
	return false;
}

/* "comm/1 is trying to release lock (&kvm->lock) at:" */
static bool release_line(struct splat_reader *r, const char *text)
{
	const char *at = strstr(text, " is trying to release lock ("), *name, *end;

	if (!at)
		return false;
	task_before(&r->splat, text, at);
	name = strchr(at, '(') + 1;
	end = strstr(name, ") at:");
	if (end && end > name)
		r->splat.wanted.name = model__intern_n(r->log->lines.m, name, (size_t)(end - name));
	r->section = SECTION_UNLOCK_SITE;
	return true;
}

static bool section_line(struct splat_reader *r, const char *text)
{
	static const struct {
		const char *phrase;
		enum section next;
	} phrases[] = {
		{"but task is already holding", SECTION_HOLDING},
		{"and this task is already holding", SECTION_HOLDING},
		{"which would create a new lock dependency", SECTION_SKIP},
		{"but this new dependency connects", SECTION_SAFE},
		{"irq-unsafe lock:", SECTION_UNSAFE},
		{"IRQ-unsafe lock:", SECTION_UNSAFE},
		{"but this lock took another", SECTION_OTHER},
		{"but this lock was taken by another", SECTION_OTHER},
		{"state was registered at:", SECTION_SAFE_STACK},
		{"existing dependency chain", SECTION_NONE},
		{"the shortest dependencies between", SECTION_SKIP},
		{"the dependencies between", SECTION_SKIP},
		{"other info that might help", SECTION_SKIP},
		{"Chain exists of:", SECTION_PATH},
		{"locking scenario", SECTION_SCENARIO},
		{"*** DEADLOCK ***", SECTION_SKIP},
		{"stack backtrace:", SECTION_BACKTRACE},
	};
	size_t i = 0;

	if (strstr(text, "which became")) {
		r->section =
			strcasestr(text, "-unsafe") ? SECTION_UNSAFE_STACK : SECTION_SAFE_STACK;
		return true;
	}

	while (i < sizeof(phrases) / sizeof(phrases[0]) && !strstr(text, phrases[i].phrase))
		i++;
	if (i == sizeof(phrases) / sizeof(phrases[0]))
		return false;
	r->section = phrases[i].next;
	note_context(&r->splat, text);
	if (strstr(text, "was taken by another"))
		r->splat.taken_by_other = true;
	/* "{IN-HARDIRQ-W} state was registered at:" */
	if (strstr(text, "state was registered"))
		r->splat.was_in_irq = strstr(text, "{IN-") != NULL || strstr(text, "{in-");
	return true;
}

/* "2 locks held by qemu-system-x86/4711:" */
static bool held_header(struct splat_reader *r, const char *text)
{
	const char *at = strstr(text, " held by "), *colon;

	if (!at || (!strstr(text, "lock held by ") && !strstr(text, "locks held by ")))
		return false;
	colon = strrchr(at, ':');
	r->splat.has_held_list = true;
	task_before(&r->splat, at + 9, colon ? colon : at + strlen(at));
	r->section = SECTION_HELD_LIST;
	return true;
}

static void add_name(struct splat_reader *r, const char **names, uint32_t *count, const char *text,
		     size_t length)
{
	if (length && *count < SPLAT_NAMES_MAX)
		names[(*count)++] = model__intern_n(r->log->lines.m, text, length);
}

/* "lock(&kvm->lock);" of the scenario; "rlock(&sem);": that class is read */
static void scenario_line(struct splat_reader *r, const char *text)
{
	const char *at = strstr(text, "lock("), *end;

	if (!at || !(end = strrchr(at, ')')))
		return;
	add_name(r, r->splat.scenario, &r->splat.scenario_count, at + 5, (size_t)(end - at - 5));
	if (at > text && at[-1] == 'r')
		add_name(r, r->splat.reads, &r->splat.read_count, at + 5, (size_t)(end - at - 5));
}

/* "&safe->lock --> &middle->lock --> &unsafe->lock" */
static void path_line(struct splat_reader *r, const char *text)
{
	for (const char *arrow; *text; text = arrow + 5) {
		arrow = strstr(text, " --> ");
		add_name(r, r->splat.path, &r->splat.path_count, text,
			 arrow ? (size_t)(arrow - text) : strlen(text));
		if (!arrow)
			break;
	}
	r->section = SECTION_SKIP;
}

static void keep_lock(struct klog_lock *to, const struct klog_lock *lock)
{
	/* syzbot repeats a line per inlined frame; the last one has the address of the call */
	if (!to->name || to->address == lock->address)
		*to = *lock;
}

static void held_line(struct splat_reader *r, const struct klog_lock *lock)
{
	struct splat *splat = &r->splat;
	uint32_t n = splat->held_count;

	if (n && splat->held[n - 1].address == lock->address && lock->address &&
	    splat->held[n - 1].name == lock->name)
		splat->held[n - 1] = *lock;
	else if (n < KLOG_HELD_MAX)
		splat->held[splat->held_count++] = *lock;
	else
		model__add_loss(r->log->lines.m, LOSS_HELD_OVERFLOW, 1);
}

static bool lock_line(struct splat_reader *r, const char *text)
{
	struct klog_lock lock;

	if (!klog_parse__lock(r->log->lines.m, text, &lock))
		return false;
	if (r->section == SECTION_WANTED)
		keep_lock(&r->splat.wanted, &lock);
	else if (r->section == SECTION_HOLDING)
		keep_lock(&r->splat.holding, &lock);
	else if (r->section == SECTION_OTHER)
		keep_lock(&r->splat.other, &lock);
	else if (r->section == SECTION_SAFE)
		keep_lock(&r->splat.safe, &lock);
	else if (r->section == SECTION_UNSAFE)
		keep_lock(&r->splat.unsafe, &lock);
	else if (r->section == SECTION_HELD_LIST && *text == '#')
		held_line(r, &lock);
	return true;
}

static bool is_backtrace_noise(const char *text)
{
	static const char *const noise[] = {
		"CPU: ",      "Hardware name", "Call Trace", "<TASK>",	  "<IRQ>",   "</IRQ>",
		"dump_stack", "Workqueue",     "Call trace", "Backtrace", "Tainted:"};

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (!strncmp(text, noise[i], strlen(noise[i])))
			return true;
	return !*text;
}

static struct klog_stack *stack_of_section(struct splat_reader *r)
{
	switch (r->section) {
	case SECTION_CHAIN_STACK:
		return r->splat.chain_count ? &r->splat.chain[r->splat.chain_count - 1].stack
					    : NULL;
	case SECTION_BACKTRACE:
		return &r->splat.backtrace;
	case SECTION_SAFE_STACK:
		return &r->splat.safe_stack;
	case SECTION_UNSAFE_STACK:
		return &r->splat.unsafe_stack;
	default:
		return NULL;
	}
}

static int frame_line(struct splat_reader *r, const char *text)
{
	struct klog_stack *stack = stack_of_section(r);
	struct frame frames[2];
	uint32_t count;
	bool reliable;

	count = klog_parse__frames(r->log->lines.m, text, frames, &reliable);
	if (!count) {
		/* the backtrace ends the report; the next line belongs to something else */
		if (r->section == SECTION_BACKTRACE && r->splat.backtrace.count &&
		    !is_backtrace_noise(text))
			return finish(r);
		return 0;
	}
	if (stack && reliable)
		klog_stack__add_line(stack, frames, count);
	if (r->section == SECTION_UNLOCK_SITE && !r->splat.wanted.has_site) {
		r->splat.wanted.site = frames[0];
		r->splat.wanted.has_site = true;
		r->section = SECTION_NONE;
	}
	return 0;
}

static int start(struct splat_reader *r, enum report_kind kind, const struct klog_line *line)
{
	int err = finish(r);
	struct splat_entry *chain = r->splat.chain;
	uint32_t capacity = r->splat.chain_capacity;

	memset(&r->splat, 0, sizeof(r->splat));
	r->splat.chain = chain;
	r->splat.chain_capacity = capacity;
	r->splat.kind = kind;
	r->splat.line = line->number;
	r->splat.time = line->time;
	r->section = SECTION_NONE;
	r->active = true;
	memcpy(r->context, line->context, sizeof(r->context));
	note_context(&r->splat, line->text);
	/* "WARNING: qemu/4398 still has locks held!" */
	task_line(r, strchr(line->text, ' ') ? strchr(line->text, ' ') + 1 : line->text);
	return err;
}

/* Which of the reports are lockdep's and say something. */
static bool is_splat(enum report_kind kind)
{
	return kind >= REPORT_CIRCULAR && kind <= REPORT_UNLOCK;
}

/* Reports without a backtrace end where something else begins. */
static bool ends_report(const struct splat_reader *r, const char *text)
{
	if (!strncmp(text, "------------[ cut here", 22))
		return true;
	return r->splat.kind == REPORT_HELD && r->section == SECTION_HELD_LIST && *text != '#' &&
	       !strstr(text, "stack backtrace:");
}

int splat_reader__line(struct splat_reader *r, const struct klog_line *line,
		       enum report_kind starts)
{
	char release[128];

	if (is_splat(starts))
		return start(r, starts, line);
	if (starts != REPORT_NONE)
		return finish(r);
	if (!r->active || !*line->text)
		return 0;
	/* another CPU printed in between */
	if (*r->context && *line->context && strcmp(r->context, line->context))
		return 0;
	if (ends_report(r, line->text))
		return finish(r);
	if (!strncmp(line->text, "inconsistent {", 14)) {
		note_context(&r->splat, line->text);
		return 0;
	}
	if (line->number < r->splat.line + 4 &&
	    klog_parse__release(line->text, release, sizeof(release))) {
		klog__note_release(r->log, release, line->number);
		return 0;
	}
	if (!strncmp(line->text, "-> #", 4))
		return chain_line(r, line);
	if (task_line(r, line->text) || release_line(r, line->text) || held_header(r, line->text) ||
	    lock_line(r, line->text) || section_line(r, line->text))
		return 0;
	if (r->section == SECTION_SCENARIO)
		scenario_line(r, line->text);
	else if (r->section == SECTION_PATH)
		path_line(r, line->text);
	else
		return frame_line(r, line->text);
	return 0;
}

int splat_reader__end(struct splat_reader *r)
{
	return finish(r);
}
