#include "libppp/mschap.h"

#include <string.h>

void
mschap_lm_hash(const struct ppp_crypto *c, uint8_t out[16], const char *password, size_t len)
{
	static const uint8_t magic[8] = {'K', 'G', 'S', '!', '@', '#', '$', '%'};
	uint8_t upper[14] = {0};

	for (size_t i = 0; i < len && i < sizeof(upper); i++)
		upper[i] = (uint8_t)(password[i] >= 'a' && password[i] <= 'z' ? password[i] - 'a' + 'A' : password[i]);
	ppp_des(c, out, magic, upper);
	ppp_des(c, out + 8, magic, upper + 7);
	ppp_wipe(upper, sizeof(upper));
}

void
mschap_response(const struct ppp_crypto *c, uint8_t out[24], const uint8_t challenge[8], const uint8_t hash[16])
{
	uint8_t keys[21] = {0};

	memcpy(keys, hash, 16);
	for (int i = 0; i < 3; i++)
		ppp_des(c, out + (size_t)8 * i, challenge, keys + (size_t)7 * i);
	ppp_wipe(keys, sizeof(keys));
}

void
mschap_challenge_hash(const struct ppp_crypto *c, uint8_t out[8], const uint8_t peer_challenge[16], const uint8_t auth_challenge[16],
    const char *name, size_t namelen)
{
	struct ppp_iov in[] = {{peer_challenge, 16}, {auth_challenge, 16}, {name, namelen}};
	uint8_t digest[20];

	ppp_sha1(c, digest, in, 3);
	memcpy(out, digest, 8);
}

void
mschap_authenticator_response(
    const struct ppp_crypto *c, uint8_t out[20], const uint8_t nt_hash[16], const uint8_t nt_response[24], const uint8_t challenge[8])
{
	/* the texts of RFC 2759 section 8.7, without terminators */
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] = "Pad to make it do more than one iteration";
	uint8_t hash_hash[16], digest[20];
	struct ppp_iov hash = {nt_hash, 16};
	struct ppp_iov first[] = {{hash_hash, 16}, {nt_response, 24}, {magic1, sizeof(magic1) - 1}};
	struct ppp_iov second[] = {{digest, 20}, {challenge, 8}, {magic2, sizeof(magic2) - 1}};

	ppp_md4(c, hash_hash, &hash, 1);
	ppp_sha1(c, digest, first, 3);
	ppp_sha1(c, out, second, 3);
	ppp_wipe(hash_hash, sizeof(hash_hash));
}

size_t
mschap_domain(const char *name, size_t namelen)
{
	const char *slash = memchr(name, '\\', namelen);

	return slash != NULL ? (size_t)(slash - name) + 1 : 0;
}

void
mschap_secret_hash(const struct ppp_crypto *c, uint8_t out[16], const struct ppp_secret *secret)
{
	if (secret->is_nt_hash)
		memcpy(out, secret->data, 16);
	else
		ppp_nt_hash(c, out, (const char *)secret->data, secret->len);
}
