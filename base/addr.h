/* IP addresses and prefixes as values, of either family. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDR_TEXT_MAX = 64 };

struct addr {
	uint8_t family;    /* 4, 6, or 0 for none */
	uint8_t bytes[16]; /* network order; an IPv4 address takes the first 4, the rest is zero */
};

struct prefix {
	struct addr addr; /* host bits zero, where prefix_parse() made it */
	uint8_t len;      /* 0..32 or 0..128 bits */
};

struct addr addr_v4(const uint8_t bytes[4]);
struct addr addr_v6(const uint8_t bytes[16]);
bool addr_equal(const struct addr *a, const struct addr *b);
/* -1, 0 or 1 by family, then by value as an unsigned number. */
int addr_cmp(const struct addr *a, const struct addr *b);
/* Bytes of the address: 4, 16, or 0. */
size_t addr_len(const struct addr *a);
/* Parses dotted or IPv6 text; false, with *a untouched, when it is neither. */
bool addr_parse(struct addr *a, const char *s);
/* Writes text into buf and returns buf; "none" for family 0. */
const char *addr_text(const struct addr *a, char buf[ADDR_TEXT_MAX]);
/* Parses ADDR or ADDR/LEN, and clears the host bits. */
bool prefix_parse(struct prefix *p, const char *s);
const char *prefix_text(const struct prefix *p, char buf[ADDR_TEXT_MAX]);
bool prefix_contains(const struct prefix *p, const struct addr *a);
/* Clears the bits of *a behind the first len. */
void addr_mask(struct addr *a, uint8_t len);

#endif
