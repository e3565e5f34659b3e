// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether this kernel lets us attach fentry cannot be read anywhere: kernels refuse it by
 * configuration, by lockdown, by a security module, or for want of CAP_PERFMON. So an empty
 * program is attached for a moment to a function nothing calls in that time.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "kernel/kernel_private.h"

static int attach_empty(uint32_t btf_id)
{
	static const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = btf_id);
	int program_fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try_fentry", "GPL", program,
				       sizeof(program) / sizeof(*program), &options);
	int link_fd;

	if (program_fd < 0)
		return program_fd;
	link_fd = bpf_raw_tracepoint_open(NULL, program_fd);
	close(program_fd);
	if (link_fd < 0)
		return link_fd;
	close(link_fd);
	return 0;
}

int kernel__try_fentry(struct kernel *k)
{
	static const char *const targets[] = {"bpf_fentry_test1", "mutex_lock_io", "mutex_lock"};
	uint32_t id = 0;

	if (k->fentry_error <= 0)
		return k->fentry_error;
	k->fentry_error = -ENOENT;
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		id = kernel__vmlinux_function(k, targets[i]);
		if (!id)
			continue;
		k->fentry_error = attach_empty(id);
		if (!k->fentry_error)
			break;
	}
	return k->fentry_error;
}
