/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_private.h - what the files of this room share.
 *
 * Everything that costs memory or time (BTF, symbols, the list of traceable functions) is read at
 * first use, so a command that needs one of them pays for that one only.
 */
#ifndef VFIOTRACE_KERNEL_PRIVATE_H
#define VFIOTRACE_KERNEL_PRIVATE_H

#include <stdlib.h>

#include <uthash.h>

#include "kernel.h"

struct kept_string {
	UT_hash_handle hh;
	char text[];
};

/* A module, whatever its state. */
struct module_place {
	const char *name;
	uint64_t address, size;
};

/* One row of kallsyms, 16 bytes: two hundred thousand of them are kept. */
struct symbol {
	uint64_t address;
	uint32_t name;	 /* offset into strings */
	uint16_t module; /* index into modules, 0: vmlinux */
	char type;
	uint8_t traceable;
};

struct symbol_table {
	struct symbol *rows; /* by address, aliases in the kernel's order */
	uint32_t count, capacity;
	char *strings;
	uint32_t strings_used, strings_capacity;
	const char **modules;	     /* of rows: index 0 is none, the kernel itself */
	struct module_place *places; /* of `modules`: where each was when this was read */
	uint32_t module_count;
	uint32_t *index; /* open addressing by name, row + 1 */
	uint32_t index_mask;
	bool loaded;
	bool hidden; /* kptr_restrict or missing CAP_SYSLOG: all addresses are 0 */
	bool has_data;
	bool traceable_loaded;
	uint64_t read_at, read_ns; /* CLOCK_MONOTONIC when it was read, and how long that took */
};

/* Of the symbols that were read, which are still true? See resolve.c. */
struct symbol_changes {
	bool is_suspected; /* kernel__modules_changed */
	bool is_compared;  /* `places` is what there is now */
	struct module_place *places;
	uint32_t place_count;
	struct symbol_table departed; /* of modules that went */
	char *old_strings;	      /* names that somebody may still be looking at */
};

/* A module as /proc/modules has it. */
struct module_row {
	const char *name;
	uint64_t address;
	uint64_t size;
	char taint[16];
};

enum module_btf_source { MODULE_BTF_NONE, MODULE_BTF_LOADED, MODULE_BTF_FILE };
struct btf_index;
struct module_btf {
	const char *name;
	struct btf *btf; /* NULL: looked for and not there */
	enum module_btf_source source;
	struct btf_index *index; /* of its own types; NULL: not needed yet */
	struct module_btf *next;
};

struct kernel_origin;
struct kernel {
	char *release, *version_text, *arch;
	char *btf_path;
	uint32_t version;
	struct kept_string *strings;
	struct member_name *member_names; /* type and offset: name, see member.c */

	struct btf *vmlinux;
	bool vmlinux_tried;
	struct btf_index *vmlinux_index;
	struct module_btf *module_btfs;

	struct module_row *modules;
	uint32_t module_count;

	struct symbol_table symbols;
	struct symbol_changes changes;
	int traceable_fd; /* tracefs' list, kept open: a service may not open it again; -1: not yet
			   */

	char *config; /* whole text, NULL if there is none */
	bool config_tried;

	void *dwfl; /* Dwfl */
	bool dwfl_tried;

	struct kernel_origin *image; /* NULL: the running one; else nothing is of this machine */

	int preemptible;  /* -1: not looked at yet */
	int fentry_error; /* 1: not tried yet, else 0 or -errno */
};

struct kernel *kernel__new(void); /* empty, for kernel__open and kernel__open_image */

/* Interned, lives as long as the kernel object. NULL only when memory is exhausted. */
const char *kernel__keep(const struct kernel *k, const char *text);
const char *kernel__keepf(const struct kernel *k, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Whole file, NUL-terminated; NULL with errno. */
char *read_whole(const char *path, size_t *length);
char *read_whole_fd(int fd, size_t *length); /* closes it; negative: NULL with errno from it */

static inline uint32_t name_hash(const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash ^ hash >> 15;
}

/* modules.c */
int modules__read(struct kernel *k, bool *changed);
/* What must not change while a list is read that the kernel gives in pieces, by position (kallsyms,
 * the traceable functions): a module that comes or goes would hide others. Waits a moment for those
 * on their way. */
uint64_t modules__fingerprint(void);
#define MODULES_READS 3 /* so often at most */
/* All modules, also those that come or go; NULL with count 0 where there are none. Caller frees. */
struct module_place *modules__places(const struct kernel *k, uint32_t *count);
const struct module_row *modules__find(const struct kernel *k, const char *name);
bool module_is_builtin(const struct kernel *k, const char *name);
/* Path of the module's file under /lib/modules, false if this kernel has none. */
bool module_file(const struct kernel *k, const char *name, char *path, size_t size);
/* The raw .BTF of a module's file, compressed or not; caller frees. */
void *module_file_btf(const char *path, uint32_t *size);

/*
 * fixes.c: whether the absence of a symbol would be noticed: BTF lists functions, also static ones,
 * but no data; kallsyms lists data on most kernels, but only what is loaded.
 */
bool kernel__would_see(struct kernel *k, const char *module, bool is_function);

/* btf.c */
const struct module_btf *kernel__module_btf(const struct kernel *k, const char *name,
					    bool from_file);
/* STRUCT, UNION (or FUNC with is_function) by name; id, and the BTF it is in. 0: not found. */
uint32_t kernel__find_type(const struct kernel *k, const char *name, const struct btf **btf);
/* Struct, union, enum or typedef of vmlinux, of that name and after `after`; 0: no more. */
uint32_t kernel__next_named(const struct kernel *k, const char *name, uint32_t after);
/* The same in a loaded module, the first; 0: none has it. */
uint32_t kernel__find_module_type(const struct kernel *k, const char *name, const struct btf **btf);
/* The next struct of that name after `id`; 0 when there is none. */
uint32_t kernel__next_type(const struct btf *btf, const char *name, uint32_t id);
/* Function in BTF of loaded modules or of the module's file. */
bool kernel__function_known(const struct kernel *k, const char *function);
uint32_t kernel__vmlinux_function(const struct kernel *k, const char *name); /* 0: none */
/* Types of a module, counted on from `base`; NULL: damaged. */
struct btf *btf__from_bytes(const void *data, uint32_t size, struct btf *base);
void btf__refresh(struct kernel *k);
void btf__close(struct kernel *k);
void member_names__clear(struct kernel *k); /* a module was loaded or unloaded */
void btf__shrink(struct kernel *k);	    /* the index by name is rebuilt on demand */

/* btf_subset.c: to the file, a BTF of the kernel's types that `names` has types of the name of, and
 * of what those are made of. 0 or -errno. */
int btf_subset__write(const struct kernel *k, const struct btf *names, int fd);

/* symbols.c */
int symbols__load(const struct kernel *k);
int symbols__read(const struct kernel *k, struct symbol_table *out); /* sorted and indexed */
int symbols__add(const struct kernel *k, struct symbol_table *t, const struct symbol *row,
		 const char *name, const char *module);
void symbols__sort(struct symbol_table *t);
/* The last row at or below the address, the first of its aliases. */
const struct symbol *symbols__below(const struct symbol_table *t, uint64_t address);
/* One more row, unless nobody asks for such names; module NULL: vmlinux. 0 or -errno. */
int symbols__put(const struct kernel *k, struct symbol_table *t, uint64_t address, char type,
		 const char *name, const char *module);
/* Rows as /proc/kallsyms has them; closes it; negative: that is the error. 0 or -errno. */
int symbols__read_fd(const struct kernel *k, struct symbol_table *t, int fd);
void symbols__free(struct symbol_table *t);
void symbols__shrink(struct symbol_table *t); /* the same */
/* Rows of one name, one after the other; NULL after the last. */
struct symbol *symbols__next(const struct symbol_table *t, const char *name,
			     const struct symbol *after);
bool symbols__hidden(const struct kernel *k);
bool symbols__has_data(const struct kernel *k);

/* resolve.c: reads the symbols again; what modules that went had stays known. -errno: as before. */
int symbols__renew(struct kernel *k);
void symbol_changes__shrink(struct symbol_changes *changes);
void symbol_changes__free(struct symbol_changes *changes);

/* pseudo_fs.c: a file of such a file system, also where it is not mounted (nothing stays mounted).
 */
int pseudo_fs__open(const char *type, const char *place, const char *name);

/* try_fentry.c: load and attach an empty program for a moment. 0 or -errno. */
int kernel__try_fentry(struct kernel *k);

bool config__known(const struct kernel *k); /* a configuration could be read */
void frames__close(struct kernel *k);
bool frames__have_debug_info(const struct kernel *k);

#endif
