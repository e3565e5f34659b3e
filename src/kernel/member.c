// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks over struct members in BTF: offsets by name, and the name of the lock at an offset. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "kernel/kernel_private.h"

#define MAX_REMEMBERED 4096
#define MAX_DEPTH 16 /* nesting of structs and arrays; the kernel's deepest is about ten */

static const struct btf_type *strip(const struct btf *btf, uint32_t *id)
{
	const struct btf_type *type = btf__type_by_id(btf, *id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type))) {
		*id = type->type;
		type = btf__type_by_id(btf, *id);
	}
	return type;
}

/* Member `name` (one component), looked for in anonymous members too. Byte offset or -ENOENT. */
static int find_member(const struct btf *btf, uint32_t id, const char *name, size_t length,
		       uint32_t *member_type, int depth)
{
	const struct btf_type *type = strip(btf, &id);
	const struct btf_member *member;

	if (!type || !btf_is_composite(type) || depth > MAX_DEPTH)
		return -ENOENT;
	member = btf_members(type);
	for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
		const char *own = btf__name_by_offset(btf, member->name_off);
		int offset = (int)(btf_member_bit_offset(type, i) / 8), inner;

		if (strlen(own) == length && !memcmp(own, name, length) && length) {
			*member_type = member->type;
			return offset;
		}
		if (*own)
			continue;
		inner = find_member(btf, member->type, name, length, member_type, depth + 1);
		if (inner >= 0)
			return offset + inner;
	}
	return -ENOENT;
}

int kernel__member_offset(const struct kernel *k, const char *type, const char *member)
{
	const struct btf *btf;
	uint32_t id = kernel__find_type(k, type, &btf);
	int total = 0;

	if (!id)
		return -ENOENT;
	while (*member) {
		size_t length = strcspn(member, ".");
		uint32_t next = 0;
		int offset = find_member(btf, id, member, length, &next, 0);

		if (offset < 0)
			return offset;
		total += offset;
		id = next;
		member += length + (member[length] == '.');
	}
	return total;
}

bool kernel__has_struct(const struct kernel *k, const char *type)
{
	const struct btf *btf;

	return kernel__find_type(k, type, &btf) != 0;
}

bool kernel__has_member(const struct kernel *k, const char *type, const char *member)
{
	return kernel__member_offset(k, type, member) >= 0;
}

int kernel__struct_size(const struct kernel *k, const char *type)
{
	const struct btf *btf;
	uint32_t id = kernel__find_type(k, type, &btf);

	return id ? (int)btf__type_by_id(btf, id)->size : -ENOENT;
}

static bool is_lock_type(const char *name)
{
	static const char *const names[] = {
		"mutex",    "rw_semaphore", "percpu_rw_semaphore", "rt_mutex", "rt_mutex_base",
		"spinlock", "raw_spinlock", "semaphore",	   "ww_mutex", "rwbase_rt",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/*
 * Who waits for a rwsem on PREEMPT_RT waits for the rt_mutex inside of it. Any other address that
 * is not a lock's first byte is of another object, in the memory of one that is gone.
 */
static bool may_be_inside(const struct btf *btf, const struct btf_type *lock)
{
	const struct btf_member *first = btf_members(lock);

	return btf_vlen(lock) && (!strcmp(btf__name_by_offset(btf, first->name_off), "rwbase") ||
				  !strcmp(btf__name_by_offset(btf, first->name_off), "readers"));
}

/* Where the walk is: the innermost named struct and the member reached in it. */
struct place {
	const char *type;
	const char *member;
};

/*
 * A lock embedded in an embedded object is that object's: the mutex of the device inside
 * vfio_group is device.mutex, as for every other device. Anonymous structs belong to the one
 * around them.
 */
static bool walk(const struct btf *btf, uint32_t id, uint32_t offset, struct place *place,
		 int depth)
{
	const struct btf_type *type = strip(btf, &id);
	const struct btf_member *member;
	struct place saved = *place;
	const char *name;

	if (!type || depth > MAX_DEPTH)
		return false;
	if (btf_is_array(type)) {
		const struct btf_array *array = btf_array(type);
		long long size = btf__resolve_size(btf, array->type);

		return size > 0 && offset / (uint64_t)size < array->nelems &&
		       walk(btf, array->type, (uint32_t)(offset % (uint64_t)size), place,
			    depth + 1);
	}
	if (!btf_is_composite(type) || offset >= type->size)
		return false;
	name = btf__name_by_offset(btf, type->name_off);
	if (is_lock_type(name))
		return place->member && (!offset || may_be_inside(btf, type));
	member = btf_members(type);
	for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
		const char *own = btf__name_by_offset(btf, member->name_off);
		uint32_t start = btf_member_bit_offset(type, i) / 8;

		if (offset < start)
			continue;
		*place = saved;
		if (*name)
			place->type = name;
		if (*own)
			place->member = own;
		if (walk(btf, member->type, offset - start, place, depth + 1))
			return true;
	}
	*place = saved;
	return false;
}

/*
 * Several files of a module may define a type of that name (struct vfio is two): the answer counts
 * only if one of them has a lock there.
 */
static const char *look_up_member(const struct kernel *k, const char *type, uint32_t offset)
{
	const struct btf *btf;
	uint32_t id = kernel__find_type(k, type, &btf);
	struct place place, found = {0};

	for (; id; id = kernel__next_type(btf, type, id)) {
		place = (struct place){.type = type};
		if (!walk(btf, id, offset, &place, 0))
			continue;
		if (found.member)
			return NULL;
		found = place;
	}
	return found.member ? kernel__keepf(k, "%s.%s", found.type, found.member) : NULL;
}

/* Each lock of a VM is asked for with each VM, and a look-up walks over every type there is. */
struct member_name {
	UT_hash_handle hh;
	const char *name; /* NULL: no lock there */
	char key[];
};

const char *kernel__member_at(const struct kernel *k, const char *type, uint32_t offset)
{
	struct kernel *own = (struct kernel *)k; /* nothing a caller can see */
	struct member_name *known;
	char key[192];
	int length = snprintf(key, sizeof(key), "%s+%u", type, offset);

	if (length >= (int)sizeof(key))
		return look_up_member(k, type, offset);
	HASH_FIND(hh, own->member_names, key, (unsigned)length, known);
	if (known)
		return known->name;
	known = malloc(sizeof(*known) + (size_t)length + 1);
	if (!known)
		return look_up_member(k, type, offset);
	memcpy(known->key, key, (size_t)length + 1);
	known->name = look_up_member(k, type, offset);
	if (HASH_COUNT(own->member_names) >= MAX_REMEMBERED)
		member_names__clear(own);
	HASH_ADD(hh, own->member_names, key, (unsigned)length, known);
	return known->name;
}

void member_names__clear(struct kernel *k)
{
	struct member_name *known, *next;

	HASH_ITER(hh, k->member_names, known, next) {
		HASH_DEL(k->member_names, known);
		free(known);
	}
}
