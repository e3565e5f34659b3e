/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read_word.h - one word of kernel memory at an address that is only a number.
 *
 * Since 6.2 (a35b9af4ec2c) a program may take such a number for a pointer and load from it, at a
 * tenth of what bpf_probe_read_kernel costs; a load that faults gives 0. User space looks whether
 * this kernel has that (constants.direct_loads, capture/program_constants.c); where it does not,
 * the branch is dead code.
 *
 * The type stands for nothing but its size: struct rb_node begins with a plain word, struct pt_regs
 * with more of them than site.h looks at, on every kernel and architecture that has direct loads.
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
#define direct_words(address, type) ((const __u64 *)NULL)
#else
extern void *bpf_rdonly_cast(const void *address, __u32 btf_id) __ksym __weak;

#define HAS_DIRECT_LOADS constants.direct_loads
#define direct_words(address, type)                                                                \
	((const __u64 *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(type)))
#endif

/* 0, or a negative errno with *out untouched. A direct load of what is not there reads as 0. */
static __always_inline int read_word(const void *address, __u64 *out)
{
	if (!HAS_DIRECT_LOADS)
		return bpf_probe_read_kernel(out, sizeof(*out), address);
	*out = *direct_words(address, struct rb_node);
	return 0;
}

#endif
