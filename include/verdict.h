/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h - pass, fail or inconclusive: the rules `validate` decides by. Pure: a model, its
 * findings, and a baseline of the same shape; no kernel, no I/O.
 *
 * Rules (manual page vfiotrace-validate, WHAT A PASS NEEDS): pass only when every required path ran
 * with every driver in question, every known fix of the cycles in question is in, both locks of
 * each known inversion were seen, each dependency of the baseline's cycles was looked for where the
 * baseline had it, nothing of grade warning or worse was found that is not suppressed, no probe
 * that this needs is missing and nothing was lost. Requirements add up: neither --require nor a
 * baseline takes one away. Fail before inconclusive before pass.
 *
 * Life cycle: verdict__decide, read, verdict__free. Strings live as long as the verdict; it points
 * into the models, which must outlive it.
 * Errors: NULL only when memory is exhausted.
 */
#ifndef VFIOTRACE_VERDICT_H
#define VFIOTRACE_VERDICT_H

#include "drivers.h"
#include "finding.h"
#include "rules.h"

enum verdict_kind { VERDICT_PASS, VERDICT_FAIL, VERDICT_INCONCLUSIVE, VERDICT_KINDS };
extern const char *const verdict_names[VERDICT_KINDS];

/* The paths of the inversion this tool was made for: always required. */
#define VERDICT_DEFAULT_PATHS                                                                      \
	(1u << PATH_DEVICE_OPEN | 1u << PATH_DEVICE_CLOSE | 1u << PATH_GET_KVM |                   \
	 1u << PATH_PUT_KVM | 1u << PATH_SET_KVM | 1u << PATH_GROUP_ADD |                          \
	 1u << PATH_KVM_DEVICE_RELEASE)

/* What the kernel itself says about a fix of the catalogue. One that is not listed is for another
 * architecture. */
enum verdict_fix { VERDICT_FIX_UNKNOWN, VERDICT_FIX_IN, VERDICT_FIX_MISSING };
struct verdict_fix_state {
	const char *commit;
	enum verdict_fix state;
	const char *evidence;
};

/* A lock function or path that is not looked at. */
struct verdict_probe {
	const char *name, *reason;
	const char *only_class; /* only orders with such locks need it; NULL: every verdict does */
};

/* Does this kernel have a function of the baseline? */
enum verdict_function { FUNCTION_UNKNOWN, FUNCTION_THERE, FUNCTION_GONE };

struct verdict_options {
	uint32_t required; /* bits (1 << enum path_id) beside the default ones: --require */
	const struct model *baseline;		      /* may be NULL */
	const struct finding_list *baseline_findings; /* with baseline */
	const struct catalogue *catalogue;	      /* NULL: no bug is known */
	const struct verdict_fix_state *fixes;
	uint32_t fix_count;
	const struct catalogue_row *known; /* --known, may be NULL */
	const struct verdict_probe *missing;
	uint32_t missing_count;
	/* NULL: not known; module NULL: the kernel itself */
	enum verdict_function (*has_function)(void *context, const char *function,
					      const char *module);
	void *context;
	const char *disturbed; /* why the load itself was not as asked for, or NULL */
};

/* A place where the baseline took a lock of a dependency, and the modules it got there through. */
enum site_state { SITE_NOT_RUN, SITE_RAN, SITE_GONE };
extern const char *const site_state_names[];
struct verdict_site {
	const char *function, *module; /* as the baseline has them; module NULL: the kernel */
	enum site_state state;
};

/* One dependency of a baseline cycle, and what became of it. */
enum dependency_status { DEPENDENCY_RESOLVED, DEPENDENCY_PRESENT, DEPENDENCY_NOT_EXERCISED };
extern const char *const dependency_status_names[];
struct verdict_dependency {
	const char *from, *to; /* classes */
	const char *path;      /* path it was seen on, NULL: outside VFIO and KVM */
	enum dependency_status status;
	uint64_t runs_before, runs_now;	  /* of the path */
	uint64_t count_before, count_now; /* occurrences of the dependency */
	const char *instead; /* what is taken in its place now, words; NULL: nothing new */
	struct verdict_site *sites;
	uint32_t site_count;
	bool redacted;	      /* a lock's name is a pseudonym: not found is not gone */
	bool has_more_sites;  /* than are looked at */
	const char *evidence; /* the fix that took it away, words; NULL: none */
};

struct verdict_cycle {
	const char *words; /* "vfio_group.group_lock -> kvm.lock -> vfio_group.group_lock" */
	const struct finding *finding; /* in the baseline */
	enum dependency_status status; /* present only when every dependency is */
	struct verdict_dependency *dependencies;
	uint32_t count;
};

/* A driver whose own part of the paths has to run. */
struct verdict_driver {
	const char *driver;
	uint32_t required; /* paths, bits */
	bool is_bound;	   /* a device of this host is bound to it */
	bool in_baseline;
};

struct verdict {
	enum verdict_kind kind;
	const char **reasons; /* why it is not better; for a pass: what it rests on */
	uint32_t reason_count;
	const char **limits; /* what the verdict does not cover, whatever it is */
	uint32_t limit_count;
	uint32_t required;	    /* the paths that had to run */
	struct driver_table *table; /* of this run */
	struct verdict_driver *drivers;
	uint32_t driver_count;
	struct verdict_cycle *cycles;
	uint32_t cycle_count;
};

struct verdict *verdict__decide(const struct model *m, const struct finding_list *findings,
				const struct verdict_options *options);
void verdict__free(struct verdict *v);

/*
 * Why a baseline is none at all (it is empty, or does not say how it was made), and why it cannot
 * be compared with this run (another scope, probe level, schema or architecture). NULL when it is
 * and can. The text is written to `out`.
 */
const char *verdict__unfit(const struct model *baseline, char *out, size_t size);
const char *verdict__refuse(const struct model *m, const struct model *baseline, char *out,
			    size_t size);

/* "device_open,device_close" to bits; 0 and the offending word in `bad` (size 32) if unknown. */
uint32_t verdict__parse_paths(const char *list, char *bad);

#endif
