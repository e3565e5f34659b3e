// SPDX-License-Identifier: GPL-2.0-or-later
/* What may still be done after attach, and by children. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent.h"
#include "util/syscall_filter.h"

#define NOBODY 65534

/*
 * SYS_ADMIN: BTF of modules by id, bpf_enable_stats. BPF and PERFMON: load and attach again after a
 * module came back. SYSLOG: addresses of its symbols. SETUID, SETGID: children become nobody.
 */
static const cap_value_t kept[] = {CAP_SYS_ADMIN, CAP_BPF,    CAP_PERFMON,
				   CAP_SYSLOG,	  CAP_SETUID, CAP_SETGID};

static bool is_kept(cap_value_t cap)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i] == cap)
			return true;
	return false;
}

/* The bounding set first: that takes CAP_SETPCAP, which goes right after. */
static void drop_bounding(bool all)
{
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP || prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (all || !is_kept(cap))
			prctl(PR_CAPBSET_DROP, cap);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int privileges_drop(void)
{
	cap_t now = cap_get_proc(), next = cap_init();
	int status = 0;

	if (!now || !next) {
		status = -errno;
		goto cleanup;
	}
	drop_bounding(false);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		cap_flag_value_t has = CAP_CLEAR;

		cap_get_flag(now, kept[i], CAP_PERMITTED, &has);
		if (has == CAP_SET && (cap_set_flag(next, CAP_PERMITTED, 1, &kept[i], CAP_SET) ||
				       cap_set_flag(next, CAP_EFFECTIVE, 1, &kept[i], CAP_SET)))
			status = -errno;
	}
	if (!status && cap_set_proc(next))
		status = -errno;
	if (!status && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		status = -errno;
cleanup:
	cap_free(now);
	cap_free(next);
	return status;
}

static int become_nobody(void)
{
	if (geteuid())
		return 0; /* the service has a user of its own */
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return 0;
}

static int drop_everything(void)
{
	cap_t none = cap_init();
	int status = 0;

	if (!none || cap_set_proc(none))
		status = -errno;
	cap_free(none);
	if (!status && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		status = -errno;
	return status;
}

static void close_others(int keep_fd, int keep_fd2)
{
	int low = keep_fd < keep_fd2 ? keep_fd : keep_fd2;
	int high = keep_fd < keep_fd2 ? keep_fd2 : keep_fd;
	unsigned int from = 3;

	if (low >= 3) {
		if (low > 3)
			close_range(from, (unsigned int)low - 1, 0);
		from = (unsigned int)low + 1;
	}
	if (high >= 3 && high != low) {
		if ((unsigned int)high > from)
			close_range(from, (unsigned int)high - 1, 0);
		from = (unsigned int)high + 1;
	}
	close_range(from, ~0U, 0);
}

int privileges_none(int keep_fd, int keep_fd2, uint64_t memory_bytes)
{
	const struct rlimit __attribute__((unused)) memory = {memory_bytes, memory_bytes};
	const struct rlimit none = {0, 0};
	const struct rlimit files = {1024, 1024};
	int status;

	close_others(keep_fd, keep_fd2);
	drop_bounding(
		true); /* while there is CAP_SETPCAP; a child of the running service has none */
	status = become_nobody();
	if (!status)
		status = drop_everything();
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
	if (!status && setrlimit(RLIMIT_AS, &memory))
		status = -errno;
#endif
	if (!status && (setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_NOFILE, &files) ||
			setrlimit(RLIMIT_FSIZE, &none)))
		status = -errno;
	/* after the change of user, which takes it back */
	if (!status && prctl(PR_SET_PDEATHSIG, SIGKILL))
		status = -errno;
	return status ? status : syscall_filter__install(false);
}
