/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - one importer on one input, judged to the end, as `vfiotrace analyze` does it.
 * A target is a call of fuzz_import; libFuzzer and the sanitizers do the rest.
 */
#ifndef VFIOTRACE_FUZZ_H
#define VFIOTRACE_FUZZ_H

#include <stdlib.h>

#include "analysis.h"
#include "import.h"

typedef int (*import_fn)(struct model *m, FILE *in, const char *name,
			 const struct import_options *options);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_complain(void *context, const char *file, uint32_t line, const char *message)
{
	(void)file;
	(void)line;
	*(size_t *)context += message != NULL;
}

static inline int fuzz_import(import_fn import, bool live, const uint8_t *data, size_t size)
{
	struct analysis_options options = {
		.live_kernel = live, .predict = true, .catalogue = catalogue__builtin()};
	size_t complaints = 0;
	struct import_options read = {.complain = fuzz_complain, .complain_context = &complaints};
	struct model *m = model__new();
	FILE *in = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!m || !in)
		goto cleanup;
	model__keep_events(m, !live);
	read.analysis = analysis__new(m, &options);
	if (read.analysis) {
		int err = import(m, in, "input", &read);

		/* what cannot be used must be said */
		if (err == -22 && !complaints)
			abort();
		analysis__finish(read.analysis);
	}
	analysis__free(read.analysis);
cleanup:
	if (in)
		fclose(in);
	model__free(m);
	return 0;
}

#endif
