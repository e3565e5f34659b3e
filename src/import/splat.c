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
	SECTION_CHAIN_STACK,
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

static const struct {
	const char *text;
	enum splat_kind kind;
} banners[] = {
	{"possible circular locking dependency detected", SPLAT_CIRCULAR},
	{"possible recursive locking detected", SPLAT_RECURSIVE},
	{"inconsistent lock state", SPLAT_INCONSISTENT},
	{"possible irq lock inversion dependency detected", SPLAT_IRQ_INVERSION},
	{"lock order detected", SPLAT_IRQ_ORDER},
	{"lock held when returning to user space", SPLAT_HELD},
	{"still has locks held", SPLAT_HELD},
	{"bad unlock balance detected", SPLAT_UNLOCK},
	{"held lock freed", SPLAT_NO_ORDER},
	{"Invalid wait context", SPLAT_NO_ORDER},
	{"Nested lock was not taken", SPLAT_NO_ORDER},
	{"bad contention detected", SPLAT_NO_ORDER},
};

/* A banner as the kernel prints it, not a mail's subject that quotes it. */
static bool find_banner(const char *text, enum splat_kind *kind)
{
	if (strncmp(text, "WARNING: ", 9) && strncmp(text, "INFO: ", 6) &&
	    strncmp(text, "BUG: ", 5) && strncmp(text, "[ ", 2) && strncmp(text, "DEBUG", 5))
		return false;
	for (size_t i = 0; i < sizeof(banners) / sizeof(banners[0]); i++) {
		if (!strstr(text, banners[i].text))
			continue;
		*kind = banners[i].kind;
		return true;
	}
	return false;
}

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

static int start(struct splat_reader *r, enum splat_kind kind, const struct klog_line *line)
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
	return err;
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
		{"but this new dependency connects", SECTION_SKIP},
		{"-irq-unsafe lock:", SECTION_SKIP},
		{"but this lock took another", SECTION_OTHER},
		{"but this lock was taken by another", SECTION_OTHER},
		{"state was registered at:", SECTION_SKIP},
		{"... which became", SECTION_SKIP},
		{"existing dependency chain", SECTION_NONE},
		{"the shortest dependencies between", SECTION_SKIP},
		{"the dependencies between", SECTION_SKIP},
		{"other info that might help", SECTION_SKIP},
		{"Chain exists of:", SECTION_SKIP},
		{"locking scenario", SECTION_SCENARIO},
		{"*** DEADLOCK ***", SECTION_SKIP},
		{"stack backtrace:", SECTION_BACKTRACE},
	};
	size_t i = 0;

	while (i < sizeof(phrases) / sizeof(phrases[0]) && !strstr(text, phrases[i].phrase))
		i++;
	if (i == sizeof(phrases) / sizeof(phrases[0]))
		return false;
	r->section = phrases[i].next;
	if (strstr(text, "was taken by another"))
		r->splat.taken_by_other = true;
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

/* "rlock(&sem);" in the scenario: that class is read */
static void scenario_line(struct splat_reader *r, const char *text)
{
	const char *at = strstr(text, "rlock("), *end;

	if (!at || !(end = strrchr(at, ')')) || r->splat.read_count == KLOG_HELD_MAX)
		return;
	r->splat.reads[r->splat.read_count++] =
		model__intern_n(r->log->lines.m, at + 6, (size_t)(end - at - 6));
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

static int frame_line(struct splat_reader *r, const char *text)
{
	struct frame frame;
	bool reliable;

	if (!klog_parse__frame(r->log->lines.m, text, &frame, &reliable)) {
		/* the backtrace ends the report; the next line belongs to something else */
		if (r->section == SECTION_BACKTRACE && r->splat.backtrace.count &&
		    !is_backtrace_noise(text))
			return finish(r);
		return 0;
	}
	if (!reliable)
		return 0;
	if (r->section == SECTION_CHAIN_STACK && r->splat.chain_count)
		klog_stack__add(&r->splat.chain[r->splat.chain_count - 1].stack, &frame);
	else if (r->section == SECTION_BACKTRACE)
		klog_stack__add(&r->splat.backtrace, &frame);
	else if (r->section == SECTION_UNLOCK_SITE && !r->splat.wanted.has_site) {
		r->splat.wanted.site = frame;
		r->splat.wanted.has_site = true;
		r->section = SECTION_NONE;
	}
	return 0;
}

/* Reports without a backtrace end where something else begins. */
static bool ends_report(const struct splat_reader *r, const char *text)
{
	if (!strncmp(text, "------------[ cut here", 22) || !strncmp(text, "INFO: task ", 11) ||
	    strstr(text, "Showing all locks held"))
		return true;
	return r->splat.kind == SPLAT_HELD && r->section == SECTION_HELD_LIST && *text != '#' &&
	       !strstr(text, "stack backtrace:");
}

int splat_reader__line(struct splat_reader *r, const struct klog_line *line)
{
	enum splat_kind kind;
	char release[128];

	if (find_banner(line->text, &kind))
		return start(r, kind, line);
	if (!r->active || !*line->text)
		return 0;
	/* another CPU printed in between */
	if (*r->context && *line->context && strcmp(r->context, line->context))
		return 0;
	if (ends_report(r, line->text))
		return finish(r);
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
	else
		return frame_line(r, line->text);
	return 0;
}

int splat_reader__end(struct splat_reader *r)
{
	return finish(r);
}
