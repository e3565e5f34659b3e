// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kallsyms as it lies in memory. Since 6.0 VMCOREINFO says where its tables are. Names are
 * sequences of tokens, addresses 32-bit offsets in one of three meanings, distinguished by
 * `_stext`, which the note has too:
 *
 *  - relative to kallsyms_relative_base, negative ones counted down from it (per-CPU symbols are
 *    absolute; x86 until 6.14)
 *  - relative to kallsyms_relative_base
 *  - relative to the offset's own place (7.x, which has no base any more)
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <elf.h>

#include "kernel/image.h"
#include "util/input.h"

#define MOST_SYMBOLS (1U << 22)	       /* of a kernel; distributions have 200,000 */
#define MOST_MODULE_SYMBOLS (1U << 21) /* of all modules together */
#define NAME_BYTES 512		       /* KSYM_NAME_LEN */
#define TOKENS 256
#define TOKEN_TABLE_BYTES 16384U /* tokens are a few bytes each */
#define CHUNK 4096U

struct kallsyms {
	const struct memory *memory;
	uint32_t count;
	uint64_t names, offsets, base, stext;
	bool has_base;
	uint16_t token_at[TOKENS];
	char tokens[TOKEN_TABLE_BYTES];
	int32_t *offset;
};

/* --- names
 * ---------------------------------------------------------------------------------------------- */

/* Bytes of the names, one after the other. */
struct stream {
	const struct memory *memory;
	uint64_t next;
	uint32_t at, filled;
	uint8_t bytes[CHUNK];
};

static int next_byte(struct stream *s, uint8_t *out)
{
	if (s->at == s->filled) {
		int err;

		s->filled = CHUNK - (uint32_t)(s->next % CHUNK);
		s->at = 0;
		err = memory__read(s->memory, s->next, s->bytes, s->filled);
		if (err)
			return err;
		s->next += s->filled;
	}
	*out = s->bytes[s->at++];
	return 0;
}

/* The type is the first letter of what the tokens spell. Length of the name, or -errno. */
static int next_name(const struct kallsyms *k, struct stream *s, char *type, char *name)
{
	uint32_t length = 0, used = 0;
	uint8_t byte = 0;
	int err = next_byte(s, &byte);

	length = byte;
	if (!err && byte & 0x80) { /* two bytes since 6.1 */
		err = next_byte(s, &byte);
		length = (length & 0x7f) | (uint32_t)byte << 7;
	}
	for (uint32_t i = 0; i < length && !err; i++) {
		const char *token;

		err = next_byte(s, &byte);
		token = k->tokens + k->token_at[byte];
		for (; !err && *token; token++) {
			if (used == NAME_BYTES)
				return -EBADMSG;
			if (used)
				name[used - 1] = *token;
			else
				*type = *token;
			used++;
		}
	}
	if (err || !used)
		return err ? err : -EBADMSG;
	name[used - 1] = 0;
	return (int)used - 1;
}

/* --- tables
 * ---------------------------------------------------------------------------------------- */

static int read_tokens(struct kallsyms *k, uint64_t table, uint64_t index)
{
	int err = memory__read(k->memory, index, k->token_at, sizeof(k->token_at));
	uint32_t bytes = (uint32_t)k->token_at[TOKENS - 1] + 64;

	if (err)
		return err;
	for (int i = 0; i < TOKENS; i++)
		if (k->token_at[i] >= TOKEN_TABLE_BYTES - 64)
			return -EBADMSG;
	err = memory__read(k->memory, table, k->tokens, bytes);
	k->tokens[TOKEN_TABLE_BYTES - 1] = 0;
	return err;
}

static int open_tables(struct kallsyms *k, const char *note)
{
	uint64_t count_at, table, index, base_at;
	int err;

	if (!image_note__symbol(note, "kallsyms_names", &k->names) ||
	    !image_note__symbol(note, "kallsyms_num_syms", &count_at) ||
	    !image_note__symbol(note, "kallsyms_token_table", &table) ||
	    !image_note__symbol(note, "kallsyms_token_index", &index) ||
	    !image_note__symbol(note, "kallsyms_offsets", &k->offsets) ||
	    !image_note__symbol(note, "_stext", &k->stext))
		return -ENOENT;
	k->has_base = image_note__symbol(note, "kallsyms_relative_base", &base_at);
	err = memory__u32(k->memory, count_at, &k->count);
	if (!err && k->has_base)
		err = memory__u64(k->memory, base_at, &k->base);
	if (!err && (!k->count || k->count > MOST_SYMBOLS))
		err = -EBADMSG;
	if (!err)
		err = read_tokens(k, table, index);
	if (err)
		return err;
	k->offset = malloc(k->count * sizeof(*k->offset));
	return k->offset ? memory__read(k->memory, k->offsets, k->offset,
					k->count * (uint32_t)sizeof(*k->offset))
			 : -ENOMEM;
}

enum meaning { COUNTED_DOWN, FROM_BASE, FROM_PLACE, MEANINGS };

static uint64_t address_of(const struct kallsyms *k, enum meaning meaning, uint32_t row)
{
	int32_t offset = k->offset[row];

	switch (meaning) {
	case COUNTED_DOWN:
		return offset >= 0 ? (uint64_t)offset : k->base - 1 - (uint64_t)(int64_t)offset;
	case FROM_BASE:
		return k->base + (uint32_t)offset;
	default:
		return k->offsets + row * 4ULL + (uint64_t)(int64_t)offset;
	}
}

/* Which meaning puts `_stext` where the note says; -errno: none. */
static int find_meaning(const struct kallsyms *k)
{
	struct stream s = {.memory = k->memory, .next = k->names};
	char name[NAME_BYTES + 1], type;

	for (uint32_t row = 0; row < k->count; row++) {
		int length = next_name(k, &s, &type, name);

		if (length < 0)
			return length;
		if (strcmp(name, "_stext"))
			continue;
		for (int m = k->has_base ? COUNTED_DOWN : FROM_PLACE; m < MEANINGS; m++)
			if (address_of(k, (enum meaning)m, row) == k->stext)
				return m;
	}
	return -EBADMSG;
}

static void remember(struct kernel_origin *image, const char *name, uint64_t address)
{
	if (!strcmp(name, "__start_BTF"))
		image->btf_start = address;
	else if (!strcmp(name, "__stop_BTF"))
		image->btf_stop = address;
	else if (!strcmp(name, "btf_modules"))
		image->btf_list = address;
	else if (!strcmp(name, "modules"))
		image->module_list = address;
}

static int read_own(struct kernel *kernel, struct symbol_table *t)
{
	struct kallsyms *k = calloc(1, sizeof(*k));
	struct stream s = {.memory = &kernel->image->memory};
	char name[NAME_BYTES + 1], type = 0;
	int err = -ENOMEM, meaning;

	if (!k)
		return err;
	k->memory = &kernel->image->memory;
	err = open_tables(k, kernel->image->note);
	meaning = err ? err : find_meaning(k);
	err = meaning < 0 ? meaning : 0;
	s.next = k->names;
	for (uint32_t row = 0; row < k->count && !err; row++) {
		int length = next_name(k, &s, &type, name);
		uint64_t address = address_of(k, (enum meaning)meaning, row);

		if (length < 0) {
			err = length;
			break;
		}
		remember(kernel->image, name, address);
		err = symbols__put(kernel, t, address, type, name, NULL);
	}
	free(k->offset);
	free(k);
	return err;
}

/* --- from a file: a copy of /proc/kallsyms, or System.map, which knows no KASLR
 * ------------------- */

static int read_copy(struct kernel *k, struct symbol_table *t, bool *has_modules)
{
	struct kernel_origin *image = k->image;
	uint64_t wanted = 0, found = 0;
	char why[160];
	int err = symbols__read_fd(k, t,
				   input_open(image->symbols_path, INPUT_STREAM, why, sizeof(why)));

	for (uint32_t i = 0; i < t->count && !found && !err; i++)
		if (!strcmp(t->strings + t->rows[i].name, "_stext"))
			found = t->rows[i].address;
	*has_modules = t->module_count > 0;
	if (err || !found || !image_note__symbol(image->note, "_stext", &wanted) ||
	    (*has_modules && found != wanted)) {
		image->fault =
			"was given names with --symbols that are not those of its kernel, or "
			"cannot be read; it takes its System.map, or /proc/kallsyms saved as "
			"root before the crash";
		return err ? err : -EBADMSG;
	}
	for (uint32_t i = 0; i < t->count; i++) {
		t->rows[i].address += t->rows[i].address >> 63 ? wanted - found : 0;
		remember(image, t->strings + t->rows[i].name, t->rows[i].address);
	}
	return 0;
}

/* --- modules
 * ---------------------------------------------------------------------------------------- */

static int add_module(struct kernel *k, struct symbol_table *t, uint32_t module, uint32_t *left)
{
	const struct memory *m = &k->image->memory;
	uint64_t table = k->image->modules[module].symbols, symbols, strings, types;
	int symbols_at = kernel__member_offset(k, "mod_kallsyms", "symtab");
	int count_at = kernel__member_offset(k, "mod_kallsyms", "num_symtab");
	int strings_at = kernel__member_offset(k, "mod_kallsyms", "strtab");
	int types_at = kernel__member_offset(k, "mod_kallsyms", "typetab");
	uint32_t count;

	if (!table || symbols_at < 0 || count_at < 0 || strings_at < 0 ||
	    memory__u64(m, table + (uint64_t)symbols_at, &symbols) ||
	    memory__u32(m, table + (uint64_t)count_at, &count) ||
	    memory__u64(m, table + (uint64_t)strings_at, &strings))
		return 0;
	if (types_at < 0 || memory__u64(m, table + (uint64_t)types_at, &types))
		types = 0;
	for (uint32_t i = 0; i < count && *left; i++, (*left)--) {
		Elf64_Sym symbol;
		char name[NAME_BYTES], type = 't';
		int err;

		if (memory__read(m, symbols + i * sizeof(symbol), &symbol, sizeof(symbol)) ||
		    memory__string(m, strings + symbol.st_name, name, sizeof(name)))
			return 0;
		if (types)
			memory__read(m, types + i, &type, 1);
		err = *name ? symbols__put(k, t, symbol.st_value, type, name,
					   k->modules[module].name)
			    : 0;
		if (err)
			return err;
	}
	return 0;
}

int image_symbols__read(struct kernel *k, struct symbol_table *t)
{
	uint32_t left = MOST_MODULE_SYMBOLS;
	bool has_modules = false;
	int err;

	t->hidden = true;
	err = k->image->symbols_path ? read_copy(k, t, &has_modules) : read_own(k, t);
	if (err == -ENOENT && !k->image->fault)
		k->image->fault =
			"does not say where its names are: its kernel is older than 6.0, or was "
			"built without KALLSYMS; give them with --symbols FILE (its System.map, or "
			"/proc/kallsyms saved as root before the crash)";
	if (!err)
		err = image_modules__read(k);
	for (uint32_t i = 0; i < k->module_count && !err && !has_modules; i++)
		err = add_module(k, t, i, &left);
	return err;
}
