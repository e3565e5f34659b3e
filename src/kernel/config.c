// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration this kernel was built with: /proc/config.gz, or the file beside the image. */
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "kernel/kernel_private.h"

#define CONFIG_BYTES (4u << 20) /* distribution kernels have about 280 KiB */

/* gzread passes plain text through, so one reader serves both. */
static char *read_config(const char *path)
{
	gzFile file = gzopen(path, "re");
	char *text = file ? malloc(CONFIG_BYTES) : NULL, *fitted;
	int got = text ? gzread(file, text, CONFIG_BYTES - 1) : -1;

	if (file)
		gzclose(file);
	if (got <= 0) {
		free(text);
		return NULL;
	}
	text[got] = 0;
	fitted = realloc(text, (size_t)got + 1);
	return fitted ? fitted : text;
}

static char *find_config(const struct kernel *k)
{
	static const char *const places[] = {"/boot/config-%s", "/lib/modules/%s/config",
					     "/usr/lib/modules/%s/config",
					     "/lib/modules/%s/build/.config"};
	char path[512], *text = k->image ? NULL : read_config("/proc/config.gz");

	if (k->image)
		return NULL;
	for (size_t i = 0; !text && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), places[i], k->release);
		text = read_config(path);
	}
	return text;
}

static const char *config_text(const struct kernel *k)
{
	struct kernel *own = (struct kernel *)k;

	if (!k->config_tried) {
		own->config_tried = true;
		own->config = find_config(k);
	}
	return k->config;
}

const char *kernel__config(const struct kernel *k, const char *option)
{
	const char *at = config_text(k), *prefix = strncmp(option, "CONFIG_", 7) ? "CONFIG_" : "";
	char wanted[128], value[128];
	int length = snprintf(wanted, sizeof(wanted), "\n%s%s=", prefix, option);

	at = at ? strstr(at, wanted) : NULL;
	if (!at)
		return NULL;
	at += length;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
	return kernel__keep(k, value);
}

bool config__known(const struct kernel *k)
{
	return config_text(k) != NULL;
}
