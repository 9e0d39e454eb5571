/* What MPPE costs a packet: ours, and the same done with OpenSSL's EVP at its best (objects fetched once, contexts reused,
 * key-only init), in one run. The two are checked against each other byte by byte. */
#include "libppp/mppe.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/wire.h"

enum { WORK_BYTES = 120000000, LARGE = 1400, SMALL = 100, REPETITIONS = 5 };

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "bench_mppe: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- MPPE on EVP --------------------------------------------------------------------------------------------- */

struct evp_mppe {
	EVP_MD_CTX *sha;
	EVP_CIPHER_CTX *rc4;
	uint8_t message[112]; /* start key, pad, session key, pad: what is hashed */
	uint8_t *session;
	unsigned count;
	bool stateless;
};

static EVP_MD *sha1;

static void
evp_interim(struct evp_mppe *m, uint8_t out[20])
{
	if (!EVP_DigestInit_ex2(m->sha, NULL, NULL) || !EVP_DigestUpdate(m->sha, m->message, sizeof(m->message)) ||
	    !EVP_DigestFinal_ex(m->sha, out, NULL))
		die("SHA-1 failed");
}

static void
evp_key(struct evp_mppe *m, const uint8_t *key)
{
	if (!EVP_EncryptInit_ex2(m->rc4, NULL, key, NULL, NULL))
		die("RC4 failed");
}

static void
evp_init(struct evp_mppe *m, const uint8_t start[16], bool stateless)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "RC4", NULL);
	uint8_t digest[20];

	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	m->sha = EVP_MD_CTX_new();
	m->rc4 = EVP_CIPHER_CTX_new();
	if (cipher == NULL || !EVP_DigestInit_ex2(m->sha, sha1, NULL) || !EVP_EncryptInit_ex2(m->rc4, cipher, start, NULL, NULL))
		die("OpenSSL gives no RC4 or SHA-1");
	EVP_CIPHER_free(cipher);
	memset(m->message, 0, sizeof(m->message));
	memcpy(m->message, start, 16);
	m->session = m->message + 56;
	memcpy(m->session, start, 16);
	memset(m->message + 72, 0xf2, 40);
	m->count = 0;
	m->stateless = stateless;
	evp_interim(m, digest);
	memcpy(m->session, digest, 16);
	evp_key(m, m->session);
}

static void
evp_fini(struct evp_mppe *m)
{
	EVP_MD_CTX_free(m->sha);
	EVP_CIPHER_CTX_free(m->rc4);
	EVP_MD_free(sha1);
}

static void
evp_packet(struct evp_mppe *m, uint8_t *data, size_t datalen)
{
	uint8_t digest[20];
	int len;

	if (m->stateless || (m->count & 0xff) == 0xff) {
		evp_interim(m, digest);
		evp_key(m, digest);
		EVP_EncryptUpdate(m->rc4, m->session, &len, digest, 16);
		evp_key(m, m->session);
	}
	m->count++;
	EVP_EncryptUpdate(m->rc4, data, &len, data, (int)datalen);
}

/* ---- runs ------------------------------------------------------------------------------------------------------ */

static const struct ppp_mppe_keys keys = {.valid = true, .send = "a 16 byte secret", .recv = "a 16 byte secret"};

static void
verify(bool stateless)
{
	uint8_t a[LARGE] = {0, 0x21}, b[LARGE] = {0, 0x21}, header[MPPE_HEADER];
	struct evp_mppe evp;
	struct mppe tx;

	evp_init(&evp, keys.send, stateless);
	mppe_init(&tx, &keys, true, 128, stateless);
	for (int i = 0; i < 1000; i++) {
		mppe_encrypt(&tx, header, a, sizeof(a));
		evp_packet(&evp, b, sizeof(b));
		if (memcmp(a, b, sizeof(a)) != 0)
			die("ours and EVP differ");
	}
	evp_fini(&evp);
}

static double
bench_evp(bool stateless, size_t len)
{
	uint8_t data[LARGE] = {0, 0x21};
	unsigned packets = WORK_BYTES / LARGE;
	struct evp_mppe evp;
	uint64_t begin;

	evp_init(&evp, keys.send, stateless);
	begin = now_ns();
	for (unsigned i = 0; i < packets; i++)
		evp_packet(&evp, data, len);
	begin = now_ns() - begin;
	evp_fini(&evp);
	return (double)begin / packets;
}

static double
bench_encrypt(bool stateless, size_t len)
{
	uint8_t data[LARGE] = {0, 0x21}, header[MPPE_HEADER];
	unsigned packets = WORK_BYTES / LARGE;
	struct mppe tx;
	uint64_t begin;

	mppe_init(&tx, &keys, true, 128, stateless);
	begin = now_ns();
	for (unsigned i = 0; i < packets; i++)
		mppe_encrypt(&tx, header, data, len);
	return (double)(now_ns() - begin) / packets;
}

/* Packets are encrypted in blocks outside of the measured time. */
static double
bench_decrypt(bool stateless, size_t len)
{
	enum { BLOCK = 64 };
	static uint8_t data[BLOCK][LARGE], header[BLOCK][MPPE_HEADER];
	unsigned blocks = WORK_BYTES / LARGE / BLOCK;
	struct mppe tx, rx;
	uint64_t spent = 0, begin;

	mppe_init(&tx, &keys, true, 128, stateless);
	mppe_init(&rx, &keys, false, 128, stateless);
	for (unsigned i = 0; i < blocks; i++) {
		for (unsigned k = 0; k < BLOCK; k++) {
			put_u16(data[k], 0x0021);
			mppe_encrypt(&tx, header[k], data[k], len);
		}
		begin = now_ns();
		for (unsigned k = 0; k < BLOCK; k++) {
			if (mppe_decrypt(&rx, header[k], data[k], len) != MPPE_RX_OK)
				die("a packet was refused");
		}
		spent += now_ns() - begin;
	}
	return (double)spent / (blocks * BLOCK);
}

static double
best(double (*run)(bool, size_t), bool stateless, size_t len)
{
	double least = 1e9;

	for (int i = 0; i < REPETITIONS; i++) {
		double ns = run(stateless, len);

		least = ns < least ? ns : least;
	}
	return least;
}

int
main(void)
{
	static const size_t sizes[] = {LARGE, SMALL};

	if (OSSL_PROVIDER_load(NULL, "legacy") == NULL || OSSL_PROVIDER_load(NULL, "default") == NULL)
		die("OpenSSL's legacy provider can't be loaded");
	printf("MPPE-128, ns of processor time a packet, best of %d   encrypt   decrypt       EVP   EVP/ours\n", REPETITIONS);
	for (int stateless = 1; stateless >= 0; stateless--) {
		verify(stateless);
		for (size_t i = 0; i < 2; i++) {
			double tx = best(bench_encrypt, stateless, sizes[i]), rx = best(bench_decrypt, stateless, sizes[i]);
			double evp = best(bench_evp, stateless, sizes[i]);

			printf("%-10s %5zu bytes %36.0f %9.0f %9.0f %10.2f\n", stateless ? "stateless" : "stateful", sizes[i], tx, rx, evp,
			    evp / tx);
		}
	}
	return EXIT_SUCCESS;
}
