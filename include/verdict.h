/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h - pass, fail or inconclusive: the rules `validate` decides by. Pure: a model, its
 * findings, and a baseline of the same shape; no kernel, no I/O.
 *
 * Rules (manual page vfiotrace-findings): pass only when every required path was exercised, both
 * locks of each known inversion were seen, nothing of grade warning or worse was found that is not
 * suppressed, and nothing was lost. Fail before inconclusive before pass.
 *
 * Life cycle: verdict__decide, read, verdict__free. Strings live as long as the verdict; it points
 * into the models, which must outlive it.
 * Errors: NULL only when memory is exhausted.
 */
#ifndef VFIOTRACE_VERDICT_H
#define VFIOTRACE_VERDICT_H

#include "finding.h"
#include "rules.h"

enum verdict_kind { VERDICT_PASS, VERDICT_FAIL, VERDICT_INCONCLUSIVE, VERDICT_KINDS };
extern const char *const verdict_names[VERDICT_KINDS];

/* What the kernel itself says about the fix named with --known. */
enum verdict_fix {
	VERDICT_FIX_NOT_ASKED,
	VERDICT_FIX_IN,
	VERDICT_FIX_MISSING,
	VERDICT_FIX_UNKNOWN
};

struct verdict_options {
	uint32_t required; /* bit (1 << enum path_id); 0: what the baseline hit, else the default */
	const struct model *baseline;		      /* may be NULL */
	const struct finding_list *baseline_findings; /* with baseline */
	const struct catalogue_row *known;	      /* --known, may be NULL */
	enum verdict_fix known_state;
	const char *known_evidence;
	const char *missing_probes; /* names of probes a verdict needs and has not, or NULL */
	const char *disturbed;	    /* why the load itself was not as asked for, or NULL */
};

/* One dependency of a baseline cycle, and what became of it. */
enum dependency_fate { FATE_GONE, FATE_BACK, FATE_NOT_EXERCISED };
extern const char *const dependency_fate_names[];
struct verdict_dependency {
	const char *from, *to; /* classes */
	const char *path;      /* path it was seen on, NULL: outside VFIO and KVM */
	enum dependency_fate fate;
	uint64_t runs_before, runs_now;	  /* of the path */
	uint64_t count_before, count_now; /* sights of the dependency */
	const char *instead; /* what is taken in its place now, words; NULL: nothing new */
};

struct verdict_cycle {
	const char *words; /* "vfio_group.group_lock -> kvm.lock -> vfio_group.group_lock" */
	const struct finding *finding; /* in the baseline */
	enum dependency_fate fate;     /* back only when every dependency is */
	struct verdict_dependency *dependencies;
	uint32_t count;
};

struct verdict {
	enum verdict_kind kind;
	const char **reasons; /* why it is not better; for a pass: what it rests on */
	uint32_t reason_count;
	uint32_t required; /* the paths that had to run */
	struct verdict_cycle *cycles;
	uint32_t cycle_count;
};

struct verdict *verdict__decide(const struct model *m, const struct finding_list *findings,
				const struct verdict_options *options);
void verdict__free(struct verdict *v);

/*
 * Why a baseline cannot be compared with this run (another scope, probe level or schema), or NULL
 * when it can. The text is written to `out`.
 */
const char *verdict__refuse(const struct model *m, const struct model *baseline, char *out,
			    size_t size);

/* "device_open,device_close" to bits; 0 and the offending word in `bad` (size 32) if unknown. */
uint32_t verdict__parse_paths(const char *list, char *bad);

#endif
