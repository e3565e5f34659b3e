// SPDX-License-Identifier: GPL-2.0-or-later
/* Which drivers have given devices of this host to VFIO. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "util/link_name.h"

#define DEVICES "/sys/class/vfio-dev" /* since 6.1 */

void kernel__vfio_driver_facts(const struct fact_sink *out)
{
	DIR *directory = opendir(DEVICES);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char path[PATH_MAX], driver[64], module[64], key[128];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), DEVICES "/%.255s/device/driver", entry->d_name);
		link_name(path, driver, sizeof(driver));
		if (!*driver)
			continue;
		snprintf(path, sizeof(path), DEVICES "/%.255s/device/driver/module", entry->d_name);
		link_name(path, module, sizeof(module));
		snprintf(key, sizeof(key), "vfio.driver.%s", driver);
		out->set(out->model, key, module);
	}
	if (directory)
		closedir(directory);
}
