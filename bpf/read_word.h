/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read_word.h - one word of kernel memory at an address that is only a number.
 *
 * Since 6.2 (a35b9af4ec2c) a program may take such a number for a pointer and load from it: a load
 * that faults gives 0, and a tenth of what bpf_probe_read_kernel costs is gone. User space looks
 * whether this kernel has that (constants.direct_loads, capture/programs.c); where it does not, the
 * branch is dead code and the call in it is never resolved.
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

extern void *bpf_rdonly_cast(const void *address, __u32 btf_id) __ksym __weak;

/* 0, or a negative errno with *out untouched. A direct load of what is not there reads as 0. */
static __always_inline int read_word(const void *address, __u64 *out)
{
	if (!constants.direct_loads)
		return bpf_probe_read_kernel(out, sizeof(*out), address);
	*out = *(__u64 *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(struct rb_node));
	return 0;
}

#endif
