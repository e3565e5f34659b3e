// SPDX-License-Identifier: GPL-2.0-or-later
/* `now` on memory: an image of a host that is dead, or /proc/kcore of this one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cli/now.h"
#include "cli/unprivileged.h"
#include "report.h"
#include "store.h"
#include "util/input.h"
#include "util/message.h"
#include "util/text.h"

#define WHY 640

static int refuse(const char *path, int error, const char *why)
{
	log_error("%s %s", text_safe(path), text_safe(why));
	return error == -ENOTSUP || error == -EOPNOTSUPP || error == -EPERM || error == -EACCES
		       ? EXIT_UNSUPPORTED
		       : EXIT_ERROR;
}

/* What both have: memory, and the note that leads to the rest. */
struct place {
	const char *path; /* for messages */
	const struct memory *memory;
	const char *note;
	const char *symbols;
	const char *missing;
	bool is_image;
};

static int look_at(const struct now_options *options, const struct place *place, FILE *out)
{
	struct kernel_image from = {.memory = place->memory,
				    .note = place->note,
				    .btf_path = options->btf,
				    .symbols_path = place->symbols};
	struct census_memory memory = {
		.memory = place->memory, .is_image = place->is_image, .missing = place->missing};
	struct now_host host = {0};
	int error, status = EXIT_ERROR;
	char why[WHY];

	host.kernel = kernel__open_image(&from, why, sizeof(why), &error);
	memory.kernel = host.kernel;
	if (!host.kernel)
		status = refuse(place->path, error, why);
	else if (!(host.source = census__source_of_memory(&memory, &error)))
		status = refuse(place->path, error,
				"has types of its kernel that are not known here: its tasks cannot "
				"be found; a newer vfiotrace may know them");
	else
		status = now__run(options, &host, out);
	census_source__close(host.source);
	kernel__close(host.kernel);
	return status;
}

/* --- an image
 * ------------------------------------------------------------------------------------------- */

struct core_job {
	const struct now_options *options;
	FILE *out;
};

static int open_pieces(const struct now_options *options, int *fds)
{
	char why[WHY];

	for (uint32_t i = 0; i < options->core_count; i++) {
		fds[i] = input_open(options->cores[i], INPUT_FILE, why, sizeof(why));
		if (fds[i] >= 0)
			continue;
		log_error("%s: %s", text_safe(options->cores[i]), why);
		while (i)
			close(fds[--i]);
		return EXIT_ERROR;
	}
	return 0;
}

/* Without rights. */
static int look_at_core(void *context)
{
	const struct core_job *job = context;
	const struct now_options *options = job->options;
	int fds[IMAGE_FILES], error, status = open_pieces(options, fds);
	char why[WHY], missing[160];
	struct image *image;

	if (status)
		return status;
	image = image__open(fds, options->core_count, why, sizeof(why), &error);
	if (image) {
		snprintf(missing, sizeof(missing),
			 "%llu bytes at the end of the image, which is cut; copy it again, or dump "
			 "to a disk that has room",
			 (unsigned long long)image__missing(image));
		status = look_at(options,
				 &(struct place){.path = options->cores[0],
						 .memory = image__memory(image),
						 .note = image__note(image),
						 .symbols = options->symbols,
						 .missing = image__missing(image) ? missing : NULL,
						 .is_image = true},
				 job->out);
	} else {
		status = refuse(options->cores[0], error, why);
	}
	image__close(image);
	for (uint32_t i = 0; i < options->core_count; i++)
		close(fds[i]);
	return status;
}

static bool is_answer(int status)
{
	return status == EXIT_CLEAN || status == EXIT_FINDING || status == EXIT_DEADLOCK ||
	       status == EXIT_INCONCLUSIVE;
}

/* The recording is open before rights are given up, and takes its name when it is whole. */
static int run_recording(struct core_job *job, bool runs_programs)
{
	const char *path = job->options->recording;
	char error[512] = "", *temporary;
	int fd, status;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return EXIT_ERROR;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		log_error("%s: cannot be created: %s", text_safe(path), strerror(errno));
		free(temporary);
		return EXIT_ERROR;
	}
	store__write_into(path, fd);
	status = unprivileged__run(look_at_core, job, runs_programs);
	close(fd);
	if (!is_answer(status)) {
		unlink(temporary);
	} else if (store__publish(temporary, path, error, sizeof(error))) {
		log_error("%s", text_safe(error));
		status = status == EXIT_DEADLOCK || status == EXIT_FINDING ? status : EXIT_ERROR;
		unlink(temporary);
	}
	free(temporary);
	return status;
}

int now__run_core(const struct now_options *options, FILE *out)
{
	struct core_job job = {options, out};
	bool runs_programs = options->format == REPORT_SVG;

	for (uint32_t i = 0; i < options->core_count; i++)
		unprivileged__input(options->cores[i]);
	if (options->symbols)
		unprivileged__input(options->symbols);
	if (options->btf)
		unprivileged__input(options->btf);
	if (options->recording)
		return run_recording(&job, runs_programs);
	return unprivileged__run(look_at_core, &job, runs_programs);
}

/* --- this host
 * ------------------------------------------------------------------------------------------ */

int now__run_kcore(const struct now_options *options, FILE *out)
{
	char why[WHY];
	int error, status;
	struct kcore *kcore = kcore__open(why, sizeof(why), &error);

	if (!kcore)
		return refuse("/proc/kcore", error, why);
	status = look_at(options,
			 &(struct place){.path = "/proc/kcore",
					 .memory = kcore__memory(kcore),
					 .note = kcore__note(kcore),
					 /* before 6.0 the note does not lead to them */
					 .symbols = strstr(kcore__note(kcore), "(kallsyms_names)")
							    ? NULL
							    : "/proc/kallsyms"},
			 out);
	kcore__close(kcore);
	return status;
}
