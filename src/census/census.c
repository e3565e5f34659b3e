// SPDX-License-Identifier: GPL-2.0-or-later
/* The census: one look at everything, see census.h for what and census_private.h for the steps. */
#include "census.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "census/census_private.h"
#include "util/clock.h"

static char error_text[256];

const char *census__error(void)
{
	return error_text;
}

void census__note(struct census_run *r, const char *format, ...)
{
	struct census *out = r->out;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (out->note_count < sizeof(out->notes) / sizeof(*out->notes))
		out->notes[out->note_count++] = model__intern(r->model, text);
}

/* --- life cycle
 * ---------------------------------------------------------------------------------------------- */

static int open_source(struct census_run *r)
{
	int err = 0;

	r->source = r->options->source ? r->options->source : census_source__open(r->kernel, &err);
	if (!r->source) {
		snprintf(error_text, sizeof(error_text),
			 "cannot load the census programs: %s; needs root (CAP_BPF, CAP_PERFMON, "
			 "CAP_SYS_ADMIN), a kernel with BTF, and no lockdown=confidentiality",
			 strerror(-err));
		return err == -ENOMEM ? err : -ENOTSUP; /* whichever number the kernel gave */
	}
	r->memory = census_source__memory(r->source);
	census__find_offsets(r);
	err = lock_layout__init(&r->layout, r->kernel);
	if (err)
		snprintf(error_text, sizeof(error_text),
			 "this kernel's mutex or rwsem has no layout "
			 "that is known here");
	return err ? -ENOTSUP : 0;
}

static int run_steps(struct census_run *r)
{
	int err = census_source__tasks(r->source, NULL, 0, census__add_task, r);

	if (err)
		return err;
	census__check_sources(r);
	census__relate_clocks(r);
	err = census__find_objects(r);
	if (census_source__missing(r->source))
		census__gap(r, "%s", census_source__missing(r->source));
	if (census_source__cut(r->source))
		census__gap(r, "%s", census_source__cut(r->source));
	if (!err)
		err = census__find_waits(r);
	if (!err)
		err = census__read_locks(r);
	if (!err)
		err = census__look_closer(r);
	if (!err)
		err = census__build_graph(r);
	if (r->user_stacks > CENSUS_USER_STACKS)
		census__note(r, "user stacks were taken of the first %u tasks only",
			     CENSUS_USER_STACKS);
	return err || !r->options->stacks_of_blocked ? err : census__list_blocked(r);
}

static void set_clock(struct census_run *r, uint64_t start)
{
	uint64_t now = census_source__now(r->source), real = census_source__wall_clock(r->source);
	bool is_image = census_source__is_image(r->source);

	if (!is_image || real)
		*model__clock(r->model) = (struct model_clock){
			.realtime_offset = (int64_t)(real - now),
			.start = is_image ? now : start,
			.end = now,
			.has_time = true,
		};
}

struct census *census__run(const struct census_options *options, int *error)
{
	struct census *c = calloc(1, sizeof(*c));
	struct census_run *r = calloc(1, sizeof(*r));
	uint64_t start = clock_mono_ns();
	int err = -ENOMEM;

	error_text[0] = 0;
	if (!c || !r) {
		free(r);
		goto cleanup;
	}
	*r = (struct census_run){
		.copy = *options,
		.options = &r->copy,
		.kernel = options->kernel,
		.model = options->model,
		.out = c,
		.owns_source = !options->source,
	};
	c->run = r;
	err = open_source(r);
	if (!err)
		err = run_steps(r);
	c->duration_ns = clock_mono_ns() - start;
	if (!err && !census_source__is_image(r->source))
		c->now = clock_mono_ns();
	if (!err && !model__clock(r->model)->has_time)
		set_clock(r, start);
cleanup:
	*error = err;
	if (!err)
		return c;
	if (!error_text[0])
		snprintf(error_text, sizeof(error_text), "census: %s", strerror(-err));
	census__free(c);
	return NULL;
}

static int add_finding(struct finding_list *out, struct finding *f)
{
	struct finding **more;

	if (out->count == out->capacity) {
		uint32_t capacity = out->capacity ? out->capacity * 2 : 4;

		more = realloc(out->items, capacity * sizeof(*more));
		if (!more)
			return -ENOMEM;
		out->items = more;
		out->capacity = capacity;
	}
	out->items[out->count++] = f;
	return 0;
}

/* Of these candidates those that are confirmed. */
static int keep_confirmed(struct census *c, struct finding_list *all, struct finding_list *out)
{
	int err = 0, added = 0;

	for (uint32_t i = 0; i < all->count && err >= 0; i++) {
		if (!census__confirm(c->run, all->items[i]))
			continue;
		err = add_finding(out, all->items[i]);
		added += err >= 0;
	}
	free(all->items);
	return err < 0 ? err : added;
}

int census__find_deadlocks(struct census *c, struct finding_list *out, uint64_t now)
{
	struct finding_list all = {0};
	int err = waitfor__find_deadlocks(c->waitfor, &all, now);
	int added = keep_confirmed(c, &all, out);

	return err < 0 ? err : added;
}

int census__find_possible(struct census *c, struct finding_list *out, uint64_t now)
{
	struct finding_list all = {0};
	uint32_t before = out->count;
	int err = waitfor__find_possible(c->waitfor, &all, now);
	int added = keep_confirmed(c, &all, out);

	for (uint32_t i = before; i < out->count && err >= 0 && added >= 0; i++)
		err = census__prove_readers(c->run, out->items[i]);
	return err < 0 ? err : added;
}

static void free_run(struct census_run *r)
{
	struct census_task *t, *next_task;
	struct census_object *o, *next_object;
	struct census_known_lock *l, *next_lock;

	if (!r)
		return;
	HASH_ITER(hh, r->tasks, t, next_task) {
		HASH_DEL(r->tasks, t);
		free(t->frames);
		free(t);
	}
	HASH_ITER(hh, r->objects, o, next_object) {
		HASH_DEL(r->objects, o);
		free(o);
	}
	HASH_ITER(hh, r->locks, l, next_lock) {
		HASH_DEL(r->locks, l);
		lock_state__release(&l->state);
		free(l);
	}
	free(r->extra_waits);
	if (r->owns_source)
		census_source__close(r->source);
	free(r);
}

void census__free(struct census *c)
{
	if (!c)
		return;
	free_run(c->run);
	waitfor__free(c->waitfor);
	free(c->locks);
	free(c->opens);
	free(c->blocked_tasks);
	free(c->blocked_stacks);
	free(c->undecided);
	free(c);
}
