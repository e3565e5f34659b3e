// SPDX-License-Identifier: GPL-2.0-or-later
/* What libbpf needs of this kernel's BTF to load an object; see program_types.h. */
#include "kernel/program_types.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kernel/kernel_private.h"
#include "record.h"

/* libbpf hands a handler one long, the same for every object: the kernel is of the process anyway.
 */
static const struct kernel *kernel_in_use;
static int32_t cast_function, cast_types[CAST_TYPES];

/* The last module's BTF object, since a module's programs load one after the other. */
static struct {
	char name[64];
	int fd;
} module_object = {.fd = -1};

static void close_module_object(void)
{
	if (module_object.fd >= 0)
		close(module_object.fd);
	module_object.fd = -1;
}

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
	close_module_object();
	snprintf(module_object.name, sizeof(module_object.name), "%s", module);
	return module_object.fd = find_module_object(module);
}

/* --- the casts ------------------------------------------------------------------------------- */

static bool is_cast(const struct bpf_insn *call)
{
	return call->code == (BPF_JMP | BPF_CALL) && call->src_reg == BPF_PSEUDO_KFUNC_CALL &&
	       !call->imm && call[-1].code == (BPF_ALU64 | BPF_MOV | BPF_K) &&
	       call[-1].dst_reg == BPF_REG_2 && call[-1].imm > 0 && call[-1].imm < CAST_TYPES;
}

/* Left as they are where this kernel has no casts: the verifier lets dead code be. */
static int fill_casts(struct bpf_program *program)
{
	size_t count = bpf_program__insn_cnt(program);
	struct bpf_insn *code;
	bool any = false;
	int error = 0;

	if (!cast_function)
		return 0;
	code = malloc(count * sizeof(*code));
	if (!code)
		return -ENOMEM;
	memcpy(code, bpf_program__insns(program), count * sizeof(*code));
	for (size_t i = 1; i < count; i++) {
		if (!is_cast(&code[i]))
			continue;
		code[i].imm = cast_function;
		code[i - 1].imm = cast_types[code[i - 1].imm];
		any = true;
	}
	if (any)
		error = bpf_program__set_insns(program, code, count);
	free(code);
	return error;
}

static void find_casts(const struct kernel *k)
{
	static const char *const names[CAST_TYPES] = {
		[CAST_WORD] = "rb_node", [CAST_WORDS] = "pt_regs"};
	const struct btf *btf;

	cast_function = (int32_t)kernel__vmlinux_function(k, "bpf_rdonly_cast");
	for (int i = 1; i < CAST_TYPES; i++) {
		cast_types[i] = (int32_t)kernel__find_type(k, names[i], &btf);
		if (!cast_types[i])
			cast_function = 0;
	}
}

/* --- what a program attaches to -------------------------------------------------------------- */

static uint32_t find_target(const char *name, long type, const char **module)
{
	char iterator[64];

	switch (type) {
	case BPF_TRACE_RAW_TP:
		return kernel__btf_tracepoint(kernel_in_use, name);
	case BPF_TRACE_ITER:
		snprintf(iterator, sizeof(iterator), "bpf_iter_%s", name);
		return kernel__vmlinux_function(kernel_in_use, iterator);
	default:
		return kernel__btf_function(kernel_in_use, name, module);
	}
}

static int prepare_tracing(struct bpf_program *program, struct bpf_prog_load_opts *options,
			   long cookie)
{
	const char *name = strchr(bpf_program__section_name(program), '/') + 1, *module = NULL;

	options->attach_prog_fd = 0; /* see program_types__fill */
	options->attach_btf_id = find_target(name, cookie, &module);
	if (!options->attach_btf_id)
		return -ENOENT;
	options->attach_btf_obj_fd = 0;
	if (module) {
		int fd = module_object_fd(module);

		if (fd < 0)
			return fd;
		options->attach_btf_obj_fd = (uint32_t)fd;
	}
	return fill_casts(program);
}

static int prepare_kprobe(struct bpf_program *program, struct bpf_prog_load_opts *options,
			  long cookie)
{
	(void)options;
	(void)cookie;
	return fill_casts(program);
}

static int attach_tracing(const struct bpf_program *program, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_trace(program);
	return *link ? 0 : -errno;
}

static void register_handlers(void)
{
	static const struct {
		const char *section;
		enum bpf_prog_type program;
		enum bpf_attach_type type;
	} kinds[] = {{"fentry/", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY},
		     {"fexit/", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT},
		     {"tp_btf/", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP},
		     {"iter/", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER},
		     {"kprobe/", BPF_PROG_TYPE_KPROBE, 0},
		     {"kretprobe/", BPF_PROG_TYPE_KPROBE, 0}};
	static bool is_registered;

	for (size_t i = 0; !is_registered && i < sizeof(kinds) / sizeof(*kinds); i++) {
		bool is_tracing = kinds[i].program == BPF_PROG_TYPE_TRACING;
		LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)kinds[i].type,
			    .prog_prepare_load_fn = is_tracing ? prepare_tracing : prepare_kprobe,
			    .prog_attach_fn = is_tracing ? attach_tracing : NULL);

		libbpf_register_prog_handler(kinds[i].section, kinds[i].program, kinds[i].type,
					     &options);
	}
	is_registered = true;
}

/* --- life cycle ------------------------------------------------------------------------------ */

bool program_types__in_use(const struct kernel *kernel)
{
	return kernel__btf_is_own(kernel);
}

void program_types__begin(struct program_types *t, const struct kernel *kernel)
{
	*t = (struct program_types){.kernel = kernel, .fd = -1};
	if (!program_types__in_use(kernel))
		return;
	t->fd = memfd_create("btf", MFD_CLOEXEC);
	if (t->fd < 0)
		return;
	snprintf(t->text, sizeof(t->text), "/proc/self/fd/%d", t->fd);
	t->path = t->text;
	kernel_in_use = kernel;
	find_casts(kernel);
	register_handlers();
}

int program_types__fill(struct program_types *t, const struct bpf_object *object)
{
	struct bpf_program *program;

	if (!t->path)
		return 0;
	/*
	 * A program that attaches to another program is the one kind of tracing program for which
	 * libbpf does not read the kernel's BTF. None of ours does; prepare_tracing takes it back.
	 */
	bpf_object__for_each_program(program, object) {
		if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING)
			bpf_program__set_attach_target(program, t->fd, NULL);
	}
	return btf_subset__write(t->kernel, bpf_object__btf(object), t->fd);
}

void program_types__end(struct program_types *t)
{
	close_module_object();
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}
