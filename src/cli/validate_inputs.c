// SPDX-License-Identifier: GPL-2.0-or-later
/* What the verdict asks of the kernel and of the probes. */
#include "cli/validate.h"

static enum verdict_function has_function(void *context, const char *function, const char *module)
{
	switch (kernel__has_function(context, function, module)) {
	case FIX_PRESENT:
		return FUNCTION_THERE;
	case FIX_MISSING:
		return FUNCTION_GONE;
	default:
		return FUNCTION_UNKNOWN;
	}
}

static uint32_t gather_missing(struct validation_inputs *in, const struct session *s)
{
	uint32_t probes = session__probes(s, in->probes), count = 0;

	for (uint32_t i = 0; i < probes; i++) {
		const struct probe_info *probe = &in->probes[i];

		if ((probe->state == PROBE_MISSING || probe->state == PROBE_FAILED) &&
		    (probe->required_for_verdict || probe->only_class))
			in->missing[count++] = (struct verdict_probe){probe->name, probe->reason,
								      probe->only_class};
	}
	return count;
}

void validation__gather(struct validation_inputs *in, struct session *s, const struct fix *fixes,
			uint32_t fix_count, struct verdict_options *options)
{
	struct fact_sink facts;
	static const enum verdict_fix states[] = {[FIX_PRESENT] = VERDICT_FIX_IN,
						  [FIX_MISSING] = VERDICT_FIX_MISSING,
						  [FIX_UNKNOWN] = VERDICT_FIX_UNKNOWN};

	for (uint32_t i = 0; i < fix_count; i++)
		in->fixes[i] = (struct verdict_fix_state){
			fixes[i].row->commit, states[fixes[i].state], fixes[i].evidence};
	options->fixes = in->fixes;
	options->fix_count = fix_count;
	options->catalogue = catalogue__builtin();
	options->missing = in->missing;
	options->missing_count = gather_missing(in, s);
	options->has_function = has_function;
	options->context = s->kernel;
	facts = model__fact_sink(s->model);
	kernel__vfio_driver_facts(&facts); /* drivers come and go */
}
