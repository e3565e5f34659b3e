// SPDX-License-Identifier: GPL-2.0-or-later
/* Strings in kernel memory; everything else about it is in kernel_memory.h. */
#include <string.h>

#include "kernel_memory.h"

#define PAGE                                                                                       \
	4096U /* no architecture has smaller ones: a read inside one of these cannot half fail */

int memory__string(const struct memory *m, uint64_t address, char *out, uint32_t size)
{
	uint32_t done = 0;

	memset(out, 0, size);
	while (done + 1 < size) {
		uint32_t chunk = PAGE - (uint32_t)((address + done) % PAGE);
		int err;

		if (chunk > size - 1 - done)
			chunk = size - 1 - done;
		err = memory__read(m, address + done, out + done, chunk);
		if (err) {
			out[done] = 0;
			return done ? 0 : err;
		}
		if (memchr(out + done, 0, chunk))
			return 0;
		done += chunk;
	}
	return 0;
}
