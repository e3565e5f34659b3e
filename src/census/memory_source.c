// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The census of kernel memory that is walked from outside: an image, or /proc/kcore. The kernel's
 * own lists lead to its tasks and their files; stacks are unwound here (unwind.c).
 *
 * What is read may be anything: each walk has an end, lists must link back, and what is left out is
 * said (cut).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "census/memory_source.h"

#define MOST_TASKS (1U << 20)
#define STATE_UNINTERRUPTIBLE 2U
#define PIECE 16U /* words of a sleeper's stack at a time */

/* --- the list of tasks
 * ----------------------------------------------------------------------------------- */

static int add_task(struct memory_source *s, uint64_t task)
{
	struct memory_task *more;

	if (s->task_count == s->task_room) {
		s->task_room = s->task_room ? s->task_room * 2 : 1024;
		more = realloc(s->tasks, s->task_room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->tasks = more;
	}
	s->tasks[s->task_count++] = (struct memory_task){
		.address = task,
		.tid = memory_source__number(s, task, TASK_PID),
	};
	return 0;
}

/* Elements of a list, from its head on. A link that does not lead back ends it, and is said. */
static int walk(struct memory_source *s, uint64_t head, int member,
		int (*add)(struct memory_source *s, uint64_t object))
{
	struct {
		uint64_t next, prev;
	} node;
	uint64_t at = head, from;
	int err = memory__read(&s->base.memory, head, &node, sizeof(node)) ? -EFAULT : 0;

	while (!err && node.next != head) {
		if (s->task_count >= MOST_TASKS) {
			s->base.cut = "tasks after the first million; is the image damaged?";
			return 0;
		}
		from = at;
		at = node.next;
		if (memory__read(&s->base.memory, at, &node, sizeof(node)) || node.prev != from)
			err = -EFAULT;
		else
			err = add(s, at - (uint64_t)member);
	}
	if (err != -EFAULT)
		return err;
	s->base.cut =
		"tasks behind a link of a list that leads nowhere; is the image damaged or cut?";
	return 0;
}

static int add_process(struct memory_source *s, uint64_t leader)
{
	uint64_t signal = memory_source__word(s, leader, TASK_SIGNAL);

	if (!signal || s->place[TASK_THREAD_NODE] < 0 || s->place[SIGNAL_THREADS] < 0)
		return add_task(s, leader);
	return walk(s, signal + (uint64_t)s->place[SIGNAL_THREADS], s->place[TASK_THREAD_NODE],
		    add_task);
}

static int by_number(const void *a, const void *b)
{
	const struct memory_task *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* By number, as the kernel's iterators have them; those of an image once. */
static int list_tasks(struct memory_source *s)
{
	int err;

	if (s->base.is_image && s->tasks)
		return 0;
	s->task_count = 0;
	err = walk(s, s->init_task + (uint64_t)s->place[TASK_TASKS], s->place[TASK_TASKS],
		   add_process);
	if (s->task_count)
		qsort(s->tasks, s->task_count, sizeof(*s->tasks), by_number);
	return err;
}

/* --- one task
 * -------------------------------------------------------------------------------------------- */

/* An int, since 7.x a byte directly before on_rq. */
static uint32_t is_on_cpu(const struct memory_source *s, uint64_t task)
{
	uint32_t value = memory_source__number(s, task, TASK_ON_CPU);

	return s->place[TASK_ON_RQ] == s->place[TASK_ON_CPU] + 1 ? value & 0xff : value;
}

/* As bpf/census.bpf.c: the innermost return address into a lock's slow path. */
static uint32_t sleeps_in(const struct memory_source *s, uint64_t sp)
{
	const struct census_control *c = &s->base.control;
	uint64_t words[PIECE];

	for (uint32_t i = 0; i < CENSUS_SCAN_WORDS; i++) {
		uint64_t at;

		if (!(i % PIECE) &&
		    memory__read(&s->base.memory, sp + i * sizeof(uint64_t), words, sizeof(words)))
			break;
		at = (words[i % PIECE] - c->sched_start) >> CENSUS_GRANULE_SHIFT;
		if (at < CENSUS_GRANULES && c->sleep_at[at])
			return c->sleep_at[at];
	}
	return CENSUS_SLEEP_ELSEWHERE;
}

static void read_task(struct memory_source *s, uint64_t task, bool with_stack,
		      struct census_task_record *record, uint64_t *frames)
{
	uint64_t sp = memory_source__word(s, task, TASK_SP);

	*record = (struct census_task_record){
		.task = task,
		.start_time = memory_source__word(s, task, TASK_START),
		.exec_start = memory_source__word(s, task, TASK_EXEC_START),
		.switches = memory_source__word(s, task, TASK_NVCSW) +
			    memory_source__word(s, task, TASK_NIVCSW),
		.pid = memory_source__number(s, task, TASK_TGID),
		.tid = memory_source__number(s, task, TASK_PID),
		.state = memory_source__number(s, task, TASK_STATE),
		.flags = memory_source__number(s, task, TASK_FLAGS),
		.on_cpu = is_on_cpu(s, task),
	};
	if (s->place[TASK_COMM] >= 0)
		memory__read(&s->base.memory, task + (uint64_t)s->place[TASK_COMM], record->comm,
			     sizeof(record->comm));
	if (record->state && !record->on_cpu)
		record->sleep = sleeps_in(s, sp);
	/* of a task that runs, the registers are not in its memory */
	if (!record->on_cpu &&
	    (with_stack || record->sleep || (record->state & STATE_UNINTERRUPTIBLE)))
		record->frame_count =
			unwinder__walk(&s->unwinder, memory_source__word(s, task, TASK_STACK), sp,
				       frames, CENSUS_STACK);
}

static bool is_wanted(const uint64_t *wanted, uint32_t count, uint64_t task)
{
	for (uint32_t i = 0; i < count; i++)
		if (wanted[i] == task)
			return true;
	return false;
}

static int memory_tasks(struct census_source *base, const uint64_t *wanted, uint32_t wanted_count,
			bool all_stacks, census_task_function function, void *context)
{
	struct memory_source *s = (struct memory_source *)base;
	int err = list_tasks(s);

	for (uint32_t i = 0; i < s->task_count && !err; i++) {
		uint64_t frames[CENSUS_STACK];
		struct census_task_record record;

		if (wanted && !is_wanted(wanted, wanted_count, s->tasks[i].address))
			continue;
		read_task(s, s->tasks[i].address, wanted || all_stacks, &record, frames);
		err = function(context, &record, frames, NULL);
	}
	return err;
}

/* --- life cycle
 * --------------------------------------------------------------------------------------- */

static void close_memory(struct census_source *base)
{
	struct memory_source *s = (struct memory_source *)base;

	free(s->tasks);
	free(s);
}

static const struct census_source_type memory_type = {memory_tasks, memory_source__files,
						      close_memory};

struct census_source *census__source_of_memory(const struct census_memory *from, int *error)
{
	struct memory_source *s = calloc(1, sizeof(*s));

	*error = -ENOMEM;
	if (!s)
		return NULL;
	s->base.type = &memory_type;
	s->base.memory = *from->memory;
	s->base.is_image = from->is_image;
	s->base.missing = from->missing;
	s->init_task = kernel__symbol(from->kernel, "init_task");
	memory_source__find_places(s, from->kernel);
	census_source__init(&s->base, from->kernel);
	unwinder__init(&s->unwinder, from->kernel, &s->base.memory);
	s->base.taken_at = memory_source__clock(s, from->kernel, &s->base.taken_at_real);
	*error =
		s->init_task && s->place[TASK_TASKS] >= 0 && s->place[TASK_PID] >= 0 ? 0 : -ENOTSUP;
	if (!*error)
		return &s->base;
	close_memory(&s->base);
	return NULL;
}
