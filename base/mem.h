/* Allocation that the caller chooses, so that tests can make the N-th one fail.
 *
 * A NULL `const struct mem *` means the C library. Memory from mem_calloc() is zeroed. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

struct mem {
	void *user;
	void *(*calloc)(void *user, size_t n, size_t size);
	void (*free)(void *user, void *p);
};

void *mem_calloc(const struct mem *mem, size_t n, size_t size);
void mem_free(const struct mem *mem, void *p);

/* An allocator that fails once, at its fail_at-th call (1 is the first; 0 never), and counts what is held. */
struct mem_failing {
	struct mem mem;
	size_t calls;
	size_t fail_at;
	size_t held;
};

void mem_failing_init(struct mem_failing *f, size_t fail_at);

#endif
