// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel object: life cycle, release, kept strings. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "kernel/image.h"
#include "kernel/kernel_private.h"

const char *kernel__keep(const struct kernel *k, const char *text)
{
	/* Interning changes nothing a caller can see, so readers may do it through const. */
	struct kernel *own = (struct kernel *)k;
	struct kept_string *found;
	size_t length = strlen(text);

	HASH_FIND(hh, own->strings, text, length, found);
	if (found)
		return found->text;
	found = malloc(sizeof(*found) + length + 1);
	if (!found)
		return NULL;
	memcpy(found->text, text, length + 1);
	HASH_ADD(hh, own->strings, text, length, found);
	return found->text;
}

const char *kernel__keepf(const struct kernel *k, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return kernel__keep(k, text);
}

char *read_whole(const char *path, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return read_whole_fd(fd < 0 ? -errno : fd, length);
}

char *read_whole_fd(int fd, size_t *length)
{
	size_t capacity = 1 << 14, used = 0;
	char *text = malloc(capacity), *grown;
	ssize_t got = -1;

	if (fd < 0 || !text)
		goto fail;
	while ((got = read(fd, text + used, capacity - used - 1)) > 0) {
		used += (size_t)got;
		if (capacity - used > 1)
			continue;
		capacity *= 2;
		grown = realloc(text, capacity);
		if (!grown)
			goto fail;
		text = grown;
	}
	if (got < 0)
		goto fail;
	close(fd);
	text[used] = 0;
	if (length)
		*length = used;
	return text;
fail:
	free(text);
	if (fd >= 0)
		close(fd);
	else
		errno = -fd;
	return NULL;
}

static int log_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

struct kernel *kernel__new(void)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	/* What is missing is reported as a feature; whoever loads programs installs its own. */
	libbpf_set_print(log_nothing);
	k->fentry_error = 1;
	k->preemptible = -1;
	k->traceable_fd = -1;
	return k;
}

struct kernel *kernel__open(const char *btf_path)
{
	struct utsname names;
	struct kernel *k = uname(&names) ? NULL : kernel__new();

	if (!k)
		return NULL;
	k->release = strdup(names.release);
	k->version_text = strdup(names.version);
	k->arch = strdup(names.machine);
	k->btf_path = btf_path ? strdup(btf_path) : NULL;
	if (!k->release || !k->version_text || !k->arch || (btf_path && !k->btf_path)) {
		kernel__close(k);
		return NULL;
	}
	k->version = kernel_version__parse(k->release);
	modules__read(k, NULL);
	return k;
}

void kernel__close(struct kernel *k)
{
	struct kept_string *string, *next;

	if (!k)
		return;
	member_names__clear(k);
	btf__close(k);
	frames__close(k);
	symbols__free(&k->symbols);
	symbol_changes__free(&k->changes);
	if (k->traceable_fd >= 0)
		close(k->traceable_fd);
	HASH_ITER(hh, k->strings, string, next) {
		HASH_DEL(k->strings, string);
		free(string);
	}
	kernel_origin__free(k->image);
	free(k->modules);
	free(k->config);
	free(k->btf_path);
	free(k->release);
	free(k->version_text);
	free(k->arch);
	free(k);
}

void kernel__shrink(struct kernel *k)
{
	btf__shrink(k);
	symbols__shrink(&k->symbols);
	symbol_changes__shrink(&k->changes);
}

int kernel__refresh(struct kernel *k)
{
	bool changed = false;
	int error = k->image ? 0 : modules__read(k, &changed);

	if (error || !changed)
		return error;
	member_names__clear(k);
	btf__refresh(k);
	frames__close(k);
	return k->symbols.loaded ? symbols__renew(k) : 0;
}

const char *kernel__release(const struct kernel *k)
{
	return k->release;
}

const char *kernel__arch(const struct kernel *k)
{
	return k->arch;
}

uint32_t kernel__version(const struct kernel *k)
{
	return k->version;
}
