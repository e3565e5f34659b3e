// SPDX-License-Identifier: GPL-2.0-or-later
/* usage: report-fixture inversion|deadlock|events|clean|large|hostile FORMAT: a report without a
 * kernel.
 */
#include "fixture.h"

static struct fixture *make(const char *name)
{
	if (!strcmp(name, "inversion"))
		return fixture_inversion();
	if (!strcmp(name, "deadlock"))
		return fixture_deadlock();
	if (!strcmp(name, "large"))
		return fixture_large(497, 5000);
	if (!strcmp(name, "hostile"))
		return fixture_hostile();
	if (!strcmp(name, "events"))
		return fixture_events();
	if (!strcmp(name, "clean"))
		return fixture_clean();
	return NULL;
}

int main(int argc, char **argv)
{
	struct fixture *f = argc == 3 ? make(argv[1]) : NULL;
	int format = argc == 3 ? report_format__parse(argv[2]) : -1, status;
	struct report_input input = {0};
	struct report_options options = {.per_task = true, .title = "incident.vft"};

	if (!f || format < 0) {
		fprintf(stderr, "usage: report-fixture "
				"inversion|deadlock|events|clean|large|hostile FORMAT\n");
		return 64;
	}
	input.model = f->m;
	input.findings = &f->findings;
	status = report_write(stdout, format, &input, &options);
	fixture_free(f);
	return status ? 1 : 0;
}
