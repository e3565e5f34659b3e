/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read_word.h - one word of kernel memory at an address that is only a number.
 *
 * Since 6.2 (a35b9af4ec2c) a program may take such a number for a pointer and load from it, at a
 * tenth of what bpf_probe_read_kernel costs; a load that faults gives 0. User space looks whether
 * this kernel has that (constants.direct_loads, capture/program_constants.c); where it does not,
 * the branch is dead code.
 *
 * The types stand for nothing but their size: struct rb_node (CAST_WORD) begins with a plain word,
 * struct pt_regs (CAST_WORDS) with more of them than site.h looks at, on every kernel and
 * architecture that has direct loads.
 */
#ifndef VFIOTRACE_BPF_READ_WORD_H
#define VFIOTRACE_BPF_READ_WORD_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "record.h"

/* Set by user space before loading. */
const volatile struct program_constants constants;

#ifdef __TARGET_ARCH_s390
/* Where there is no JIT, a program that so much as names a kernel function is refused. */
#define HAS_DIRECT_LOADS false
#define cast_words(address, type) ((const __u64 *)NULL)
#else
#define HAS_DIRECT_LOADS constants.direct_loads
#define KERNEL_CALL_0 0x2085 /* a call of the kernel function number 0, as libbpf leaves it */

/*
 * bpf_rdonly_cast(address, type). Function and type are numbers that differ from kernel to kernel;
 * for an extern function libbpf would read all of the kernel's BTF once for every object, so they
 * are filled in by user space, which has them (kernel/program_types.c: is_cast).
 */
static __always_inline const __u64 *cast_words(const void *address, const int type)
{
	const __u64 *words;

	asm volatile("r1 = %[address]\n"
		     "r2 = %[type]\n"
		     ".8byte %[call]\n"
		     "%[words] = r0"
		     : [words] "=r"(words)
		     : [address] "r"(address), [type] "i"(type), [call] "i"(KERNEL_CALL_0)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
	return words;
}
#endif

/* 0, or a negative errno with *out untouched. A direct load of what is not there reads as 0. */
static __always_inline int read_word(const void *address, __u64 *out)
{
	if (!HAS_DIRECT_LOADS)
		return bpf_probe_read_kernel(out, sizeof(*out), address);
	*out = *cast_words(address, CAST_WORD);
	return 0;
}

#endif
