/* Serial number arithmetic on 32 bits: order of sequence numbers that wrap (as RFC 1982 defines it). */
#ifndef BASE_SERIAL_H
#define BASE_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

/* How far b is ahead of a, in [-2^31, 2^31). */
static inline int32_t
serial_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(b - a);
}

static inline bool
serial_lt(uint32_t a, uint32_t b)
{
	return serial_diff(a, b) > 0;
}

static inline bool
serial_le(uint32_t a, uint32_t b)
{
	return serial_diff(a, b) >= 0;
}

#endif
