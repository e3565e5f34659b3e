/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * census_record.h - what bpf/census.bpf.c and user space share: the window through which kernel
 * memory is read, and the records of the task and file iterators.
 *
 * A task record is followed by frame_count stack words (innermost first), then reg_bytes bytes of
 * struct pt_regs.
 */
#ifndef VFIOTRACE_CENSUS_RECORD_H
#define VFIOTRACE_CENSUS_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define CENSUS_READS 128       /* per run of the program; power of two */
#define CENSUS_READ_BYTES 1024 /* per read; power of two */
#define CENSUS_STACK 48
#define CENSUS_REGS_BYTES 512 /* power of two; room for struct pt_regs of any architecture */
#define CENSUS_FILE_KINDS 8
#define CENSUS_GRANULES 8192U /* power of two; 16 bytes of .sched.text each */
#define CENSUS_GRANULE_SHIFT 4
#define CENSUS_SCAN_WORDS 128 /* of a sleeper's stack, searched for a lock's slow path */

struct census_read {
	__u64 address;
	__u32 length;
	__s32 error;
};

struct census_window {
	__u32 count;
	__u32 reserved;
	struct census_read read[CENSUS_READS];
	__u8 data[CENSUS_READS][CENSUS_READ_BYTES];
};

enum census_file_kind {
	CENSUS_FILE_NONE,
	CENSUS_FILE_VM,
	CENSUS_FILE_VCPU,
	CENSUS_FILE_KVM_DEVICE,
	CENSUS_FILE_GROUP,
	CENSUS_FILE_DEVICE,
	CENSUS_FILE_CONTAINER,
	CENSUS_FILE_IOMMUFD,
};

/* What a sleeper sleeps in, as far as return addresses on its stack tell. A hint, to be verified.
 */
enum census_sleep {
	CENSUS_SLEEP_ELSEWHERE,
	CENSUS_SLEEP_MUTEX,
	CENSUS_SLEEP_RWSEM,
	CENSUS_SLEEP_OTHER_LOCK,
};

/* Map `control`, one element. */
struct census_control {
	__u64 release[CENSUS_FILE_KINDS]; /* file_operations.release of each kind, 0 unknown */
	__u64 sched_start;		  /* where `sleep_at` begins */
	__u8 sleep_at[CENSUS_GRANULES];	  /* enum census_sleep of the function at that place */
	__s32 sp_offset;   /* of the saved stack pointer in task_struct, negative: unknown */
	__u32 wanted_only; /* tasks: only those in map `wanted`, with registers */
	__u32 all_stacks;  /* tasks: the stack of each */
};

struct census_file_record {
	__u64 task; /* the group leader */
	__u64 file;
	__u64 object; /* file->private_data */
	__u32 pid;
	__u32 fd;
	__u32 kind;
	__u32 reserved;
};

struct census_task_record {
	__u64 task;
	__u64 start_time;
	__u64 exec_start; /* sched clock when it last ran: close to when it fell asleep */
	__u64 switches;	  /* nvcsw + nivcsw: unchanged means it did not run */
	__u32 pid, tid;
	__u32 state; /* task_struct.__state */
	__u32 flags; /* PF_* */
	__u32 on_cpu;
	__u32 sleep; /* enum census_sleep */
	__u32 frame_count;
	__u32 reg_bytes;
	char comm[16];
};

#endif
