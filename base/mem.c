#include "base/mem.h"

#include <stdlib.h>

void *
mem_calloc(const struct mem *mem, size_t n, size_t size)
{
	return mem != NULL ? mem->calloc(mem->user, n, size) : calloc(n, size);
}

void
mem_free(const struct mem *mem, void *p)
{
	if (mem != NULL)
		mem->free(mem->user, p);
	else
		free(p);
}

static void *
failing_calloc(void *user, size_t n, size_t size)
{
	struct mem_failing *f = user;
	void *p;

	if (++f->calls == f->fail_at)
		return NULL;
	p = calloc(n, size);
	if (p != NULL)
		f->held++;
	return p;
}

static void
failing_free(void *user, void *p)
{
	struct mem_failing *f = user;

	if (p != NULL)
		f->held--;
	free(p);
}

void
mem_failing_init(struct mem_failing *f, size_t fail_at)
{
	*f = (struct mem_failing){
	    .mem = {.user = f, .calloc = failing_calloc, .free = failing_free},
	    .fail_at = fail_at,
	};
}
