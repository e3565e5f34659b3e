/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h - what is known of the running kernel: release, config, BTF of vmlinux and modules,
 * kallsyms, symbolisation, capabilities, features, known fixes.
 *
 * Life cycle: kernel__open once, kernel__refresh after a module was loaded, kernel__close.
 * Units: addresses as the kernel has them. Errors: -errno; missing pieces are features with a
 * state, never a failure of the whole.
 */
#ifndef VFIOTRACE_KERNEL_H
#define VFIOTRACE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "rules.h"

struct btf;
struct kernel;
struct memory;

struct kernel *kernel__open(const char *btf_path); /* NULL: the running kernel's own */
/*
 * A kernel that does not run here: names, types and modules are read from its memory, and nothing
 * from this machine. NULL: *error, and `why` in words with the remedy, without the image's name.
 */
struct kernel_image {
	const struct memory *memory; /* lives as long as the kernel object; so does the note */
	const char *note;	     /* VMCOREINFO */
	const char *btf_path;	     /* instead of its own types; NULL */
	const char *symbols_path;    /* instead of its own names: kallsyms or System.map; NULL */
};
struct kernel *kernel__open_image(const struct kernel_image *from, char *why, size_t why_size,
				  int *error);
void kernel__close(struct kernel *k);
int kernel__refresh(struct kernel *k); /* new modules: BTF and symbols */
/*
 * A module came or went: rows of kallsyms that belong to modules may be another's by now. They are
 * read again when an address among modules is resolved next. What went keeps its names for a while,
 * for the records that are still on their way.
 */
void kernel__modules_changed(struct kernel *k);
void kernel__shrink(struct kernel *k); /* gives memory back that is filled again when needed */

const char *kernel__release(const struct kernel *k);
const char *kernel__arch(const struct kernel *k);
uint32_t kernel__version(const struct kernel *k); /* kernel_version__parse form */

/* --- BTF ----------------------------------------------------------------------------------------
 */
bool kernel__has_btf(const struct kernel *k);
const struct btf *kernel__btf(const struct kernel *k, const char *module); /* NULL: vmlinux */
bool kernel__has_struct(const struct kernel *k, const char *type);
bool kernel__has_member(const struct kernel *k, const char *type, const char *member);
/* Byte offset of type.member (dotted path allowed), -ENOENT if absent. */
int kernel__member_offset(const struct kernel *k, const char *type, const char *member);
int kernel__struct_size(const struct kernel *k, const char *type);
/* FUNC in vmlinux or module BTF, as its type id there; `module` out: NULL for vmlinux. 0: none. */
uint32_t kernel__btf_function(const struct kernel *k, const char *function, const char **module);
bool kernel__has_tracepoint(const struct kernel *k, const char *name);
bool kernel__has_btf_function(const struct kernel *k, const char *function, const char **module);
/* Type id, in vmlinux, of the prototype that a tp_btf program of this tracepoint names. 0: none. */
uint32_t kernel__btf_tracepoint(const struct kernel *k, const char *name);
/* Type ids are those of the running kernel (not of a file given in its place). */
bool kernel__btf_is_own(const struct kernel *k);
/* Name the lock at `offset` inside `type`: "kvm.lock", nested structs walked. NULL if none. */
const char *kernel__member_at(const struct kernel *k, const char *type, uint32_t offset);

/* --- symbols -------------------------------------------------------------------------------------
 */
struct kernel_symbol {
	uint64_t address;
	const char *name;
	const char *module; /* NULL: vmlinux */
	char type;	    /* as in kallsyms */
};
uint64_t kernel__symbol(const struct kernel *k, const char *name); /* 0 absent or hidden */
uint32_t kernel__symbols(const struct kernel *k, const char *name, uint64_t *out, uint32_t max);
/* Nearest symbol at or below `address`; false if none. Data symbols only with KALLSYMS_ALL. */
bool kernel__resolve(const struct kernel *k, uint64_t address, struct kernel_symbol *out,
		     uint32_t *offset);
void kernel__fill_frame(struct kernel *k, uint64_t ip, struct frame *out); /* file:line if known */
/* In kallsyms, also where addresses are hidden. */
bool kernel__has_symbol(const struct kernel *k, const char *name);
/* Without reading the list of 50,000: false when there is no such function, or no list. */
bool kernel__may_be_traceable(const struct kernel *k, const char *function);
bool kernel__is_traceable(const struct kernel *k, const char *function); /* available_filter_… */
void kernel__drop_traceable(struct kernel *k); /* the list is read again when it is asked for */

/*
 * x86_64, of an image: how to get from a frame at `ip` to its caller's (as asm/orc_types.h says).
 * Offsets are in bytes from that register. False: the code there is not known.
 */
enum orc_type { ORC_UNKNOWN, ORC_END, ORC_CALL, ORC_REGISTERS, ORC_SOME_REGISTERS };
enum orc_register {
	ORC_NONE, /* or one that a sleeping task does not keep */
	ORC_CALLERS_SP,
	ORC_SP,
	ORC_BP,
	ORC_AT_SP, /* in the word there */
	ORC_AT_BP,
};
struct kernel_orc {
	enum orc_type type;
	enum orc_register sp_from, bp_from;
	int16_t sp_offset, bp_offset;
};
bool kernel__orc(const struct kernel *k, uint64_t ip, struct kernel_orc *out);

/* --- features, privileges, fixes
 * -------------------------------------------------------------------- */
enum feature_state { FEATURE_YES, FEATURE_NO, FEATURE_UNKNOWN };
struct feature {
	const char *name;
	enum feature_state state;
	const char *needed_for;
	const char *remedy;
};
uint32_t kernel__features(struct kernel *k, struct feature *out, uint32_t max);
/* A task may lose its CPU while it is in the kernel. Where that cannot be told: true. */
bool kernel__is_preemptible(struct kernel *k);
/* Programs may read kernel memory without a helper. Tried by loading one: needs CAP_BPF. */
bool kernel__try_direct_loads(struct kernel *k);
const char *kernel__config(const struct kernel *k, const char *option); /* "y", "m", NULL */
bool kernel__module_loaded(const struct kernel *k, const char *module); /* built in counts */

/* Bytes after a function's start that a call at its entry returns to: ENDBR and the call itself. */
#define KERNEL_ENTRY_BYTES 16
/*
 * A stack without our own program, the BPF trampolines, and the second frame that a trampoline
 * which calls the original function leaves ("kvm_device_release+0x6e, trampoline,
 * kvm_device_release+0x5"). Returns what is left of `count`.
 */
uint32_t kernel__clean_frames(struct frame *frames, uint32_t count);

enum fix_state { FIX_PRESENT, FIX_MISSING, FIX_UNKNOWN };
struct fix {
	const struct catalogue_row *row;
	enum fix_state state;
	char evidence[128];
};
uint32_t kernel__fixes(struct kernel *k, struct fix *out, uint32_t max);
/* Is there such a function here? FIX_UNKNOWN: its module (NULL: vmlinux) is not loaded, or what
 * would tell is hidden. */
enum fix_state kernel__has_function(struct kernel *k, const char *function, const char *module);
/* Their states as facts "fix.COMMIT", which findings and recordings carry. */
void kernel__fix_facts(struct kernel *k, const struct fact_sink *out);

/* Facts for recordings: command line, CPU, modules with build ids, taint, livepatches. */
void kernel__facts(struct kernel *k, const struct fact_sink *out);
/* "vfio.driver.NAME": module, for each driver that has given a device of this host to VFIO. Also a
 * part of kernel__facts; devices come and go. */
void kernel__vfio_driver_facts(const struct fact_sink *out);

#endif
