// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waits whose blocker nobody can name. The owner word of an rwsem that is read names only who came
 * last, semaphores and per-CPU rwsems name nobody, and of some waits it is not even known which
 * lock they are for. Such a wait may close a cycle that cannot be seen. Most are over in a moment:
 * those that stand still for a second are reported.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "census/census_private.h"
#include "util/clock.h"

#define STILL_NS 1000000000ULL
#define PAUSE_NS 20000000L
#define MOST 256U /* looked at again and again */

/* --- which function a sleeper called
 * -------------------------------------------------------------------------------------- */

/*
 * Stack walks leave out the functions of .sched.text, so the innermost frame is the return address
 * of the call into one of them, and the call before it says which.
 */
static uint64_t called_function(const struct census_run *r, uint64_t return_address)
{
	int32_t distance = 0;
#if defined(__x86_64__)
	uint8_t code[5] = {0}; /* call rel32 */

	if (memory__read(r->memory, return_address - 5, code, sizeof(code)) || code[0] != 0xe8)
		return 0;
	memcpy(&distance, code + 1, sizeof(distance));
	return return_address + (uint64_t)(int64_t)distance;
#elif defined(__aarch64__)
	uint32_t code = 0; /* bl imm26 */

	if (memory__u32(r->memory, return_address - 4, &code) || code >> 26 != 0x25)
		return 0;
	distance = (int32_t)(code << 6) >> 4;
	return return_address - 4 + (uint64_t)(int64_t)distance;
#elif defined(__s390x__)
	uint8_t code[6] = {0}; /* brasl rel32, in half words */

	if (memory__read(r->memory, return_address - 6, code, sizeof(code)) || code[0] != 0xc0 ||
	    (code[1] & 15) != 5)
		return 0;
	memcpy(&distance, code + 2, sizeof(distance));
	return return_address - 6 + (uint64_t)((int64_t)distance * 2);
#else
	(void)r, (void)return_address, (void)distance;
	return 0;
#endif
}

static bool is_scheduler(const char *name)
{
	return strstr(name, "schedule") || !strncmp(name, "preempt_", 8) ||
	       !strncmp(name, "__switch_to", 11);
}

/* NULL: none of the functions of locks, as far as can be reported. */
static const char *lock_function_of(const struct census_run *r, const struct census_task *t)
{
	struct kernel_symbol symbol;
	uint32_t offset;
	uint64_t at[] = {t->frame_count ? called_function(r, t->frames[0]) : 0,
			 t->frame_count ? t->frames[0] : 0}; /* some are not in .sched.text */

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		if (at[i] && kernel__resolve(r->kernel, at[i], &symbol, &offset) &&
		    !is_scheduler(symbol.name) &&
		    (census__is_lock_function(symbol.name) || !strcmp(symbol.name, "down")))
			return symbol.name;
	return NULL;
}

/* --- candidates
 * ------------------------------------------------------------------------------ */

static bool has_certain_owner(const struct waitfor *w, uint32_t instance)
{
	for (uint32_t i = 0; i < waitfor__owner_count(w); i++)
		if (waitfor__owner(w, i)->instance == instance && waitfor__owner(w, i)->certain)
			return true;
	return false;
}

/* A reader waits for the writer that is queued before it, and that one is reported itself. */
static bool waits_behind_writer(const struct waitfor *w, const struct waitfor_wait *wait)
{
	for (uint32_t i = 0; wait->mode == LOCK_SHARED && i < waitfor__wait_count(w); i++)
		if (waitfor__wait(w, i)->instance == wait->instance &&
		    waitfor__wait(w, i)->mode == LOCK_EXCLUSIVE)
			return true;
	return false;
}

static int add(struct census *c, const struct census_undecided *row)
{
	struct census_undecided *more;

	if (c->undecided_count == MOST) {
		census__gap(c->run, "more than %u waits without an owner that has a name", MOST);
		return 0;
	}
	if (!(c->undecided_count & (c->undecided_count - 1))) {
		more = realloc(c->undecided,
			       (c->undecided_count ? c->undecided_count * 2 : 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		c->undecided = more;
	}
	c->undecided[c->undecided_count++] = *row;
	return 0;
}

static int add_waits(struct census *c)
{
	const struct waitfor *w = c->waitfor;
	int err = 0;

	for (uint32_t i = 0; i < waitfor__wait_count(w) && !err; i++) {
		const struct waitfor_wait *wait = waitfor__wait(w, i);

		if (has_certain_owner(w, wait->instance) || waits_behind_writer(w, wait))
			continue;
		err = add(c, &(struct census_undecided){.task = wait->task,
							.instance = wait->instance,
							.last_reader = NO_ID,
							.kernel_stack = wait->kernel_stack});
	}
	return err;
}

static int add_unknown(struct census *c)
{
	struct census_run *r = c->run;
	int err = 0;

	for (struct census_task *t = r->tasks; t && !err; t = t->hh.next) {
		char letter = census__state_letter(t->record.state);
		const char *function;

		if (t->is_waiter || (letter != 'D' && letter != 'K'))
			continue;
		function = lock_function_of(r, t);
		if (!function)
			continue;
		census__name_stack(r, t);
		err = add(c, &(struct census_undecided){.task = census__task_id(r, t),
							.instance = NO_ID,
							.last_reader = NO_ID,
							.kernel_stack = t->kernel_stack,
							.function =
								model__intern(r->model, function)});
	}
	return err;
}

/* --- do they stand still?
 * ------------------------------------------------------------------------- */

/* Its lock still has nobody who can be named; fills in the readers. */
static bool still_unknown(struct census_run *r, struct census_undecided *row,
			  const struct census_task *t)
{
	const struct census_known_lock *lock = census__lock_of_instance(r, row->instance);
	struct census_task *last;
	struct lock_state state;
	bool waits;

	if (!lock)
		return row->instance == NO_ID;
	if (lock_state__read(&state, r->memory, &r->layout, lock->kind, lock->address))
		return false;
	waits = census__is_extra_wait(r, t->address, lock->address);
	for (uint32_t i = 0; i < state.waiter_count && !waits; i++)
		waits = state.waiters[i].task == t->address;
	lock_state__release(&state);
	row->readers = state.readers;
	last = state.readers ? census__task(r, state.last_reader) : NULL;
	row->last_reader = last ? census__task_id(r, last) : NO_ID;
	return waits && !(state.certain && census__task(r, state.owner));
}

static void drop_found(struct census *c, const struct finding_list *findings)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->undecided_count; i++) {
		bool found = false;

		for (uint32_t f = 0; f < findings->count; f++)
			for (uint32_t k = 0; k < findings->items[f]->task_count; k++)
				found |= findings->items[f]->tasks[k].task == c->undecided[i].task;
		if (!found)
			c->undecided[kept++] = c->undecided[i];
	}
	c->undecided_count = kept;
}

/* An image is of one moment: what slept for long enough by then stood still. */
static bool slept_long(const struct census_run *r, const struct census_task *t)
{
	uint64_t since = census__asleep_since(r, t);

	return !since || r->out->now < since || r->out->now - since >= STILL_NS;
}

static void drop_moved(struct census *c)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->undecided_count; i++) {
		const struct census_task *t = census__task_of_id(c->run, c->undecided[i].task);

		if (t && !census__ran_since(c->run, t) &&
		    (!census_source__is_image(c->run->source) || slept_long(c->run, t)) &&
		    still_unknown(c->run, &c->undecided[i], t))
			c->undecided[kept++] = c->undecided[i];
	}
	c->undecided_count = kept;
}

int census__find_undecided(struct census *c, const struct finding_list *findings,
			   bool (*stop)(void))
{
	const struct timespec pause = {0, PAUSE_NS};
	uint64_t end = clock_mono_ns() + STILL_NS;
	int err = add_waits(c);

	if (!err)
		err = add_unknown(c);
	drop_found(c, findings);
	drop_moved(c);
	while (!err && c->undecided_count && !census_source__is_image(c->run->source) && !stop() &&
	       clock_mono_ns() < end) {
		nanosleep(&pause, NULL);
		drop_moved(c);
	}
	return err;
}
