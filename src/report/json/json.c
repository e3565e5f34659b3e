// SPDX-License-Identifier: GPL-2.0-or-later
/* The report as the records that watch would have printed, one object a line. */
#include <stdlib.h>

#include "exit_code.h"
#include "report/outputs.h"

static void put_dependencies(FILE *out, const struct model *m)
{
	for (uint32_t i = 0; i < model__chain_count(m); i++) {
		const struct chain *chain = model__chain(m, i);

		if (chain->wanted.flags & HELD_TRY)
			continue;
		for (uint32_t k = 0; k < chain->held_count; k++)
			json_print(out, json_dependency(m, i, k));
	}
}

int report_json(FILE *out, const struct report_input *input, const struct report_options *options)
{
	const struct model *m = input->model;
	const struct finding **sorted = input->findings ? render_sorted(input->findings) : NULL;
	struct task_graphs *graphs = options->per_task ? task_graphs__new(m) : NULL;
	static const struct finding_list none;
	int code;

	put_dependencies(out, m);
	for (uint32_t i = 0; i < model__path_event_count(m); i++)
		json_print(out, json_path(m, model__path_event(m, i)));
	for (uint32_t i = 0; sorted && i < input->findings->count; i++)
		json_print(out, json_finding(m, sorted[i]));
	for (uint32_t i = 0; graphs && i < model__task_count(m); i++)
		if (!options->tid || model__task(m, i)->tid == options->tid)
			json_print(out, json_task_graph(graphs, i));
	task_graphs__free(graphs);
	code = finding_list__exit_code(input->findings ? input->findings : &none);
	/* vfiotrace-output(7): what was lost or not looked at forbids a verdict */
	if (!code && !finding_list__is_complete(input->findings, m))
		code = EXIT_INCONCLUSIVE;
	json_print(out, json_summary(input, code));
	free(sorted);
	return 0;
}
