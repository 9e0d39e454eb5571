#include "tunnel/csum.h"

#include <stdbool.h>

static inline uint64_t
add_carry(uint64_t sum, uint64_t v)
{
	sum += v;
	return sum + (sum < v);
}

uint64_t
csum_add_portable(uint64_t sum, const uint8_t *data, size_t datalen)
{
	uint64_t v;

	for (; datalen >= 8; data += 8, datalen -= 8) {
		memcpy(&v, data, 8);
		sum = add_carry(sum, v);
	}
	if (datalen > 0) {
		v = 0;
		memcpy(&v, data, datalen);
		sum = add_carry(sum, v);
	}
	return sum;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* Sums 32-bit words in 64-bit lanes, which can't overflow below 2^32 words. */
__attribute__((target("avx2"))) static uint64_t
csum_add_avx2(uint64_t sum, const uint8_t *data, size_t datalen)
{
	const __m256i low = _mm256_set1_epi64x(UINT32_MAX);
	__m256i a = _mm256_setzero_si256(), b = a;
	uint64_t lanes[4];

	for (; datalen >= 64; data += 64, datalen -= 64) {
		__m256i x = _mm256_loadu_si256((const __m256i_u *)data);
		__m256i y = _mm256_loadu_si256((const __m256i_u *)(data + 32));

		a = _mm256_add_epi64(a, _mm256_and_si256(x, low));
		b = _mm256_add_epi64(b, _mm256_srli_epi64(x, 32));
		a = _mm256_add_epi64(a, _mm256_and_si256(y, low));
		b = _mm256_add_epi64(b, _mm256_srli_epi64(y, 32));
	}
	/* The words at odd places weigh 2^32, which is 1 in one's complement arithmetic on 16 bits. */
	_mm256_storeu_si256((__m256i_u *)lanes, _mm256_add_epi64(a, b));
	for (size_t i = 0; i < 4; i++)
		sum = add_carry(sum, lanes[i]);
	return csum_add_portable(sum, data, datalen);
}

uint64_t
csum_add(uint64_t sum, const uint8_t *data, size_t datalen)
{
	if (datalen >= 128 && __builtin_cpu_supports("avx2"))
		return csum_add_avx2(sum, data, datalen);
	return csum_add_portable(sum, data, datalen);
}
#else
uint64_t
csum_add(uint64_t sum, const uint8_t *data, size_t datalen)
{
	return csum_add_portable(sum, data, datalen);
}
#endif

uint64_t
csum_pseudo(const uint8_t *addresses, size_t addresseslen, uint8_t proto, uint32_t length)
{
	const uint8_t tail[8] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length, 0, 0, 0, proto};

	return csum_add_portable(csum_add_portable(0, addresses, addresseslen), tail, sizeof(tail));
}

/* RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). */
void
csum_correct(uint8_t *checksum, const uint8_t *from, const uint8_t *to, size_t len)
{
	uint64_t sum;
	uint16_t old, was, is;

	memcpy(&old, checksum, 2);
	sum = (uint16_t)~old;
	for (size_t i = 0; i + 2 <= len; i += 2) {
		memcpy(&was, from + i, 2);
		memcpy(&is, to + i, 2);
		sum += (uint64_t)(uint16_t)~was + is;
	}
	csum_put(checksum, sum);
}

void
csum_replace(uint8_t *checksum, uint8_t *field, const uint8_t *to, size_t len)
{
	csum_correct(checksum, field, to, len);
	memcpy(field, to, len);
}
