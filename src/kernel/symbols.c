// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kallsyms as one sorted table. About 200,000 rows on a distribution kernel: rows of 16 bytes and
 * one string pool keep it under 10 MiB; linker and tracing leftovers nobody asks for are left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/image.h"
#include "kernel/kernel_private.h"
#include "util/clock.h"

/* Data the build leaves behind, and padding before functions: never a lock, never in a stack. */
static const char *const noise[] = {
	"__pfx_",
	"__ksym",
	"__kcrctab",
	"__flags_", /* 7.x: one per exported symbol */
	"__BTF_ID__",
	"security_hook_",
	"TRACE_SYSTEM_",
	"__TRACE_SYSTEM_",
	"dev_attr_",
	".LC",
	"__kstrtab",
	"__UNIQUE_ID",
	"__func__.",
	"__compound_literal.",
	"__already_done.",
	"_entry.",
	"_entry_ptr.",
	"__event_",
	"__key.",
	"__param_",
	"__setup_",
	"__initcall_",
	"__warned.",
	"CSWTCH.",
	"event_class_",
	"str__",
	"print_fmt_",
	"trace_event_fields_",
	"trace_event_type_funcs_",
	"__msg.",
	"__tpstrtab_",
	"__exitcall_",
	"__syscall_meta__",
	"types__",
	"args__",
	"__p_",
	"__tracepoint_ptr_",
	"__PRETTY_FUNCTION__",
	"__addressable_",
	"__of_table_",
	"__bpf_raw_tp_map_",
	"__func__",
	"__FUNCTION__",
	"event_enter__",
	"event_exit__",
};

static bool is_noise(const char *name, char type)
{
	/* where data and code begin in an arm64 module ($d, $x.3), at the address of what is there
	 */
	if (*name == '$')
		return true;
	/* Code stays, it appears in stacks. */
	if (strchr("tTwW", type))
		return !strncmp(name, "__pfx_", 6);
	for (size_t i = 0; i < sizeof(noise) / sizeof(*noise); i++)
		if (name[0] == noise[i][0] && !strncmp(name, noise[i], strlen(noise[i])))
			return true;
	return false;
}

static int grow(void **array, uint32_t *capacity, uint32_t needed, size_t size)
{
	uint32_t larger = *capacity ? *capacity : 4096;
	void *grown;

	if (needed <= *capacity)
		return 0;
	while (larger < needed)
		larger += larger / 2;
	grown = realloc(*array, larger * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = larger;
	return 0;
}

/* Rows of one module follow each other, so the last index is almost always the right one. */
static int module_index(const struct kernel *k, struct symbol_table *t, const char *name)
{
	const char **grown;

	if (!name)
		return 0;
	for (uint32_t i = t->module_count; i-- > 1;)
		if (!strcmp(t->modules[i], name))
			return (int)i;
	if (t->module_count >= UINT16_MAX)
		return 0;
	grown = realloc(t->modules, (t->module_count + 2) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->modules = grown;
	if (!t->module_count)
		t->modules[t->module_count++] = NULL;
	t->modules[t->module_count] = kernel__keep(k, name);
	return (int)t->module_count++;
}

int symbols__put(const struct kernel *k, struct symbol_table *t, uint64_t address, char type,
		 const char *name, const char *module)
{
	size_t length = strlen(name);
	int index;

	/* without KALLSYMS_ALL no local data of the kernel is listed */
	t->has_data = t->has_data || (!module && (type == 'd' || type == 'b'));
	if (is_noise(name, type))
		return 0;
	if (address)
		t->hidden = false;
	index = module_index(k, t, module);
	if (index < 0 || grow((void **)&t->rows, &t->capacity, t->count + 1, sizeof(*t->rows)) ||
	    grow((void **)&t->strings, &t->strings_capacity, t->strings_used + (uint32_t)length + 1,
		 1))
		return -ENOMEM;
	t->rows[t->count++] = (struct symbol){.address = address,
					      .name = t->strings_used,
					      .module = (uint16_t)index,
					      .type = type};
	memcpy(t->strings + t->strings_used, name, length);
	t->strings[t->strings_used + length] = 0;
	t->strings_used += (uint32_t)length + 1;
	return 0;
}

int symbols__add(const struct kernel *k, struct symbol_table *t, const struct symbol *row,
		 const char *name, const char *module)
{
	return symbols__put(k, t, row->address, row->type, name, module);
}

/* "ffffffff81000000 T name\t[module]", NUL instead of the newline. */
static int parse_line(const struct kernel *k, struct symbol_table *t, char *line)
{
	uint64_t address = 0;
	char *name, *module, type;

	for (; *line && *line != ' '; line++) {
		unsigned int digit = (unsigned char)*line;

		address = address << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
	}
	if (!line[0] || !line[1] || line[2] != ' ')
		return 0;
	type = line[1];
	name = line + 3;
	module = strchr(name, '\t');
	if (module) {
		*module = 0;
		module += module[1] == '[' ? 2 : 1;
		module[strcspn(module, "]")] = 0;
	}
	return symbols__put(k, t, address, type, name, module);
}

int symbols__read_fd(const struct kernel *k, struct symbol_table *t, int fd)
{
	static const size_t size = 1 << 16;
	char *buffer = malloc(size + 1), *line, *end;
	size_t used = 0;
	ssize_t got = -1;
	int error = 0;

	if (fd < 0 || !buffer) {
		error = fd < 0 ? fd : -ENOMEM;
		goto cleanup;
	}
	t->hidden = true;
	while (!error && (got = read(fd, buffer + used, size - used)) > 0) {
		used += (size_t)got;
		buffer[used] = 0;
		for (line = buffer;
		     !error && (end = memchr(line, '\n', used - (size_t)(line - buffer)));
		     line = end + 1) {
			*end = 0;
			error = parse_line(k, t, line);
		}
		used -= (size_t)(line - buffer);
		memmove(buffer, line, used);
	}
	if (got < 0 && !error)
		error = -errno;
cleanup:
	if (fd >= 0)
		close(fd);
	free(buffer);
	return error;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name; /* the kernel's order of aliases */
}

static int make_index(struct symbol_table *t)
{
	uint32_t size = 4096;

	while (size < t->count + t->count / 8)
		size *= 2;
	t->index = calloc(size, sizeof(*t->index));
	if (!t->index)
		return -ENOMEM;
	t->index_mask = size - 1;
	for (uint32_t row = 0; row < t->count; row++) {
		uint32_t at = name_hash(t->strings + t->rows[row].name) & t->index_mask;

		while (t->index[at])
			at = (at + 1) & t->index_mask;
		t->index[at] = row + 1;
	}
	return 0;
}

static void trim(struct symbol_table *t)
{
	void *fitted = realloc(t->rows, t->count * sizeof(*t->rows));

	if (fitted)
		t->rows = fitted;
	fitted = realloc(t->strings, t->strings_used);
	if (fitted)
		t->strings = fitted;
	t->capacity = t->count;
	t->strings_capacity = t->strings_used;
}

static int read_stable(const struct kernel *k, struct symbol_table *t)
{
	for (int reads = 1;; reads++) {
		uint64_t before = modules__fingerprint();
		int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
		int error = symbols__read_fd(k, t, fd < 0 ? -errno : fd);

		if (error || reads == MODULES_READS || modules__fingerprint() == before)
			return error;
		symbols__free(t);
	}
}

void symbols__sort(struct symbol_table *t)
{
	qsort(t->rows, t->count, sizeof(*t->rows), by_address);
}

static int note_places(const struct kernel *k, struct symbol_table *t)
{
	uint32_t count;
	struct module_place *all = modules__places(k, &count);

	t->places = calloc(t->module_count + 1, sizeof(*t->places));
	for (uint32_t i = 1; t->places && i < t->module_count; i++)
		for (uint32_t j = 0; j < count; j++)
			if (all[j].name == t->modules[i])
				t->places[i] = all[j];
	free(all);
	return t->places ? 0 : -ENOMEM;
}

int symbols__read(const struct kernel *k, struct symbol_table *out)
{
	uint64_t started = clock_mono_ns();
	int error = k->image ? image_symbols__read((struct kernel *)k, out) : read_stable(k, out);

	if (!error)
		error = note_places(k, out);
	if (error)
		symbols__free(out); /* half a list would be taken for the whole one */
	if (error || !out->count)
		return error;
	trim(out);
	symbols__sort(out);
	error = make_index(out);
	out->read_at = clock_mono_ns();
	out->read_ns = out->read_at - started;
	return error;
}

int symbols__load(const struct kernel *k)
{
	struct symbol_table *t = &((struct kernel *)k)->symbols;
	int error;

	if (t->loaded)
		return 0;
	error = symbols__read(k, t);
	t->loaded = true;
	return error;
}

void symbols__free(struct symbol_table *t)
{
	free(t->rows);
	free(t->strings);
	free(t->modules);
	free(t->places);
	free(t->index);
	memset(t, 0, sizeof(*t));
}

void symbols__shrink(struct symbol_table *t)
{
	free(t->index);
	t->index = NULL;
}

bool symbols__hidden(const struct kernel *k)
{
	return symbols__load(k) || k->symbols.hidden || !k->symbols.count;
}

bool symbols__has_data(const struct kernel *k)
{
	return !symbols__load(k) && k->symbols.has_data;
}

struct symbol *symbols__next(const struct symbol_table *t, const char *name,
			     const struct symbol *after)
{
	bool passed = !after;

	if (!t->index && (!t->count || make_index((struct symbol_table *)t)))
		return NULL;
	for (uint32_t at = name_hash(name) & t->index_mask; t->index[at];
	     at = (at + 1) & t->index_mask) {
		struct symbol *row = &t->rows[t->index[at] - 1];

		if (passed && !strcmp(t->strings + row->name, name))
			return row;
		passed = passed || row == after;
	}
	return NULL;
}

uint32_t kernel__symbols(const struct kernel *k, const char *name, uint64_t *out, uint32_t max)
{
	const struct symbol_table *t = &k->symbols;
	struct symbol *row = NULL;
	uint32_t count = 0;

	if (symbols__hidden(k))
		return 0;
	while ((row = symbols__next(t, name, row))) {
		if (count < max)
			out[count] = row->address;
		count++;
	}
	return count;
}

uint64_t kernel__symbol(const struct kernel *k, const char *name)
{
	uint64_t address = 0;

	return kernel__symbols(k, name, &address, 1) ? address : 0;
}

/* The linker's marks of where a section starts and stops are the names of nothing. */
static bool is_section_mark(const struct symbol_table *t, const struct symbol *row)
{
	const char *name = t->strings + row->name;

	return !strncmp(name, "__start_", 8) || !strncmp(name, "__stop_", 7);
}

const struct symbol *symbols__below(const struct symbol_table *t, uint64_t address)
{
	const struct symbol *row;
	uint32_t low = 0, high = t->count;

	while (low < high) { /* first row above address */
		uint32_t middle = low + (high - low) / 2;

		if (t->rows[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	row = &t->rows[low - 1];
	while (row > t->rows && row[-1].address == row->address)
		row--;
	while (row < &t->rows[low - 1] && is_section_mark(t, row))
		row++;
	return row->address ? row : NULL;
}
