/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slab.h - the slab cache an address comes from: how a lock in no known object gets a name.
 * Only where page_offset_base and vmemmap_base are known (x86-64 with KALLSYMS_ALL); else "".
 */
#ifndef VFIOTRACE_BPF_SLAB_H
#define VFIOTRACE_BPF_SLAB_H

#include "maps.h"

#define HEAD_IS_MASK 0xffffffff00000000ULL /* above vmemmap, below no mask */

/* struct slab was split from struct page in 5.17 (d122019bf061): older kernels give no name */
struct lockdep_map___name {
	const char *name;
} __attribute__((preserve_access_index));

/* What names the lock: lockdep's own name for it, or the slab cache it lies in. */
__noinline int slab_of(struct shared_state *state, __u64 address, __u32 kind,
		       struct record_slab *out)
{
	struct kmem_cache *cache;
	struct slab *slab;
	const char *name;
	__u64 head, base, page_offset = 0, vmemmap = 0;
	__u64 page_size = bpf_core_type_size(struct page);
	__u32 size;

	if (!state || !out)
		return 0;
	__builtin_memset(out, 0, sizeof(*out));
	if (kind == RECORD_LOCKDEP) {
		const struct lockdep_map___name *map = (const void *)address;

		if (bpf_core_field_exists(map->name))
			bpf_probe_read_kernel_str(out->cache, sizeof(out->cache),
						  BPF_CORE_READ(map, name));
		return 0;
	}
	if (!state->page_offset_symbol || !state->vmemmap_symbol ||
	    !bpf_core_type_exists(struct slab))
		return 0;
	bpf_probe_read_kernel(&page_offset, sizeof(page_offset), (void *)state->page_offset_symbol);
	bpf_probe_read_kernel(&vmemmap, sizeof(vmemmap), (void *)state->vmemmap_symbol);
	if (!page_offset || !vmemmap || address < page_offset || address >= vmemmap)
		return 0;
	slab = (void *)(vmemmap + ((address - page_offset) >> 12) * page_size);
	/*
	 * Tail page: bit 0 of the second word of every struct page; the rest is the head's address,
	 * on newer kernels (7.2) a mask that makes it of the tail's.
	 */
	if (bpf_probe_read_kernel(&head, sizeof(head), (void *)slab + 8))
		return 0;
	if (head & 1)
		slab = head >= HEAD_IS_MASK ? (void *)((__u64)slab & head) : (void *)(head - 1);
	if (bpf_core_read(&cache, sizeof(cache), &slab->slab_cache) || (__u64)cache < (1ULL << 63))
		return 0;
	if (bpf_core_read(&name, sizeof(name), &cache->name) ||
	    bpf_core_read(&size, sizeof(size), &cache->size) || !size)
		return 0;
	if (bpf_probe_read_kernel_str(out->cache, sizeof(out->cache), name) <= 0) {
		out->cache[0] = 0;
		return 0;
	}
	base = page_offset + (((__u64)slab - vmemmap) / page_size << 12);
	out->offset = (address - base) % size;
	return 0;
}

#endif
