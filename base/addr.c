#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct addr
addr_v4(const uint8_t bytes[4])
{
	struct addr a = {.family = 4};

	memcpy(a.bytes, bytes, 4);
	return a;
}

struct addr
addr_v6(const uint8_t bytes[16])
{
	struct addr a = {.family = 6};

	memcpy(a.bytes, bytes, 16);
	return a;
}

int
addr_cmp(const struct addr *a, const struct addr *b)
{
	int d = a->family != b->family ? a->family - b->family : memcmp(a->bytes, b->bytes, addr_len(a));

	return (d > 0) - (d < 0);
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

size_t
addr_len(const struct addr *a)
{
	return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

bool
addr_parse(struct addr *a, const char *s)
{
	struct addr got = {0};

	if (inet_pton(AF_INET, s, got.bytes) == 1)
		got.family = 4;
	else if (inet_pton(AF_INET6, s, got.bytes) == 1)
		got.family = 6;
	else
		return false;
	*a = got;
	return true;
}

const char *
addr_text(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
	if (addr_len(a) == 0 || inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, buf, ADDR_TEXT_MAX) == NULL)
		memcpy(buf, "none", sizeof("none"));
	return buf;
}

void
addr_mask(struct addr *a, uint8_t len)
{
	for (size_t i = 0; i < sizeof(a->bytes); i++) {
		size_t bit = i * 8;

		if (bit >= len)
			a->bytes[i] = 0;
		else if (len - bit < 8)
			a->bytes[i] &= (uint8_t)(0xff00 >> (len - bit));
	}
}

bool
prefix_parse(struct prefix *p, const char *s)
{
	char text[ADDR_TEXT_MAX];
	const char *slash = strchr(s, '/');
	size_t n = slash != NULL ? (size_t)(slash - s) : strlen(s);
	struct prefix got = {0};
	unsigned long len;
	char *end;

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (!addr_parse(&got.addr, text))
		return false;
	got.len = (uint8_t)(addr_len(&got.addr) * 8);
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		len = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || len > got.len)
			return false;
		got.len = (uint8_t)len;
	}
	addr_mask(&got.addr, got.len);
	*p = got;
	return true;
}

const char *
prefix_text(const struct prefix *p, char buf[ADDR_TEXT_MAX])
{
	size_t n;

	addr_text(&p->addr, buf);
	n = strlen(buf);
	snprintf(buf + n, ADDR_TEXT_MAX - n, "/%u", p->len);
	return buf;
}

bool
prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct addr masked = *a;

	addr_mask(&masked, p->len);
	return addr_equal(&masked, &p->addr);
}
