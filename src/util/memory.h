/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.h - growing arrays and a bump allocator.
 *
 * An arena hands out zeroed memory that lives until arena__release; zero-initialised is valid.
 */
#ifndef VFIOTRACE_UTIL_MEMORY_H
#define VFIOTRACE_UTIL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks;
	size_t used, size; /* of the first chunk */
};

void *arena__alloc(struct arena *arena, size_t size, size_t alignment); /* NULL: no memory */
void arena__release(struct arena *arena);

/* Make room for `needed` elements; capacity doubles. false: no memory, array unchanged. */
bool array_reserve_bytes(void **items, uint64_t *capacity, uint64_t needed, size_t element);

/* A typed growing array: VECTOR(struct chain) chains; zero-initialised is empty. */
#define VECTOR(type)                                                                               \
	struct {                                                                                   \
		type *items;                                                                       \
		uint64_t count;                                                                    \
		uint64_t capacity;                                                                 \
	}
#define vector_reserve(vector, needed)                                                             \
	((needed) <= (vector)->capacity ||                                                         \
	 array_reserve_bytes((void **)&(vector)->items, &(vector)->capacity, (needed),             \
			     sizeof(*(vector)->items)))
/* Append one element by value; false when there is no memory. */
#define vector_push(vector, ...)                                                                   \
	(vector_reserve((vector), (vector)->count + 1) &&                                          \
	 ((vector)->items[(vector)->count++] = (__VA_ARGS__), true))

#endif
