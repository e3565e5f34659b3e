// SPDX-License-Identifier: GPL-2.0-or-later
/* What all sources of the census look for, and the way from the contract to each of them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "census/source_private.h"
#include "util/clock.h"

/* Whoever waits is in one of these; the functions around them are often left by a tail call. */
static const char *const slow_path_names[] = {"__mutex_lock", "rwsem_down_read_slowpath",
					      "rwsem_down_write_slowpath"};
_Static_assert(sizeof(slow_path_names) / sizeof(*slow_path_names) == CENSUS_SLOW_PATHS,
	       "a flag for each");

/* --- what the iterators look for
 * ---------------------------------------------------------------------- */

/* release() tells what a file is: it is a text symbol, visible without KALLSYMS_ALL. */
static const struct {
	enum census_file_kind kind;
	const char *function;
} releases[] = {
	{CENSUS_FILE_VM, "kvm_vm_release"},
	{CENSUS_FILE_VCPU, "kvm_vcpu_release"},
	{CENSUS_FILE_KVM_DEVICE, "kvm_device_release"},
	{CENSUS_FILE_GROUP, "vfio_group_fops_release"},
	{CENSUS_FILE_DEVICE, "vfio_device_fops_release"},
	{CENSUS_FILE_CONTAINER, "vfio_fops_release"},
	{CENSUS_FILE_IOMMUFD, "iommufd_fops_release"},
};

/* Functions a task sleeps in when it waits for a lock. Suffixes of compilers are build-specific. */
static const struct {
	const char *function;
	enum census_sleep sleep;
} slow_paths[] = {
	{"rt_mutex_handle_deadlock", CENSUS_SLEEP_OTHER_LOCK},
	{"rt_mutex_handle_deadlock.part.0", CENSUS_SLEEP_OTHER_LOCK},
	{"__mutex_lock", CENSUS_SLEEP_MUTEX},
	{"__mutex_lock.constprop.0", CENSUS_SLEEP_MUTEX},
	{"__mutex_lock.isra.0", CENSUS_SLEEP_MUTEX},
	{"__mutex_lock_common", CENSUS_SLEEP_MUTEX},
	{"__ww_mutex_lock", CENSUS_SLEEP_MUTEX},
	{"__ww_mutex_lock.constprop.0", CENSUS_SLEEP_MUTEX},
	{"mutex_lock", CENSUS_SLEEP_MUTEX},
	{"mutex_lock_killable", CENSUS_SLEEP_MUTEX},
	{"mutex_lock_interruptible", CENSUS_SLEEP_MUTEX},
	{"rwsem_down_read_slowpath", CENSUS_SLEEP_RWSEM},
	{"rwsem_down_write_slowpath", CENSUS_SLEEP_RWSEM},
	{"rwsem_down_write_slowpath.isra.0", CENSUS_SLEEP_RWSEM},
	{"down_read", CENSUS_SLEEP_RWSEM},
	{"down_write", CENSUS_SLEEP_RWSEM},
	{"__rt_mutex_slowlock.constprop.0", CENSUS_SLEEP_OTHER_LOCK},
	{"__rt_mutex_slowlock_locked.constprop.0", CENSUS_SLEEP_OTHER_LOCK},
	{"rt_mutex_slowlock.constprop.0", CENSUS_SLEEP_OTHER_LOCK},
	{"rt_mutex_slowlock_block.constprop.0", CENSUS_SLEEP_OTHER_LOCK},
	{"rwbase_write_lock", CENSUS_SLEEP_OTHER_LOCK},
	{"__rwbase_read_lock", CENSUS_SLEEP_OTHER_LOCK},
	{"percpu_rwsem_wait", CENSUS_SLEEP_OTHER_LOCK},
};

#if defined(__x86_64__)
static const char saved_sp[] = "thread.sp";
#elif defined(__aarch64__)
static const char saved_sp[] = "thread.cpu_context.sp";
#else
static const char saved_sp[] = "thread.ksp";
#endif

/* No sizes in kallsyms: from the function to the next symbol, found by resolving further on. */
static uint64_t function_end(const struct kernel *k, uint64_t start)
{
	struct kernel_symbol first, at;
	uint32_t offset;

	if (!kernel__resolve(k, start, &first, &offset))
		return start + 256;
	for (uint64_t end = start + 64; end < start + 8192; end += 64)
		if (!kernel__resolve(k, end, &at, &offset) || at.address != first.address)
			return end - offset > start ? end - offset : end;
	return start + 8192;
}

static void note_marked(struct census_source *s, const char *function)
{
	for (size_t i = 0; i < CENSUS_SLOW_PATHS; i++)
		if (!strncmp(function, slow_path_names[i], strlen(slow_path_names[i])))
			s->is_marked[i] = true;
}

/* Functions that sleep lie close together in .sched.text; what lies elsewhere is not marked. */
static void mark_slow_paths(struct census_source *s, const struct kernel *k)
{
	struct census_control *c = &s->control;
	uint64_t anchor = kernel__symbol(k, "__schedule");

	if (!anchor)
		anchor = kernel__symbol(k, "schedule");
	c->sched_start = anchor - (CENSUS_GRANULES << CENSUS_GRANULE_SHIFT) / 2;
	for (size_t i = 0; anchor && i < sizeof(slow_paths) / sizeof(*slow_paths); i++) {
		uint64_t start = kernel__symbol(k, slow_paths[i].function);
		uint64_t end = start ? function_end(k, start) : 0;

		for (uint64_t at = start; at < end; at += 1 << CENSUS_GRANULE_SHIFT) {
			uint64_t granule = (at - c->sched_start) >> CENSUS_GRANULE_SHIFT;

			if (granule >= CENSUS_GRANULES)
				continue;
			c->sleep_at[granule] = (uint8_t)slow_paths[i].sleep;
			note_marked(s, slow_paths[i].function);
		}
	}
}

void census_source__init(struct census_source *s, const struct kernel *k)
{
	struct census_control *c = &s->control;

	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++)
		c->release[releases[i].kind] = kernel__symbol(k, releases[i].function);
	c->sp_offset = kernel__member_offset(k, "task_struct", saved_sp);
	mark_slow_paths(s, k);
}

const char *census_source__unmarked(const struct census_source *s)
{
	for (size_t i = 0; i < CENSUS_SLOW_PATHS; i++)
		if (!s->is_marked[i])
			return slow_path_names[i];
	return NULL;
}

/* --- the contract
 * ----------------------------------------------------------------------------------------- */

const struct memory *census_source__memory(const struct census_source *s)
{
	return &s->memory;
}

bool census_source__is_image(const struct census_source *s)
{
	return s->is_image;
}

uint64_t census_source__now(const struct census_source *s)
{
	return s->is_image ? s->taken_at : clock_mono_ns();
}

uint64_t census_source__wall_clock(const struct census_source *s)
{
	struct timespec real;

	if (s->is_image)
		return s->taken_at_real;
	clock_gettime(CLOCK_REALTIME, &real);
	return (uint64_t)real.tv_sec * 1000000000ULL + (uint64_t)real.tv_nsec;
}

int census_source__tasks(struct census_source *s, const uint64_t *wanted, uint32_t wanted_count,
			 census_task_function function, void *context)
{
	return s->type->tasks(s, wanted, wanted_count, false, function, context);
}

int census_source__all_stacks(struct census_source *s, census_task_function function, void *context)
{
	return s->type->tasks(s, NULL, 0, true, function, context);
}

int census_source__files(struct census_source *s, census_file_function function, void *context)
{
	return s->type->files(s, function, context);
}

const char *census_source__cut(const struct census_source *s)
{
	return s->cut;
}

const char *census_source__missing(const struct census_source *s)
{
	return s->missing;
}

void census_source__close(struct census_source *s)
{
	if (s)
		s->type->close(s);
}
