// SPDX-License-Identifier: GPL-2.0-or-later
/* Modules: which are loaded, which are built in, where their files lie, the BTF inside a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>
#include <gelf.h>

#include "kernel/kernel_private.h"

/* A row is "name size refs users state address taint". */
static int parse_row(struct kernel *k, char *line, struct module_row *row)
{
	char name[128], state[16], taint[16] = "";
	unsigned long long address = 0, size;

	if (sscanf(line, "%127s %llu %*s %*s %15s %llx (%15[^)])", name, &size, state, &address,
		   taint) < 3)
		return -EINVAL;
	if (strcmp(state, "Live")) /* coming or going: its functions and types cannot be had yet, or
				      any more */
		return -EAGAIN;
	row->name = kernel__keep(k, name);
	row->address = address;
	row->size = size;
	snprintf(row->taint, sizeof(row->taint), "%s", taint);
	return row->name ? 0 : -ENOMEM;
}

static uint64_t fingerprint(bool *is_stable)
{
	char *text = read_whole("/proc/modules", NULL), *cursor = text, *line;
	uint64_t hash = 14695981039346656037ULL;

	*is_stable = true;
	while (text && (line = strsep(&cursor, "\n")) && *line) {
		char name[128], state[16], address[32], all[192];

		if (sscanf(line, "%127s %*s %*s %*s %15s %31s", name, state, address) != 3)
			continue;
		*is_stable = *is_stable && !strcmp(state, "Live");
		snprintf(all, sizeof(all), "%s %s %s;", name, state, address);
		for (const char *c = all; *c; c++)
			hash = (hash ^ (unsigned char)*c) * 1099511628211ULL;
	}
	free(text);
	return hash;
}

uint64_t modules__fingerprint(void)
{
	bool is_stable;
	uint64_t hash = fingerprint(&is_stable);

	for (int i = 0; i < 40 && !is_stable; i++) {
		usleep(50000);
		hash = fingerprint(&is_stable);
	}
	return hash;
}

static struct module_place *places_of_rows(const struct kernel *k, uint32_t *count)
{
	struct module_place *places = calloc(k->module_count + 1, sizeof(*places));

	for (uint32_t i = 0; places && i < k->module_count; i++)
		places[i] = (struct module_place){k->modules[i].name, k->modules[i].address,
						  k->modules[i].size};
	*count = places ? k->module_count : 0;
	return places;
}

static struct module_place *places_of_running(const struct kernel *k, uint32_t *count)
{
	char *text = read_whole("/proc/modules", NULL), *cursor = text, *line;
	struct module_place *places = NULL;
	uint32_t lines = 0;

	*count = 0;
	for (const char *c = text; c && *c; c++)
		lines += *c == '\n';
	places = calloc(lines + 1, sizeof(*places));
	while (places && text && *count < lines && (line = strsep(&cursor, "\n"))) {
		char name[128];
		unsigned long long size, address;

		if (sscanf(line, "%127s %llu %*s %*s %*s %llx", name, &size, &address) != 3)
			continue;
		places[*count] = (struct module_place){kernel__keep(k, name), address, size};
		*count += places[*count].name != NULL;
	}
	free(text);
	return places;
}

struct module_place *modules__places(const struct kernel *k, uint32_t *count)
{
	if (k->image)
		return places_of_rows(k, count);
	return places_of_running(k, count);
}

int modules__read(struct kernel *k, bool *changed)
{
	char *text = read_whole("/proc/modules", NULL), *cursor = text, *line;
	struct module_row *rows = NULL, *grown;
	uint32_t count = 0, capacity = 0;

	if (!text)
		return errno == ENOENT ? 0 : -errno; /* a kernel without modules */
	while ((line = strsep(&cursor, "\n")) && *line) {
		if (count == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			grown = realloc(rows, capacity * sizeof(*rows));
			if (!grown)
				goto fail;
			rows = grown;
		}
		memset(&rows[count], 0, sizeof(rows[count]));
		if (!parse_row(k, line, &rows[count]))
			count++;
	}
	free(text);
	/* Names are interned and the rows zeroed, so equal bytes are equal modules; a reload
	 * without a change of address changes nothing that was derived from it. */
	if (changed)
		*changed = count != k->module_count ||
			   (count && memcmp(rows, k->modules, count * sizeof(*rows)) != 0);
	free(k->modules);
	k->modules = rows;
	k->module_count = count;
	return 0;
fail:
	free(rows);
	free(text);
	return -ENOMEM;
}

/* The kernel writes '-' in file names as '_' in module names. */
static bool same_name(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]) || !b[i])
			return false;
	return !b[length];
}

const struct module_row *modules__find(const struct kernel *k, const char *name)
{
	for (uint32_t i = 0; i < k->module_count; i++)
		if (same_name(k->modules[i].name, name, strlen(k->modules[i].name)))
			return &k->modules[i];
	return NULL;
}

/* Find the line of `file` whose path's base name is the module's; the path goes to `out`. */
static bool find_in_list(const struct kernel *k, const char *file, const char *name, char *out,
			 size_t size)
{
	char list[512], *text, *cursor, *line;
	bool found = false;

	/* what lies here under an image's release need not be what ran there */
	for (int prefix = 0; prefix < 2 && !found && !k->image; prefix++) {
		snprintf(list, sizeof(list), "%s/lib/modules/%s/%s", prefix ? "/usr" : "",
			 k->release, file);
		text = cursor = read_whole(list, NULL);
		while (text && !found && (line = strsep(&cursor, "\n"))) {
			char *path = strsep(&line, ":");
			char *base = strrchr(path, '/');
			char *dot = base ? strchr(base, '.') : NULL;

			if (!dot || !same_name(base + 1, name, (size_t)(dot - base - 1)))
				continue;
			found = true;
			if (path[0] == '/')
				snprintf(out, size, "%s", path);
			else
				snprintf(out, size, "%s/lib/modules/%s/%s", prefix ? "/usr" : "",
					 k->release, path);
		}
		free(text);
	}
	return found;
}

bool module_is_builtin(const struct kernel *k, const char *name)
{
	char path[1024];

	return find_in_list(k, "modules.builtin", name, path, sizeof(path));
}

bool module_file(const struct kernel *k, const char *name, char *path, size_t size)
{
	return find_in_list(k, "modules.dep", name, path, size) && !access(path, R_OK);
}

bool kernel__module_loaded(const struct kernel *k, const char *module)
{
	return modules__find(k, module) || module_is_builtin(k, module);
}

/* libdwfl opens .ko, .ko.gz, .ko.xz and .ko.zst alike. */
void *module_file_btf(const char *path, uint32_t *size)
{
	static const Dwfl_Callbacks callbacks = {.section_address = dwfl_offline_section_address};
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *module = dwfl ? dwfl_report_offline(dwfl, "module", path, -1) : NULL;
	GElf_Addr bias;
	Elf *elf = module ? dwfl_module_getelf(module, &bias) : NULL;
	Elf_Scn *section = NULL;
	Elf_Data *data;
	GElf_Shdr header;
	size_t names;
	void *copy = NULL;

	if (!elf || elf_getshdrstrndx(elf, &names))
		goto cleanup;
	while (!copy && (section = elf_nextscn(elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (!name || strcmp(name, ".BTF") || !(data = elf_rawdata(section, NULL)))
			continue;
		copy = malloc(data->d_size);
		if (!copy)
			break;
		memcpy(copy, data->d_buf, data->d_size);
		*size = (uint32_t)data->d_size;
	}
cleanup:
	if (dwfl)
		dwfl_end(dwfl);
	return copy;
}
