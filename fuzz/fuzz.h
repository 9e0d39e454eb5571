/* What a fuzz target defines, and a reader that takes decisions from its input. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen);

/* A broken invariant ends the program, so that the fuzzer and `make check` both see it. */
#define FUZZ_CHECK(cond)                                                                                                                   \
	do {                                                                                                                               \
		if (!(cond))                                                                                                               \
			abort();                                                                                                           \
	} while (0)

struct fuzz_input {
	const uint8_t *p;
	size_t left;
};

/* The next byte, 0 behind the end. */
static inline uint8_t
fuzz_u8(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

static inline uint16_t
fuzz_u16(struct fuzz_input *in)
{
	uint8_t high = fuzz_u8(in);

	return (uint16_t)(high << 8 | fuzz_u8(in));
}

/* The next want bytes or as many as there are, in *n. */
static inline const uint8_t *
fuzz_bytes(struct fuzz_input *in, size_t want, size_t *n)
{
	const uint8_t *p = in->p;

	*n = want < in->left ? want : in->left;
	in->p += *n;
	in->left -= *n;
	return p;
}

#endif
