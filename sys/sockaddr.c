#include "sys/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t
sockaddr_make(struct sockaddr_storage *ss, const struct addr *addr, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (addr->family == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, addr->bytes, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, addr->bytes, 16);
	return sizeof(*in6);
}

static struct addr
take(const struct sockaddr_storage *ss, uint16_t *port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	*port = 0;
	if (ss->ss_family == AF_INET) {
		*port = ntohs(in->sin_port);
		return addr_v4((const uint8_t *)&in->sin_addr);
	}
	if (ss->ss_family != AF_INET6)
		return (struct addr){0};
	*port = ntohs(in6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return addr_v4(in6->sin6_addr.s6_addr + 12);
	return addr_v6(in6->sin6_addr.s6_addr);
}

struct addr
sockaddr_addr(const struct sockaddr_storage *ss, uint16_t *port)
{
	uint16_t none;

	return take(ss, port != NULL ? port : &none);
}
