// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel of an image: its note (VMCOREINFO) leads to its names, these to its types. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "kernel/image.h"

#define UTS_BYTES 65 /* struct new_utsname: sysname, nodename, release, version, machine */

/* --- the note
 * ------------------------------------------------------------------------------------------- */

/* The text behind "NAME=" at the start of a line; NULL: none. */
static const char *line_of(const char *note, const char *name)
{
	size_t length = strlen(name);

	while (note && *note) {
		if (!strncmp(note, name, length) && note[length] == '=')
			return note + length + 1;
		note = strchr(note, '\n');
		note = note ? note + 1 : NULL;
	}
	return NULL;
}

void image_note__text(const char *note, const char *name, char *out, size_t size)
{
	const char *at = line_of(note, name);

	snprintf(out, size, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
}

static bool number_of(const char *note, const char *kind, const char *name, int base, uint64_t *out)
{
	char key[128];
	const char *at;

	snprintf(key, sizeof(key), "%s(%s)", kind, name);
	at = line_of(note, key);
	if (!at)
		return false;
	errno = 0;
	*out = strtoull(at, NULL, base);
	return !errno;
}

bool image_note__symbol(const char *note, const char *name, uint64_t *address)
{
	return number_of(note, "SYMBOL", name, 16, address) && *address;
}

bool image_note__offset(const char *note, const char *name, uint64_t *offset)
{
	return number_of(note, "OFFSET", name, 10, offset);
}

/* --- the kernel
 * ----------------------------------------------------------------------------------------- */

static int read_names(struct kernel *k)
{
	uint64_t address = 0, offset = 4; /* where struct uts_namespace has them since ever */
	char uts[5][UTS_BYTES];
	int err;

	if (!image_note__symbol(k->image->note, "init_uts_ns", &address))
		return -ENOENT;
	image_note__offset(k->image->note, "uts_namespace.name", &offset);
	err = memory__read(&k->image->memory, address + offset, uts, sizeof(uts));
	if (err)
		return err;
	for (int i = 0; i < 5; i++)
		uts[i][UTS_BYTES - 1] = 0;
	k->image->node = strdup(uts[1]);
	k->release = strdup(uts[2]);
	k->version_text = strdup(uts[3]);
	k->arch = strdup(uts[4]);
	if (!k->image->node || !k->release || !k->version_text || !k->arch)
		return -ENOMEM;
	k->version = kernel_version__parse(k->release);
	return 0;
}

/* The note and the memory must be of one kernel, or every address that follows is wrong. */
static int open_image(struct kernel *k, char *why, size_t why_size)
{
	char release[UTS_BYTES];
	int err = read_names(k);

	image_note__text(k->image->note, "OSRELEASE", release, sizeof(release));
	if (err || strcmp(release, k->release)) {
		snprintf(why, why_size,
			 "is not readable where its note (VMCOREINFO, of kernel %.64s) says that "
			 "its "
			 "memory begins: it is cut, damaged, or the note is of another boot; take "
			 "the dump again",
			 release);
		return err ? err : -EBADMSG;
	}
	err = symbols__load(k);
	if (!err && !kernel__symbol(k, "init_task"))
		err = -ENOENT;
	if (!err && !kernel__has_btf(k)) {
		err = -ENOTSUP;
		k->image->fault = "has no types (CONFIG_DEBUG_INFO_BTF), or they are damaged; give "
				  "those of exactly this kernel with --btf FILE";
	}
	if (!err)
		return 0;
	snprintf(why, why_size, "%s",
		 k->image->fault ? k->image->fault
				 : "has names of its kernel (kallsyms) that cannot be read: it is "
				   "cut or damaged; --symbols FILE takes them from a copy of its "
				   "/proc/kallsyms or System.map");
	return err;
}

struct kernel *kernel__open_image(const struct kernel_image *from, char *why, size_t why_size,
				  int *error)
{
	struct kernel *k = kernel__new();

	*error = -ENOMEM;
	snprintf(why, why_size, "%s", strerror(ENOMEM));
	if (!k)
		return NULL;
	k->image = calloc(1, sizeof(*k->image));
	if (!k->image)
		goto fail;
	*k->image = (struct kernel_origin){
		.memory = *from->memory, .note = from->note, .symbols_path = from->symbols_path};
	k->btf_path = from->btf_path ? strdup(from->btf_path) : NULL;
	if (from->btf_path && !k->btf_path)
		goto fail;
	*error = open_image(k, why, why_size);
	if (!*error)
		return k;
fail:
	kernel__close(k);
	return NULL;
}

void kernel_origin__free(struct kernel_origin *image)
{
	if (!image)
		return;
	free(image->modules);
	free(image->node);
	free(image);
}
