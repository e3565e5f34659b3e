// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ORC: for each place in the code of x86_64, where its frame's caller is. Two tables that lie
 * beside each other, of the kernel and of each module: places, ascending and relative to their own
 * addresses, and six-byte entries.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "kernel/image.h"

#define ENTRY_BYTES 6
#define MOST_ENTRIES (1U << 23)

struct tables {
	uint64_t places, entries;
	uint32_t count;
};

static bool find_tables(const struct kernel *k, uint64_t ip, struct tables *out)
{
	struct kernel_symbol symbol;
	uint64_t stop;

	if (!kernel__resolve(k, ip, &symbol, NULL))
		return false;
	for (uint32_t i = 0; symbol.module && i < k->module_count; i++) {
		const struct image_module *module = &k->image->modules[i];

		if (strcmp(k->modules[i].name, symbol.module))
			continue;
		*out = (struct tables){module->orc_ip, module->orc, module->orc_count};
		return out->places && out->entries && out->count && out->count <= MOST_ENTRIES;
	}
	if (symbol.module)
		return false;
	out->places = kernel__symbol(k, "__start_orc_unwind_ip");
	out->entries = kernel__symbol(k, "__start_orc_unwind");
	stop = kernel__symbol(k, "__stop_orc_unwind");
	if (!out->places || !out->entries || stop <= out->entries ||
	    (stop - out->entries) / ENTRY_BYTES > MOST_ENTRIES)
		return false;
	out->count = (uint32_t)((stop - out->entries) / ENTRY_BYTES);
	return true;
}

static bool place_at(const struct kernel *k, const struct tables *t, uint32_t row, uint64_t *place)
{
	uint64_t at = t->places + row * 4ULL;
	uint32_t relative;

	if (memory__u32(&k->image->memory, at, &relative))
		return false;
	*place = at + (uint64_t)(int64_t)(int32_t)relative;
	return true;
}

/*
 * Registers got other numbers in 7.x, and nothing in the image says so. But nearly every frame is
 * found from its stack pointer, which is one number or the other.
 */
#define SAMPLE 512U /* entries */
#define SP_BEFORE 5
#define SP_SINCE 3

static const enum orc_register numbers_before[16] = {
	[1] = ORC_CALLERS_SP, [4] = ORC_BP, [5] = ORC_SP, [8] = ORC_AT_BP, [9] = ORC_AT_SP};
static const enum orc_register numbers_since[16] = {
	[3] = ORC_SP, [4] = ORC_BP, [8] = ORC_CALLERS_SP, [9] = ORC_AT_SP, [10] = ORC_AT_BP};

static const enum orc_register *numbers(const struct kernel *k, const struct tables *t)
{
	uint32_t before = 0, since = 0;

	if (k->image->orc_numbers)
		return k->image->orc_numbers;
	for (uint32_t row = 0; row < t->count && row < SAMPLE; row++) {
		uint8_t byte = 0;

		memory__read(&k->image->memory, t->entries + row * (uint64_t)ENTRY_BYTES + 4, &byte,
			     1);
		before += (byte & 15) == SP_BEFORE;
		since += (byte & 15) == SP_SINCE;
	}
	k->image->orc_numbers = since > before ? numbers_since : numbers_before;
	return k->image->orc_numbers;
}

/* The format's two ages: before 6.4 a flag for the end of a stack, since then types of their own.
 */
static void decode(const struct kernel *k, const enum orc_register *number, const uint8_t *bytes,
		   struct kernel_orc *out)
{
	static const enum orc_type before[] = {ORC_CALL, ORC_REGISTERS, ORC_SOME_REGISTERS,
					       ORC_UNKNOWN};
	static const enum orc_type since[] = {
		ORC_UNKNOWN,	    ORC_END,	 ORC_CALL,    ORC_REGISTERS,
		ORC_SOME_REGISTERS, ORC_UNKNOWN, ORC_UNKNOWN, ORC_UNKNOWN};
	bool has_end = kernel__has_member(k, "orc_entry", "end");
	int16_t offsets[2];

	memcpy(offsets, bytes, sizeof(offsets));
	out->sp_offset = offsets[0];
	out->bp_offset = offsets[1];
	out->sp_from = number[bytes[4] & 15];
	out->bp_from = number[bytes[4] >> 4];
	if (!has_end)
		out->type = since[bytes[5] & 7];
	else if (bytes[4] & 15)
		out->type = before[bytes[5] & 3];
	else /* the flag: bit 2, or 3 where another (signal) stands before it */
		out->type = bytes[5] & 12 ? ORC_END : ORC_UNKNOWN;
}

bool kernel__orc(const struct kernel *k, uint64_t ip, struct kernel_orc *out)
{
	uint32_t low = 0, high;
	uint8_t bytes[ENTRY_BYTES];
	struct tables t;
	uint64_t place;

	if (!k->image || !find_tables(k, ip, &t))
		return false;
	high = t.count;
	while (low < high) { /* the first one above */
		uint32_t middle = low + (high - low) / 2;

		if (!place_at(k, &t, middle, &place))
			return false;
		if (place <= ip)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || memory__read(&k->image->memory, t.entries + (low - 1) * (uint64_t)ENTRY_BYTES,
				 bytes, sizeof(bytes)))
		return false;
	decode(k, numbers(k, &t), bytes, out);
	return true;
}
