// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BTF of the kernel and of the modules that matter here. A module that is not loaded is read from
 * its file, so that `check` can say what it will be once it is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kernel/image.h"
#include "kernel/kernel_private.h"
#include "util/input.h"

/* Where VFIO and KVM types live, in the order of search; loaded modules with these prefixes too. */
static const char *const known_modules[] = {"vfio",	     "kvm",	"vfio_iommu_type1",
					    "vfio_pci_core", "iommufd", "irqbypass"};
static const char *const known_prefixes[] = {"vfio", "kvm", "mdev", "iommu", "irqbypass"};

/* Names hashed once: libbpf's own search is a walk over 150,000 types. */
struct btf_index {
	uint32_t mask;
	uint32_t slots[];
};

static bool is_indexed(const struct btf_type *type)
{
	return btf_is_composite(type) || btf_is_func(type) || btf_is_typedef(type) ||
	       btf_is_any_enum(type);
}

/* Of the types from `first` on; those of one name follow each other in the order of their ids. */
static struct btf_index *make_index(const struct btf *btf, uint32_t first)
{
	uint32_t count = btf__type_cnt(btf), size = 64, indexed = 0;
	struct btf_index *index;

	for (uint32_t id = first; id < count; id++)
		indexed += is_indexed(btf__type_by_id(btf, id));
	while (size < indexed + indexed / 4)
		size *= 2;
	index = calloc(1, sizeof(*index) + size * sizeof(uint32_t));
	if (!index)
		return NULL;
	index->mask = size - 1;
	for (uint32_t id = first; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);
		uint32_t at;

		if (!is_indexed(type) || !name || !*name)
			continue;
		for (at = name_hash(name) & index->mask; index->slots[at];
		     at = (at + 1) & index->mask)
			;
		index->slots[at] = id;
	}
	return index;
}

/*
 * A file that a person named: a pipe in its place must not hold us up, nor one that says it is
 * regular, has no size and waits for what comes (/proc/kmsg): libbpf opens it again, to wait.
 */
static struct btf *named_btf(const char *path)
{
	char why[200], self[32];
	int fd = input_open(path, INPUT_FILE, why, sizeof(why));
	struct btf *btf = NULL;
	struct stat about;

	if (fd < 0)
		return NULL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (!fstat(fd, &about) && about.st_size)
		btf = btf__parse(self, NULL);
	close(fd);
	return btf;
}

static struct btf *vmlinux_btf(const struct kernel *k)
{
	struct kernel *own = (struct kernel *)k;

	if (k->vmlinux_tried)
		return k->vmlinux;
	own->vmlinux_tried = true;
	if (k->btf_path)
		own->vmlinux = named_btf(k->btf_path);
	else
		own->vmlinux = k->image ? image_btf__vmlinux(k) : btf__load_vmlinux_btf();
	if (libbpf_get_error(own->vmlinux))
		own->vmlinux = NULL;
	return k->vmlinux;
}

typedef bool (*type_filter)(const struct btf_type *type);

static bool is_struct(const struct btf_type *type)
{
	return btf_is_composite(type);
}

static bool is_function(const struct btf_type *type)
{
	return btf_is_func(type);
}

static bool is_named(const struct btf *btf, uint32_t id, const char *name, type_filter filter)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	return type && filter(type) && !strcmp(btf__name_by_offset(btf, type->name_off), name);
}

/* The next id of that name after `after`, 0 if there is none. The index is made at first use. */
static uint32_t find_named(const struct btf *btf, struct btf_index **index, uint32_t first,
			   const char *name, type_filter filter, uint32_t after)
{
	if (!*index)
		*index = make_index(btf, first);
	if (!*index)
		return 0;
	for (uint32_t at = name_hash(name) & (*index)->mask; (*index)->slots[at];
	     at = (at + 1) & (*index)->mask) {
		uint32_t id = (*index)->slots[at];

		if (id > after && is_named(btf, id, name, filter))
			return id;
	}
	return 0;
}

static uint32_t find_in_vmlinux(const struct kernel *k, const char *name, type_filter filter)
{
	struct kernel *own = (struct kernel *)k;
	const struct btf *btf = vmlinux_btf(k);

	return btf ? find_named(btf, &own->vmlinux_index, 1, name, filter, 0) : 0;
}

static uint32_t find_in_module(const struct kernel *k, const struct module_btf *entry,
			       const char *name, type_filter filter)
{
	return find_named(entry->btf, &((struct module_btf *)entry)->index,
			  btf__type_cnt(vmlinux_btf(k)), name, filter, 0);
}

/* Through a memory file: libbpf declares btf__new_split but its versions before 1.6 hide it. */
struct btf *btf__from_bytes(const void *data, uint32_t size, struct btf *base)
{
	int fd = memfd_create("btf", MFD_CLOEXEC);
	struct btf *btf = NULL;
	char path[64];

	if (fd < 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size)
		btf = btf__parse_split(path, base);
	close(fd);
	return libbpf_get_error(btf) ? NULL : btf;
}

/* Modules' types and strings are counted on from the kernel's own, not from those of a given file.
 */
static bool fits_modules(const struct kernel *k, const struct btf *base)
{
	struct stat own;
	uint32_t size;

	if (k->image)
		return !k->btf_path || (btf__raw_data(base, &size) &&
					k->image->btf_stop - k->image->btf_start == size);
	return !k->btf_path ||
	       (btf__raw_data(base, &size) && !stat("/sys/kernel/btf/vmlinux", &own) &&
		(uint64_t)own.st_size == size);
}

static void load_module_btf(const struct kernel *k, struct module_btf *entry, bool from_file)
{
	struct btf *base = vmlinux_btf(k);
	char path[1024];
	uint32_t size;
	void *data;

	if (!base || entry->btf || !fits_modules(k, base))
		return;
	if (k->image) {
		entry->btf = image_btf__module(k, entry->name, base);
		entry->source = entry->btf ? MODULE_BTF_LOADED : MODULE_BTF_NONE;
		return;
	}
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", entry->name);
	if (!access(path, R_OK)) {
		entry->btf = btf__parse_split(path, base);
		if (libbpf_get_error(entry->btf))
			entry->btf = NULL;
		entry->source = entry->btf ? MODULE_BTF_LOADED : MODULE_BTF_NONE;
		return;
	}
	if (!from_file || modules__find(k, entry->name) ||
	    !module_file(k, entry->name, path, sizeof(path)))
		return;
	data = module_file_btf(path, &size);
	entry->btf = data ? btf__from_bytes(data, size, base) : NULL;
	free(data);
	entry->source = entry->btf ? MODULE_BTF_FILE : MODULE_BTF_NONE;
}

const struct module_btf *kernel__module_btf(const struct kernel *k, const char *name,
					    bool from_file)
{
	struct kernel *own = (struct kernel *)k;
	struct module_btf *entry = k->module_btfs;

	while (entry && strcmp(entry->name, name))
		entry = entry->next;
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return NULL;
		entry->name = kernel__keep(k, name);
		entry->next = k->module_btfs;
		own->module_btfs = entry;
		load_module_btf(k, entry, false);
	}
	if (!entry->btf && from_file)
		load_module_btf(k, entry, true);
	if (!entry->btf || (entry->source == MODULE_BTF_FILE && !from_file))
		return NULL;
	return entry;
}

uint32_t kernel__vmlinux_function(const struct kernel *k, const char *name)
{
	return find_in_vmlinux(k, name, is_function);
}

static bool is_typedef(const struct btf_type *type)
{
	return btf_is_typedef(type);
}

/* Every tracepoint leaves a typedef of its probe's prototype behind. */
uint32_t kernel__btf_tracepoint(const struct kernel *k, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return find_in_vmlinux(k, type, is_typedef);
}

bool kernel__has_tracepoint(const struct kernel *k, const char *name)
{
	return kernel__btf_tracepoint(k, name) != 0;
}

bool kernel__btf_is_own(const struct kernel *k)
{
	return !k->btf_path && vmlinux_btf(k);
}

bool kernel__has_btf(const struct kernel *k)
{
	return vmlinux_btf(k) != NULL;
}

const struct btf *kernel__btf(const struct kernel *k, const char *module)
{
	const struct module_btf *entry;

	if (!module)
		return vmlinux_btf(k);
	entry = kernel__module_btf(k, module, false);
	return entry ? entry->btf : NULL;
}

static bool is_interesting(const char *module)
{
	for (size_t i = 0; i < sizeof(known_prefixes) / sizeof(*known_prefixes); i++)
		if (!strncmp(module, known_prefixes[i], strlen(known_prefixes[i])))
			return true;
	return false;
}

/* Search loaded modules, then (with from_file) the files of those that are not. */
static uint32_t find_in_modules(const struct kernel *k, const char *name, type_filter filter,
				bool from_file, const struct module_btf **out)
{
	const struct module_btf *entry;
	uint32_t id;

	for (uint32_t i = 0; i < k->module_count; i++) {
		if (!is_interesting(k->modules[i].name))
			continue;
		entry = kernel__module_btf(k, k->modules[i].name, false);
		id = entry ? find_in_module(k, entry, name, filter) : 0;
		*out = entry;
		if (id)
			return id;
	}
	for (size_t i = 0; from_file && i < sizeof(known_modules) / sizeof(*known_modules); i++) {
		entry = kernel__module_btf(k, known_modules[i], true);
		if (!entry || entry->source != MODULE_BTF_FILE)
			continue;
		id = find_in_module(k, entry, name, filter);
		*out = entry;
		if (id)
			return id;
	}
	return 0;
}

uint32_t kernel__find_type(const struct kernel *k, const char *name, const struct btf **btf)
{
	const struct module_btf *entry = NULL;
	uint32_t id = find_in_vmlinux(k, name, is_struct);

	*btf = vmlinux_btf(k);
	if (id || !*btf)
		return id;
	id = find_in_modules(k, name, is_struct, true, &entry);
	if (id)
		*btf = entry->btf;
	return id;
}

static bool is_type(const struct btf_type *type)
{
	return btf_is_composite(type) || btf_is_typedef(type) || btf_is_any_enum(type);
}

uint32_t kernel__next_named(const struct kernel *k, const char *name, uint32_t after)
{
	struct kernel *own = (struct kernel *)k;

	return find_named(vmlinux_btf(k), &own->vmlinux_index, 1, name, is_type, after);
}

uint32_t kernel__find_module_type(const struct kernel *k, const char *name, const struct btf **btf)
{
	const struct module_btf *entry = NULL;
	uint32_t id = find_in_modules(k, name, is_type, false, &entry);

	if (id)
		*btf = entry->btf;
	return id;
}

uint32_t kernel__next_type(const struct btf *btf, const char *name, uint32_t id)
{
	for (id++; id < btf__type_cnt(btf); id++)
		if (is_named(btf, id, name, is_struct))
			return id;
	return 0;
}

uint32_t kernel__btf_function(const struct kernel *k, const char *function, const char **module)
{
	const struct module_btf *entry = NULL;
	uint32_t id = find_in_vmlinux(k, function, is_function);

	if (module)
		*module = NULL;
	if (id || !vmlinux_btf(k))
		return id;
	id = find_in_modules(k, function, is_function, false, &entry);
	if (id && module)
		*module = entry->name;
	return id;
}

bool kernel__has_btf_function(const struct kernel *k, const char *function, const char **module)
{
	return kernel__btf_function(k, function, module) != 0;
}

bool kernel__function_known(const struct kernel *k, const char *function)
{
	const struct module_btf *entry = NULL;

	return find_in_vmlinux(k, function, is_function) ||
	       (vmlinux_btf(k) && find_in_modules(k, function, is_function, true, &entry));
}

/* A module came: negative cache entries and what was read from a file are dropped. */
void btf__refresh(struct kernel *k)
{
	for (struct module_btf *entry = k->module_btfs; entry; entry = entry->next)
		if (!entry->btf)
			load_module_btf(k, entry, false);
		else if (entry->source == MODULE_BTF_FILE && modules__find(k, entry->name))
			entry->source = MODULE_BTF_LOADED;
}

void btf__shrink(struct kernel *k)
{
	for (struct module_btf *entry = k->module_btfs; entry; entry = entry->next) {
		free(entry->index);
		entry->index = NULL;
	}
	free(k->vmlinux_index);
	k->vmlinux_index = NULL;
}

void btf__close(struct kernel *k)
{
	struct module_btf *entry;

	btf__shrink(k);
	while ((entry = k->module_btfs)) {
		k->module_btfs = entry->next;
		btf__free(entry->btf);
		free(entry);
	}
	btf__free(k->vmlinux);
	k->vmlinux = NULL;
}
