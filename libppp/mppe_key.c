/* The low-level SHA-1 calls are deprecated in favour of EVP, but EVP costs half as much again on inputs of two blocks
 * (bench/bench_mppe), and the key changes on every packet. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "libppp/mppe_key.h"

#include <openssl/sha.h>
#include <string.h>

/* The texts of RFC 3079 section 3.4; both sides must agree on each byte. */
static const char magic_master[] = "This is the MPPE Master Key";
static const char magic_client_sends[] = "On the client side, this is the send key; on the server side, it is the receive key.";
static const char magic_server_sends[] = "On the client side, this is the receive key; on the server side, it is the send key.";

enum { PAD = 40 };

static const uint8_t pad1[PAD];

static void
asymmetric_key(const struct ppp_crypto *c, uint8_t out[16], const uint8_t master[16], const char *magic)
{
	uint8_t pad2[PAD], digest[20];
	struct ppp_iov in[] = {{master, 16}, {pad1, PAD}, {magic, strlen(magic)}, {pad2, PAD}};

	memset(pad2, 0xf2, PAD);
	ppp_sha1(c, digest, in, 4);
	memcpy(out, digest, 16);
	ppp_wipe(digest, sizeof(digest));
}

void
mppe_keys_v2(const struct ppp_crypto *c, struct ppp_mppe_keys *keys, const uint8_t nt_hash[16], const uint8_t nt_response[24], bool server)
{
	uint8_t hash_hash[16], master[20];
	struct ppp_iov hash = {nt_hash, 16};
	struct ppp_iov in[] = {{hash_hash, 16}, {nt_response, 24}, {magic_master, sizeof(magic_master) - 1}};

	ppp_md4(c, hash_hash, &hash, 1);
	ppp_sha1(c, master, in, 3);
	memset(keys, 0, sizeof(*keys));
	asymmetric_key(c, server ? keys->recv : keys->send, master, magic_client_sends);
	asymmetric_key(c, server ? keys->send : keys->recv, master, magic_server_sends);
	keys->valid = true;
	ppp_wipe(hash_hash, sizeof(hash_hash));
	ppp_wipe(master, sizeof(master));
}

void
mppe_keys_v1(
    const struct ppp_crypto *c, struct ppp_mppe_keys *keys, const uint8_t nt_hash[16], const uint8_t *lm_hash, const uint8_t challenge[8])
{
	uint8_t hash_hash[16], digest[20];
	struct ppp_iov hash = {nt_hash, 16};
	struct ppp_iov in[] = {{hash_hash, 16}, {hash_hash, 16}, {challenge, 8}};

	ppp_md4(c, hash_hash, &hash, 1);
	ppp_sha1(c, digest, in, 3);
	memset(keys, 0, sizeof(*keys));
	memcpy(keys->send, digest, 16);
	memcpy(keys->recv, digest, 16);
	keys->lm = true;
	keys->no_lm_key = lm_hash == NULL;
	if (lm_hash != NULL)
		memcpy(keys->lm_key, lm_hash, 8);
	keys->valid = true;
	ppp_wipe(hash_hash, sizeof(hash_hash));
	ppp_wipe(digest, sizeof(digest));
}

unsigned
mppe_keys_bits(const struct ppp_mppe_keys *keys)
{
	if (!keys->valid)
		return 0;
	return keys->lm && keys->no_lm_key ? 4 : 7;
}

void
mppe_new_key(uint8_t *interim, const uint8_t *start, const uint8_t *session, size_t keylen)
{
	uint8_t in[2 * (16 + PAD)], digest[20], *p = in;
	SHA_CTX sha;

	memcpy(p, start, keylen);
	p += keylen;
	memset(p, 0x00, PAD);
	p += PAD;
	memcpy(p, session, keylen);
	p += keylen;
	memset(p, 0xf2, PAD);
	SHA1_Init(&sha);
	SHA1_Update(&sha, in, 2 * (keylen + PAD));
	SHA1_Final(digest, &sha);
	memcpy(interim, digest, keylen);
}

void
mppe_weaken_key(uint8_t *key, unsigned bits)
{
	if (bits == 128)
		return;
	key[0] = 0xd1;
	if (bits == 40) {
		key[1] = 0x26;
		key[2] = 0x9e;
	}
}
