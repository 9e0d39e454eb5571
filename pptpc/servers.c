#include "pptpc/servers.h"

#include <string.h>

void
servers_init(struct servers *s, const struct name_list *names, enum profile_family family)
{
	memset(s, 0, sizeof(*s));
	s->names = names;
	s->family = family;
}

static void
forget(struct servers *s)
{
	s->addr = 0;
	s->addrs.count = 0;
}

void
servers_restart(struct servers *s)
{
	s->name = 0;
	forget(s);
}

const char *
servers_name(const struct servers *s)
{
	return s->names->names[s->name];
}

static bool
is_wanted(const struct servers *s, const struct addr *a)
{
	if (s->family == PROFILE_IPV4)
		return a->family == 4;
	return s->family == PROFILE_IPV6 ? a->family == 6 : a->family != 0;
}

bool
servers_resolved(struct servers *s, const struct addr *addrs, size_t count)
{
	forget(s);
	for (size_t i = 0; i < count && s->addrs.count < SERVERS_MAX_ADDRS; i++)
		if (is_wanted(s, &addrs[i]))
			s->addrs.items[s->addrs.count++] = addrs[i];
	if (s->addrs.count > 0)
		s->known[s->name] = s->addrs;
	return s->addrs.count > 0;
}

bool
servers_use_known(struct servers *s)
{
	s->addr = 0;
	s->addrs = s->known[s->name];
	return s->addrs.count > 0;
}

struct addr
servers_addr(const struct servers *s)
{
	static const struct addr none;

	return s->addr < s->addrs.count ? s->addrs.items[s->addr] : none;
}

bool
servers_next(struct servers *s)
{
	if (s->addr + 1 < s->addrs.count) {
		s->addr++;
		return true;
	}
	return servers_next_name(s);
}

bool
servers_next_name(struct servers *s)
{
	bool more = s->name + 1 < s->names->count;

	s->name = more ? (uint8_t)(s->name + 1) : 0;
	forget(s);
	return more;
}
