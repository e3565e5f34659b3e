// SPDX-License-Identifier: GPL-2.0-or-later
/* What the programs must know of this kernel before they are loaded (struct program_constants). */
#include <stdint.h>
#include <string.h>

#include <bpf/btf.h>

#include "capture/capture_private.h"
#include "kernel/program_types.h"

/* Where `name` lies in the object's read-only data. */
static size_t constant_offset(const struct bpf_object *object, const char *name)
{
	const struct btf *btf = bpf_object__btf(object);
	int section = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *type = section > 0 ? btf__type_by_id(btf, (uint32_t)section) : NULL;
	const struct btf_var_secinfo *variable = type ? btf_var_secinfos(type) : NULL;

	for (uint32_t i = 0; type && i < btf_vlen(type); i++, variable++) {
		const struct btf_type *known = btf__type_by_id(btf, variable->type);

		if (!strcmp(btf__name_by_offset(btf, known->name_off), name))
			return variable->offset;
	}
	return SIZE_MAX;
}

void programs__set_constants(struct capture *c, struct bpf_object *object)
{
	struct kernel *k = c->options.kernel;
	size_t size = 0, offset = constant_offset(object, "constants");
	struct program_constants constants = {
		.open_by_ioctl = !kernel__has_btf_function(k, "vfio_df_open", NULL),
		.close_by_release = !kernel__has_btf_function(k, "vfio_df_close", NULL),
		.direct_loads = program_types__in_use(k) && kernel__try_direct_loads(k),
		.has_backup = is_direct(c) && c->is_preemptible,
	};
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		char *values = strstr(bpf_map__name(map), ".rodata")
				       ? (char *)bpf_map__initial_value(map, &size)
				       : NULL;

		if (values && offset <= size && sizeof(constants) <= size - offset)
			memcpy(values + offset, &constants, sizeof(constants));
	}
}
