/* What the tests of libppp share: hexadecimal vectors, a loaded ppp_crypto, and a random generator that repeats itself. */
#ifndef TESTS_UNIT_LIBPPP_UTIL_H
#define TESTS_UNIT_LIBPPP_UTIL_H

#include <stddef.h>
#include <stdint.h>

#include "libppp/auth.h"
#include "libppp/crypto.h"

/* Reads digits, blanks between them are skipped; returns the number of bytes. */
size_t unhex(uint8_t *out, size_t outlen, const char *text);
/* Fails the test unless data is what text says. */
void assert_hex(const uint8_t *data, size_t datalen, const char *text);

/* Loaded at first use, freed at exit. */
const struct ppp_crypto *test_crypto(void);

uint32_t test_random(uint32_t *seed);
/* For configs; user is a uint32_t seed. */
void test_random_fill(void *user, void *buf, size_t len);

struct ppp_secret test_password(const char *text);
struct ppp_secret test_nt_hash(const char *text);

#endif
