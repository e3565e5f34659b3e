// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a tracing program attaches. libbpf looks for the function's type id by name, from the first
 * of 150,000 types on, again for each program, and reads every module's BTF for it: a third of the
 * time from start to attached. The kernel object has an index of these names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "capture/capture_private.h"

/* libbpf hands a handler one long, the same for every object: the kernel is of the process anyway.
 */
static const struct kernel *kernel_of_targets;

/* The last module's BTF object, since a module's programs load one after the other. */
static struct {
	char name[64];
	int fd;
} module_object = {.fd = -1};

static int find_module_object(const char *module)
{
	uint32_t id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		struct bpf_btf_info info = {};
		uint32_t size = sizeof(info);
		char name[64] = "";
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue; /* gone meanwhile */
		info.name = (uint64_t)(uintptr_t)name;
		info.name_len = sizeof(name);
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf &&
		    !strcmp(name, module))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

static int module_object_fd(const char *module)
{
	if (module_object.fd >= 0 && !strcmp(module_object.name, module))
		return module_object.fd;
	attach_target__close();
	snprintf(module_object.name, sizeof(module_object.name), "%s", module);
	return module_object.fd = find_module_object(module);
}

static int find_target(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	const char *name = strchr(bpf_program__section_name(program), '/') + 1, *module = NULL;

	if (cookie == BPF_TRACE_RAW_TP)
		options->attach_btf_id = kernel__btf_tracepoint(kernel_of_targets, name);
	else
		options->attach_btf_id = kernel__btf_function(kernel_of_targets, name, &module);
	if (!options->attach_btf_id)
		return -ENOENT;
	options->attach_btf_obj_fd = 0;
	if (module) {
		int fd = module_object_fd(module);

		if (fd < 0)
			return fd;
		options->attach_btf_obj_fd = (uint32_t)fd;
	}
	return 0;
}

static int attach_target(const struct bpf_program *program, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_trace(program);
	return *link ? 0 : -errno;
}

void attach_target__use(const struct kernel *kernel)
{
	static const struct {
		const char *section;
		enum bpf_attach_type type;
	} kinds[] = {{"fentry/", BPF_TRACE_FENTRY},
		     {"fexit/", BPF_TRACE_FEXIT},
		     {"tp_btf/", BPF_TRACE_RAW_TP}};
	static bool is_registered;

	if (!kernel__btf_is_own(kernel))
		return; /* libbpf's own search, in the running kernel */
	kernel_of_targets = kernel;
	for (size_t i = 0; !is_registered && i < sizeof(kinds) / sizeof(*kinds); i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)kinds[i].type,
			    .prog_prepare_load_fn = find_target, .prog_attach_fn = attach_target);

		libbpf_register_prog_handler(kinds[i].section, BPF_PROG_TYPE_TRACING, kinds[i].type,
					     &options);
	}
	is_registered = true;
}

void attach_target__close(void)
{
	if (module_object.fd >= 0)
		close(module_object.fd);
	module_object.fd = -1;
}
