// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/link_name.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void link_name(const char *path, char *out, size_t size)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	out[0] = 0;
	if (length <= 0)
		return;
	target[length] = 0;
	slash = strrchr(target, '/');
	snprintf(out, size, "%.*s", (int)size - 1, slash ? slash + 1 : target);
}
