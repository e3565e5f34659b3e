/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - what is known about tasks, locks and their order.
 *
 * Purpose: one place that live capture, a recording opened again and an imported trace all feed
 * through the same functions, and that analysis and every sink read. It knows no BPF, no file
 * format, no screen, so everything decided from it can be tested without a kernel.
 *
 * Invariants: ids are dense indexes that start at 0 and never change or go away; NO_ID means
 * "none". Pointers returned by the accessors are valid until the next call that adds to the same
 * table; strings are interned and live as long as the model. Names are raw bytes as the kernel or a
 * file gave them (hostile): sinks escape.
 *
 * Life cycle: model__new, any number of add calls in any order that respects ids, model__free.
 * One thread at a time.
 *
 * Units: times are integer nanoseconds of CLOCK_MONOTONIC; `realtime_offset` added gives
 * CLOCK_REALTIME. 0 means "not known".
 *
 * Errors: adders return an id, NO_ID only when memory is exhausted (callers treat it as a loss).
 */
#ifndef VFIOTRACE_MODEL_H
#define VFIOTRACE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_ID UINT32_MAX

/* Longest held set that is recorded; the rest is counted as LOSS_HELD_OVERFLOW. lockdep: 48. */
#define MAX_HELD 64

struct model;

enum lock_mode {
	LOCK_EXCLUSIVE,
	LOCK_SHARED,	       /* a reader that also waits for queued writers: every rwsem */
	LOCK_SHARED_RECURSIVE, /* a reader that only waits for a write holder (lockdep read=2) */
	LOCK_MODES,
};

enum lock_kind {
	LOCK_KIND_UNKNOWN,
	LOCK_KIND_MUTEX,
	LOCK_KIND_RWSEM,
	LOCK_KIND_PERCPU_RWSEM,
	LOCK_KIND_RTMUTEX,
	LOCK_KIND_SPINLOCK, /* never probed: only inferred from a path, or imported */
	/*
	 * No locks but waits: whoever can end the wait holds it, whoever waits wants it exclusively
	 * and holds nothing after. Their classes are called as in wait_names (model/things.c).
	 */
	LOCK_KIND_SRCU,	      /* held by its readers (recursive), wanted by synchronize_srcu */
	LOCK_KIND_WORK,	      /* "work:FUNCTION", held while it is executed, wanted by flush_work */
	LOCK_KIND_WORKQUEUE,  /* "workqueue:NAME", held (shared) by its workers */
	LOCK_KIND_COMPLETION, /* "completion:TYPE.MEMBER", held by who will call complete() */
	LOCK_KIND_OTHER,
	LOCK_KINDS,
};
bool lock_kind__is_wait(enum lock_kind kind);

/* --- stacks ---------------------------------------------------------------------------------- */

struct frame {
	uint64_t ip;
	uint32_t offset;    /* into symbol */
	uint32_t line;	    /* 0: not known */
	const char *symbol; /* NULL: not resolved */
	const char *module; /* NULL: the kernel itself, or not known */
	const char *file;   /* NULL: not known */
};

/* How much of a stack was recorded. */
enum stack_kind {
	STACK_NONE,
	STACK_SITE, /* one frame: the acquire site */
	STACK_FULL,
	STACK_LOCATION, /* an imported trace's location label; frames[0].symbol is the label */
};

struct stack {
	enum stack_kind kind;
	uint32_t frame_count;
	const struct frame *frames; /* innermost first, outermost last */
};

/* --- tasks, classes, instances -----------------------------------------------------------------
 */

struct task {
	uint32_t pid; /* tgid */
	uint32_t tid; /* 0: stands for every thread of (pid, comm), see TASK_AGGREGATED */
	uint32_t flags;
	uint32_t vm;	     /* object id of the VM this process owns, or NO_ID */
	uint64_t start_time; /* tells a reused tid apart; 0 if unknown */
	const char *comm;
};
enum { TASK_AGGREGATED = 1, TASK_KTHREAD = 2, TASK_EXITED = 4 };

/*
 * All instances of one struct.member ("kvm.lock") or one static symbol ("kvm_lock"). A class may be
 * finer than type.member ("inode.i_rwsem:ext4:dir"): rows in locks/class_rules.c decide.
 */
struct lock_class {
	const char *name;
	enum lock_kind kind;
	uint32_t flags;
};
enum {
	CLASS_IN_SCOPE = 1,	 /* a VFIO or KVM lock */
	CLASS_INSTANCE_ONLY = 2, /* too coarse for class-level cycles of grade warning */
	CLASS_FROM_SITE = 4,	 /* unnamed: slab cache and call site stand in for the name */
	CLASS_INFERRED = 8,	 /* not probed, inferred from a path (kvm_ref_lock) */
	CLASS_HAD_WRITER = 16,	 /* an exclusive acquisition of some instance was seen */
	CLASS_FROM_LOCKDEP = 32, /* lockdep's own class, never too coarse: it has a key per use */
	CLASS_REDACTED = 64,	 /* its name is a pseudonym, which another recording may have for
				    another class: nothing follows from comparing the two */
};

struct lock_instance {
	uint32_t lock_class;
	uint32_t generation; /* same address, new object: new generation, new instance */
	uint64_t address;    /* imported traces: the #INSTANCE number */
	uint32_t object;     /* the VM, group, device it belongs to, or NO_ID */
	uint32_t flags;
	const char *name; /* "VM of qemu-system-x86/4711", "group 12", or NULL */
};
enum { INSTANCE_HAD_WRITER = 1 };

/* --- what locks belong to ----------------------------------------------------------------------
 */

enum object_kind {
	OBJECT_VM,
	OBJECT_GROUP,
	OBJECT_DEVICE,
	OBJECT_DEVICE_SET,
	OBJECT_CONTAINER,
	OBJECT_KVM_VFIO_DEVICE,
	OBJECT_IOMMUFD,
	OBJECT_OTHER,
};

struct object {
	enum object_kind kind;
	uint32_t parent;    /* device -> group, kvm_vfio -> vm; NO_ID if none */
	uint32_t pid;	    /* owning process (VM) or the one that has it open; 0 if none */
	uint32_t number;    /* IOMMU group number; else 0 */
	uint64_t address;   /* in the kernel */
	const char *name;   /* "0000:65:00.0", "group 12", VM name */
	const char *detail; /* driver, command line … or NULL */
};

/* --- chains and dependencies ---------------------------------------------------------------------
 */

struct held_lock {
	uint32_t instance;
	uint32_t stack; /* where it was acquired; stack kind says site or full; NO_ID unknown */
	uint8_t mode;	/* enum lock_mode */
	uint8_t flags;
	/*
	 * lockdep's nesting annotation, 0..7: the acquisition counts for the class "NAME/SUBCLASS"
	 * while the instance stays the same lock. Only imported traces use it; live capture says 0.
	 */
	uint8_t subclass;
};
enum {
	HELD_TRY = 1,	    /* acquired by trylock: first half of a dependency only */
	HELD_INFERRED = 2,  /* inferred from the path, not probed */
	HELD_BREAKABLE = 4, /* wanted lock: killable or interruptible wait */
	HELD_FAULT = 8,	    /* wanted lock: by a page fault of the kernel on user memory */
};

/*
 * A held set and the lock wanted on top of it: what one task did at one moment. The key of a chain
 * is (held instances, modes, stacks; wanted instance, mode, stack) without the task. Every pair
 * (held[i], wanted) is a dependency unless wanted was a trylock.
 */
struct chain {
	struct held_lock *held; /* acquisition order, outermost first */
	uint32_t held_count;
	uint32_t path; /* enum path_id the task was in, or NO_ID */
	struct held_lock wanted;
	uint32_t first_task, last_task;
	uint32_t task_count; /* distinct tasks */
	uint64_t count;
	uint64_t first, last; /* occurrences */
};

/* A task seen on a chain: the per-task lock-order graph is the union of its chains. */
struct task_chain {
	uint32_t task, chain;
	uint64_t count; /* 0: known to have happened, not counted */
	uint64_t first, last;
};

/* Dependency between instances: from held in from_mode while to was wanted in to_mode. */
struct dependency {
	uint32_t from, to; /* instance ids */
	uint8_t from_mode, to_mode;
	uint8_t flags;
	uint8_t subclasses; /* from's << 4 | to's */
	uint32_t class_edge;
	uint32_t first_chain, last_chain; /* witnesses kept: earliest and latest occurrence */
	uint32_t chain_count;
	uint64_t count, first, last;
};
enum { DEPENDENCY_INFERRED = 1, DEPENDENCY_FROM_TRY = 2 };

/* All dependencies between two classes. */
struct class_edge {
	uint32_t from, to; /* class ids */
	uint16_t modes;	   /* bit (from_mode * LOCK_MODES + to_mode) */
	uint16_t flags;
	uint32_t dependency_count;
	uint32_t first_dependency; /* the others: model__class_edge_dependency */
	uint64_t count, first, last;
};

/* --- event stream (imported traces, --record-events)
 * ------------------------------------------------ */

enum event_op {
	EVENT_ACQUIRE,	   /* acq, racq: mode tells; the lock is now held */
	EVENT_RELEASE,	   /* rel, rrel */
	EVENT_TRY_ACQUIRE, /* tryacq: succeeded, never waited */
	EVENT_REQUEST,	   /* req, rreq: wants it, may never get it */
	EVENT_FORK,	   /* operand: task id */
	EVENT_JOIN,	   /* operand: task id */
	EVENT_READ,	   /* operand: variable */
	EVENT_WRITE,	   /* operand: variable */
	EVENT_BEGIN,
	EVENT_END,
	EVENT_DOWNGRADE, /* write hold becomes read hold */
	EVENT_GAP,	 /* events were lost here: prediction across it is "not decided" */
};

struct trace_event {
	uint64_t time;	  /* or 0 in traces without a clock: the order of adding counts */
	uint32_t task;	  /* task id */
	uint32_t operand; /* instance, task or variable id */
	uint32_t stack;	  /* or NO_ID */
	uint8_t op, mode;
	uint8_t flags;	  /* HELD_* */
	uint8_t subclass; /* as in struct held_lock */
};

/* A release of a lock the task did not hold; repeats of (task, instance) are counted. */
struct bad_release {
	uint32_t task, instance, stack;
	uint8_t mode;
	uint64_t first, last, count;
};

/* --- waits, holds
 * ------------------------------------------------------------------------------------ */

#define HISTOGRAM_BUCKETS 48 /* bucket i counts durations in [2^i, 2^(i+1)) ns */
struct histogram {
	uint64_t count, total, max;
	uint32_t bucket[HISTOGRAM_BUCKETS];
};

/* Time spent per lock, call site and VM; kind wait is always recorded, hold only with --holds. */
struct duration_row {
	uint32_t instance, stack, vm; /* NO_ID where not known */
	uint8_t is_hold;
	struct histogram time;
};

/* --- coverage and losses
 * ------------------------------------------------------------------------------- */

enum path_id {
	PATH_DEVICE_OPEN,
	PATH_DEVICE_CLOSE,
	PATH_GET_KVM,
	PATH_PUT_KVM,
	PATH_SET_KVM,
	PATH_GROUP_ADD,
	PATH_GROUP_DEL,
	PATH_KVM_DEVICE_RELEASE,
	PATH_VM_CREATE,
	PATH_VM_DESTROY,
	PATH_COUNT,
};
extern const char *const path_names[PATH_COUNT]; /* "device_open" …, vfiotrace-output(7) */

enum coverage_state { COVERAGE_UNPROBED, COVERAGE_ABSENT, COVERAGE_ZERO, COVERAGE_HIT };
extern const char *const coverage_state_names[COVERAGE_HIT + 1]; /* "unprobed" "absent" … */
struct coverage {
	enum coverage_state state;
	uint64_t hits;
	const char *probe;  /* the function that stands for the path, or NULL */
	const char *reason; /* why absent or unprobed, or NULL */
};

/* One run of a path. */
struct path_event {
	uint32_t path, task;
	uint64_t time, count;
	uint32_t device, group, vm; /* object ids or NO_ID */
	int32_t result;
	uint8_t how;	       /* enum path_how */
	uint8_t kvm_returned;  /* get_kvm: 1 referenced, 0 NULL, 2 unknown */
	uint32_t kvm_ref_lock; /* instance id of the leaf lock, or NO_ID */
};
enum path_how { HOW_UNKNOWN, HOW_GROUP, HOW_CDEV };

/* Reasons of losses, spelled as in the JSON record. Any non-zero count forbids "pass". */
enum loss_reason {
	LOSS_RING_FULL,
	LOSS_RECURSION,	   /* a program run was skipped (recursion_misses, kprobe missed) */
	LOSS_TASK_STORAGE, /* storage came back NULL: a push was missed */
	LOSS_HELD_OVERFLOW,
	LOSS_STACK,
	LOSS_MAP_FULL,
	LOSS_CHAIN_EVICTED,
	LOSS_READ_FAILED,
	LOSS_PROBE_MISSING,
	LOSS_SCOPE_FULL,    /* the interest set is full */
	LOSS_DROPPED_ENTRY, /* a held entry that no longer looked like a lock */
	LOSS_MEMORY,	    /* user space */
	LOSS_STORE,	    /* could not be written to the recording */
	LOSS_EVENT_GAP,	    /* --record-events stream has a gap */
	LOSS_PARSE,	    /* lines of an imported file that could not be used */
	LOSS_REASONS,
};
extern const char *const loss_names[LOSS_REASONS];

/* --- observers
 * ------------------------------------------------------------------------------------------- */

/*
 * Called synchronously right after the thing was added; counting a known chain or task chain calls
 * nobody. NULL members are skipped. Store,
 * live analysis and live text are observers; adding to the model from one is not allowed.
 */
struct model_observer {
	void *context;
	void (*chain)(void *context, const struct model *m, uint32_t chain);
	void (*task_chain)(void *context, const struct model *m, const struct task_chain *pair);
	/*
	 * A new dependency, or a new chain of a known one (plain counting is not announced).
	 * `is_new_edge`: the class edge, or one of its mode pairs, was not known before.
	 */
	void (*dependency)(void *context, const struct model *m, uint32_t dependency,
			   bool is_new_edge);
	void (*path)(void *context, const struct model *m, const struct path_event *event);
	void (*event)(void *context, const struct model *m, const struct trace_event *event);
};

/* --- life cycle
 * -------------------------------------------------------------------------------------------- */

struct model *model__new(void);
void model__free(struct model *m);
/*
 * Whatever a file or a kernel shows, memory is bounded: dependencies, and locks held in all chains
 * together, beyond these are counted as LOSS_MEMORY. Set at the start, where the default of
 * 4,000,000 and 16,000,000 (1 GiB, roughly) is not wanted.
 */
void model__bound_size(struct model *m, uint64_t dependencies, uint64_t held);
int model__observe(struct model *m, const struct model_observer *observer); /* copied; at most 8 */
void model__unobserve(struct model *m, const void *context); /* all observers of this context */

const char *model__intern(struct model *m, const char *string);
const char *model__intern_n(struct model *m, const char *bytes, size_t length);

/* Host facts and options as text: "kernel.release", "arch", "scope", "probe.level", … */
int model__set_fact(struct model *m, const char *key, const char *value);
/* Where facts go, for rooms below the model that only state them. */
struct fact_sink {
	int (*set)(struct model *m, const char *key, const char *value);
	struct model *model;
};
static inline struct fact_sink model__fact_sink(struct model *m)
{
	return (struct fact_sink){model__set_fact, m};
}
const char *model__fact(const struct model *m, const char *key); /* NULL if not set */
size_t model__fact_count(const struct model *m);
void model__fact_at(const struct model *m, size_t i, const char **key, const char **value);

/* Time span looked at and clock relation. */
struct model_clock {
	int64_t realtime_offset; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	uint64_t start, end;	 /* mono; 0: unknown */
	bool has_time;		 /* false: trace without a clock */
};
struct model_clock *model__clock(const struct model *m); /* never NULL, writable */

/* --- adding: find or create, ids out
 * -------------------------------------------------------------------------- */

/*
 * Finding again adds what was not known: kind, flags, a task's new comm, an object's details.
 */
uint32_t model__add_class(struct model *m, const char *name, enum lock_kind kind, uint32_t flags);
uint32_t model__add_instance(struct model *m, uint32_t lock_class, uint64_t address,
			     uint32_t generation);
void model__name_instance(struct model *m, uint32_t instance, const char *name, uint32_t object);
uint32_t model__add_task(struct model *m, uint32_t pid, uint32_t tid, const char *comm,
			 uint64_t start_time, uint32_t flags);
void model__set_task_vm(struct model *m, uint32_t task, uint32_t vm);
uint32_t model__add_stack(struct model *m, enum stack_kind kind, const struct frame *frames,
			  uint32_t count);
/*
 * The object of this kind at this address, with what is said of it brought up to date; a new one if
 * its process (VM), number (group), name (device) or VM (KVM-VFIO device) is another: then the one
 * before was freed, and locks that were its keep it.
 */
uint32_t model__add_object(struct model *m, const struct object *object);
uint32_t model__add_variable(struct model *m, const char *name); /* trace variables */

/*
 * Add or count a chain. `count` occurrences by `task` at `time`. Creates the dependencies and class
 * edges, notifies observers. Returns the chain id.
 */
uint32_t model__add_chain(struct model *m, const struct held_lock *held, uint32_t held_count,
			  const struct held_lock *wanted, uint32_t task, uint64_t time,
			  uint64_t count, uint32_t path);
/* Known chain, seen `count` more times, last at `time`: O(1), the fast path of live capture. */
void model__count_chain(struct model *m, uint32_t chain, uint64_t count, uint64_t time);
void model__add_task_chain(struct model *m, uint32_t task, uint32_t chain, uint64_t time,
			   uint64_t count);
/*
 * Add an event of a stream. Keeps the task's held set, derives chains from it (a REQUEST that
 * follows no ACQUIRE stays pending), records the event when model__keep_events is on.
 */
int model__add_event(struct model *m, const struct trace_event *event);
void model__keep_events(struct model *m, bool keep);
/* Keep no more than this in memory: when it is reached the older half is dropped, with a CUT. */
void model__bound_events(struct model *m, uint64_t most);
bool model__events_are_cut(const struct model *m); /* some are missing: nothing can be predicted */
/*
 * Live capture: chains come beside the events, from the held sets that the kernel's own words
 * confirm. Events belong to chains and make none; where a release was missed they would be wrong.
 */
void model__chains_come_too(struct model *m);

void model__add_path_event(struct model *m, const struct path_event *event);
void model__set_coverage(struct model *m, enum path_id path, const struct coverage *coverage);
void model__add_loss(struct model *m, enum loss_reason reason, uint64_t count);
void model__set_losses_unknown(struct model *m, const char *why); /* kprobe before 6.7 */
void model__add_duration(struct model *m, uint32_t instance, uint32_t stack, uint32_t vm,
			 bool is_hold, const struct histogram *add);

/*
 * What a recording states outright, where its chains, counts and bad releases are read too: the
 * event joins the stream, nothing is derived from it and no observer is called.
 */
int model__restore_event(struct model *m, const struct trace_event *event);
int model__restore_bad_release(struct model *m, const struct bad_release *release);
void model__restore_instance_flags(struct model *m, uint32_t instance, uint32_t flags); /* adds */
/* Counts and times as they were where some of the chains that made them are left out. */
void model__restore_edge_count(struct model *m, uint32_t from_class, uint32_t to_class,
			       const struct class_edge *was);
void model__restore_dependency_count(struct model *m, uint32_t from, uint32_t to,
				     const struct dependency *was);

/* --- reading
 * ------------------------------------------------------------------------------------------------------
 */

uint32_t model__class_count(const struct model *m);
uint32_t model__instance_count(const struct model *m);
uint32_t model__task_count(const struct model *m);
uint32_t model__stack_count(const struct model *m);
uint32_t model__object_count(const struct model *m);
uint32_t model__chain_count(const struct model *m);
uint32_t model__task_chain_count(const struct model *m);
uint32_t model__dependency_count(const struct model *m);
uint32_t model__class_edge_count(const struct model *m);
uint64_t model__event_count(const struct model *m);
uint32_t model__path_event_count(const struct model *m);
uint32_t model__duration_count(const struct model *m);
uint32_t model__variable_count(const struct model *m);
uint32_t model__bad_release_count(const struct model *m);

const struct lock_class *model__lock_class(const struct model *m, uint32_t id);
const struct lock_instance *model__instance(const struct model *m, uint32_t id);
const struct task *model__task(const struct model *m, uint32_t id);
struct stack model__stack(const struct model *m, uint32_t id); /* NO_ID gives an empty one */
const struct object *model__object(const struct model *m, uint32_t id);
const struct chain *model__chain(const struct model *m, uint32_t id);
const struct task_chain *model__task_chain(const struct model *m, uint32_t id);
const struct dependency *model__dependency(const struct model *m, uint32_t id);
const struct class_edge *model__class_edge(const struct model *m, uint32_t id);
const struct trace_event *model__events(const struct model *m); /* contiguous */
/* The chain an acquisition or request belongs to; NO_ID when nothing was held, or for other events.
 */
uint32_t model__event_chain(const struct model *m, uint64_t event);
const struct path_event *model__path_event(const struct model *m, uint32_t id);
const struct duration_row *model__duration(const struct model *m, uint32_t id);
const char *model__variable(const struct model *m, uint32_t id);
const struct bad_release *model__bad_release(const struct model *m, uint32_t id);
const struct coverage *model__coverage(const struct model *m, enum path_id path);
uint64_t model__loss(const struct model *m, enum loss_reason reason);
const char *model__losses_unknown(const struct model *m); /* NULL: all losses are counted */
bool model__has_losses(const struct model *m);

/* i-th dependency of a class edge; i-th chain (witness) of a dependency, earliest first, capped. */
uint32_t model__class_edge_dependency(const struct model *m, uint32_t edge, uint32_t i);
uint32_t model__dependency_chain(const struct model *m, uint32_t dependency, uint32_t i);
uint32_t model__dependency_chains_kept(const struct model *m, uint32_t dependency);

/* The dependency between held[i] and wanted of a chain; NO_ID when wanted was a trylock. */
uint32_t model__chain_dependency(const struct model *m, uint32_t chain, uint32_t i);
/* The class an acquisition counts for: the instance's class, or its "NAME/SUBCLASS". */
uint32_t model__held_class(const struct model *m, const struct held_lock *lock);

uint32_t model__find_class(const struct model *m, const char *name);
uint32_t model__find_edge(const struct model *m, uint32_t from_class, uint32_t to_class);
uint32_t model__find_dependency(const struct model *m, uint32_t from, uint8_t from_mode,
				uint32_t to, uint8_t to_mode);
/* The same with nesting annotations, as in struct dependency. */
uint32_t model__find_annotated(const struct model *m, uint32_t from, uint8_t from_mode, uint32_t to,
			       uint8_t to_mode, uint8_t subclasses);

/* Pending state kept by model__add_event: what a task holds and waits for now. */
uint32_t model__held_count(const struct model *m, uint32_t task);
const struct held_lock *model__held(const struct model *m, uint32_t task);
const struct held_lock *model__pending(const struct model *m, uint32_t task); /* NULL: none */

uint64_t model__acquisitions(const struct model *m);
void model__add_acquisitions(struct model *m, uint64_t count);

#endif
