/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - what crosses from the BPF programs to user space.
 *
 * Purpose: fixed-width records in the ring buffer `records`, and the layout of the maps both sides
 * touch. Included by bpf/ (after vmlinux.h) and by src/capture (after <stdint.h>, through the
 * types below), so it includes nothing itself.
 *
 * Invariants: every record starts with struct record_header. Addresses are kernel addresses.
 * Times are CLOCK_MONOTONIC ns, taken in the kernel. A stack that could not be taken has 0 frames
 * and raises the counter COUNT_LOST_STACK. Sizes are multiples of 8.
 */
#ifndef VFIOTRACE_RECORD_H
#define VFIOTRACE_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define RECORD_STACK_DEPTH 40
#define RECORD_MAX_HELD 32 /* power of two; more is an overflow, counted */
#define RECORD_COMM 16
#define RECORD_NAME 32

enum record_type {
	RECORD_CHAIN = 1,  /* first occurrence of a chain, whole held set */
	RECORD_TASK_CHAIN, /* first occurrence of (task, chain), no stacks */
	RECORD_SITE,	   /* first occurrence of (site, lock) in scope: one full stack */
	RECORD_OBJECT,	   /* first occurrence of a VM, group, device … */
	RECORD_PATH,	   /* a path ran */
	RECORD_RECURSION,  /* a blocking acquire of a lock its task already holds */
	RECORD_EVENT,	   /* --record-events, --holds */
	/* 32..63 belong to contention_record.h (deadlocks, stalls) */
	RECORD_CONTENTION_FIRST = 32,
};

struct record_header {
	__u32 type;
	__u32 cpu;
	__u64 mono;
	__u64 task;	  /* task_struct address */
	__u64 start_time; /* tells a reused tid apart */
	__u32 pid, tid;	  /* tgid, pid in kernel words */
	char comm[RECORD_COMM];
};

/* Kinds and flags of a lock in a held set. */
enum record_lock_kind {
	RECORD_MUTEX = 1,
	RECORD_RWSEM,
	RECORD_PERCPU,	/* cpu_hotplug_lock, percpu_down_write: no owner word */
	RECORD_SPIN,	/* inferred leaf only */
	RECORD_LOCKDEP, /* a lockdep_map: its name is in record_slab.cache */
	RECORD_FAULT,	/* wanted only: mmap_lock, by a page fault of the kernel */
};
enum record_lock_flags {
	RECORD_SHARED = 1,
	RECORD_TRY = 2,
	RECORD_BREAKABLE = 4, /* killable or interruptible attempt */
	RECORD_INFERRED = 8,
	RECORD_INTERESTING = 16, /* in the interest set */
	RECORD_EMITTED = 32,	 /* its acquisition is in the event stream */
	RECORD_CHECKED = 64,	 /* interest was looked up */
	RECORD_RT = 128,	 /* reader count is a PREEMPT_RT rwbase */
};

struct record_lock {
	__u64 lock;
	__u64 site; /* return address of the acquire call; 0 unknown */
	__u64 time; /* of the push; 0 unless --holds */
	__u32 generation;
	__u8 kind, flags;
	__u16 user_place; /* RECORD_PERCPU: where the task came from, bpf/percpu_rwsem.h */
};

/* How an address that is in no known object may still be named. */
struct record_slab {
	char cache[RECORD_NAME]; /* "" unknown */
	__u32 offset;		 /* of the lock in its slab object */
	__u32 reserved;
};

struct record_chain {
	struct record_header header;
	__u64 key;
	__u64 mm;    /* current->mm, to name mmap_lock */
	__u32 scope; /* enum record_scope the task was in, 0 none */
	__u32 held_count;
	__u32 frame_count;
	__u32 reserved;
	__u64 frames[RECORD_STACK_DEPTH]; /* innermost first, our own frames included */
	struct record_lock wanted;
	struct record_lock held[RECORD_MAX_HELD];     /* outermost first */
	struct record_slab slab[RECORD_MAX_HELD + 1]; /* the last is wanted's */
};

struct record_task_chain {
	struct record_header header;
	__u64 key;
	__u32 aggregated; /* stands for every thread of (pid, comm) */
	__u32 reserved;
};

struct record_site {
	struct record_header header;
	__u64 lock, site;
	__u32 generation;
	__u32 frame_count;
	__u64 frames[RECORD_STACK_DEPTH];
};

struct record_recursion {
	struct record_header header;
	struct record_lock held, wanted;
	__u64 mm;
	__u32 scope;
	__u32 frame_count;
	__u64 frames[RECORD_STACK_DEPTH];
	struct record_slab slab;
};

enum record_object_kind {
	RECORD_OBJECT_KVM = 1,
	RECORD_OBJECT_GROUP,
	RECORD_OBJECT_DEVICE,
	RECORD_OBJECT_DEVICE_SET,
	RECORD_OBJECT_CONTAINER,
	RECORD_OBJECT_IOMMU, /* struct vfio_iommu of a container */
	RECORD_OBJECT_KVM_VFIO,
	RECORD_OBJECT_VCPU,
	RECORD_OBJECT_DEVICE_FILE,
	RECORD_OBJECT_IOMMU_GROUP,
	RECORD_OBJECT_FREED, /* the object known at this address was freed */
};

struct record_object {
	struct record_header header;
	__u64 address;
	__u64 parent; /* device: group; kvm_vfio, vcpu: kvm; group: iommu_group */
	__u64 second; /* device: device set; group: container; container: iommu */
	__u64 ops;    /* device: vfio_device.ops */
	__u64 open;   /* device: its driver's ops->open_device, 0 none */
	__u32 kind;
	__u32 number; /* IOMMU group, vcpu id */
	__s32 pid;    /* VM: userspace pid */
	__u32 reserved;
	char name[RECORD_NAME]; /* device name "0000:65:00.0", group "vfio/12" */
	char driver[RECORD_NAME];
};

/* Where a task is: set at entry of an anchor, cleared at its exit. */
enum record_scope {
	SCOPE_NONE,
	SCOPE_GROUP_IOCTL,
	SCOPE_GROUP_FILE, /* open, release */
	SCOPE_DEVICE_IOCTL,
	SCOPE_DEVICE_RELEASE,
	SCOPE_CONTAINER,
	SCOPE_KVM_DEV_IOCTL,
	SCOPE_VM_IOCTL,
	SCOPE_VM_RELEASE,
	SCOPE_VCPU_IOCTL,
	SCOPE_VCPU_RELEASE,
	SCOPE_KVM_DEVICE_IOCTL,
	SCOPE_KVM_DEVICE_RELEASE,
	SCOPE_VM_DESTROY,
	SCOPE_COUNT,
};

/* Same order as enum path_id of model.h. */
struct record_path {
	struct record_header header;
	__u32 path;
	__s32 result;
	__u64 group, device, kvm; /* addresses or 0 */
	__u64 kvm_ref_lock;	  /* address of the leaf lock, 0 none */
	__u8 how;		  /* enum path_how of model.h */
	__u8 kvm_returned;	  /* 0 NULL, 1 referenced, 2 unknown */
	__u8 get_put;		  /* 1: this run is a get, 2: a put */
	__u8 is_inner; /* open: the device was open before, close: it still is; no driver ran */
	__u8 reserved[4];
};

/* Numbers are those of enum event_op in model.h. */
struct record_event {
	struct record_header header;
	struct record_lock lock;
	__u64 peer; /* fork: new task's tid */
	__u32 op;
	__u32 reserved;
};

/* --- counters ----------------------------------------------------------------------------------
 */

/* Per-CPU array `counters`: success beside failure. */
enum counter {
	COUNT_ACQUIRE,
	COUNT_NESTED,
	COUNT_CHAIN_KNOWN,
	COUNT_CHAIN_NEW,
	COUNT_TASK_CHAIN,
	COUNT_TASK_CHAIN_LIMITED, /* not sent: rate limit or aggregation; no loss of an edge */
	COUNT_SITE,
	COUNT_PATH_LIMITED,
	COUNT_LOST_STORAGE,
	COUNT_LOST_RING,
	COUNT_LOST_OVERFLOW,
	COUNT_LOST_STACK,
	COUNT_LOST_MAP,
	COUNT_LOST_INTEREST, /* interest set full */
	COUNT_LOST_READ,
	COUNT_DROPPED_ENTRY, /* did not look like a lock any more */
	COUNT_EVENT,
	COUNT_BACKUP_DID, /* the backup program did what the main one had not */
	COUNT_MAIN_LEFT,  /* the main program found that the backup had done it */
	COUNTERS,
};

/* --- shared state, map `shared` (one element, mmapable)
 * -------------------------------------------- */

#define INTEREST_WORDS 4096 /* bits: a quick "certainly not interesting" */
struct shared_state {
	__u32 ready; /* the gate: nothing is recorded before it opens */
	__u32 scope_all;
	__u32 holds;
	__u32 record_events;
	__u32 shed;				  /* enum shed bits */
	__u32 self_pid;				  /* the tool's own process is not traced */
	__u64 group_fops;			  /* address of vfio_group_fops, learned */
	__u64 page_offset_symbol, vmemmap_symbol; /* x86-64: their addresses, 0 when hidden */
	__u64 cpu_hotplug_lock;		  /* its address; a number of our own where it is hidden */
	__u64 per_cpu_offset, nr_cpu_ids; /* addresses of these variables, 0 when hidden */
	__u64 all_locks;		  /* address of mm_all_locks_mutex, 0 when hidden */
	__u64 module_changes;		  /* modules loaded and freed */
	__u64 clock; /* CLOCK_MONOTONIC as user space last wrote it: costs the hot path nothing */
	__u64 limit_second, limit_used; /* rate limit of (task, chain) records */
	__u64 path_second, path_used;
	__u64 interest_bits[INTEREST_WORDS];
};

/* Maps `hold_times`, `wait_times`: durations per lock and acquire site. */
#define DURATION_BUCKETS 48 /* bucket i: [2^i, 2^(i+1)) ns */
struct duration_key {
	__u64 lock, site;
	__u32 generation;
	__u32 reserved;
};
struct duration_value {
	__u64 count, total, max;
	__u32 bucket[DURATION_BUCKETS];
};

/* What the programs must know of this kernel when they are loaded. */
struct program_constants {
	/* the open path has no function of its own before 6.6 (05f37e1c03b6): the ioctl counts */
	__u8 open_by_ioctl;
	/* likewise closing: the device file's release counts */
	__u8 close_by_release;
	/* kernel memory is read without a helper (bpf/read_word.h) */
	__u8 direct_loads;
	/* the hot functions carry a backup program (bpf/backup_program.h) */
	__u8 has_backup;
};

/* The types that bpf/read_word.h casts to; user space puts their ids in the place of these. */
enum { CAST_WORD = 1, CAST_WORDS, CAST_TYPES };

/* The hash both sides use for interest_bits. */
static inline __attribute__((always_inline)) __u64 interest_hash(__u64 hash, __u64 value)
{
	hash ^= value;
	hash *= 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 29);
}

/* Map `interest`: lock address -> */
struct interest_value {
	__u32 generation;
	__u32 object; /* enum record_object_kind, and INTEREST_OFFSET_SHIFT up the lock's offset in
			 it */
};

#define INTEREST_OFFSET_SHIFT 8

/* Map `chains`: chain key -> */
struct chain_value {
	__u64 count;
	__u64 last;
	__u32 tasks;
	__u32 sent; /* the record went out; 0: ring was full, try again */
};

#endif
