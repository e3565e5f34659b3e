/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program_types.h - this kernel's types for libbpf, from the index that is here already.
 *
 * By itself libbpf reads the kernel's BTF (4 MB, 150,000 types) once for every object, walks over
 * all of it for each name that a program mentions, and reads the BTF of every module for those it
 * does not find: half the time from start to attached. Between begin and end it is given a BTF of
 * the few hundred types it asks for, the type id of each function a program attaches to, and those
 * of the casts of bpf/read_word.h.
 *
 *	struct program_types types;
 *	LIBBPF_OPTS(bpf_object_open_opts, options);
 *
 *	program_types__begin(&types, kernel);
 *	options.btf_custom_path = types.path;
 *	object = bpf_object__open_mem(..., &options);
 *	error = program_types__fill(&types, object);	// before bpf_object__load
 *	...
 *	program_types__end(&types);			// after it
 *
 * One at a time, from one thread. Where the BTF is not the running kernel's own (--btf), path is
 * NULL and libbpf does all of it as it always did.
 */
#ifndef VFIOTRACE_KERNEL_PROGRAM_TYPES_H
#define VFIOTRACE_KERNEL_PROGRAM_TYPES_H

#include <stdbool.h>

struct bpf_object;
struct kernel;

struct program_types {
	const struct kernel *kernel;
	const char *path; /* NULL: not in use */
	char text[40];
	int fd;
};

void program_types__begin(struct program_types *t, const struct kernel *kernel);
/* 0 or -errno. */
int program_types__fill(struct program_types *t, const struct bpf_object *object);
void program_types__end(struct program_types *t);

/* Are the casts of bpf/read_word.h filled in? Without that no program may use them. */
bool program_types__in_use(const struct kernel *kernel);

#endif
