/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock_events.h - the kernel's lock tracepoints, whoever printed them, as events of the model.
 *
 * lock:lock_acquire fires before the lock is taken (a successful trylock: after), so it is a
 * request that the task's next event turns into an acquisition; what is left over at the end and
 * was contended is a wait that never ended. lock:contention_* alone say who waits for which
 * address and for how long, not what is held: they give wait times and pending waits, no order.
 *
 * Life cycle: new, add in order of time, end, free.
 */
#ifndef VFIOTRACE_IMPORT_LOCK_EVENTS_H
#define VFIOTRACE_IMPORT_LOCK_EVENTS_H

#include "import/klog_parse.h"
#include "import/lines.h"

enum lock_event_type {
	LOCK_EVENT_ACQUIRE,
	LOCK_EVENT_ACQUIRED,
	LOCK_EVENT_RELEASE,
	LOCK_EVENT_CONTENDED,
	LOCK_EVENT_BEGIN, /* contention_begin */
	LOCK_EVENT_END,
};

struct lock_event {
	enum lock_event_type type;
	uint64_t time;
	uint32_t pid, tid, cpu;
	char comm[KLOG_COMM_MAX];
	char context; /* 'h' hardirq, 's' softirq, 0 task */
	uint64_t address;
	char name[256]; /* lockdep's name; empty for contention events */
	bool is_try, is_read, is_mutex, is_percpu, is_rt, is_spin;
};

struct lock_stream;
struct lock_stream *lock_stream__new(struct model *m);
void lock_stream__free(struct lock_stream *s);
int lock_stream__add(struct lock_stream *s, const struct lock_event *event,
		     const struct klog_stack *stack);
/* Events were lost: what tasks hold is no longer known. */
int lock_stream__cut(struct lock_stream *s);
int lock_stream__end(struct lock_stream *s);
/* Tasks that still wait at the end, in words: "qemu/4712 waits for lock of f() in f+0x1 [m]". */
void lock_stream__each_waiting(const struct lock_stream *s,
			       void (*say)(void *context, const char *text), void *context);

#endif
