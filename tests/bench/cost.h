/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cost.h - how often one run of a program of cost.bpf.c does what is measured. */
#ifndef VFIOTRACE_BENCH_COST_H
#define VFIOTRACE_BENCH_COST_H

#define BENCH_ROUNDS 64

#endif
