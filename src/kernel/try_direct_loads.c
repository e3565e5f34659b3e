// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether a program may load from an address that is only a number (bpf_rdonly_cast, 6.2,
 * a35b9af4ec2c) depends on the kernel's version, on its JIT (Debian's s390x has none) and on the
 * verifier's view of the types. So the two loads of bpf/read_word.h are tried; nothing is attached.
 */
#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "kernel/kernel_private.h"

#define LAST_WORD 88 /* site.h looks at twelve */

static int load_casts(uint32_t target, int32_t cast, int32_t word_type, int32_t words_type)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = word_type},
		{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = cast},
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_6},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = words_type},
		{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = cast},
		{.code = BPF_LDX | BPF_MEM | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_0,
		 .off = LAST_WORD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = target);
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try_loads", "GPL", program,
			       sizeof(program) / sizeof(*program), &options);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

bool kernel__try_direct_loads(struct kernel *k)
{
	const struct btf *btf;
	uint32_t target = kernel__vmlinux_function(k, "mutex_lock");
	uint32_t cast = kernel__vmlinux_function(k, "bpf_rdonly_cast");
	uint32_t word = kernel__find_type(k, "rb_node", &btf);
	uint32_t words = kernel__find_type(k, "pt_regs", &btf);

	if (!target || !cast || !word || !words)
		return false;
	return !load_casts(target, (int32_t)cast, (int32_t)word, (int32_t)words);
}
