#include "tests/unit/libppp/util.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int
digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	return (ch | 0x20) - 'a' + 10;
}

size_t
unhex(uint8_t *out, size_t outlen, const char *text)
{
	size_t n = 0;

	while (*text != '\0') {
		if (*text == ' ') {
			text++;
			continue;
		}
		ck_assert_uint_lt(n, outlen);
		out[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
	return n;
}

void
assert_hex(const uint8_t *data, size_t datalen, const char *text)
{
	uint8_t expected[256];

	ck_assert_uint_eq(unhex(expected, sizeof(expected), text), datalen);
	ck_assert_mem_eq(data, expected, datalen);
}

static struct ppp_crypto *crypto;

static void
free_crypto(void)
{
	ppp_crypto_free(crypto);
}

const struct ppp_crypto *
test_crypto(void)
{
	char err[512];

	if (crypto == NULL) {
		if (ppp_crypto_new(&crypto, err, sizeof(err)) != 0)
			ck_abort_msg("%s", err);
		atexit(free_crypto);
	}
	return crypto;
}

uint32_t
test_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

void
test_random_fill(void *user, void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)test_random(user);
}

struct ppp_secret
test_password(const char *text)
{
	struct ppp_secret s = {.len = (uint16_t)strlen(text)};

	memcpy(s.data, text, s.len);
	return s;
}

struct ppp_secret
test_nt_hash(const char *text)
{
	struct ppp_secret s = {.is_nt_hash = true, .len = 16};

	ppp_nt_hash(test_crypto(), s.data, text, strlen(text));
	return s;
}
