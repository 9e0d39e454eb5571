/* The caller's allocator, or the C library's. */
#ifndef LIBPPTP_ALLOC_H
#define LIBPPTP_ALLOC_H

#include <pptp/types.h>

#include <stdlib.h>

static inline void *
alloc_zeroed(const struct pptp_mem *mem, size_t n, size_t size)
{
	return mem != NULL ? mem->calloc(mem->user, n, size) : calloc(n, size);
}

static inline void
alloc_free(const struct pptp_mem *mem, void *p)
{
	if (mem != NULL)
		mem->free(mem->user, p);
	else
		free(p);
}

#endif
