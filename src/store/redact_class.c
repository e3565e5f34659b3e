// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which names of lock classes may stay in a redacted recording: those that the kernel's source can
 * have. A name that came from a log or a trace may hold anything: a workqueue's has the device in
 * it, a trace of another program the customer. So it must be an expression of identifiers, and the
 * last of them say that it is a lock; whatever else it is gets a pseudonym.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "store/redact_private.h"

#define IDENTIFIER_MAX 48
#define DIGITS_MAX 4 /* in a row: more are an address, a serial number, a time */

/* What a part of a lock's identifier, between underscores, ends with, or is. */
static const char *const endings[] = {"lock", "lck", "mutex", "mtx", "sem", "rcu", "lockref"};
static const char *const parts[] = {"wait",  "work",   "timer", "wq",	   "seq",   "seqcount",
				    "event", "active", "ptl",	"barrier", "fence", "completion"};
/* Of locks that have none of these. */
static const char *const others[] = {
	"s_umount",	   "s_umount_key",
	"sb_writers",	   "sb_internal",
	"sb_pagefaults",   "fs_reclaim",
	"q_usage_counter", "dma_fence_map",
	"jbd2_handle",	   "mmu_notifier_invalidate_range_start",
};
/* With a hyphen behind them comes the address family: "sk_lock-AF_INET". */
static const char *const of_sockets[] = {"sk_lock-AF_", "slock-AF_", "rlock-AF_",
					 "wlock-AF_",	"elock-AF_", "clock-AF_"};

static bool is_identifier(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Length of the identifier at `at`; 0: none, or one that the kernel would not have. */
static size_t identifier(const char *at)
{
	size_t length = 0, digits = 0;

	if (isdigit((unsigned char)*at))
		return 0;
	for (; is_identifier(at[length]); length++) {
		digits = isdigit((unsigned char)at[length]) ? digits + 1 : 0;
		if (digits > DIGITS_MAX)
			return 0;
	}
	return length <= IDENTIFIER_MAX ? length : 0;
}

static bool is_listed(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

static bool is_lock(const char *name, size_t length)
{
	char word[IDENTIFIER_MAX + 1], *save = NULL;

	snprintf(word, sizeof(word), "%.*s", (int)length, name);
	if (is_listed(others, sizeof(others) / sizeof(*others), word))
		return true;
	for (char *part = strtok_r(word, "_", &save); part; part = strtok_r(NULL, "_", &save)) {
		size_t end = strlen(part);

		while (end && (isdigit((unsigned char)part[end - 1]) || part[end - 1] == 's'))
			part[--end] = '\0';
		if (is_listed(parts, sizeof(parts) / sizeof(*parts), part))
			return true;
		for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
			if (end >= strlen(endings[i]) &&
			    !strcmp(part + end - strlen(endings[i]), endings[i]))
				return true;
	}
	return false;
}

/* "#2", "/1", "[0]": a key or subclass, with no more digits than these have. */
static size_t number(const char *at)
{
	size_t digits = 0;

	if (*at != '#' && *at != '/' && *at != '[')
		return 0;
	while (isdigit((unsigned char)at[1 + digits]))
		digits++;
	return digits && digits <= DIGITS_MAX ? digits + 1 : 0;
}

static size_t lock_of_socket(const char *at)
{
	for (size_t i = 0; i < sizeof(of_sockets) / sizeof(*of_sockets); i++) {
		size_t length = strlen(of_sockets[i]);

		if (!strncmp(at, of_sockets[i], length))
			return length + identifier(at + length);
	}
	return 0;
}

/* "->" and what else stands between identifiers. */
static size_t sign(const char *at)
{
	if (!strncmp(at, "->", 2))
		return 2;
	return strchr("&*().]", *at) ? 1 : number(at);
}

/*
 * "work:kvm_mmu_work", "completion:vfio_device.comp": the function that does it, the member that it
 * is. What a workqueue is called is another matter, it may have a device's name in it.
 */
static const char *after_kind_of_wait(const char *name)
{
	static const char *const kinds[] = {"work:", "completion:", "completion@"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strncmp(name, kinds[i], strlen(kinds[i])))
			return name + strlen(kinds[i]);
	return NULL;
}

static bool is_function_or_member(const char *name)
{
	size_t length;

	for (;; name += length + 1) {
		length = identifier(name);
		if (!length || (name[length] && name[length] != '.'))
			return false;
		if (!name[length])
			return true;
	}
}

bool redact__is_kernel_class(const char *name)
{
	const char *wait = after_kind_of_wait(name);
	bool lock = false;

	if (wait)
		return is_function_or_member(wait);
	for (const char *at = name; *at;) {
		size_t length = lock_of_socket(at);

		if (length)
			lock = true;
		else if ((length = identifier(at)))
			lock = is_lock(at, length);
		else if (!(length = sign(at)))
			return false;
		at += length;
	}
	return lock;
}
