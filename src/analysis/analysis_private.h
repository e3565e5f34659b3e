/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * analysis_private.h - the inside of struct analysis, shared by the files of this room only.
 *
 * Words: a link is the meeting of two dependencies of a cycle at one lock (one task wants it, the
 * next holds it). A hard link blocks by itself; a fair link (non-recursive reader against a read
 * hold) blocks only behind a queued writer. A cycle is strong when every link is hard or fair.
 */
#ifndef VFIOTRACE_ANALYSIS_PRIVATE_H
#define VFIOTRACE_ANALYSIS_PRIVATE_H

#include "analysis.h"
#include "analysis/stats.h"
#include "util/idmap.h"
#include "util/memory.h"

struct decision;
struct strong_search;

enum link { LINK_NONE, LINK_FAIR, LINK_HARD };

/* May a task that wants a lock in `wanted` be blocked by one that holds it in `held`? */
static inline enum link link_of(uint8_t wanted, uint8_t held)
{
	if (wanted == LOCK_EXCLUSIVE || held == LOCK_EXCLUSIVE)
		return LINK_HARD;
	return wanted == LOCK_SHARED ? LINK_FAIR : LINK_NONE;
}

static inline bool modes_exclude(uint8_t a, uint8_t b)
{
	return a == LOCK_EXCLUSIVE || b == LOCK_EXCLUSIVE;
}

/* Both read modes are the same hold. */
static inline uint8_t hold_mode(uint8_t mode)
{
	return mode == LOCK_EXCLUSIVE ? LOCK_EXCLUSIVE : LOCK_SHARED;
}

/* A cycle of classes: classes[i] held in modes[i] while classes[i + 1] is wanted over edges[i]. */
struct cycle {
	uint32_t length;
	uint32_t *classes, *edges;
	uint8_t *modes; /* LOCK_EXCLUSIVE or LOCK_SHARED */
};

/* One occurrence of a dependency: which chain, by whom, in which fork/join segment. */
struct occurrence {
	uint32_t chain;
	uint32_t task;	  /* NO_ID: not known */
	uint32_t segment; /* NO_ID: not known */
};

/* A cycle that was looked at, whether or not it became a finding. */
struct candidate {
	struct cycle cycle;
	struct finding *finding;   /* NULL: nothing to report so far */
	struct decision *decision; /* its memory, used again each time */
	bool is_final;		   /* cannot get worse: only counted from now on */
	uint32_t run;		   /* of analysis__finish: `decision` is of this one */
};

struct ids {
	uint32_t *items;
	uint64_t count, capacity;
};

/* Class graph with an incremental topological order (Pearce, Kelly 2006). */
struct order {
	struct ids *out, *in; /* edge ids by class */
	uint32_t *rank;
	uint64_t class_count, class_capacity;
	uint8_t *back_edges; /* by edge: closes a cycle, not part of the order */
	uint64_t edge_count, edge_capacity;
	uint32_t back_edge_count;
	uint8_t *mark; /* scratch by class */
	struct ids forward, backward, ranks;
};

struct forkjoin; /* fork/join segments and their clocks */
struct nodes;	 /* abstract acquires */

struct analysis {
	struct model *m;
	struct analysis_options options;
	struct finding_list list;
	struct idmap by_key; /* hash of key -> index in list */
	struct arena arena;
	struct order order;
	struct strong_search *search; /* scratch of strong.c */
	VECTOR(struct candidate) candidates;
	struct idmap candidate_ids; /* hash of the cycle -> index */
	VECTOR(struct ids) by_edge; /* candidates that run over a class edge */
	uint32_t known_classes;	    /* rules of classes applied up to here */
	uint32_t run;		    /* of analysis__finish; 0: never */
	bool finishing;
	struct ids runs;	      /* by finding: the run that decided it last */
	struct idmap covered;	      /* hashes of keys that an existing deadlock stands for */
	VECTOR(struct ids) positions; /* by class: rule << 8 | position in a declared order */
	uint32_t edges_in_order;
	/* scratch of instantiate.c and patterns.c, all zero between calls */
	uint16_t *held_exclusive, *held_shared; /* by instance */
	uint8_t *task_used;
	uint32_t scratch_instances, scratch_tasks;
	/* built by analysis__finish; NULL while live */
	struct occurrence *occurrences;
	uint64_t *occurrence_start; /* by dependency, one more than there are */
	struct forkjoin *forkjoin;
	struct nodes *nodes;
	uint64_t steps_left; /* of all instance cycles that one analysis__finish looks at */
	struct analysis_stats stats;
};

/* Steps that a search may take: `full`, less in tests. */
static inline uint64_t budget_of(const struct analysis *a, uint64_t full)
{
	uint64_t steps = full >> a->options.budget_shift;

	return steps ? steps : 1;
}

/* ids.c */
bool ids__push(struct ids *ids, uint32_t id);
void ids__release(struct ids *ids);

/* order.c: true when edge u -> v closes a cycle with the edges in order; it is then a back edge. */
bool order__reserve(struct order *o, const struct model *m);
bool order__add_edge(struct order *o, const struct model *m, uint32_t edge);
void order__release(struct order *o);

/*
 * strong.c: shortest strong closed walk over `edge` (its from-class held in `from_mode`), not using
 * the edges in `avoid` (may be NULL). The edges looked at are taken off `budget`; NULL: none, or,
 * when nothing is left of the budget, not known. Lives in the arena.
 */
struct cycle *strong__shortest(struct analysis *a, uint32_t edge, uint8_t from_mode,
			       const struct ids *avoid, uint64_t *budget);
/*
 * A walk may pass a class twice, once wanted by a recursive reader and once not. The part between
 * the two is a strong cycle by itself and reported as such; the whole says nothing more.
 */
bool strong__is_simple(struct analysis *a, const struct cycle *cycle);
void strong__release(struct analysis *a);
/* The two-class cycle over edge and its reverse with these held modes is strong. */
bool strong__pair(const struct model *m, uint32_t edge, uint32_t reverse, uint8_t from_mode,
		  uint8_t to_mode);
struct cycle *cycle__new(struct analysis *a, uint32_t length);
/* What an instance cycle is called that no prediction was made for. */
enum finding_code cycle__instance_code(const struct analysis *a, const struct cycle *cycle);
/* Of `places` those held shared whose bit is set, else exclusively; NULL when not strong. */
struct cycle *strong__variant(struct analysis *a, const struct cycle *cycle, const uint32_t *places,
			      uint32_t count, uint32_t shared);
struct cycle *cycle__pair(struct analysis *a, uint32_t edge, uint32_t reverse, uint8_t from_mode,
			  uint8_t to_mode);

/* instantiate.c: what instance-level occurrences say about a cycle of classes. */
struct decision {
	bool report;
	enum finding_code code;
	bool fair, same_thread, limited;
	uint32_t *dependencies, *chains,
		*tasks; /* one per edge of the cycle; the occurrence that decides */
	uint32_t guards[4];
	uint32_t guard_count;
};
/* `must`: only instance cycles over this dependency of the cycle count, NO_ID: all. */
struct decision *decision__new(struct analysis *a, uint32_t length);
/* false: nothing to report */
bool decide(struct analysis *a, const struct cycle *cycle, uint32_t must,
	    struct decision *decision);

/* scratch.c: held sets of the occurrences chosen so far. */
bool scratch__reserve(struct analysis *a);
void scratch__release(struct analysis *a);
bool scratch__gates(const struct analysis *a, uint32_t chain); /* excludes one chosen before */
void scratch__add(struct analysis *a, uint32_t chain);
void scratch__remove(struct analysis *a, uint32_t chain);
/* Locks that at least two of the chains hold in excluding modes; at most `size`. */
uint32_t scratch__guards(struct analysis *a, const uint32_t *chains, uint32_t count,
			 uint32_t *guards, uint32_t size);

/* forkjoin.c: does the one segment lie before the other? NO_ID (not known) is before nothing. */
bool forkjoin__orders_any(const struct forkjoin *f); /* NULL: nothing */
enum fork_order { ORDER_NONE, ORDER_BEFORE, ORDER_UNDECIDED };
enum fork_order forkjoin__order(const struct forkjoin *f, uint32_t segment, uint32_t other);

/* build.c */
enum finding_grade grade_of(enum finding_code code);
struct finding *finding__new(struct analysis *a, enum finding_kind kind, enum finding_code code,
			     uint32_t length);
struct finding *finding__of_cycle(struct analysis *a, const struct cycle *cycle,
				  const struct decision *decision);
struct finding *finding__of_dependency(struct analysis *a, enum finding_kind kind,
				       enum finding_code code, uint32_t dependency);
/* Rotate to the canonical start and set the key. */
bool finding__canonicalise(struct analysis *a, struct finding *f);
/* Store a copy under its key, or merge into the stored one; announces when new or now worse. */
struct finding *analysis__put(struct analysis *a, const struct finding *f);

/* After findings left the list: where each key is now. */
int analysis__index_keys(struct analysis *a);
/* An existing deadlock stands for the order finding of this key. */
bool is_covered(const struct analysis *a, const char *key);

/* hang.c */
/* The tasks of `f` and their waits become copies of our own. false: no memory. */
bool hang__copy_tasks(struct analysis *a, struct finding *f);
/* Both have the key of the same wait; `again` is a copy of our own too. */
void hang__merge(struct finding *into, const struct finding *again);
/* Once the deadlocks are known. */
int hangs__finish(struct analysis *a);

/* match.c: rules, suppressions, known bugs, scope. */
void match_known(struct analysis *a, struct finding *f);
bool touches_scope(const struct analysis *a, const struct finding *f);

/* live.c */
void live__dependency(void *context, const struct model *m, uint32_t dependency, bool is_new_edge);
/*
 * Decide a cycle and store the finding if its grade is at least `least`; NULL: nothing to report.
 * A NULL cycle is nothing to do.
 */
struct finding *candidate__consider(struct analysis *a, const struct cycle *cycle,
				    enum finding_grade least);
/* Decide every known cycle again. */
void candidates__reevaluate(struct analysis *a);
/* Hash of a cycle that does not depend on where it starts. */
uint64_t cycle__hash(const struct cycle *cycle);

/* single.c: what one dependency or class edge says by itself. */
void consider_recursion(struct analysis *a, uint32_t dependency);
/* The pair of opposite dependencies between two instances of one class; false: no opposite. */
bool consider_opposite(struct analysis *a, uint32_t dependency);
void consider_nesting(struct analysis *a, uint32_t dependency);
/* Declared orders that the class edge violates. */
void consider_order(struct analysis *a, uint32_t edge);

/* index.c: nodes and occurrences over the whole model, for analysis__finish. */
bool analysis__build_index(struct analysis *a);
void analysis__drop_index(struct analysis *a);

/* finish_patterns.c: instance-level cycles, predicted where the trace allows. */
struct found_cycle {
	const struct cycle *cycle;
	struct decision *decision;
	const char **schedule;
	uint32_t schedule_count;
	enum prediction prediction;
	const char *prediction_note;
};
struct found_cycles {
	VECTOR(struct found_cycle) items;
	struct idmap ids;
};
void patterns__collect(struct analysis *a, struct found_cycles *found);
/* Why nothing is known of the reachability of a cycle that no pattern was found for; or NULL. */
const char *patterns__why_undecided(const struct analysis *a, uint32_t length);
struct finding *found_cycle__put(struct analysis *a, const struct found_cycle *found);
/* finish_classes.c: reciprocal pairs, then one cycle per remaining back edge. */
void classes__finish(struct analysis *a, const struct found_cycles *found);
/* finish_waits.c: deadlocks among pending requests. */
int pending__finish(struct analysis *a);

/* class_rules.c */
void class_rules__apply(struct model *m, const struct rule_set *rules, uint32_t from_class);

#endif
