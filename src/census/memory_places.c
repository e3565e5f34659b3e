// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the kernel keeps what a walk from outside needs: its tasks, their files, the time. */
#include "census/memory_source.h"

static const struct {
	const char *type, *member;
} names[MEMORY_PLACES] = {
	[TASK_TASKS] = {"task_struct", "tasks"},
	[TASK_SIGNAL] = {"task_struct", "signal"},
	[TASK_THREAD_NODE] = {"task_struct", "thread_node"},
	[SIGNAL_THREADS] = {"signal_struct", "thread_head"},
	[TASK_LEADER] = {"task_struct", "group_leader"},
	[TASK_PID] = {"task_struct", "pid"},
	[TASK_TGID] = {"task_struct", "tgid"},
	[TASK_FLAGS] = {"task_struct", "flags"},
	[TASK_START] = {"task_struct", "start_time"},
	[TASK_EXEC_START] = {"task_struct", "se.exec_start"},
	[TASK_NVCSW] = {"task_struct", "nvcsw"},
	[TASK_NIVCSW] = {"task_struct", "nivcsw"},
	[TASK_ON_CPU] = {"task_struct", "on_cpu"},
	[TASK_ON_RQ] = {"task_struct", "on_rq"},
	[TASK_STATE] = {"task_struct", "__state"},
	[TASK_COMM] = {"task_struct", "comm"},
	[TASK_SP] = {"task_struct", MEMBER_STACK_POINTER},
	[TASK_STACK] = {"task_struct", "stack"},
	[TASK_FILES] = {"task_struct", "files"},
	[FILES_TABLE] = {"files_struct", "fdt"},
	[TABLE_COUNT] = {"fdtable", "max_fds"},
	[TABLE_FILES] = {"fdtable", "fd"},
	[FILE_OPERATIONS] = {"file", "f_op"},
	[FILE_PRIVATE] = {"file", "private_data"},
	[OPERATIONS_RELEASE] = {"file_operations", "release"},
};

void memory_source__find_places(struct memory_source *s, const struct kernel *k)
{
	for (int i = 0; i < MEMORY_PLACES; i++)
		s->place[i] = kernel__member_offset(k, names[i].type, names[i].member);
}

uint64_t memory_source__word(const struct memory_source *s, uint64_t object, enum memory_place at)
{
	uint64_t value = 0;

	if (object && s->place[at] >= 0)
		memory__u64(&s->base.memory, object + (uint64_t)s->place[at], &value);
	return value;
}

uint32_t memory_source__number(const struct memory_source *s, uint64_t object, enum memory_place at)
{
	uint32_t value = 0;

	if (object && s->place[at] >= 0)
		memory__u32(&s->base.memory, object + (uint64_t)s->place[at], &value);
	return value;
}

/* --- the time
 * -------------------------------------------------------------------------------------------- */

#define SECOND 1000000000ULL
#define FIRST_SECOND 946684800ULL /* the year 2000: no host has an earlier clock */
#define LAST_SECOND 4102444800ULL /* 2100 */

/* struct timekeeper lies behind a sequence counter, since 6.13 in struct tk_data, since 6.17 in an
 * array of these; the first is the system's. */
static uint64_t timekeeper(const struct kernel *k)
{
	uint64_t core = kernel__symbol(k, "tk_core");
	int within = kernel__member_offset(k, "tk_data", "timekeeper");

	if (!core)
		core = kernel__symbol(k, "timekeeper_data");
	return core ? core + (within < 0 ? 8 : (uint64_t)within) : 0;
}

static uint64_t part(const struct memory_source *s, const struct kernel *k, uint64_t keeper,
		     const char *member)
{
	int offset = kernel__member_offset(k, "timekeeper", member);
	uint64_t value = 0;

	if (offset >= 0)
		memory__u64(&s->base.memory, keeper + (uint64_t)offset, &value);
	return value;
}

uint64_t memory_source__clock(const struct memory_source *s, const struct kernel *k, uint64_t *real)
{
	uint64_t keeper = timekeeper(k), seconds, to_mono, fraction, own;

	*real = 0;
	if (!keeper)
		return 0;
	seconds = part(s, k, keeper, "xtime_sec");
	to_mono = part(s, k, keeper, "wall_to_monotonic.tv_sec"); /* negative */
	fraction = part(s, k, keeper, "wall_to_monotonic.tv_nsec");
	own = part(s, k, keeper, "tkr_mono.xtime_nsec") >>
	      (part(s, k, keeper, "tkr_mono.shift") & 31);
	if (seconds < FIRST_SECOND || seconds > LAST_SECOND || fraction >= SECOND ||
	    own >= 2 * SECOND || seconds + to_mono > LAST_SECOND)
		return 0;
	*real = seconds * SECOND + own; /* at the last tick */
	return (seconds + to_mono) * SECOND + fraction + own;
}
