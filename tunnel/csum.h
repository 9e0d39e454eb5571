/* The Internet checksum (RFC 1071), whole and incremental (RFC 1624).
 *
 * A sum is kept in the machine's byte order over 16-bit words as they lie in memory, which the one's complement sum allows, so no
 * byte is swapped but at the end of a run of odd length, which only a packet's last run may have. */
#ifndef TUNNEL_CSUM_H
#define TUNNEL_CSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Adds data to a sum that starts as 0. */
uint64_t csum_add(uint64_t sum, const uint8_t *data, size_t datalen);

/* The plain, portable form of csum_add(): what the vector form is tested against. */
uint64_t csum_add_portable(uint64_t sum, const uint8_t *data, size_t datalen);

static inline uint16_t
csum_fold(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Writes the complement of a sum: a header's checksum field. */
static inline void
csum_put(uint8_t *field, uint64_t sum)
{
	uint16_t v = (uint16_t)~csum_fold(sum);

	memcpy(field, &v, 2);
}

/* Writes the sum itself: what a kernel that finishes the checksum wants to find (virtio NEEDS_CSUM). */
static inline void
csum_put_partial(uint8_t *field, uint64_t sum)
{
	uint16_t v = csum_fold(sum);

	memcpy(field, &v, 2);
}

/* The sum of a pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1): both addresses, which lie side by side, the upper
 * layer's length and its protocol. */
uint64_t csum_pseudo(const uint8_t *addresses, size_t addresseslen, uint8_t proto, uint32_t length);

/* Sets an even-length field of a packet from its present bytes to `to` and corrects the checksum field that covers it. */
void csum_replace(uint8_t *checksum, uint8_t *field, const uint8_t *to, size_t len);
/* The same for a change made elsewhere: only the checksum field is corrected. */
void csum_correct(uint8_t *checksum, const uint8_t *from, const uint8_t *to, size_t len);

#endif
