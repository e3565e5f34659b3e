// SPDX-License-Identifier: GPL-2.0-or-later
/* The types that a kernel and its modules carry in their memory. */
#include <errno.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kernel/image.h"

#define MOST_BYTES (64U << 20) /* distributions have 5 to 10 MiB */

static void *bytes_at(const struct kernel *k, uint64_t address, uint64_t size)
{
	void *data = address && size && size <= MOST_BYTES ? malloc(size) : NULL;

	if (data && memory__read(&k->image->memory, address, data, (uint32_t)size)) {
		free(data);
		return NULL;
	}
	return data;
}

struct btf *image_btf__vmlinux(const struct kernel *k)
{
	uint64_t size = k->image->btf_stop - k->image->btf_start;
	void *data = bytes_at(k, k->image->btf_start, size);
	struct btf *btf = data ? btf__new(data, (uint32_t)size) : NULL;

	free(data);
	return libbpf_get_error(btf) ? NULL : btf;
}

struct btf *image_btf__module(const struct kernel *k, const char *name, struct btf *base)
{
	for (uint32_t i = 0; i < k->module_count; i++) {
		const struct image_module *module = &k->image->modules[i];
		struct btf *btf;
		void *data;

		if (strcmp(k->modules[i].name, name))
			continue;
		data = bytes_at(k, module->btf, module->btf_size);
		btf = data ? btf__from_bytes(data, (uint32_t)module->btf_size, base) : NULL;
		free(data);
		return btf;
	}
	return NULL;
}
