// SPDX-License-Identifier: GPL-2.0-or-later
/* Load the census programs, run them, hand out what they write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "census/source.h"
#include "census.skel.h"
#include "kernel/program_types.h"

#define ITERATOR_BUFFER 65536

/* Whoever waits is in one of these; the functions around them are often left by a tail call. */
static const char *const slow_path_names[] = {"__mutex_lock", "rwsem_down_read_slowpath",
					      "rwsem_down_write_slowpath"};
#define SLOW_PATHS (sizeof(slow_path_names) / sizeof(*slow_path_names))

struct census_source {
	struct census_bpf *bpf;
	struct census_window *window;
	struct census_control control;
	struct memory memory;
	int read_fd;
	bool is_marked[SLOW_PATHS]; /* by these a waiter is known */
};

/* --- memory
 * ----------------------------------------------------------------------------------------- */

static int read_window(void *context, uint64_t address, void *out, uint32_t length)
{
	struct census_source *s = context;
	LIBBPF_OPTS(bpf_test_run_opts, options);
	uint8_t *to = out;
	uint32_t n = 0;

	if (length > CENSUS_READS * CENSUS_READ_BYTES)
		return -E2BIG;
	for (uint32_t done = 0; done < length; done += CENSUS_READ_BYTES, n++) {
		s->window->read[n].address = address + done;
		s->window->read[n].length =
			length - done < CENSUS_READ_BYTES ? length - done : CENSUS_READ_BYTES;
		s->window->read[n].error = -EIO;
	}
	s->window->count = n;
	if (bpf_prog_test_run_opts(s->read_fd, &options))
		return -errno;
	for (uint32_t i = 0; i < n; i++) {
		if (s->window->read[i].error)
			return s->window->read[i].error;
		memcpy(to + (size_t)i * CENSUS_READ_BYTES, s->window->data[i],
		       s->window->read[i].length);
	}
	return 0;
}

const struct memory *census_source__memory(const struct census_source *s)
{
	return &s->memory;
}

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
	for (size_t i = 0; i < SLOW_PATHS; i++)
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

static void fill_control(struct census_source *s, const struct kernel *k)
{
	struct census_control *c = &s->control;

	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++)
		c->release[releases[i].kind] = kernel__symbol(k, releases[i].function);
	c->sp_offset = kernel__member_offset(k, "task_struct", saved_sp);
	mark_slow_paths(s, k);
}

static int put_control(struct census_source *s)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(s->bpf->maps.control), &zero, &s->control, BPF_ANY);
}

/* --- life cycle
 * --------------------------------------------------------------------------------------- */

static int load_programs(struct census_source *s, const struct kernel *k)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	struct program_types types;
	int err;

	program_types__begin(&types, k);
	options.btf_custom_path = types.path;
	s->bpf = census_bpf__open_opts(&options);
	err = s->bpf ? program_types__fill(&types, s->bpf->obj) : -errno;
	if (!err)
		err = census_bpf__load(s->bpf);
	program_types__end(&types);
	return err;
}

struct census_source *census_source__open(const struct kernel *k, int *error)
{
	struct census_source *s = calloc(1, sizeof(*s));
	void *window;
	int err;

	if (!s) {
		*error = -ENOMEM;
		return NULL;
	}
	err = load_programs(s, k);
	if (err)
		goto cleanup;
	s->read_fd = bpf_program__fd(s->bpf->progs.read_memory);
	window = mmap(NULL, sizeof(*s->window), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(s->bpf->maps.window), 0);
	if (window == MAP_FAILED) {
		err = -errno;
		goto cleanup;
	}
	s->window = window;
	s->memory = (struct memory){read_window, s};
	fill_control(s, k);
	err = put_control(s) ? -errno : 0;
cleanup:
	*error = err;
	if (!err)
		return s;
	census_source__close(s);
	return NULL;
}

void census_source__close(struct census_source *s)
{
	if (!s)
		return;
	if (s->window)
		munmap(s->window, sizeof(*s->window));
	census_bpf__destroy(s->bpf);
	free(s);
}

const char *census_source__unmarked(const struct census_source *s)
{
	for (size_t i = 0; i < SLOW_PATHS; i++)
		if (!s->is_marked[i])
			return slow_path_names[i];
	return NULL;
}

/* --- iterators
 * ----------------------------------------------------------------------------------------- */

/* Everything an iterator program writes; the caller frees it. */
static int run_iterator(struct bpf_program *program, char **out, size_t *size)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	size_t room = 0, used = 0;
	char *data = NULL;
	int fd = -1, err = 0;
	ssize_t got;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
		goto cleanup;
	}
	do {
		if (room - used < ITERATOR_BUFFER) {
			char *more = realloc(data, room = room * 2 + ITERATOR_BUFFER);

			if (!more) {
				err = -ENOMEM;
				goto cleanup;
			}
			data = more;
		}
		got = read(fd, data + used, room - used);
		if (got > 0)
			used += (size_t)got;
	} while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
	if (got < 0)
		err = -errno;
cleanup:
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	if (err)
		free(data);
	*out = err ? NULL : data;
	*size = err ? 0 : used;
	return err;
}

static int set_wanted(struct census_source *s, const uint64_t *wanted, uint32_t count)
{
	int fd = bpf_map__fd(s->bpf->maps.wanted);
	uint8_t one = 1;
	uint64_t key, next;

	for (bool more = !bpf_map_get_next_key(fd, NULL, &key); more; key = next) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		bpf_map_delete_elem(fd, &key);
	}
	for (uint32_t i = 0; i < count; i++)
		if (bpf_map_update_elem(fd, &wanted[i], &one, BPF_ANY))
			return -errno;
	s->control.wanted_only = wanted != NULL;
	return put_control(s) ? -errno : 0;
}

int census_source__tasks(struct census_source *s, const uint64_t *wanted, uint32_t wanted_count,
			 census_task_function function, void *context)
{
	char *data = NULL;
	size_t size = 0, at = 0;
	int err = set_wanted(s, wanted, wanted_count);

	if (!err || err == -E2BIG) /* more than fit: those get their stacks, the rest none */
		err = run_iterator(s->bpf->progs.tasks, &data, &size);
	while (!err && at + sizeof(struct census_task_record) <= size) {
		struct census_task_record record;
		uint64_t frames[CENSUS_STACK];
		uint8_t regs[CENSUS_REGS_BYTES] __attribute__((aligned(16)));

		memcpy(&record, data + at, sizeof(record));
		at += sizeof(record);
		if (record.frame_count > CENSUS_STACK || record.reg_bytes > CENSUS_REGS_BYTES ||
		    at + record.frame_count * 8 + record.reg_bytes > size) {
			err = -EBADMSG;
			break;
		}
		memcpy(frames, data + at, record.frame_count * 8);
		at += record.frame_count * 8;
		memcpy(regs, data + at, record.reg_bytes);
		at += record.reg_bytes;
		err = function(context, &record, frames, record.reg_bytes ? regs : NULL);
	}
	free(data);
	return err;
}

int census_source__all_stacks(struct census_source *s, census_task_function function, void *context)
{
	int err;

	s->control.all_stacks = true;
	err = census_source__tasks(s, NULL, 0, function, context);
	s->control.all_stacks = false;
	return err;
}

int census_source__files(struct census_source *s, census_file_function function, void *context)
{
	char *data = NULL;
	size_t size = 0;
	int err = run_iterator(s->bpf->progs.files, &data, &size);

	for (size_t at = 0; !err && at + sizeof(struct census_file_record) <= size;
	     at += sizeof(struct census_file_record)) {
		struct census_file_record record;

		memcpy(&record, data + at, sizeof(record));
		err = function(context, &record);
	}
	free(data);
	return err;
}
