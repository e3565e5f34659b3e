// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts a recording carries, so that a verdict says which kernel it was made on. */
#include <dirent.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/image.h"
#include "kernel/kernel_private.h"

static void set_from_file(const struct fact_sink *out, const char *key, const char *path)
{
	char *text = read_whole(path, NULL);

	if (text) {
		text[strcspn(text, "\n")] = 0;
		out->set(out->model, key, text);
	}
	free(text);
}

/* First GNU build id in a block of ELF notes, as hex. */
static bool find_build_id(const char *notes, size_t length, char *out, size_t size)
{
	size_t at = 0;

	while (at + sizeof(Elf64_Nhdr) <= length) {
		Elf64_Nhdr header;
		size_t name, bytes;

		memcpy(&header, notes + at, sizeof(header));
		name = at + sizeof(header);
		bytes = name + ((header.n_namesz + 3u) & ~3u);
		at = bytes + ((header.n_descsz + 3u) & ~3u);
		if (at > length)
			return false;
		if (header.n_type != NT_GNU_BUILD_ID || header.n_namesz != 4 ||
		    memcmp(notes + name, "GNU", 4) || 2 * header.n_descsz + 1 > size)
			continue;
		for (uint32_t i = 0; i < header.n_descsz; i++)
			sprintf(out + 2 * i, "%02x", (unsigned char)notes[bytes + i]);
		return true;
	}
	return false;
}

static void set_build_id(const struct fact_sink *out, const char *key, const char *path)
{
	char id[128];
	size_t length;
	char *notes = read_whole(path, &length);

	if (notes && find_build_id(notes, length, id, sizeof(id)))
		out->set(out->model, key, id);
	free(notes);
}

/* A live patch has a directory for each object it changes: its module, or vmlinux. */
static bool is_livepatched(const char *object, char *patches, size_t size)
{
	DIR *directory = opendir("/sys/kernel/livepatch");
	struct dirent *entry;
	bool found = false;
	char path[512];
	size_t used = 0;

	patches[0] = 0;
	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/livepatch/%.200s/%s", entry->d_name,
			 object);
		found = found || !access(path, F_OK);
		if (used < size)
			used += (size_t)snprintf(patches + used, size - used, "%s%s",
						 used ? " " : "", entry->d_name);
	}
	if (directory)
		closedir(directory);
	return found;
}

/* Where the code of kvm and vfio comes from: a fixed or broken build of one's own changes a
 * verdict. */
static const char *origin_of(const struct kernel *k, const char *module)
{
	const struct module_row *row = modules__find(k, module);
	char path[1024], patches[256];

	if (is_livepatched(row ? module : "vmlinux", patches, sizeof(patches)))
		return "livepatched";
	if (!row)
		return module_is_builtin(k, module) ? "built in" : "not loaded";
	if (strchr(row->taint, 'O'))
		return "out-of-tree";
	if (module_file(k, module, path, sizeof(path)) && !strstr(path, "/kernel/"))
		return "out-of-tree";
	return strchr(row->taint, 'E') ? "unsigned" : "distribution";
}

static void set_modules(struct kernel *k, const struct fact_sink *out)
{
	static const char *const always[] = {"vfio", "kvm"};
	char key[192], path[256];

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++) {
		snprintf(key, sizeof(key), "module.%s.origin", always[i]);
		out->set(out->model, key, origin_of(k, always[i]));
	}
	for (uint32_t i = 0; i < k->module_count; i++) {
		const char *name = k->modules[i].name;

		if (strncmp(name, "vfio", 4) && strncmp(name, "kvm", 3) &&
		    strncmp(name, "mdev", 4) && !strchr(k->modules[i].taint, 'O'))
			continue;
		snprintf(key, sizeof(key), "module.%s.origin", name);
		out->set(out->model, key, origin_of(k, name));
		snprintf(key, sizeof(key), "module.%s.build_id", name);
		snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id", name);
		set_build_id(out, key, path);
	}
}

static void set_cpu(const struct fact_sink *out)
{
	char *text = read_whole("/proc/cpuinfo", NULL), *at, count[32];

	snprintf(count, sizeof(count), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	out->set(out->model, "cpu.count", count);
	at = text ? strstr(text, "model name") : NULL;
	at = at ? strchr(at, ':') : NULL;
	if (at) {
		at += 1 + strspn(at + 1, " \t");
		at[strcspn(at, "\n")] = 0;
		out->set(out->model, "cpu.model", at);
	}
	free(text);
}

void kernel__facts(struct kernel *k, const struct fact_sink *out)
{
	char patches[512];

	if (k->image) {
		image_facts__set(k, out);
		return;
	}
	out->set(out->model, "kernel.release", k->release);
	out->set(out->model, "kernel.version", k->version_text);
	out->set(out->model, "arch", k->arch);
	set_from_file(out, "kernel.cmdline", "/proc/cmdline");
	set_from_file(out, "host.name", "/proc/sys/kernel/hostname");
	set_from_file(out, "host.boot_id",
		      "/proc/sys/kernel/random/boot_id"); /* merge tells boots apart */
	set_from_file(out, "kernel.tainted", "/proc/sys/kernel/tainted");
	set_build_id(out, "kernel.build_id", "/sys/kernel/notes");
	is_livepatched("vmlinux", patches, sizeof(patches));
	out->set(out->model, "kernel.livepatches", patches);
	set_cpu(out);
	set_modules(k, out);
	kernel__vfio_driver_facts(out);
}
