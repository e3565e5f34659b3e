// SPDX-License-Identifier: GPL-2.0-or-later
/* Load the census programs, run them, hand out what they write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "census/source_private.h"
#include "census.skel.h"
#include "kernel/program_types.h"

#define ITERATOR_BUFFER 65536

struct bpf_source {
	struct census_source base; /* first: the two are the same address */
	struct census_bpf *bpf;
	struct census_window *window;
	int read_fd;
};

/* --- memory
 * ----------------------------------------------------------------------------------------- */

static int read_window(void *context, uint64_t address, void *out, uint32_t length)
{
	struct bpf_source *s = context;
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

static int put_control(struct bpf_source *s)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(s->bpf->maps.control), &zero, &s->base.control,
				   BPF_ANY);
}

/* --- life cycle
 * --------------------------------------------------------------------------------------- */

static int load_programs(struct bpf_source *s, const struct kernel *k)
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

static void close_bpf(struct census_source *base)
{
	struct bpf_source *s = (struct bpf_source *)base;

	if (s->window)
		munmap(s->window, sizeof(*s->window));
	census_bpf__destroy(s->bpf);
	free(s);
}

static int open_bpf(struct bpf_source *s, const struct kernel *k)
{
	int err = load_programs(s, k);
	void *window;

	if (err)
		return err;
	s->read_fd = bpf_program__fd(s->bpf->progs.read_memory);
	window = mmap(NULL, sizeof(*s->window), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(s->bpf->maps.window), 0);
	if (window == MAP_FAILED)
		return -errno;
	s->window = window;
	s->base.memory = (struct memory){read_window, s};
	census_source__init(&s->base, k);
	return put_control(s) ? -errno : 0;
}

static const struct census_source_type bpf_type;

struct census_source *census_source__open(const struct kernel *k, int *error)
{
	struct bpf_source *s = calloc(1, sizeof(*s));

	*error = -ENOMEM;
	if (!s)
		return NULL;
	s->base.type = &bpf_type;
	*error = open_bpf(s, k);
	if (!*error)
		return &s->base;
	close_bpf(&s->base);
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

static int set_wanted(struct bpf_source *s, const uint64_t *wanted, uint32_t count)
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
	s->base.control.wanted_only = wanted != NULL;
	return put_control(s) ? -errno : 0;
}

static int bpf_tasks(struct census_source *base, const uint64_t *wanted, uint32_t wanted_count,
		     bool all_stacks, census_task_function function, void *context)
{
	struct bpf_source *s = (struct bpf_source *)base;
	char *data = NULL;
	size_t size = 0, at = 0;
	int err;

	base->control.all_stacks = all_stacks;
	err = set_wanted(s, wanted, wanted_count);
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

static int bpf_files(struct census_source *base, census_file_function function, void *context)
{
	struct bpf_source *s = (struct bpf_source *)base;
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

static const struct census_source_type bpf_type = {bpf_tasks, bpf_files, close_bpf};
