/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_memory.h - reads of kernel memory that may be freed under the reader.
 *
 * One function pointer, so that everything that decodes kernel structures can be tested with memory
 * made up by a test. `read` copies exactly `length` bytes or returns a negative errno.
 */
#ifndef VFIOTRACE_KERNEL_MEMORY_H
#define VFIOTRACE_KERNEL_MEMORY_H

#include <errno.h>
#include <stdint.h>

struct memory {
	int (*read)(void *context, uint64_t address, void *out, uint32_t length);
	void *context;
};

static inline int memory__read(const struct memory *m, uint64_t address, void *out, uint32_t length)
{
	return address ? m->read(m->context, address, out, length) : -EFAULT;
}

static inline int memory__u64(const struct memory *m, uint64_t address, uint64_t *out)
{
	*out = 0;
	return memory__read(m, address, out, sizeof(*out));
}

static inline int memory__u32(const struct memory *m, uint64_t address, uint32_t *out)
{
	*out = 0;
	return memory__read(m, address, out, sizeof(*out));
}

/* A NUL-terminated string, cut at size - 1; "" and an errno if unreadable. */
int memory__string(const struct memory *m, uint64_t address, char *out, uint32_t size);

#endif
