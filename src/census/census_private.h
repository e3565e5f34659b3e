/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * census_private.h - what the pieces of the census share while it runs.
 *
 * census.c runs the steps: tasks, files, objects (objects.c), locks of blocked tasks
 * (waits.c), names of locks (names.c), the wait-for graph, confirmation
 * (confirm.c).
 */
#ifndef VFIOTRACE_CENSUS_PRIVATE_H
#define VFIOTRACE_CENSUS_PRIVATE_H

#include <uthash.h>

#include "census/source.h"
#include "census/lock_word.h"
#include "census.h"

struct census_task {
	uint64_t address;
	struct census_task_record record;
	uint64_t *frames; /* innermost first */
	uint32_t frame_count;
	uint32_t id;	       /* in the model, NO_ID until needed */
	uint32_t kernel_stack; /* in the model */
	uint32_t user_stack;
	bool is_waiter;	    /* of a lock below */
	bool holds_nothing; /* was seen to, while a proof went on (readers.c) */
	UT_hash_handle hh;
};

/* A structure in kernel memory whose members have names. */
struct census_object {
	uint64_t address;
	uint32_t size;
	uint32_t id; /* in the model, NO_ID: only a place to name locks in */
	const char *type;
	UT_hash_handle hh;
};

struct census_known_lock {
	uint64_t address;
	enum lock_kind kind;
	uint32_t instance;
	bool in_scope; /* a VFIO or KVM lock, listed even if nobody waits */
	bool steady;   /* census__watch_owners: same owner every time */
	struct lock_state state;
	UT_hash_handle hh;
};

/* A wait that no wait list shows: (task, lock) found another way. */
struct census_extra_wait {
	uint64_t task, lock;
	bool shared;
};

/* Offsets the census uses, by name; see the table in offsets.c. */
enum census_offset {
	AT_KVM_LIST,
	AT_KVM_MM,
	AT_KVM_PID,
	AT_KVM_DEVICES,
	AT_VCPU_KVM,
	AT_VCPU_ID,
	AT_KVM_DEVICE_OPS,
	AT_KVM_DEVICE_KVM,
	AT_KVM_DEVICE_PRIVATE,
	AT_KVM_DEVICE_NODE,
	AT_KVM_OPS_NAME,
	AT_GROUP_NEXT,
	AT_GROUP_IOMMU,
	AT_GROUP_CONTAINER,
	AT_GROUP_DEVICES,
	AT_DEVICE_DEV,
	AT_DEVICE_GROUP,
	AT_DEVICE_GROUP_NEXT,
	AT_DEVICE_SET,
	AT_DEVICE_KVM,
	AT_DEVICE_FILE_DEVICE,
	AT_CONTAINER_DRIVER,
	AT_CONTAINER_DATA,
	AT_IOMMU_DRIVER_OPS,
	AT_IOMMU_OPS_NAME,
	AT_IOMMU_GROUP_ID,
	AT_DEV_NAME,
	AT_DEV_INIT_NAME,
	AT_DEV_DRIVER,
	AT_DRIVER_NAME,
	AT_MM_LOCK,
	AT_TASK_MM,
	AT_TASK_STACK,
	AT_TASK_BLOCKED_ON,
	AT_TASK_BLOCKER,
	AT_TASK_PI_BLOCKED,
	AT_TASK_SP,
	AT_TASK_NVCSW,
	AT_TASK_NIVCSW,
	AT_TASK_STATE,
	AT_TASK_ON_CPU,
	AT_TASK_ON_RQ,
	AT_TASK_TID,
	AT_TASK_START,
	CENSUS_OFFSETS,
};

struct census_run {
	const struct census_options *options; /* points to the copy */
	struct census_options copy;
	struct kernel *kernel;
	struct model *model;
	struct census_source *source;
	bool owns_source;
	const struct memory *memory;
	struct lock_layout layout;
	int offset[CENSUS_OFFSETS];
	int groups_offset; /* of group_list in the struct vfio that has one */
	int groups_lock_offset;
	struct census_task *tasks;
	struct census_object *objects;
	struct census_known_lock *locks;
	struct census_extra_wait *extra_waits;
	uint32_t extra_wait_count, extra_wait_room;
	uint32_t named_pid; /* of `vm_name` */
	char vm_name[96];
	uint32_t user_stacks; /* taken so far */
	int64_t sched_offset; /* add to sched clock times to get CLOCK_MONOTONIC */
	struct census *out;
};

/* --- offsets.c */
void census__find_offsets(struct census_run *r);
/* Pointer or number at object + offset; 0 when the member does not exist or cannot be read. */
uint64_t census__pointer(const struct census_run *r, uint64_t object, enum census_offset at);
uint32_t census__number(const struct census_run *r, uint64_t object, enum census_offset at);
/* Elements of a list_head at `head`: calls `add` with the containing object's address. */
int census__walk_list(struct census_run *r, uint64_t head, int member,
		      int (*add)(struct census_run *r, uint64_t object, void *context),
		      void *context);

/* --- census.c */
void census__note(struct census_run *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- gaps.c: what was not looked at, and the remedy */
void census__gap(struct census_run *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void census__check_sources(struct census_run *r);

/* --- readers.c: zero or -errno; the finding's code says what was proved */
int census__prove_readers(struct census_run *r, struct finding *finding);
bool census__sleeps_with_nothing(const struct census_run *r,
				 const struct census_task_record *record, const uint64_t *frames);

/* --- tasks.c */
struct census_task *census__task(struct census_run *r, uint64_t address);
struct census_task *census__task_of_pid(struct census_run *r, uint32_t pid);
uint32_t census__task_id(struct census_run *r, struct census_task *task);
/* A record of the task iterator; `context` is the run. */
int census__add_task(void *context, const struct census_task_record *record, const uint64_t *frames,
		     const void *regs);
int census__keep_frames(struct census_task *task, const uint64_t *frames, uint32_t count);
char census__state_letter(uint32_t state);
uint8_t census__breakable(uint32_t state); /* enum wait_break */
void census__relate_clocks(struct census_run *r);
uint64_t census__asleep_since(const struct census_run *r, const struct census_task *task);
uint32_t census__add_stack(struct kernel *k, struct model *m, const uint64_t *frames,
			   uint32_t count);
void census__name_stack(struct census_run *r, struct census_task *task);

/* --- graph.c, in this order */
#define CENSUS_USER_STACKS 64U
int census__read_locks(struct census_run *r);
int census__look_closer(struct census_run *r); /* stacks of owners, user stacks */
int census__build_graph(struct census_run *r);
int census__list_blocked(struct census_run *r);

/* --- objects.c */
int census__find_objects(struct census_run *r);
struct census_object *census__find_object(struct census_run *r, uint64_t address);
struct census_object *census__add_object(struct census_run *r, const char *type, uint64_t address,
					 const struct object *model_object, const char *lock_name);
/* --- vms.c */
int census__add_vm(struct census_run *r, uint64_t kvm, void *context);
int census__add_vcpu(struct census_run *r, uint64_t vcpu);
int census__add_kvm_device(struct census_run *r, uint64_t device, void *context);
/* --- names.c */
struct census_known_lock *census__add_lock(struct census_run *r, uint64_t address,
					   enum lock_kind kind, const char *class_name,
					   const char *name, uint32_t object, bool in_scope);
/* A lock found through a task that waits for it: named as well as possible. */
struct census_known_lock *census__name_lock(struct census_run *r, uint64_t address,
					    enum lock_kind kind, const struct census_task *waiter);
bool census__is_lock_function(const char *symbol);
/* --- waits.c */
int census__find_waits(struct census_run *r);
/* --- confirm.c: is every link of this deadlock there, and did no task on it run meanwhile?
 */
bool census__confirm(struct census_run *r, const struct finding *finding);
struct census_task *census__task_of_id(const struct census_run *r, uint32_t id);
const struct census_known_lock *census__lock_of_instance(const struct census_run *r,
							 uint32_t instance);
bool census__is_extra_wait(const struct census_run *r, uint64_t task, uint64_t lock);
/* Is it anywhere else than where its record saw it sleep? */
bool census__ran_since(const struct census_run *r, const struct census_task *t);
/*
 * Does its held set say that the task has the lock to read? A reader is in its set from the moment
 * it asks: the one entry of a task that still waits for this lock is the wait, not a hold.
 */
bool census__holds_shared(const struct census_run *r, uint64_t task, uint64_t lock,
			  const struct lock_state *state);

#endif
