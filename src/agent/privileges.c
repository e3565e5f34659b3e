// SPDX-License-Identifier: GPL-2.0-or-later
/* What may still be done after attach, and by children. */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent.h"
#include "util/rights.h"

/*
 * SYS_ADMIN: BTF of modules by id, bpf_enable_stats. BPF and PERFMON: load and attach again after a
 * module came back. SYSLOG: addresses of its symbols. SETUID, SETGID: children become nobody.
 */
static const cap_value_t kept[] = {CAP_SYS_ADMIN, CAP_BPF,    CAP_PERFMON,
				   CAP_SYSLOG,	  CAP_SETUID, CAP_SETGID};

int privileges_drop(void)
{
	cap_t now = cap_get_proc(), next = cap_init();
	int status = 0;

	if (!now || !next) {
		status = -errno;
		goto cleanup;
	}
	rights__bound(kept, sizeof(kept) / sizeof(kept[0])); /* takes CAP_SETPCAP too */
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

	close_others(keep_fd, keep_fd2);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
	if (setrlimit(RLIMIT_AS, &memory))
		return -errno;
#endif
	if (setrlimit(RLIMIT_NOFILE, &files) || setrlimit(RLIMIT_FSIZE, &none))
		return -errno;
	return rights__drop_all((struct rights_drop){0});
}
