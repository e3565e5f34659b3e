/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h - a kernel that is known from its memory alone (kernel__open_image): its names, types and
 * modules are read from there, nothing from this machine.
 */
#ifndef VFIOTRACE_KERNEL_IMAGE_H
#define VFIOTRACE_KERNEL_IMAGE_H

#include "kernel/kernel_private.h"
#include "kernel_memory.h"

#define BUILD_ID_BYTES 20

struct image_module {
	uint64_t btf, btf_size;	       /* 0: it has none */
	uint64_t symbols;	       /* struct mod_kallsyms */
	uint64_t address, orc_ip, orc; /* struct module; its unwind tables */
	uint32_t orc_count;
	uint8_t build_id[BUILD_ID_BYTES];
};

struct kernel_origin {
	struct memory memory;
	const char *note; /* VMCOREINFO, the caller's */
	const char *symbols_path;
	struct image_module *modules;			     /* beside k->modules */
	uint64_t btf_start, btf_stop, module_list, btf_list; /* addresses of these names */
	const enum orc_register *orc_numbers; /* by the kernel's number; NULL: not asked */
	char *node;			      /* host name */
	const char *fault; /* why reading failed, in words; NULL: nothing to add */
};

void kernel_origin__free(struct kernel_origin *image); /* NULL: nothing */

/* A number of a line "SYMBOL(name)=ffff…" or "OFFSET(type.member)=…"; false: no such line. */
bool image_note__symbol(const char *note, const char *name, uint64_t *address);
bool image_note__offset(const char *note, const char *name, uint64_t *offset);
/* The rest of a line "NAME=…", "" if there is none. */
void image_note__text(const char *note, const char *name, char *out, size_t size);

/* image_symbols.c: the kernel's own kallsyms, then those of its modules. 0 or -errno. */
int image_symbols__read(struct kernel *k, struct symbol_table *t);
/* image_modules.c: the list of modules, into k->modules. 0 or -errno. */
int image_modules__read(struct kernel *k);
/* image_btf.c: NULL if there is none, or it is damaged. */
struct btf *image_btf__vmlinux(const struct kernel *k);
struct btf *image_btf__module(const struct kernel *k, const char *name, struct btf *base);
/* image_facts.c */
void image_facts__set(struct kernel *k, const struct fact_sink *out);

#endif
