// SPDX-License-Identifier: GPL-2.0-or-later
/* Giving up rights: see rights.h. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/rights.h"
#include "util/syscall_filter.h"

#define NOBODY 65534

void rights__bound(const cap_value_t *kept, size_t count)
{
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP || prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
		bool stays = false;

		for (size_t i = 0; i < count; i++)
			stays |= kept[i] == cap;
		if (!stays)
			prctl(PR_CAPBSET_DROP, cap);
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static int become_nobody(bool or_stay)
{
	if (geteuid())
		return 0; /* a user of its own */
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return or_stay && (errno == EINVAL || errno == EPERM) ? 0 : -errno;
	return 0;
}

static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int error = !none || cap_set_proc(none) ? -errno : 0;

	cap_free(none);
	return error;
}

int rights__drop_all(struct rights_drop how)
{
	const struct rlimit no_core = {0, 0};
	int error;

	rights__bound(NULL, 0); /* while there is CAP_SETPCAP */
	error = become_nobody(how.or_stay);
	if (!error)
		error = drop_capabilities();
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	if (!error && setrlimit(RLIMIT_CORE, &no_core))
		error = -errno;
	/* after the change of user, which takes it back */
	if (!error && prctl(PR_SET_PDEATHSIG, SIGKILL))
		error = -errno;
	return error ? error : syscall_filter__install(how.runs_programs);
}
