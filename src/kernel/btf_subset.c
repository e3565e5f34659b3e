// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A BTF of the kernel's types that an object names, and of what they are made of. What a pointer
 * points to is left out: relocations go through one pointer at a time, each from a named type.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kernel/kernel_private.h"

/* A module's types count on from the kernel's. */
struct source {
	const struct btf *btf;
	uint32_t first; /* the first type of its own */
	uint32_t *made; /* type id there - first: type id here, 0: not yet */
	struct source *next;
};

struct subset {
	const struct kernel *kernel;
	struct btf *out;
	struct source *sources;
	int error;
};

static struct source *source_of(struct subset *s, const struct btf *btf, uint32_t first)
{
	struct source *source = s->sources;

	while (source && source->btf != btf)
		source = source->next;
	if (source)
		return source;
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	*source = (struct source){.btf = btf, .first = first, .next = s->sources};
	source->made = calloc(btf__type_cnt(btf) - first, sizeof(*source->made));
	if (!source->made) {
		free(source);
		return NULL;
	}
	return s->sources = source;
}

static uint32_t *place_of(struct subset *s, const struct btf *btf, uint32_t id)
{
	const struct btf *vmlinux = kernel__btf(s->kernel, NULL);
	uint32_t shared = btf__type_cnt(vmlinux);
	bool is_module = id >= shared;
	struct source *source = source_of(s, is_module ? btf : vmlinux, is_module ? shared : 0);

	return source ? &source->made[id - source->first] : NULL;
}

static uint32_t copy(struct subset *s, const struct btf *btf, uint32_t id);

/* The copy moves whenever a type is added, so it is looked up again for every word. */
static struct btf_type *made_type(const struct subset *s, uint32_t id)
{
	return (struct btf_type *)btf__type_by_id(s->out, id);
}

static void copy_parts(struct subset *s, const struct btf *btf, const struct btf_type *type,
		       uint32_t made)
{
	if (btf_is_ptr(type)) {
		made_type(s, made)->type = 0;
	} else if (btf_is_mod(type) || btf_is_typedef(type)) {
		uint32_t of = copy(s, btf, type->type);

		made_type(s, made)->type = of;
	} else if (btf_is_array(type)) {
		uint32_t of = copy(s, btf, btf_array(type)->type);
		uint32_t by = copy(s, btf, btf_array(type)->index_type);

		btf_array(made_type(s, made))->type = of;
		btf_array(made_type(s, made))->index_type = by;
	} else if (btf_is_composite(type)) {
		for (uint32_t i = 0; i < btf_vlen(type); i++) {
			uint32_t of = copy(s, btf, btf_members(type)[i].type);

			btf_members(made_type(s, made))[i].type = of;
		}
	}
}

/* Type id of the copy, 0 for void and after an error. The kernel checked that nothing holds itself.
 */
static uint32_t copy(struct subset *s, const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	uint32_t *place;
	int made;

	if (!id || !type || s->error)
		return 0;
	place = place_of(s, btf, id);
	if (place && *place)
		return *place;
	made = place ? btf__add_type(s->out, btf, type) : -ENOMEM;
	if (made < 0) {
		s->error = made;
		return 0;
	}
	*place = (uint32_t)made;
	copy_parts(s, btf, type, (uint32_t)made);
	return (uint32_t)made;
}

/* "mutex___rt" stands for mutex, as libbpf has it. */
static void essential_name(const char *name, char *out, size_t size)
{
	size_t length = strlen(name);

	for (size_t i = length; i-- > 1;) {
		const char *at = name + i - 1;

		if (at[0] != '_' && !strncmp(at + 1, "___", 3) && at[4] && at[4] != '_') {
			length = i;
			break;
		}
	}
	snprintf(out, size, "%.*s", (int)length, name);
}

static void copy_named(struct subset *s, const char *name)
{
	const struct btf *btf = kernel__btf(s->kernel, NULL);
	uint32_t id = 0, found = 0;

	while ((id = kernel__next_named(s->kernel, name, id))) {
		copy(s, btf, id);
		found = id;
	}
	if (found)
		return;
	id = kernel__find_module_type(s->kernel, name, &btf);
	if (id)
		copy(s, btf, id);
}

static void copy_all(struct subset *s, const struct btf *names)
{
	for (uint32_t id = 1; id < btf__type_cnt(names) && !s->error; id++) {
		const struct btf_type *type = btf__type_by_id(names, id);
		char name[128];

		if (!btf_is_composite(type) && !btf_is_any_enum(type) && !btf_is_typedef(type))
			continue;
		essential_name(btf__name_by_offset(names, type->name_off), name, sizeof(name));
		if (*name)
			copy_named(s, name);
	}
}

/* In the place of what was there: an object may be opened again without a program of it. */
static int write_all(int fd, const char *data, size_t size)
{
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while (size) {
		ssize_t written = write(fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		data += written;
		size -= (size_t)written;
	}
	return 0;
}

static void free_sources(struct subset *s)
{
	struct source *source;

	while ((source = s->sources)) {
		s->sources = source->next;
		free(source->made);
		free(source);
	}
}

int btf_subset__write(const struct kernel *k, const struct btf *names, int fd)
{
	struct subset s = {.kernel = k, .out = btf__new_empty()};
	const void *data = NULL;
	uint32_t size = 0;

	if (!names || libbpf_get_error(s.out))
		return -ENOMEM;
	copy_all(&s, names);
	if (!s.error)
		data = btf__raw_data(s.out, &size);
	if (!s.error)
		s.error = data ? write_all(fd, data, size) : -ENOMEM;
	free_sources(&s);
	btf__free(s.out);
	return s.error;
}
