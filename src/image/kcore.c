// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc/kcore: an ELF file whose segments are the kernel's virtual addresses. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"

#define SEGMENTS 4096U
#define NOTE_BYTES (1U << 20)

struct kcore {
	int fd;
	struct memory memory;
	Elf64_Phdr *segment;
	uint32_t segment_count;
	char *note;
};

static int read_kcore(void *context, uint64_t address, void *out, uint32_t length)
{
	const struct kcore *k = context;

	for (uint32_t i = 0; i < k->segment_count; i++) {
		const Elf64_Phdr *s = &k->segment[i];
		uint64_t within = address - s->p_vaddr;

		if (s->p_type != PT_LOAD || address < s->p_vaddr || within >= s->p_filesz ||
		    s->p_filesz - within < length)
			continue;
		return pread(k->fd, out, length, (off_t)(s->p_offset + within)) == (ssize_t)length
			       ? 0
			       : -EFAULT;
	}
	return -EFAULT;
}

/* The note of that name among those of a segment. */
static char *find_note(const char *notes, size_t size, const char *name)
{
	size_t at = 0;

	while (at + sizeof(Elf64_Nhdr) <= size) {
		Elf64_Nhdr head;
		size_t name_at = at + sizeof(head), text_at;

		memcpy(&head, notes + at, sizeof(head));
		text_at = name_at + ((head.n_namesz + 3ULL) & ~3ULL);
		if (text_at > size || head.n_descsz > size - text_at)
			return NULL;
		if (head.n_namesz == strlen(name) + 1 &&
		    !memcmp(notes + name_at, name, strlen(name)))
			return strndup(notes + text_at, head.n_descsz);
		at = text_at + ((head.n_descsz + 3ULL) & ~3ULL);
	}
	return NULL;
}

static int read_note(struct kcore *k)
{
	for (uint32_t i = 0; i < k->segment_count && !k->note; i++) {
		const Elf64_Phdr *s = &k->segment[i];
		char *notes;

		if (s->p_type != PT_NOTE || s->p_filesz > NOTE_BYTES)
			continue;
		notes = malloc(s->p_filesz);
		if (!notes)
			return -ENOMEM;
		if (pread(k->fd, notes, s->p_filesz, (off_t)s->p_offset) == (ssize_t)s->p_filesz)
			k->note = find_note(notes, s->p_filesz, "VMCOREINFO");
		free(notes);
	}
	return k->note ? 0 : -ENOTSUP;
}

static int read_segments(struct kcore *k)
{
	Elf64_Ehdr head;
	size_t bytes;

	if (pread(k->fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_phentsize != sizeof(*k->segment) ||
	    head.e_phnum > SEGMENTS)
		return -EBADMSG;
	bytes = head.e_phnum * sizeof(*k->segment);
	k->segment = malloc(bytes);
	if (!k->segment)
		return -ENOMEM;
	if (pread(k->fd, k->segment, bytes, (off_t)head.e_phoff) != (ssize_t)bytes)
		return -EBADMSG;
	k->segment_count = head.e_phnum;
	return read_note(k);
}

struct kcore *kcore__open(char *why, size_t why_size, int *error)
{
	struct kcore *k = calloc(1, sizeof(*k));

	*error = -ENOMEM;
	snprintf(why, why_size, "%s", strerror(ENOMEM));
	if (!k)
		return NULL;
	k->fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	*error = k->fd < 0 ? -errno : read_segments(k);
	k->memory = (struct memory){read_kcore, k};
	if (!*error)
		return k;
	if (*error == -EPERM || *error == -EACCES)
		snprintf(why, why_size,
			 "cannot be opened: needs root (CAP_SYS_RAWIO), and no kernel lockdown");
	else if (*error == -ENOENT)
		snprintf(why, why_size,
			 "is not there: a kernel with CONFIG_PROC_KCORE, and /proc mounted");
	else if (*error == -ENOTSUP)
		snprintf(why, why_size,
			 "has no note (VMCOREINFO), which kernels since 4.19 with "
			 "CONFIG_VMCORE_INFO (CRASH_CORE) have");
	else
		snprintf(why, why_size, "cannot be read: %s", strerror(-*error));
	if (*error == -ENOENT)
		*error = -ENOTSUP;
	kcore__close(k);
	return NULL;
}

void kcore__close(struct kcore *k)
{
	if (!k)
		return;
	if (k->fd >= 0)
		close(k->fd);
	free(k->segment);
	free(k->note);
	free(k);
}

const struct memory *kcore__memory(const struct kcore *k)
{
	return &k->memory;
}

const char *kcore__note(const struct kcore *k)
{
	return k->note;
}
