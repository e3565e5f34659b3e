// SPDX-License-Identifier: GPL-2.0-or-later
/* Images in files, read by libkdumpfile, with the pages that were read last kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "image/image_private.h"

#ifdef HAVE_KDUMPFILE

#include <libkdumpfile/kdumpfile.h>

#define PAGE 4096U     /* what is kept in one piece, whatever the machine's page is */
#define KEPT 4096U     /* pages, power of two: 16 MiB */
#define NO_PAGE 1ULL   /* no address of a page */
#define NOTE_MAX 65536 /* bytes of VMCOREINFO; kernels write one page */

struct image {
	kdump_ctx_t *context;
	struct memory memory;
	char *note;
	uint64_t missing;
	uint64_t kept_address[KEPT];
	bool kept_bad[KEPT]; /* it cannot be read: also worth remembering */
	uint8_t *kept;
};

bool image__is_supported(void)
{
	return true;
}

/* --- reading
 * --------------------------------------------------------------------------------------------- */

/* NULL: not in the image. */
static const uint8_t *page_at(struct image *image, uint64_t address)
{
	uint32_t slot = (uint32_t)(address / PAGE * 0x9E3779B97F4A7C15ULL >> 52) & (KEPT - 1);
	uint8_t *page = image->kept + (size_t)slot * PAGE;
	size_t length = PAGE;

	if (image->kept_address[slot] != address) {
		image->kept_address[slot] = address;
		image->kept_bad[slot] = kdump_read(image->context, KDUMP_KVADDR, address, page,
						   &length) != KDUMP_OK;
		if (image->kept_bad[slot])
			kdump_clear_err(image->context);
	}
	return image->kept_bad[slot] ? NULL : page;
}

static int read_image(void *context, uint64_t address, void *out, uint32_t length)
{
	struct image *image = context;
	uint8_t *to = out;

	while (length) {
		uint32_t within = (uint32_t)(address % PAGE);
		uint32_t piece = length < PAGE - within ? length : PAGE - within;
		const uint8_t *page = page_at(image, address - within);

		if (!page)
			return -EFAULT;
		memcpy(to, page + within, piece);
		to += piece;
		address += piece;
		length -= piece;
	}
	return 0;
}

/* --- opening
 * --------------------------------------------------------------------------------------------- */

static int refuse(char *why, size_t why_size, int error, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return error;
}

static int by_start(const void *a, const void *b)
{
	const struct image_file *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The pieces of a split image must be all of them: each begins where another ends. */
static int check_pieces(struct image_file *files, uint32_t count, char *why, size_t why_size)
{
	for (uint32_t i = 0; i < count; i++)
		if (files[i].is_split != (count > 1))
			return refuse(why, why_size, -EBADMSG,
				      count > 1
					      ? "is no piece of a split image, and more than one "
						"file was given; give one image"
					      : "is one piece of a split image; give all of them, "
						"each with --core");
	if (count < 2)
		return 0;
	qsort(files, count, sizeof(*files), by_start);
	for (uint32_t i = 1; i < count; i++)
		if (files[i].start != files[i - 1].end)
			return refuse(why, why_size, -EBADMSG,
				      "and the others given are not all pieces of one image; give "
				      "each of them, once");
	return files[0].start ? refuse(why, why_size, -EBADMSG,
				       "and the others lack the first piece of the image; give "
				       "all of them, each with --core")
			      : 0;
}

static int check_architecture(struct image *image, const struct image_file *file, char *why,
			      size_t why_size)
{
	const char *name = "unknown";
	struct utsname own;

	if (kdump_get_string_attr(image->context, KDUMP_ATTR_ARCH_NAME, &name) != KDUMP_OK) {
		kdump_clear_err(image->context);
		/* QEMU fills in the machine only, and the library then believes nothing of it */
		if (file->machine[0])
			name = file->machine;
		if (!strcmp(name, KDUMP_ARCH_X86_64))
			kdump_set_string_attr(image->context, KDUMP_ATTR_ARCH_NAME,
					      KDUMP_ARCH_X86_64);
	}
	uname(&own);
#ifdef __x86_64__
	if (!strcmp(name, KDUMP_ARCH_X86_64))
		return 0;
	snprintf(why, why_size,
		 "is of a machine of architecture %.20s; this program, built for %s, reads images "
		 "of x86_64 only",
		 name, own.machine);
#else
	snprintf(why, why_size,
		 "cannot be looked at: images of %.20s kernels are not supported on %s yet; x86_64 "
		 "images are, on x86_64",
		 name, own.machine);
#endif
	return -ENOTSUP;
}

static int open_files(struct image *image, const struct image_file *files, const int *fds,
		      uint32_t count, char *why, size_t why_size)
{
	static const char remedy[] =
		"has no note of its kernel (VMCOREINFO). A QEMU guest's: start QEMU with "
		"-device vmcoreinfo (libvirt: <vmcoreinfo state='on'/>) and load qemu_fw_cfg in "
		"the "
		"guest before; a vmcore of kdump has it. A core of a program has none";
	static const char cut[] =
		"is cut off before the kernel's note; copy it again, or dump to a "
		"disk that has room";
	kdump_status status;
	int err;

	image->context = kdump_new();
	if (!image->context)
		return refuse(why, why_size, -ENOMEM, strerror(ENOMEM));
	kdump_set_number_attr(image->context, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER);
	status = kdump_open_fdset(image->context, count, fds);
	if (status != KDUMP_OK) {
		snprintf(why, why_size, "cannot be read as a memory image: %.200s",
			 kdump_get_err(image->context));
		return -EBADMSG;
	}
	kdump_set_number_attr(image->context, KDUMP_ATTR_ZERO_EXCLUDED, 1);
	err = check_architecture(image, files, why, why_size);
	if (err)
		return err;
	/* the library reads the note when it knows whose it is */
	status = kdump_set_string_attr(image->context, KDUMP_ATTR_OSTYPE, "linux");
	if (kdump_vmcoreinfo_raw(image->context, &image->note) != KDUMP_OK || !image->note)
		return image->missing ? refuse(why, why_size, -EBADMSG, cut)
				      : refuse(why, why_size, -ENOTSUP, remedy);
	if (strnlen(image->note, NOTE_MAX) == NOTE_MAX)
		return refuse(why, why_size, -EBADMSG, "has a damaged VMCOREINFO note");
	if (status == KDUMP_OK)
		return 0;
	return refuse(why, why_size, -EBADMSG,
		      "has page tables that cannot be found: it is cut or damaged; copy it again");
}

struct image *image__open(const int *fds, uint32_t count, char *why, size_t why_size, int *error)
{
	struct image_file files[IMAGE_FILES];
	struct image *image = calloc(1, sizeof(*image));

	*error = -ENOMEM;
	snprintf(why, why_size, "%s", strerror(ENOMEM));
	if (!image)
		return NULL;
	image->kept = malloc((size_t)KEPT * PAGE);
	if (!image->kept)
		goto fail;
	for (uint32_t i = 0; i < KEPT; i++)
		image->kept_address[i] = NO_PAGE;
	*error = count && count <= IMAGE_FILES
			 ? 0
			 : refuse(why, why_size, -E2BIG, "and others: too many pieces");
	for (uint32_t i = 0; i < count && !*error; i++) {
		*error = image_file__look(fds[i], &files[i], why, why_size);
		image->missing += files[i].missing;
	}
	if (!*error)
		*error = check_pieces(files, count, why, why_size);
	if (!*error)
		*error = open_files(image, files, fds, count, why, why_size);
	if (*error)
		goto fail;
	image->memory = (struct memory){read_image, image};
	return image;
fail:
	image__close(image);
	return NULL;
}

void image__close(struct image *image)
{
	if (!image)
		return;
	if (image->context)
		kdump_free(image->context);
	free(image->note);
	free(image->kept);
	free(image);
}

const struct memory *image__memory(const struct image *image)
{
	return &image->memory;
}

const char *image__note(const struct image *image)
{
	return image->note;
}

uint64_t image__missing(const struct image *image)
{
	return image->missing;
}

#else

bool image__is_supported(void)
{
	return false;
}

struct image *image__open(const int *fds, uint32_t count, char *why, size_t why_size, int *error)
{
	(void)fds, (void)count;
	snprintf(why, why_size,
		 "cannot be looked at: this vfiotrace was built without libkdumpfile; use one that "
		 "has it (`vfiotrace check` says so)");
	*error = -EOPNOTSUPP;
	return NULL;
}

void image__close(struct image *image)
{
	(void)image;
}

const struct memory *image__memory(const struct image *image)
{
	(void)image;
	return NULL;
}

const char *image__note(const struct image *image)
{
	(void)image;
	return NULL;
}

uint64_t image__missing(const struct image *image)
{
	(void)image;
	return 0;
}

#endif
