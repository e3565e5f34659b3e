// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attach levels: direct calls, kprobes, contention tracepoints. Each level that fails leaves
 * its reason, because the one below sees less.
 */
#include <errno.h>
#include <string.h>

#include "contention/contention.h"
#include "capture/capture_private.h"

/* libbpf's words where it has some: the program and what the verifier had against it. */
static const char *why(int error)
{
	const char *complaint = capture__libbpf_error();

	if (*complaint)
		return complaint;
	return error == -ENOENT ? "no function of the locks can be traced" : strerror(-error);
}

static void note_fallback(struct capture *c, enum attach_level level, int error)
{
	size_t used = strlen(c->fallback_reason);

	snprintf(c->fallback_reason + used, sizeof(c->fallback_reason) - used, "%s%s: %.120s",
		 used ? "; " : "", attach_level_names[level], why(error));
}

static int load_at(struct capture *c, enum attach_level level)
{
	int error;

	c->level = level;
	c->is_preemptible = kernel__is_preemptible(c->options.kernel);
	probes__init(c);
	error = level == ATTACH_LOCKDEP ? programs__load_lockdep(c) : programs__load_locks(c);
	if (!error && !c->object_count)
		error = -ENOENT;
	if (!error)
		error = programs__attach_first(c);
	if (!error)
		error = programs__load_paths(c);
	if (!error)
		return 0;
	note_fallback(c, level, error);
	programs__close(c);
	c->probe_count = 0;
	memset(c->probes, 0, sizeof(c->probes));
	return error;
}

static int load_kprobes(struct capture *c)
{
	int error = load_at(c, ATTACH_KPROBE);

	if (!error)
		model__set_losses_unknown(c->options.model,
					  "kprobes: runs the kernel skipped are not counted");
	return error;
}

/* The lowest level: who waits for whom, but not which order locks are taken in. */
static int load_contention_only(struct capture *c)
{
	c->level = ATTACH_TRACEPOINT;
	capture__open_contention(c);
	if (!c->contention)
		return c->contention_error;
	model__set_losses_unknown(c->options.model,
				  "contention tracepoints only: orders taken without "
				  "waiting are not seen");
	return 0;
}

int attach_level__load(struct capture *c)
{
	int error;

	c->fallback_reason[0] = 0;
	switch (c->options.attach) {
	case ATTACH_FENTRY:
	case ATTACH_LOCKDEP:
		return load_at(c, c->options.attach);
	case ATTACH_KPROBE:
		return load_kprobes(c);
	case ATTACH_TRACEPOINT:
		return load_contention_only(c);
	default:
		break;
	}
	if (!load_at(c, ATTACH_FENTRY))
		return 0;
	error = load_kprobes(c);
	return !error || !load_contention_only(c) ? 0 : error;
}

void attach_level__explain(struct capture *c, int error)
{
	if (error == -EPERM || error == -EACCES)
		capture__set_error("the kernel does not let us load tracing programs (%s): run as "
				   "root, check lockdown and kernel.unprivileged_bpf_disabled; "
				   "`vfiotrace check` names the missing piece",
				   strerror(-error));
	else
		capture__set_error("cannot load the tracing programs with %s: %s%s%s; `vfiotrace "
				   "check` names the missing piece",
				   attach_level_names[c->options.attach], strerror(-error),
				   *c->fallback_reason ? ": " : "", c->fallback_reason);
}
