// SPDX-License-Identifier: GPL-2.0-or-later
/* From features to a level. The order of the checks is the order in which a person must act. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/level.h"

const char *const attach_level_names[] = {
	[ATTACH_AUTO] = "auto",	      [ATTACH_FENTRY] = "fentry",
	[ATTACH_KPROBE] = "kprobe",   [ATTACH_TRACEPOINT] = "tracepoint",
	[ATTACH_LOCKDEP] = "lockdep",
};

struct features {
	const struct feature *rows;
	uint32_t count;
};

static const struct feature *row_of(const struct features *all, const char *name)
{
	static const struct feature none = {.state = FEATURE_UNKNOWN};

	for (uint32_t i = 0; i < all->count; i++)
		if (!strcmp(all->rows[i].name, name))
			return &all->rows[i];
	return &none;
}

static bool is_no(const struct features *all, const char *name)
{
	return row_of(all, name)->state == FEATURE_NO;
}

static bool is_yes(const struct features *all, const char *name)
{
	return row_of(all, name)->state == FEATURE_YES;
}

static void __attribute__((format(printf, 4, 5)))
set(struct level *level, const char *name, bool works, const char *format, ...)
{
	va_list arguments;

	level->name = name;
	level->works = works;
	va_start(arguments, format);
	vsnprintf(level->message, sizeof(level->message), format, arguments);
	va_end(arguments);
}

/* Pieces without which nothing works at all. */
static bool lacks_basics(struct level *level, const struct kernel *k, const struct features *all)
{
	static const struct {
		const char *feature, *words;
	} needed[] = {
		{"privileges", "not permitted"},
		{"lockdown_permits", "the kernel is locked down (confidentiality)"},
		{"vmlinux_btf", "this kernel has no BTF"},
		{"vfio", "this kernel has no VFIO: neither built in nor a module of it"},
	};

	if (kernel__version(k) && (kernel__version(k) < (5u << 16 | 12u << 8) ||
				   is_no(all, "ring_buffer") || is_no(all, "task_storage"))) {
		set(level, "unsupported", false,
		    "Linux %s is too old: held locks cannot be followed before 5.12, nor deadlocks "
		    "seen "
		    "live before 5.19. Remedy: boot 5.19 or newer (Debian 12 has 6.1)",
		    kernel__release(k));
		return true;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (!is_no(all, needed[i].feature))
			continue;
		set(level, "unsupported", false, "%s. Remedy: %s", needed[i].words,
		    row_of(all, needed[i].feature)->remedy);
		return true;
	}
	return false;
}

static void judge_forced(struct level *level, const struct features *all, enum attach_level attach)
{
	static const struct {
		const char *feature, *level, *instead;
	} levels[] = {
		[ATTACH_FENTRY] = {"fentry", "full", "use --attach auto or kprobe"},
		[ATTACH_KPROBE] = {"kprobe", "reduced", "use --attach auto"},
		[ATTACH_TRACEPOINT] = {"contention_tracepoints", "contention only",
				       "boot Linux 5.19 or newer"},
		[ATTACH_LOCKDEP] =
			{"lockdep_tracepoints", "reduced",
			 "boot a kernel with CONFIG_PROVE_LOCKING, or use --attach auto"},
	};

	if (is_no(all, levels[attach].feature))
		set(level, "unsupported", false,
		    "--attach %s is not possible: this kernel does not offer it. Remedy: %s",
		    attach_level_names[attach], levels[attach].instead);
	else
		set(level, levels[attach].level, true, "--attach %s is possible",
		    attach_level_names[attach]);
}

static void judge_auto(struct level *level, const struct features *all)
{
	const char *not_loaded = !is_yes(all, "vfio_btf") && !is_no(all, "vfio_btf")
					 ? " vfio is not loaded yet; it is picked up when it is."
					 : "";

	if (is_yes(all, "fentry") && is_yes(all, "contention_tracepoints") &&
	    !is_no(all, "vfio_btf") && !is_no(all, "kvm_btf") && is_yes(all, "kallsyms"))
		set(level, "full", true, "lock orders, paths and live deadlocks can be followed.%s",
		    not_loaded);
	else if (is_yes(all, "fentry") || is_yes(all, "kprobe"))
		set(level, "reduced", true,
		    "lock orders can be followed, but not everything: %s.%s",
		    !is_yes(all, "fentry")		     ? "kprobes instead of fentry"
		    : !is_yes(all, "contention_tracepoints") ? "no live deadlocks, waits and stalls"
		    : !is_yes(all, "kallsyms")		     ? "no symbols"
							     : "no BTF of vfio or kvm",
		    not_loaded);
	else if (is_yes(all, "contention_tracepoints"))
		set(level, "contention only", true,
		    "waits and live deadlocks can be followed; lock orders only where tasks wait, "
		    "so a "
		    "verdict is always inconclusive.");
	else
		set(level, "unsupported", false,
		    "neither fentry nor kprobes nor contention tracepoints can be used. Remedy: a "
		    "kernel "
		    "with CONFIG_DEBUG_INFO_BTF, CONFIG_FUNCTION_TRACER and CONFIG_KPROBE_EVENTS");
}

void level__judge(struct level *level, const struct kernel *k, const struct feature *features,
		  uint32_t count, enum attach_level attach)
{
	const struct features all = {features, count};

	if (lacks_basics(level, k, &all))
		return;
	if (attach == ATTACH_AUTO)
		judge_auto(level, &all);
	else
		judge_forced(level, &all, attach);
}

void level__attached(struct level *level, const struct probe_info *probes, uint32_t count)
{
	uint32_t needed = 0, there = 0;
	const char *missing = NULL;

	for (uint32_t i = 0; i < count; i++) {
		if (!probes[i].required_for_verdict)
			continue;
		needed++;
		if (probes[i].state == PROBE_ATTACHED || probes[i].state == PROBE_PENDING)
			there++;
		else if (!missing)
			missing = probes[i].name;
	}
	if (!missing || strcmp(level->name, "full"))
		return;
	set(level, "reduced", true,
	    "%u of %u probes a verdict needs can be attached; missing: %s%s.", there, needed,
	    missing, there + 1 < needed ? " and others" : "");
}

void level__attach_failed(struct level *level, const char *why)
{
	set(level, "unsupported", false, "%s", why);
}
