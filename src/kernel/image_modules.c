// SPDX-License-Identifier: GPL-2.0-or-later
/* The modules of an image, from the kernel's own list. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/image.h"

#define MOST_MODULES 4096
#define NAME_BYTES 64 /* MODULE_NAME_LEN is 56 */
#define STATE_LIVE 0
#define TAINT_PROPRIETARY 0
#define TAINT_OUT_OF_TREE 12
#define TAINT_UNSIGNED 13
#define MEMORY_TYPES 7

/* Where struct module has what, -ENOENT where this kernel has no such member. */
struct places {
	int list, name, state, taints, build_id, symbols;
	int base, size, memory, memory_base, memory_size, memory_stride;
	int orc, orc_ip, orc_count;
};

static struct places find_places(const struct kernel *k)
{
	return (struct places){
		.list = kernel__member_offset(k, "module", "list"),
		.name = kernel__member_offset(k, "module", "name"),
		.state = kernel__member_offset(k, "module", "state"),
		.taints = kernel__member_offset(k, "module", "taints"),
		.build_id = kernel__member_offset(k, "module", "build_id"),
		.symbols = kernel__member_offset(k, "module", "kallsyms"),
		.base = kernel__member_offset(k, "module", "core_layout.base"),
		.size = kernel__member_offset(k, "module", "core_layout.size"),
		.memory = kernel__member_offset(k, "module", "mem"), /* since 6.4 */
		.memory_base = kernel__member_offset(k, "module_memory", "base"),
		.memory_size = kernel__member_offset(k, "module_memory", "size"),
		.memory_stride = kernel__struct_size(k, "module_memory"),
		.orc = kernel__member_offset(k, "module", "arch.orc_unwind"),
		.orc_ip = kernel__member_offset(k, "module", "arch.orc_unwind_ip"),
		.orc_count = kernel__member_offset(k, "module", "arch.num_orcs"),
	};
}

static uint64_t word_at(const struct kernel *k, uint64_t module, int offset)
{
	uint64_t word = 0;

	if (offset >= 0)
		memory__u64(&k->image->memory, module + (uint64_t)offset, &word);
	return word;
}

static uint32_t number_at(const struct kernel *k, uint64_t module, int offset)
{
	uint32_t number = 0;

	if (offset >= 0)
		memory__u32(&k->image->memory, module + (uint64_t)offset, &number);
	return number;
}

static void find_memory(const struct kernel *k, const struct places *p, uint64_t module,
			struct module_row *row)
{
	row->address = word_at(k, module, p->base);
	row->size = number_at(k, module, p->size);
	if (p->memory < 0 || p->memory_stride <= 0)
		return;
	row->address = word_at(k, module, p->memory + p->memory_base); /* text comes first */
	row->size = 0;
	for (int i = 0; i < MEMORY_TYPES; i++)
		row->size +=
			number_at(k, module, p->memory + i * p->memory_stride + p->memory_size);
}

static int read_module(struct kernel *k, const struct places *p, uint64_t module, uint32_t row)
{
	struct image_module *own = &k->image->modules[row];
	struct module_row *known = &k->modules[row];
	uint64_t taints = word_at(k, module, p->taints);
	char name[NAME_BYTES];

	memory__string(&k->image->memory, module + (uint64_t)p->name, name, sizeof(name));
	known->name = kernel__keep(k, name);
	if (!known->name)
		return -ENOMEM;
	find_memory(k, p, module, known);
	snprintf(known->taint, sizeof(known->taint), "%s%s%s",
		 taints >> TAINT_PROPRIETARY & 1 ? "P" : "",
		 taints >> TAINT_OUT_OF_TREE & 1 ? "O" : "",
		 taints >> TAINT_UNSIGNED & 1 ? "E" : "");
	own->address = module;
	own->symbols = word_at(k, module, p->symbols);
	own->orc = word_at(k, module, p->orc);
	own->orc_ip = word_at(k, module, p->orc_ip);
	own->orc_count = number_at(k, module, p->orc_count);
	if (p->build_id >= 0)
		memory__read(&k->image->memory, module + (uint64_t)p->build_id, own->build_id,
			     sizeof(own->build_id));
	return 0;
}

/* struct module forgets its types once they are registered; that list has them (btf_modules). */
static void find_types(struct kernel *k)
{
	const uint64_t head = k->image->btf_list;
	int list_at = kernel__member_offset(k, "btf_module", "list");
	int module_at = kernel__member_offset(k, "btf_module", "module");
	int btf_at = kernel__member_offset(k, "btf_module", "btf");
	int data_at = kernel__member_offset(k, "btf", "data");
	int size_at = kernel__member_offset(k, "btf", "data_size");
	uint64_t at = head;

	if (!head || list_at < 0 || module_at < 0 || btf_at < 0 || data_at < 0 || size_at < 0)
		return;
	for (int i = 0; i < MOST_MODULES; i++) {
		uint64_t entry, module, btf;

		at = word_at(k, at, 0); /* next */
		entry = at - (uint64_t)list_at;
		if (!at || at == head)
			return;
		module = word_at(k, entry, module_at);
		btf = word_at(k, entry, btf_at);
		for (uint32_t row = 0; row < k->module_count; row++)
			if (k->image->modules[row].address == module && btf) {
				k->image->modules[row].btf = word_at(k, btf, data_at);
				k->image->modules[row].btf_size = number_at(k, btf, size_at);
			}
	}
}

static int make_room(struct kernel *k)
{
	k->modules = calloc(MOST_MODULES, sizeof(*k->modules));
	k->image->modules = calloc(MOST_MODULES, sizeof(*k->image->modules));
	return k->modules && k->image->modules ? 0 : -ENOMEM;
}

int image_modules__read(struct kernel *k)
{
	const uint64_t head = k->image->module_list;
	struct places p;
	struct {
		uint64_t next, prev;
	} node;
	uint64_t at = head;
	int err = kernel__has_btf(k) && head ? make_room(k) : 0;

	if (err || !k->modules)
		return err;
	p = find_places(k);
	if (p.list < 0 || p.name < 0 || memory__read(&k->image->memory, head, &node, sizeof(node)))
		return 0;
	while (node.next != head && k->module_count < MOST_MODULES && !err) {
		uint64_t from = at, module;

		at = node.next;
		module = at - (uint64_t)p.list;
		if (memory__read(&k->image->memory, at, &node, sizeof(node)) || node.prev != from)
			break;
		if (p.state >= 0 && number_at(k, module, p.state) != STATE_LIVE)
			continue;
		err = read_module(k, &p, module, k->module_count);
		k->module_count += !err;
	}
	find_types(k);
	btf__refresh(k); /* what was looked for before they were known */
	return err;
}
