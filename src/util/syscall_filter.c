// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * seccomp filters. They name what is refused: what a C library asks for differs from one to the
 * next, and the user such a process runs as has few rights already.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/syscall_filter.h"

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#elif defined(__s390x__)
#define THIS_ARCH AUDIT_ARCH_S390X
#endif

#ifdef THIS_ARCH

#define X32_BIT 0x40000000 /* x86-64 knows each call twice */
#define WRITE_FLAGS (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)
#define CREATE_FLAGS O_CREAT /* a program opens /dev/null, and caches it has */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_WORD 4
#else
#define LOW_WORD 0
#endif
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n) + LOW_WORD)
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)

static const int refused[] = {
	/* the network */
	__NR_socket,
	__NR_connect,
	__NR_bind,
	__NR_listen,
	/* other processes */
	__NR_tkill,
	__NR_tgkill,
	__NR_rt_sigqueueinfo,
	__NR_rt_tgsigqueueinfo,
	__NR_pidfd_open,
	__NR_pidfd_send_signal,
	__NR_ptrace,
	__NR_process_vm_readv,
	__NR_process_vm_writev,
	__NR_setpriority,
	__NR_shmget,
	__NR_msgget,
	/* files that are not open */
	__NR_mkdirat,
	__NR_mknodat,
	__NR_unlinkat,
	__NR_linkat,
	__NR_symlinkat,
	__NR_renameat2,
	__NR_truncate,
	__NR_fchmodat,
	__NR_fchownat,
	__NR_setxattr,
	__NR_lsetxattr,
	__NR_utimensat,
	__NR_open_by_handle_at,
	__NR_openat2,
#ifdef __NR_renameat
	__NR_renameat,
#endif
#ifdef __NR_creat /* the older ones, which arm64 never had */
	__NR_creat,
	__NR_mkdir,
	__NR_mknod,
	__NR_unlink,
	__NR_rmdir,
	__NR_link,
	__NR_symlink,
	__NR_rename,
	__NR_chmod,
	__NR_chown,
	__NR_lchown,
	__NR_utimes,
#endif
	/* the kernel itself */
	__NR_bpf,
	__NR_perf_event_open,
	__NR_io_uring_setup,
	__NR_userfaultfd,
	__NR_add_key,
	__NR_request_key,
	__NR_keyctl,
	__NR_mount,
	__NR_umount2,
	__NR_unshare,
	__NR_setns,
	__NR_chroot,
	__NR_pivot_root,
	__NR_init_module,
	__NR_finit_module,
	__NR_personality,
};
static const int programs[] = {__NR_execve, __NR_execveat, __NR_kill};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define STATEMENT(code, value) ((struct sock_filter)BPF_STMT(code, value))
#define JUMP(test, value, yes, no)                                                                 \
	((struct sock_filter)BPF_JUMP(BPF_JMP | (test) | BPF_K, value, yes, no))

/* What is equal to one of `list` is refused. */
static unsigned refuse_all(struct sock_filter *out, const int *list, size_t count)
{
	unsigned used = 0;

	for (size_t i = 0; i < count; i++) {
		out[used++] = JUMP(BPF_JEQ, (uint32_t)list[i], 0, 1);
		out[used++] = STATEMENT(BPF_RET | BPF_K, REFUSE);
	}
	return used;
}

/* Opening is for reading; `flags` is the argument that says so, `bad` what it must not say. */
static unsigned refuse_writing(struct sock_filter *out, int call, unsigned flags, uint32_t bad)
{
	out[0] = JUMP(BPF_JEQ, (uint32_t)call, 0, 4);
	out[1] = STATEMENT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)ARGUMENT(flags));
	out[2] = JUMP(BPF_JSET, bad, 0, 1);
	out[3] = STATEMENT(BPF_RET | BPF_K, REFUSE);
	out[4] = STATEMENT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return 5;
}

/* Calls of another architecture or numbering are refused: the numbers below mean others there. */
static unsigned begin(struct sock_filter *filter)
{
	unsigned n = 0;

	filter[n++] = STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	filter[n++] = JUMP(BPF_JEQ, THIS_ARCH, 1, 0);
	filter[n++] = STATEMENT(BPF_RET | BPF_K, REFUSE);
	filter[n++] = STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	filter[n++] = JUMP(BPF_JGE, X32_BIT, 0, 1);
	filter[n++] = STATEMENT(BPF_RET | BPF_K, REFUSE);
#endif
	return n;
}

static int install(struct sock_filter *filter, unsigned n)
{
	struct sock_fprog program = {.filter = filter};

	filter[n++] = STATEMENT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 0;
	return errno == EINVAL || errno == ENOSYS ? 0 : -errno;
}

int syscall_filter__install(bool runs_programs)
{
	struct sock_filter filter[2 * (COUNT(refused) + COUNT(programs)) + 32];
	const uint32_t bad_flags = runs_programs ? CREATE_FLAGS : WRITE_FLAGS;
	unsigned n = begin(filter);

	n += refuse_all(&filter[n], refused, COUNT(refused));
	if (!runs_programs)
		n += refuse_all(&filter[n], programs, COUNT(programs));
	n += refuse_writing(&filter[n], __NR_openat, 2, bad_flags);
#ifdef __NR_open
	n += refuse_writing(&filter[n], __NR_open, 1, bad_flags);
#endif
	return install(filter, n);
}

/* Its first argument must be none of these. */
static unsigned refuse_target(struct sock_filter *out, int call, const uint32_t *targets,
			      size_t count)
{
	unsigned used = 0;

	/* past the load, two for each target, and the end */
	out[used++] = JUMP(BPF_JEQ, (uint32_t)call, 0, (uint8_t)(2 * count + 2));
	out[used++] = STATEMENT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)ARGUMENT(0));
	for (size_t i = 0; i < count; i++) {
		out[used++] = JUMP(BPF_JEQ, targets[i], 0, 1);
		out[used++] = STATEMENT(BPF_RET | BPF_K, REFUSE);
	}
	out[used++] = STATEMENT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return used;
}

int syscall_filter__shield(pid_t process)
{
	static const int by_number[] = {__NR_kill,
					__NR_tkill,
					__NR_tgkill,
					__NR_rt_sigqueueinfo,
					__NR_rt_tgsigqueueinfo,
					__NR_pidfd_open,
					__NR_process_vm_readv,
					__NR_process_vm_writev};
	static const int refused_always[] = {__NR_ptrace, __NR_bpf, __NR_pidfd_getfd};
	const uint32_t targets[] = {(uint32_t)process, (uint32_t)-process,
				    (uint32_t)-getpgid(process), (uint32_t)-1};
	struct sock_filter filter[(COUNT(by_number) * (2 * COUNT(targets) + 3)) +
				  2 * COUNT(refused_always) + 16];
	unsigned n = begin(filter);

	n += refuse_all(&filter[n], refused_always, COUNT(refused_always));
	for (size_t i = 0; i < COUNT(by_number); i++)
		n += refuse_target(&filter[n], by_number[i], targets, COUNT(targets));
	return install(filter, n);
}

#else

int syscall_filter__install(bool runs_programs)
{
	(void)runs_programs;
	return 0;
}

int syscall_filter__shield(pid_t process)
{
	(void)process;
	return 0;
}

#endif
