// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is this a file that an image can be in, is it whole? Looked at first, so that the answer names
 * what to do: the library that reads images only knows that it cannot.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image_private.h"

#define SEGMENTS 65535U /* PN_XNUM: more are counted elsewhere, which nobody writes */

/* The head of makedumpfile's compressed format, struct disk_dump_header of a 64-bit kernel. */
#define KDUMP_MACHINE_AT 272 /* utsname after the signature and the version */
#define KDUMP_BLOCK_SIZE_AT 428
#define KDUMP_SUB_HEADER_SPLIT 12 /* in the second block: u64 phys_base, u32 level, u32 split */
#define KDUMP_SUB_HEADER_START 16

static bool read_at(int fd, uint64_t offset, void *out, size_t size)
{
	return pread(fd, out, size, (off_t)offset) == (ssize_t)size;
}

static int refuse(char *why, size_t why_size, int error, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return error;
}

static int look_at_elf(int fd, struct image_file *file, char *why, size_t why_size)
{
	Elf64_Ehdr head;
	Elf64_Phdr segment;

	if (!read_at(fd, 0, &head, sizeof(head)))
		return refuse(why, why_size, -EBADMSG,
			      "is cut off within its ELF header; copy it again");
	if (head.e_ident[EI_CLASS] != ELFCLASS64)
		return refuse(why, why_size, -ENOTSUP,
			      "is of a 32-bit machine; images of 64-bit kernels can be read");
	if (head.e_type != ET_CORE)
		return refuse(why, why_size, -EBADMSG,
			      "is a program or a library, not a memory image; give the vmcore");
	if (head.e_phentsize != sizeof(segment))
		return refuse(why, why_size, -EBADMSG, "has a damaged ELF header");
	for (uint32_t i = 0; i < head.e_phnum && i < SEGMENTS; i++) {
		uint64_t end;

		if (!read_at(fd, head.e_phoff + i * sizeof(segment), &segment, sizeof(segment)))
			return refuse(why, why_size, -EBADMSG,
				      "is cut off within its program headers; copy it again");
		if (segment.p_type != PT_LOAD && segment.p_type != PT_NOTE)
			continue;
		if (__builtin_add_overflow(segment.p_offset, segment.p_filesz, &end))
			return refuse(why, why_size, -EBADMSG, "has a damaged program header");
		if (end > file->size && end - file->size > file->missing)
			file->missing = end - file->size;
	}
	return 0;
}

static int look_at_kdump(int fd, struct image_file *file, char *why, size_t why_size)
{
	uint32_t block = 0, split = 0;
	uint64_t pages[2] = {0};

	if (!read_at(fd, KDUMP_BLOCK_SIZE_AT, &block, sizeof(block)))
		return refuse(why, why_size, -EBADMSG,
			      "is cut off within its header; copy it again");
	if (block < 512 || block > 1 << 20)
		return refuse(why, why_size, -EBADMSG, "has a damaged kdump header");
	if (!read_at(fd, block + KDUMP_SUB_HEADER_SPLIT, &split, sizeof(split)) ||
	    !read_at(fd, block + KDUMP_SUB_HEADER_START, pages, sizeof(pages)))
		return refuse(why, why_size, -EBADMSG,
			      "is cut off within its header; copy it again");
	if (!read_at(fd, KDUMP_MACHINE_AT, file->machine, sizeof(file->machine) - 1))
		file->machine[0] = '\0';
	file->is_split = split == 1;
	file->start = pages[0];
	file->end = pages[1];
	return 0;
}

int image_file__look(int fd, struct image_file *file, char *why, size_t why_size)
{
	struct stat about;
	char head[16] = {0};
	ssize_t got;

	memset(file, 0, sizeof(*file));
	if (fstat(fd, &about))
		return refuse(why, why_size, -errno, strerror(errno));
	file->size = (uint64_t)about.st_size;
	got = pread(fd, head, sizeof(head), 0);
	if (got < 0)
		return refuse(why, why_size, -errno, strerror(errno));
	if (!got)
		return refuse(why, why_size, -EBADMSG,
			      "is empty; the dump failed, there is nothing to look at");
	if (!memcmp(head, ELFMAG, SELFMAG))
		return look_at_elf(fd, file, why, why_size);
	if (!memcmp(head, "KDUMP   ", 8) || !memcmp(head, "DISKDUMP", 8))
		return look_at_kdump(fd, file, why, why_size);
	if (!memcmp(head, "makedumpfile", 12))
		return refuse(why, why_size, -ENOTSUP,
			      "is in makedumpfile's flattened format (makedumpfile -F, QEMU's "
			      "dump-guest-memory -z, virsh dump --format kdump-*); "
			      "`makedumpfile -R IMAGE <FILE` turns it round");
	if (!memcmp(head, "SQLite format 3", 15))
		return refuse(why, why_size, -EBADMSG,
			      "is a recording, not a memory image; `vfiotrace report` shows it");
	if (!memcmp(head, "LibvirtQemudSave", 16) || !memcmp(head, "QEVM", 4))
		return refuse(why, why_size, -ENOTSUP,
			      "is a saved guest (virsh save, migration), not a memory image; "
			      "`virsh dump --memory-only` makes one");
	return refuse(why, why_size, -EBADMSG,
		      "is no memory image (ELF vmcore or makedumpfile's compressed format)");
}
