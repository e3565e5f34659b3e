/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log2.h - the bucket of a histogram.
 *
 * Without a branch: the verifier follows each side of one with a number of its own, and six in a
 * row are 64 paths through all that comes after.
 */
#ifndef VFIOTRACE_BPF_LOG2_H
#define VFIOTRACE_BPF_LOG2_H

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#endif

/* The position of the highest bit, 0 for 0. */
static __always_inline __u32 log2_floor(__u64 value)
{
	__u32 position = 0;

	for (int bits = 5; bits >= 0; bits--) {
		__u64 high = value >> (1 << bits);
		__u32 shift;

		high |= -high;	   /* the highest bit: not 0 */
		barrier_var(high); /* or the compiler makes a branch of it */
		shift = (high >> 63) << bits;
		value >>= shift;
		position += shift;
	}
	return position;
}

#endif
