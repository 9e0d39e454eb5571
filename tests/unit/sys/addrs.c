#include "tests/unit/sys/addrs.h"

#include "tests/unit/sys/netns.h"

struct addr
addr_of(const char *s)
{
	struct addr a = {0};

	CHECK(addr_parse(&a, s));
	return a;
}

struct prefix
prefix_of(const char *s)
{
	struct prefix p = {0};

	CHECK(prefix_parse(&p, s));
	return p;
}
